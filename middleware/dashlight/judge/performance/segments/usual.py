"""What losses are usual in each segment, by the rows of the reference that are in it. Pure.

A segment has few rows in a reference, and of many segments some look better than they are. So the excess x of each over what
the scores lead to expect is drawn towards the mean of its column, as far as the segments' spread allows:

    weight = tau2 / (tau2 + s2),  excess = mean + weight (x - mean),  error**2 = weight s2 + (1 - weight)**2 var(mean)

s2 is the variance of x, and tau2 that of the segments themselves, such that sum (x - mean)**2 / (s2 + tau2) is as small as in
one of ten draws: rather too wide than too narrow.

Sources: Efron and Morris (1975), JASA 70, 311-319; Paule and Mandel (1982), J. Res. NBS 87, 377-385, for tau2.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtri

from dashlight.judge.performance.loss_judge import watched_loss
from dashlight.judge.performance.losses import LossScale, LossStrata, raw_losses, scale_of
from dashlight.labels.rows import Floats, LabelledRows
from dashlight.window.columns import Reference
from dashlight.window.parts.segments import Segmentation
from dashlight.window.performance.counts import rows_of_reference
from dashlight.window.performance_reference import ReferenceLoss

LEAST_KNOWN = 50
"""Labelled rows of a segment in the reference's sample; with fewer what is usual is learned from its first labels."""
_RARE = 0.9
"""The sum of which tau2 follows is exceeded in so many draws."""
_BORROWED = 10.0
"""Rows that the variance of all rows is worth beside those of a segment."""


@dataclass(frozen=True, slots=True, eq=False)
class UsualBySegment:
    """What is usual of each segment, against what the bins of the score lead to expect."""

    scale: LossScale
    strata: LossStrata
    """Of all rows."""
    offsets: Floats
    """Shape (segments,): by how much losses are above what is expected of all rows; NaN where nobody knows."""
    losses: tuple[ReferenceLoss | None, ...]
    """Of each segment, in one bin, of as many rows as would tell its mean as well; None where it has to be learned."""

    def expected(self, scores: Floats) -> Floats:
        """The loss that each row is expected to have, wherever it is; NaN where there is no score, but bins."""
        bins = self.scale.bins_of(scores)
        return np.where(bins >= 0, self.strata.means[bins], np.nan)


@dataclass(frozen=True, slots=True, eq=False)
class ReferenceRows:
    """The rows of a reference whose label is known and whose bins are kept."""

    rows: LabelledRows
    codes: NDArray[np.uint8]
    """Shape (columns of the reference, rows)."""
    losses: Floats
    """Shape (rows,), 0 to 1; NaN where it is not known."""


def reference_rows(reference: Reference) -> ReferenceRows | None:
    """Those of *reference*, with the loss of each that is watched; None where it has none."""
    performance, sample = reference.performance, reference.sample
    loss = None if performance is None else watched_loss(performance)
    if performance is None or loss is None or sample is None or sample.shape[1] != len(performance.labels):
        return None
    scale, _ = scale_of(loss)
    rows = rows_of_reference(performance)
    codes = sample[:, ~np.isnan(performance.labels)]
    return ReferenceRows(rows, codes, scale.losses(raw_losses(rows, loss.name)))


def usual_by_segment(reference: Reference, segmentation: Segmentation) -> UsualBySegment | None:
    """What is usual in each segment of *reference*; None where it knows no losses."""
    known = reference_rows(reference)
    loss = None if reference.performance is None else watched_loss(reference.performance)
    if known is None or loss is None:
        return None
    scale, strata = scale_of(loss)
    bins = scale.bins_of(known.rows.scores)
    expected = np.where(bins >= 0, strata.means[bins], np.nan)
    is_known = np.isfinite(known.losses) & np.isfinite(expected)
    losses, expected = known.losses[is_known], expected[is_known]
    features = known.codes[[place for place, column in enumerate(reference.columns) if column.role == "feature"]]
    codes = segmentation.codes(features[:, is_known])
    offsets = np.full(segmentation.count, np.nan)
    found: list[ReferenceLoss | None] = [None] * segmentation.count
    for column, code in zip(segmentation.columns, codes, strict=True):
        members = [np.flatnonzero(code == value) for value in range(len(column.values))]
        known_ones = [value for value, rows in enumerate(members) if len(rows) >= LEAST_KNOWN]
        if not known_ones:
            continue
        parts = [losses[members[value]] - expected[members[value]] for value in known_ones]
        excess, errors = _drawn_together(parts)
        for value, drawn, error in zip(known_ones, excess.tolist(), errors.tolist(), strict=True):
            rows = members[value]
            mean = float(np.clip(expected[rows].mean() + drawn, 0.0, 1.0))
            variance = _variance(losses[rows], float(losses.var()))
            offsets[column.first + value] = drawn
            found[column.first + value] = _one_bin(loss, mean, variance, error)
    return UsualBySegment(scale, strata, offsets, tuple(found))


def _drawn_together(parts: list[Floats]) -> tuple[Floats, Floats]:
    """The excess of each segment, drawn towards that of all, and its standard error."""
    overall = float(np.concatenate(parts).var())
    excess = np.array([part.mean() for part in parts])
    squares = np.array([_variance(part, overall) / len(part) for part in parts])
    if len(parts) == 1:
        return excess, np.sqrt(squares)
    spread = _spread(excess, squares)
    precisions = 1 / (squares + spread)
    mean = float((precisions * excess).sum() / precisions.sum())
    weight = spread / (spread + squares)
    variances = weight * squares + (1 - weight) ** 2 / precisions.sum()
    return mean + weight * (excess - mean), np.sqrt(variances)


def _spread(excess: Floats, squares: Floats) -> float:
    """The variance of segments, 0 to 1, by bisection: the sum falls as it grows."""
    wanted = float(chdtri(len(excess) - 1, _RARE))
    low, high = 0.0, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        precisions = 1 / (squares + middle)
        mean = (precisions * excess).sum() / precisions.sum()
        low, high = (middle, high) if (precisions * (excess - mean) ** 2).sum() > wanted else (low, middle)
    return high


def _variance(values: Floats, overall: float) -> float:
    """Of one value; that of all rows counts as much as _BORROWED rows."""
    return max((float(values.var()) * len(values) + _BORROWED * overall) / (len(values) + _BORROWED), 1e-6)


def _one_bin(loss: ReferenceLoss, mean: float, variance: float, error: float) -> ReferenceLoss:
    rows = max(round(variance / error**2), 1)
    return ReferenceLoss(
        loss.name,
        loss.scale,
        np.zeros(0),
        np.array([rows], np.int64),
        np.array([mean * rows]),
        np.array([(variance + mean**2) * rows]),
    )
