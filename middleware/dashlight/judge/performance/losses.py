"""What a labelled row lost, from 0 to 1, counted by the bin of its score. Pure.

Losses are counted on a fixed grid: one between two points of it counts at both, in parts that keep its mean. The logarithm
of a bet is concave in the loss, so that a bet on the grid wins no more than one on the losses themselves would.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from dashlight.labels.rows import NO_CLASS, Floats, LabelledRows
from dashlight.window.performance_reference import LossName, ReferenceLoss

Places: TypeAlias = NDArray[np.intp]

STEPS = 32
GRID: Floats = np.linspace(0.0, 1.0, STEPS + 1)
"""Points of the grid."""
PARTS = STEPS + 2
"""Numbers that are kept of a bin: rows at each point of the grid, and the sum of what was expected of them."""
LEAST_STRATUM = 100
"""Rows of the reference below which a bin is merged with its neighbour."""
MOST_STRATA = 20


@dataclass(frozen=True, slots=True, eq=False)
class LossScale:
    """How a row's loss is measured, and by which bins of its score it is compared."""

    name: LossName
    edges: Floats
    """Ascending: inner edges of the bins of the score, which are right-open; without any all rows are in one."""
    scale: float = 1.0
    """What loss 1 stands for, in units of the raw loss; larger losses are 1 as well."""
    origin: float = 0.0
    """The raw loss that is none: less the best grade, of a text."""

    @property
    def bins(self) -> int:
        """How many there are."""
        return len(self.edges) + 1

    def losses(self, raw: Floats) -> Floats:
        """From 0 to 1; NaN where the *raw* loss is."""
        return np.clip((raw - self.origin) / self.scale, 0.0, 1.0)

    def bins_of(self, scores: Floats) -> Places:
        """The bin of each score; -1 where there is no score, but bins."""
        if not len(self.edges):
            return np.zeros(len(scores), np.intp)
        places = np.searchsorted(self.edges, scores, side="right")
        return np.where(np.isfinite(scores), places, -1)


@dataclass(frozen=True, slots=True, eq=False)
class LossStrata:
    """What losses of each bin of the score are usually, all of shape (bins,)."""

    means: Floats
    variances: Floats
    """Of the loss of one row."""
    errors: Floats
    """Standard errors of *means*."""
    rows: Floats


def raw_losses(rows: LabelledRows, name: LossName) -> Floats:
    """What each of *rows* lost in its own units, NaN where that is not known.

    Of a ranking: 1 where nothing that was shown was chosen. Of a text: less its grade. Of a class without a prediction the
    one is meant whose probability is at least a half.
    """
    labels = rows.labels
    if rows.task == "ranking":
        return np.where(np.isfinite(labels), labels <= 0, np.nan)
    if rows.task == "text":
        return -labels
    if name == "absolute_error":
        return np.abs(rows.scores - labels)
    if name == "squared_error":
        return np.where((labels == 0) | (labels == 1), np.square(rows.scores - labels), np.nan)
    predictions = rows.predictions.astype(np.float64)
    predictions[rows.predictions == NO_CLASS] = np.nan
    if rows.task == "binary":
        by_score = np.where(np.isfinite(rows.scores), rows.scores >= 0.5, np.nan)
        predictions = np.where(np.isnan(predictions), by_score, predictions)
    return np.where(np.isfinite(predictions) & np.isfinite(labels), predictions != labels, np.nan)


def tally(losses: Floats, bins: Places, groups: Places, *, expected: Floats, shape: tuple[int, int]) -> Floats:
    """Losses counted by group and bin: shape (*shape, PARTS), *shape* being how many groups and bins there are."""
    position = losses * STEPS
    low = np.minimum(position.astype(np.intp), STEPS - 1)
    part = position - low
    cell = groups * shape[1] + bins
    place = cell * PARTS + low
    size = shape[0] * shape[1]
    flat = np.bincount(place, 1 - part, minlength=size * PARTS) + np.bincount(place + 1, part, minlength=size * PARTS)
    counted = flat.reshape(size, PARTS).astype(np.float64, copy=False)
    counted[:, -1] += np.bincount(cell, expected, minlength=size)
    return counted.reshape(*shape, PARTS)


def sums_of(counted: Floats) -> Floats:
    """Rows, losses and what was expected of *counted*, shape (..., 3)."""
    at_points = counted[..., :-1]
    return np.stack([at_points.sum(-1), at_points @ GRID, counted[..., -1]], axis=-1)


def scale_of(reference: ReferenceLoss) -> tuple[LossScale, LossStrata]:
    """The bins of *reference*, those with fewer than LEAST_STRATUM rows merged with a neighbour, and what is usual there.

    The mean of a bin is (sum + 1/2) / (rows + 1): no bin is without any loss.
    """
    starts = _merged(reference.rows)
    rows, sums, squares = (
        np.add.reduceat(each, starts).astype(np.float64) for each in (reference.rows, reference.sums, reference.squares)
    )
    edges = reference.edges[starts[1:] - 1]
    return LossScale(reference.name, edges, scale=reference.scale), strata_of(rows, sums, squares)


def strata_of(rows: Floats, sums: Floats, squares: Floats, *, phi: float = 1.0) -> LossStrata:
    """What is usual of bins with so many *rows*, *phi* of which are worth one that is independent."""
    means = (sums + 0.5) / (rows + 1)
    least = means * (1 - means) / (rows + 1)
    variances = np.clip((squares + 0.5) / (rows + 1) - means**2, np.maximum(least, 1e-6), 0.25)
    return LossStrata(means, variances, np.sqrt(phi * variances / np.maximum(rows, 1)), rows)


def _merged(rows: NDArray[np.int64]) -> Places:
    """Where the merged bins begin."""
    least = max(LEAST_STRATUM, float(rows.sum()) / MOST_STRATA)
    starts, held = [0], 0
    for place, count in enumerate(rows.tolist()):
        if held >= least:
            starts.append(place)
            held = 0
        held += count
    if held < least and len(starts) > 1:
        starts.pop()
    return np.array(starts, np.intp)
