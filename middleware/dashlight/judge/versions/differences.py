"""The rows of values that a difference is compared with: round numbers, so that a limit that somebody names is one of them."""

from __future__ import annotations

from typing import Final

import numpy as np

from dashlight.labels.rows import Floats

_ROUND: Final = (1.0, 1.2, 1.5, 1.75, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 6.0, 7.0, 8.0)


def _row(decades: range) -> Floats:
    positive = [float(f"{mantissa}e{decade}") for decade in decades for mantissa in _ROUND]
    row = np.array([*(-each for each in reversed(positive)), 0.0, *positive])
    row.flags.writeable = False
    return row


OF_RATES: Final = _row(range(-4, 0))
"""From -0.8 to 0.8, 0.0001 the smallest, shape (105,)."""
OF_SECONDS: Final = _row(range(-5, 3))
"""From -800 to 800 seconds, 10 microseconds the smallest."""
