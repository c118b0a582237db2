"""Areas under curves, of weighted rows."""

from __future__ import annotations

import numpy as np
import pytest

from dashlight.judge.performance.curves import average_precision, roc_auc
from dashlight.window.performance.score_cells import cells_of


def test_of_parted_classes_the_interval_is_known_however_many_rows_the_weights_say() -> None:
    cells = cells_of(np.linspace(0.1, 0.9, 6), np.array([False] * 3 + [True] * 3))

    for middle in np.linspace(1.0, 3.0, 21):
        weights = np.array([1.0, middle, 1.0, 1.0, middle, 1.0])
        for measure in (*roc_auc(cells, 1.96, weights), *average_precision(cells, 1.96, weights)):
            assert measure.value == pytest.approx(1.0)
            assert 0.0 < measure.low <= measure.value <= measure.high == 1.0
