import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashlight.judge.performance.estimates.calibration import Calibration, calibration_of
from dashlight.judge.performance.estimates.expected import score_evidence
from dashlight.judge.performance.estimates.known import KnownRows
from dashlight.labels.rows import Floats
from dashlight.window.reference.isotonic import isotonic

FLOATS = st.floats(allow_nan=False, allow_infinity=False)


def known(scores: Floats, outcomes: Floats) -> KnownRows:
    return KnownRows("binary", ("0", "1"), len(scores), scores, outcomes, None, None, is_calibrated=False)


@given(st.lists(st.tuples(FLOATS, st.booleans(), st.floats(0.01, 100)), min_size=1, max_size=40))
def test_calibrated_scores_lie_from_0_to_1_and_do_not_fall(rows: list[tuple[float, bool, float]]) -> None:
    scores, outcomes, weights = (np.array(column, np.float64) for column in zip(*rows, strict=True))

    chances = calibration_of(known(scores, outcomes), weights).chances(np.sort(scores))

    assert ((chances >= 0) & (chances <= 1)).all()
    assert (np.diff(chances) >= -1e-12).all()


def test_with_weights_of_one_the_calibration_is_the_plain_one() -> None:
    rng = np.random.default_rng(0)
    scores = rng.random(5000)
    outcomes = (rng.random(5000) < scores**2).astype(np.float64)
    at = np.linspace(0, 1, 777)

    chances = calibration_of(known(scores, outcomes), np.ones(5000)).chances(at)

    assert chances == pytest.approx(np.interp(at, *isotonic(scores, outcomes)), abs=1e-12)


def test_rows_of_weight_two_are_rows_that_are_there_twice() -> None:
    rng = np.random.default_rng(1)
    scores = rng.random(500)
    outcomes = (rng.random(500) < scores).astype(np.float64)
    weights = rng.integers(1, 4, 500)
    at = np.linspace(0, 1, 777)

    chances = calibration_of(known(scores, outcomes), weights.astype(np.float64)).chances(at)

    repeated = known(np.repeat(scores, weights), np.repeat(outcomes, weights))
    assert chances == pytest.approx(calibration_of(repeated).chances(at), abs=1e-12)


def test_scores_without_a_fit_are_chances_already() -> None:
    calibration = Calibration(None, score_evidence(np.array([0.5]), None, 1))

    assert calibration.chances(np.array([-1.0, 0.3, 2.0])).tolist() == [0.0, 0.3, 1.0]
