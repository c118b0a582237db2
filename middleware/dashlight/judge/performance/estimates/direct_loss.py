"""A model of how far off predictions of numbers are, from the reference's rows: the expected error of rows without labels.

Boosted trees of the absolute and of the squared error over the bins of all columns and of the prediction itself. Two are fitted,
each to half of the rows, and their mean is what is expected; how well they do is measured on the half that each has not seen.
Where that is no better than the mean of all rows, the mean it is.

Source: DLE, NannyML's documentation, "Estimating Performance for Regression"; the trees are ours.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.performance.estimates.boosted import BoostedTrees, boosted_trees
from dashlight.judge.performance.estimates.estimate import EstimatedMeasure
from dashlight.judge.performance.estimates.expected import Z
from dashlight.judge.performance.estimates.one_hot import Codes
from dashlight.labels.rows import Floats
from dashlight.window.layout import STRUCTURAL_BINS, VALUE_BINS
from dashlight.window.reference.steps import Steps

_LARGEST_ERROR = 1e50
"""Its fourth power can be added up; larger ones count as that."""


@dataclass(frozen=True, slots=True, eq=False)
class _Losses:
    """One loss by row, as the model has it."""

    halves: tuple[BoostedTrees, ...]
    """Empty where the mean does as well."""
    mean: float
    variance: float
    """Of the loss around what is expected of rows that were not seen."""
    smallest: float
    largest: float
    """Of the losses seen: what is expected stays between."""


class DirectLoss:
    """Expected errors of a regression."""

    def __init__(self, edges: Floats, absolute: _Losses, squared: _Losses, rows: int) -> None:
        self._edges, self._absolute, self._squared, self._rows = edges, absolute, squared, rows

    def measures(self, codes: Codes, scores: Floats, rows: int) -> Steps[tuple[EstimatedMeasure, ...]]:
        """MAE and RMSE of a window of *rows* rows, of which those of *codes* and *scores*, at least one, are drawn uniformly.

        *codes*, shape (columns, rows), are of the columns to which it was fitted.
        """
        coded = _with_score(codes, scores, self._edges)
        absolute = yield from _expected(self._absolute, coded)
        squared = yield from _expected(self._squared, coded)
        mae, mse = float(absolute.mean()), float(squared.mean())
        # Chance in the window's rows; which of them were drawn; the reference's own rows.
        of_mae = float(np.maximum(squared - absolute**2, 0).mean()) / rows
        of_mae += float(absolute.var()) / len(scores) + self._absolute.variance / self._rows
        of_mse = self._squared.variance * (1 / rows + 1 / self._rows) + float(squared.var()) / len(scores)
        reach, reach_squared = Z * float(np.sqrt(of_mae)), Z * float(np.sqrt(of_mse))
        rmse, low, high = np.sqrt(np.maximum([mse, mse - reach_squared, mse + reach_squared], 0.0)).tolist()
        return (
            EstimatedMeasure("mae", mae, max(mae - reach, 0.0), mae + reach, "direct_loss"),
            EstimatedMeasure("rmse", rmse, low, high, "direct_loss"),
        )


def fitted_direct_loss(
    codes: Codes, is_numeric: NDArray[np.bool_], scores: Floats, labels: Floats
) -> Steps[DirectLoss]:
    """The model of the errors of reference rows, all finite, at least four.

    *codes* has shape (columns, rows), *is_numeric*, shape (columns,), says which have an order; without columns the prediction
    alone says what to expect.
    """
    edges = np.unique(np.quantile(scores, np.arange(1, VALUE_BINS) / VALUE_BINS, method="inverted_cdf"))
    coded = _with_score(codes, scores, edges)
    has_order = np.append(is_numeric, True)
    # Halved, so that their difference does not overflow.
    error = np.minimum(np.abs(labels / 2 - scores / 2), _LARGEST_ERROR / 2) * 2
    absolute = yield from _model(coded, has_order, error)
    squared = yield from _model(coded, has_order, error**2)
    return DirectLoss(edges, absolute, squared, len(scores))


def _model(codes: Codes, has_order: NDArray[np.bool_], losses: Floats) -> Steps[_Losses]:
    smallest, largest, mean = float(losses.min()), float(losses.max()), float(losses.mean())
    unseen, mean_alone = np.empty_like(losses), np.empty_like(losses)
    halves: list[BoostedTrees] = []
    for fold in (0, 1):
        seen = losses[1 - fold :: 2]
        half = yield from boosted_trees(codes[:, 1 - fold :: 2], seen, has_order)
        unseen[fold::2] = np.clip((yield from half.at(codes[:, fold::2])), smallest, largest)
        mean_alone[fold::2] = seen.mean()
        halves.append(half)
    variance, variance_alone = float(((losses - unseen) ** 2).mean()), float(((losses - mean_alone) ** 2).mean())
    if variance >= variance_alone:
        return _Losses((), mean, variance_alone, smallest, largest)
    return _Losses(tuple(halves), mean, variance, smallest, largest)


def _expected(losses: _Losses, codes: Codes) -> Steps[Floats]:
    """Of each row of *codes*."""
    if not losses.halves:
        mean = np.zeros(codes.shape[1])
        mean += losses.mean
        return mean
    total = np.zeros(codes.shape[1])
    for half in losses.halves:
        expected = yield from half.at(codes)
        np.clip(expected, losses.smallest, losses.largest, out=expected)
        total += expected
    total /= len(losses.halves)
    return total


def _with_score(codes: Codes, scores: Floats, edges: Floats) -> Codes:
    """*codes*, and the bin of the score for one column more."""
    of_score = (np.searchsorted(edges, scores, side="right") + STRUCTURAL_BINS).astype(np.uint8)
    return np.concatenate([codes, of_score[np.newaxis]])
