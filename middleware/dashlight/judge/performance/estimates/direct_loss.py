"""A model of how far off predictions of numbers are, from the reference's rows: the expected error of rows without labels.

Ridge regression of the absolute and the squared error over the bins of all columns and of the prediction itself. How well it
does is measured on rows that it has not seen, and where it does no better than the mean, the mean it is.

Source: DLE, NannyML's documentation, "Estimating Performance for Regression"; the model is ours.
"""

from dataclasses import dataclass

import numpy as np

from dashlight.judge.performance.estimates.estimate import EstimatedMeasure
from dashlight.judge.performance.estimates.expected import Z
from dashlight.judge.performance.estimates.one_hot import Codes, OneHot
from dashlight.labels.rows import Floats
from dashlight.window.layout import BINS, STRUCTURAL_BINS, VALUE_BINS
from dashlight.window.reference.steps import Steps

RIDGE = 10.0
"""A prior worth so many rows on every bin. Chosen like those of `adapted`."""
_LARGEST_ERROR = 1e50
"""Its fourth power can be added up; larger ones count as that."""


@dataclass(frozen=True, slots=True, eq=False)
class _Losses:
    """One loss by row, as the model has it."""

    weights: Floats
    """None of which counts but the first where the mean does as well."""
    variance: float
    """Of the loss around what the model expects of rows that it has not seen."""
    smallest: float
    largest: float
    """Of the losses seen: what is expected stays between."""


class DirectLoss:
    """Expected errors of a regression."""

    def __init__(self, edges: Floats, absolute: _Losses, squared: _Losses, rows: int) -> None:
        self._edges, self._absolute, self._squared, self._rows = edges, absolute, squared, rows

    def absolute(self, codes: Codes, scores: Floats) -> Steps[Floats]:
        """The expected absolute error of each row; *codes* as those that it was fitted to, of shape (columns, rows)."""
        return (yield from self._expected(self._absolute, codes, scores))

    def measures(self, codes: Codes, scores: Floats, rows: int) -> Steps[tuple[EstimatedMeasure, ...]]:
        """MAE and RMSE of a window of *rows* rows, of which those of *codes* and *scores*, at least one, are drawn uniformly."""
        absolute = yield from self._expected(self._absolute, codes, scores)
        squared = yield from self._expected(self._squared, codes, scores)
        mae, mse = float(absolute.mean()), float(squared.mean())
        # Chance in the window's rows; which of them were drawn; the reference's own rows.
        of_mae = float(np.maximum(squared - absolute**2, 0).mean()) / rows
        of_mae += float(absolute.var()) / len(scores) + self._absolute.variance / self._rows
        of_mse = self._squared.variance * (1 / rows + 1 / self._rows) + float(squared.var()) / len(scores)
        rmse, reach = float(np.sqrt(mse)), Z * float(np.sqrt(of_mse))
        return (
            _measure("mae", mae, mae - Z * float(np.sqrt(of_mae)), mae + Z * float(np.sqrt(of_mae))),
            _measure("rmse", rmse, float(np.sqrt(max(mse - reach, 0.0))), float(np.sqrt(mse + reach))),
        )

    def _expected(self, losses: _Losses, codes: Codes, scores: Floats) -> Steps[Floats]:
        rows = OneHot([_with_score(codes, scores, self._edges)])
        expected = yield from rows.times(losses.weights)
        return np.clip(expected, losses.smallest, losses.largest)


def fitted_direct_loss(codes: Codes, scores: Floats, labels: Floats) -> Steps[DirectLoss]:
    """The model of the errors of reference rows, all finite; at least four rows.

    *codes* has shape (columns, rows); without columns the prediction alone says what to expect.
    """
    edges = np.unique(np.quantile(scores, np.arange(1, VALUE_BINS) / VALUE_BINS, method="inverted_cdf"))
    rows = _with_score(codes, scores, edges)
    error = np.minimum(np.abs(labels / 2 - scores / 2), _LARGEST_ERROR / 2) * 2
    absolute = yield from _model(rows, error)
    squared = yield from _model(rows, error**2)
    return DirectLoss(edges, absolute, squared, len(scores))


def _model(codes: Codes, losses: Floats) -> Steps[_Losses]:
    unseen = np.empty_like(losses)
    mean_alone = np.empty_like(losses)
    for fold in (0, 1):
        weights = yield from _ridge(codes[:, 1 - fold :: 2], losses[1 - fold :: 2])
        unseen[fold::2] = yield from OneHot([codes[:, fold::2]]).times(weights)
        mean_alone[fold::2] = losses[1 - fold :: 2].mean()
    smallest, largest = float(losses.min()), float(losses.max())
    variance = float(((losses - np.clip(unseen, smallest, largest)) ** 2).mean())
    variance_alone = float(((losses - mean_alone) ** 2).mean())
    if variance >= variance_alone:
        weights = np.zeros(1 + len(codes) * BINS)
        weights[0] = losses.mean()
        return _Losses(weights, variance_alone, smallest, largest)
    return _Losses((yield from _ridge(codes, losses)), variance, smallest, largest)


def _ridge(codes: Codes, losses: Floats) -> Steps[Floats]:
    """Weights over the bins of *codes*; the intercept is free."""
    rows = OneHot([codes])
    penalty = np.full(rows.width, RIDGE)
    penalty[0] = 1e-9
    right = yield from rows.transposed(losses - losses.mean())
    weights = yield from rows.solved(right, np.ones(len(losses)), penalty)
    weights[0] += losses.mean()
    return weights


def _with_score(codes: Codes, scores: Floats, edges: Floats) -> Codes:
    """*codes*, and the bin of the score for one column more."""
    of_score = (np.searchsorted(edges, scores, side="right") + STRUCTURAL_BINS).astype(np.uint8)
    return np.concatenate([codes, of_score[np.newaxis]])


def _measure(name: str, value: float, low: float, high: float) -> EstimatedMeasure:
    return EstimatedMeasure(name, value, max(low, 0.0), high, "direct_loss")
