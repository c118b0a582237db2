"""Losses of rows, from 0 to 1, and what they were on the reference by the score."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from dashlight.labels.rows import NO_CLASS, Floats, Task
from dashlight.window.performance_reference import LossName, ReferenceLoss
from dashlight.window.reference.performance.labelled_training import LabelledTraining

SCORE_BINS = 10
"""Of a loss: tenths of the labelled rows of the reference, by their score."""
SCALE_QUANTILE = 0.95
"""Of the absolute errors of the reference: the largest one in twenty, which may be anything, lose 1 and no more."""

LOSSES: Mapping[Task, tuple[LossName, ...]] = {
    "binary": ("error", "squared_error"),
    "multiclass": ("error",),
    "regression": ("absolute_error", "squared_error"),
}
"""Which losses a task has."""


def losses_of(
    name: LossName, task: Task, scores: Floats, predictions: NDArray[np.int32], labels: Floats, *, scale: float = 1.0
) -> Floats:
    """The loss of each row, from 0 to 1; NaN where what it takes is not known.

        error            1 where the class predicted is not the label's, else 0
        squared_error    of a binary task (score - label)^2; of a regression min(1, ((score - label) / scale)^2)
        absolute_error   min(1, |score - label| / scale)

    Args:
        scores, predictions, labels: Shape (rows,), as in LabelledRows.
        scale: As in ReferenceLoss.
    """
    if name == "error":
        is_known = (predictions != NO_CLASS) & ~np.isnan(labels)
        return np.where(is_known, (predictions != labels).astype(np.float64), np.nan)
    # A label that is none of the two classes has no probability.
    truth = np.where(labels == NO_CLASS, np.nan, labels) if task == "binary" else labels
    apart = np.minimum(np.abs(scores - truth) / scale, 1.0)
    return apart if name == "absolute_error" else apart * apart


def score_bins(edges: Floats, scores: Floats) -> NDArray[np.intp]:
    """The bin of each score, from 0 to len(*edges*): a score that equals an edge lies above it. Scores are no NaN."""
    return np.searchsorted(edges, scores, side="right")


def reference_losses(training: LabelledTraining) -> tuple[ReferenceLoss, ...]:
    """The losses of all rows that have a label and a score, or a label and a prediction where there is no score at all."""
    has_scores = not np.isnan(training.scores).all()
    found: list[ReferenceLoss] = []
    for name in LOSSES[training.task]:
        scale = _scale_of(training) if training.task == "regression" else 1.0
        losses = losses_of(name, training.task, training.scores, training.predictions, training.labels, scale=scale)
        counted = ~np.isnan(losses) & (~np.isnan(training.scores) if has_scores else True)
        if counted.any():
            scores = training.scores[counted] if has_scores else np.zeros(int(counted.sum()))
            found.append(_by_score(name, scale, scores, losses[counted]))
    return tuple(found)


def _scale_of(training: LabelledTraining) -> float:
    errors = np.abs(training.scores - training.labels)
    errors = errors[~np.isnan(errors)]
    if not len(errors):
        return 1.0
    quantile, largest = float(np.quantile(errors, SCALE_QUANTILE)), float(errors.max())
    # Where nearly all is predicted exactly, and where all is.
    return quantile or largest or 1.0


def _by_score(name: LossName, scale: float, scores: Floats, losses: Floats) -> ReferenceLoss:
    quantiles = np.quantile(scores, np.arange(1, SCORE_BINS) / SCORE_BINS, method="inverted_cdf")
    edges = np.unique(quantiles)
    edges = edges[edges > scores.min()]  # below the smallest lies nothing
    bins = score_bins(edges, scores)
    count = len(edges) + 1
    return ReferenceLoss(
        name,
        scale,
        edges,
        np.bincount(bins, minlength=count).astype(np.int64),
        np.bincount(bins, losses, count).astype(np.float64),
        np.bincount(bins, losses * losses, count).astype(np.float64),
    )
