"""How answers are read, as the settings and the reference say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dashlight.counting.references import References
from dashlight.privacy.hashing import HashKey
from dashlight.records import Prediction
from dashlight.runtime.assembly.keeping import scoring_of
from dashlight.settings import Settings
from dashlight.store.learned import LearnedReferences
from dashlight.window.reference.build import build_reference_from_columns
from dashlight.window.tables import table_of_columns

KEY = HashKey(b"k" * 32)


@pytest.mark.parametrize(("asked", "expected"), [({"age": [30.0]}, True), ({"store": [1.0]}, False)])
def test_one_reference_file_is_not_about_every_model_of_an_app(
    asked: Mapping[str, Sequence[Any]], *, expected: bool, tmp_path: Path
) -> None:
    values = {"age": np.arange(400.0).tolist()}
    given = build_reference_from_columns(values, {}, rng=np.random.default_rng(0), created_at=0.0)
    references = References(LearnedReferences(tmp_path), given)
    prediction = Prediction("/p", "", "", "plain", table_of_columns(asked), table_of_columns({"price": [1.0]}))

    assert scoring_of(Settings.from_env({}), references, KEY).is_about(prediction) is expected
