from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from dashlight.labels.rows import Floats
from dashlight.window.reference.performance.labelled_training import KnownTask, LabelledTraining
from dashlight.window.reference.performance.losses import SCORE_BINS, losses_of, reference_losses, score_bins

NAN = np.nan


def training(
    task: KnownTask, scores: Floats, labels: Floats, predictions: NDArray[np.int32] | None = None
) -> LabelledTraining:
    guessed = np.full(len(scores), -1, np.int32) if predictions is None else predictions.astype(np.int32)
    classes = {"binary": ("0", "1"), "multiclass": ("a", "b", "c"), "regression": ()}[task]
    return LabelledTraining(task, classes, "y", "p", "c", scores, guessed, labels)


def test_losses_of_rows() -> None:
    scores, labels = np.array([0.9, 0.4, 0.2, NAN, 0.7]), np.array([1.0, 1.0, NAN, 0.0, -1.0])
    predictions = np.array([1, 0, 0, -1, 1], np.int32)

    errors = losses_of("error", "binary", scores, predictions, labels)
    squares = losses_of("squared_error", "binary", scores, predictions, labels)

    assert errors.tolist() == pytest.approx([0, 1, NAN, NAN, 1], nan_ok=True)
    assert squares.tolist() == pytest.approx([0.01, 0.36, NAN, NAN, NAN], nan_ok=True)


def test_an_error_of_a_number_is_a_share_of_the_scale_and_one_at_most() -> None:
    scores, labels = np.array([1.0, 2.0, -30.0, NAN]), np.array([2.0, -1.0, 0.0, 0.0])
    nothing = np.full(4, -1, np.int32)

    absolute = losses_of("absolute_error", "regression", scores, nothing, labels, scale=4)
    squared = losses_of("squared_error", "regression", scores, nothing, labels, scale=4)

    assert absolute.tolist() == pytest.approx([0.25, 0.75, 1, NAN], nan_ok=True)
    assert squared.tolist() == pytest.approx([0.0625, 0.5625, 1, NAN], nan_ok=True)


def test_losses_of_a_reference_stand_by_tenths_of_its_score() -> None:
    rng = np.random.default_rng(3)
    scores = rng.random(5000)
    labels = (rng.random(5000) < scores).astype(np.float64)
    labels[::7] = NAN
    predictions = (scores >= 0.5).astype(np.int32)

    error, squared = reference_losses(training("binary", scores, labels, predictions))

    assert (error.name, error.scale, squared.name, squared.scale) == ("error", 1.0, "squared_error", 1.0)
    known = ~np.isnan(labels)
    assert len(error.edges) == SCORE_BINS - 1
    assert error.rows.sum() == known.sum()
    assert error.rows == pytest.approx(np.full(10, known.sum() / 10), abs=1)
    bounds = [-np.inf, *error.edges.tolist(), np.inf]
    for place, (low, high) in enumerate(pairwise(bounds)):
        inside = known & (scores >= low) & (scores < high)
        wrong = predictions[inside] != labels[inside]
        brier = (scores[inside] - labels[inside]) ** 2
        assert error.rows[place] == inside.sum()
        assert error.sums[place] == error.squares[place] == wrong.sum()
        assert squared.sums[place] == pytest.approx(brier.sum())
        assert squared.squares[place] == pytest.approx((brier**2).sum())


@pytest.mark.parametrize("scores", [[0.0] * 50 + [1.0] * 50, [0.3] * 100, [0.0] * 95 + [0.1, 0.2, 0.3, 0.4, 0.5]])
def test_scores_that_repeat_share_a_bin(scores: list[float]) -> None:
    held = np.array(scores)
    (error, _) = reference_losses(training("binary", held, np.zeros(100), np.zeros(100, np.int32)))

    assert (error.rows > 0).all()
    assert error.rows.tolist() == np.bincount(score_bins(error.edges, held)).tolist()


def test_without_scores_there_is_one_bin() -> None:
    labels, predictions = np.array([0.0, 1, 2, 2, NAN]), np.array([0, 1, 1, 2, 2])

    (error,) = reference_losses(training("multiclass", np.full(5, NAN), labels, predictions))

    assert (error.name, error.edges.tolist(), error.rows.tolist(), error.sums.tolist()) == ("error", [], [4], [1.0])


def test_rows_without_a_score_are_left_out_where_others_have_one() -> None:
    labels, predictions = np.array([0.0, 1, 2, 2]), np.array([0, 1, 1, 2])

    (error,) = reference_losses(training("multiclass", np.array([0.5, NAN, 0.6, 0.7]), labels, predictions))

    assert error.rows.sum() == 3


def test_nothing_is_said_where_no_row_is_labelled() -> None:
    assert reference_losses(training("binary", np.ones(3), np.full(3, NAN), np.zeros(3, np.int32))) == ()
    assert reference_losses(training("regression", np.ones(3), np.full(3, NAN))) == ()


def test_the_scale_of_an_error_is_what_one_row_in_twenty_exceeds() -> None:
    rng = np.random.default_rng(4)
    errors = rng.standard_cauchy(2000)

    absolute, squared = reference_losses(training("regression", errors, np.zeros(2000)))

    assert absolute.scale == squared.scale == pytest.approx(np.quantile(np.abs(errors), 0.95))
    assert absolute.sums.sum() == pytest.approx(np.minimum(np.abs(errors) / absolute.scale, 1).sum())
    assert absolute.squares.sum() == pytest.approx(squared.sums.sum())


@pytest.mark.parametrize(("wrong", "scale"), [(1, 7.0), (0, 1.0)], ids=["nearly all exact", "all exact"])
def test_predictions_that_are_exact_have_a_scale_as_well(wrong: int, scale: float) -> None:
    scores = np.arange(100.0)
    labels = scores.copy()
    labels[:wrong] += 7

    absolute, _ = reference_losses(training("regression", scores, labels))

    assert absolute.scale == scale
    assert absolute.sums.sum() == wrong
