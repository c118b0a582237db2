"""What losses are usual in each segment, by the rows of the reference that are in it. Pure.

A segment has few rows in a reference, and of many segments some look better than they are. So the mean loss x of each in a
bin of the score is drawn towards the mean of the column's segments in that bin, as far as these differ:

    weight = tau2 / (tau2 + s2),  usual = mean + weight (x - mean),  error**2 = weight s2 + (1 - weight)**2 var(mean)

s2 is the variance of x, and tau2 that of the segments themselves, such that sum (x - mean)**2 / (s2 + tau2) is as small as in
one of ten draws: rather too wide than too narrow.

Sources: Efron and Morris (1975), JASA 70, 311-319; Paule and Mandel (1982), J. Res. NBS 87, 377-385, for tau2.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtri

from dashlight.judge.performance.loss_judge import watched_loss
from dashlight.judge.performance.losses import LossScale, LossStrata, raw_losses
from dashlight.labels.rows import Floats, LabelledRows
from dashlight.window.columns import Reference
from dashlight.window.parts.segments import Segmentation
from dashlight.window.performance.counts import rows_of_reference
from dashlight.window.performance_reference import ReferenceLoss

LEAST_KNOWN = 50
"""Labelled rows of a segment in the reference's sample; with fewer what is usual is learned from its first labels."""
MOST_BINS = 10
"""Of the score, in a segment."""
MOST_CELLS = 320
"""Bins of all segments: where there are many, each has fewer."""
_FEWER = 0.9
"""The sum of which tau2 follows is larger in so many draws."""
_BORROWED = 10.0
"""Rows that the variance of a bin is worth beside those of a segment."""


@dataclass(frozen=True, slots=True, eq=False)
class ReferenceRows:
    """The rows of a reference whose label is known and whose bins are kept."""

    rows: LabelledRows
    codes: NDArray[np.uint8]
    """Shape (columns of the reference, rows)."""
    losses: Floats
    """Shape (rows,), 0 to 1; NaN where it is not known."""
    loss: ReferenceLoss
    """Which it is."""

    def segments(self, reference: Reference, segmentation: Segmentation) -> NDArray[np.uint8]:
        """In which segment of each column of *segmentation* each row is, shape (segment columns, rows)."""
        features = [place for place, column in enumerate(reference.columns) if column.role == "feature"]
        return segmentation.codes(self.codes[features])


def reference_rows(reference: Reference) -> ReferenceRows | None:
    """Those of *reference*, with the loss of each that is watched; None where it has none."""
    performance, sample = reference.performance, reference.sample
    loss = None if performance is None else watched_loss(performance)
    if performance is None or loss is None or sample is None or sample.shape[1] != len(performance.labels):
        return None
    rows = rows_of_reference(performance)
    losses = LossScale(loss.name, np.zeros(0), scale=loss.scale).losses(raw_losses(rows, loss.name))
    return ReferenceRows(rows, sample[:, ~np.isnan(performance.labels)], losses, loss)


def usual_by_segment(
    reference: Reference, segmentation: Segmentation
) -> tuple[tuple[LossScale, LossStrata] | None, ...]:
    """How the losses of each segment are measured and what is usual there; None of those that the reference does not know."""
    found: list[tuple[LossScale, LossStrata] | None] = [None] * segmentation.count
    known = reference_rows(reference)
    if known is None or not segmentation.count:
        return tuple(found)
    edges = _edges(known.loss, most=int(np.clip(MOST_CELLS // segmentation.count, 1, MOST_BINS)))
    scale = LossScale(known.loss.name, edges, scale=known.loss.scale)
    bins = scale.bins_of(known.rows.scores)
    is_known = np.isfinite(known.losses) & (bins >= 0)
    losses, bins = known.losses[is_known], bins[is_known]
    for column, codes in zip(segmentation.columns, known.segments(reference, segmentation)[:, is_known], strict=True):
        members = [np.flatnonzero(codes == value) for value in range(len(column.values))]
        values = [value for value, rows in enumerate(members) if len(rows) >= LEAST_KNOWN]
        strata = _strata(
            [losses[members[value]] for value in values], [bins[members[value]] for value in values], scale
        )
        for value, each in zip(values, strata, strict=True):
            found[column.first + value] = scale, each
    return tuple(found)


def _edges(loss: ReferenceLoss, *, most: int) -> Floats:
    """Some of the edges of *loss*, between *most* bins of about as many rows."""
    before = loss.rows.cumsum()[:-1] / max(float(loss.rows.sum()), 1.0)
    places = np.unique(np.searchsorted(before, np.arange(1, most) / most - 1e-9))
    return np.asarray(loss.edges[places[places < len(loss.edges)]])


def _strata(losses: list[Floats], bins: list[NDArray[np.intp]], scale: LossScale) -> list[LossStrata]:
    """What is usual in each of the segments of one column."""
    if not losses:
        return []
    count = scale.bins
    rows = np.array([np.bincount(each, minlength=count) for each in bins], np.float64)
    sums = np.array([np.bincount(b, x, minlength=count) for b, x in zip(bins, losses, strict=True)])
    squares = np.array([np.bincount(b, x**2, minlength=count) for b, x in zip(bins, losses, strict=True)])
    overall = (sums.sum(0) + 0.5) / (rows.sum(0) + 1)
    spread = np.maximum((squares.sum(0) + 0.5) / (rows.sum(0) + 1) - overall**2, 1e-4)
    means = (sums + overall) / (rows + 1)
    within = np.maximum(squares - np.square(sums) / np.maximum(rows, 1), 0.0)
    variances = np.clip((within + _BORROWED * spread) / (rows + _BORROWED), 1e-4, 0.25)
    usual, errors = np.empty_like(means), np.empty_like(means)
    for place in range(count):
        usual[:, place], errors[:, place] = _drawn_together(
            means[:, place], variances[:, place] / (rows[:, place] + 1), overall[place]
        )
    usual = np.clip(usual, 0.5 / (rows.sum(0) + 1), 1.0)
    variances = np.maximum(variances, usual * (1 - usual) if scale.name == "error" else 0.0)
    return [
        LossStrata(mean, variance, error, np.maximum(held, 1.0))
        for mean, variance, error, held in zip(usual, variances, errors, rows, strict=True)
    ]


def _drawn_together(means: Floats, squares: Floats, overall: float) -> tuple[Floats, Floats]:
    """The *means* of segments, whose errors have these *squares*, drawn towards that of all, and their standard errors."""
    if len(means) == 1:
        return means, np.sqrt(squares)
    tau2 = _variance_of_segments(means, squares)
    precisions = 1 / (squares + tau2)
    mean = float((precisions * means).sum() / precisions.sum()) if tau2 else overall
    weight = tau2 / (tau2 + squares)
    variances = weight * squares + (1 - weight) ** 2 / precisions.sum()
    return mean + weight * (means - mean), np.sqrt(variances)


def _variance_of_segments(means: Floats, squares: Floats) -> float:
    """By bisection between 0 and 1: the sum falls as it grows."""
    wanted = float(chdtri(len(means) - 1, _FEWER))
    low, high = 0.0, 1.0
    for _ in range(30):
        middle = (low + high) / 2
        precisions = 1 / (squares + middle)
        mean = (precisions * means).sum() / precisions.sum()
        low, high = (middle, high) if (precisions * (means - mean) ** 2).sum() > wanted else (low, middle)
    return high
