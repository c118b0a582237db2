import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression

from dashlight.window.reference.isotonic import isotonic_at
from dashlight.window.reference.performance.calibration import FEWEST_ROWS, calibration_of


def test_scores_that_are_too_sure_are_calibrated_as_scikit_learn_does() -> None:
    rng = np.random.default_rng(5)
    truth = rng.random(6000)
    labels = (rng.random(6000) < truth).astype(np.float64)
    scores = np.round(truth**3 / (truth**3 + (1 - truth) ** 3), 3)

    fit = calibration_of(scores, labels, np.random.default_rng(42))

    assert fit is not None
    theirs = IsotonicRegression(out_of_bounds="clip", y_min=0, y_max=1).fit(scores, labels)
    points = np.linspace(0, 1, 501)
    assert isotonic_at(points, fit) == pytest.approx(theirs.predict(points), abs=1e-12)


def test_scores_that_are_probabilities_stay_as_they_are() -> None:
    decided = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        scores = np.round(rng.random(2000), 1)
        labels = (rng.random(2000) < scores).astype(np.float64)
        decided.append(calibration_of(scores, labels, np.random.default_rng(42)) is None)

    # Of few distinct scores the fit is the share of each: it cannot be much better than what is true.
    assert sum(decided) >= 12


def test_rows_of_which_something_is_missing_are_left_out() -> None:
    rng = np.random.default_rng(6)
    scores = rng.random(3000)
    labels = (rng.random(3000) < scores**3).astype(np.float64)
    holes = np.arange(6000) % 2 == 1

    full = calibration_of(scores, labels, np.random.default_rng(1))
    more_scores, more_labels = np.repeat(scores, 2), np.repeat(labels, 2)
    more_labels[holes] = np.nan
    with_holes = calibration_of(more_scores, more_labels, np.random.default_rng(1))

    assert full is not None
    assert with_holes is not None
    assert full[0].tolist() == with_holes[0].tolist()
    assert full[1].tolist() == with_holes[1].tolist()


def test_few_rows_are_not_calibrated() -> None:
    scores = np.linspace(0, 1, FEWEST_ROWS - 1)

    assert calibration_of(scores, (scores > 0.9).astype(np.float64), np.random.default_rng(1)) is None


def test_the_same_rows_give_the_same_fit() -> None:
    rng = np.random.default_rng(7)
    scores = rng.random(1000)
    labels = (rng.random(1000) < scores**2).astype(np.float64)

    one, other = (calibration_of(scores, labels, np.random.default_rng(3)) for _ in range(2))

    assert one is not None
    assert other is not None
    assert one[0].tolist() == other[0].tolist()
