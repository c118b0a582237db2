"""Isotonic regression: the best fit that never falls, by pooling adjacent violators."""

import numpy as np
from numpy.typing import NDArray

from dashlight.labels.rows import Floats

_PASSES = 20


def isotonic(scores: Floats, values: Floats, weights: Floats | None = None) -> tuple[Floats, Floats]:
    """The knots of the weighted least-squares fit of *values* that does not fall as *scores* rise.

        minimise  sum weight_i * (value_i - f(score_i))^2   over all f that do not fall

    Rows of equal scores count as one, of their mean. Between two knots the fit is linear, beyond the outer ones constant:
    `isotonic_at`. Linear in the rows once they are sorted.

    Args:
        scores: Shape (rows,), finite.
        values: Shape (rows,), finite: labels of 0 and 1, or losses.
        weights: Shape (rows,), finite and not negative; rows without weight are left out. None: 1 each.

    Returns:
        Scores, ascending and distinct, and the fit at each, not falling. Both empty where there are no rows.

    Source: Ayer et al. (1955), Annals of Mathematical Statistics 26, 641-647; as scikit-learn's IsotonicRegression.
    """
    weights = np.ones(len(scores)) if weights is None else weights
    weighted = weights > 0
    if not weighted.any():
        return np.empty(0), np.empty(0)
    places, groups = np.unique(scores[weighted], return_inverse=True)
    weight = np.bincount(groups, weights[weighted]).astype(np.float64)
    mean = np.bincount(groups, weights[weighted] * values[weighted]) / weight
    starts, levels = _pooled(mean, weight)
    ends = np.append(starts[1:], len(places)) - 1
    alone = starts == ends
    # A block of several scores is flat: a knot at either end.
    knots = np.concatenate([starts, ends[~alone]])
    order = np.argsort(knots, kind="stable")
    return places[knots[order]], np.concatenate([levels, levels[~alone]])[order]


def isotonic_at(scores: Floats, fit: tuple[Floats, Floats]) -> Floats:
    """The *fit* of `isotonic`, at least one knot, at *scores*; NaN at NaN."""
    return np.interp(scores, *fit)


def _pooled(mean: Floats, weight: Floats) -> tuple[NDArray[np.intp], Floats]:
    """Where the blocks of equal fit start, and their means, which ascend."""
    starts, sums, weights = np.arange(len(mean)), mean * weight, weight
    # A run that does not rise is one block whatever stands around it. Few passes leave little of data that rise at all.
    for _ in range(_PASSES):
        rises = np.append(True, sums[1:] / weights[1:] > sums[:-1] / weights[:-1])
        if rises.all():
            return starts, sums / weights
        first = np.flatnonzero(rises)
        starts, sums, weights = starts[first], np.add.reduceat(sums, first), np.add.reduceat(weights, first)
    blocks: list[tuple[int, float, float]] = []
    for block in zip(starts.tolist(), sums.tolist(), weights.tolist(), strict=True):
        start, total, held = block
        while blocks and blocks[-1][1] / blocks[-1][2] >= total / held:
            start, total_before, held_before = blocks.pop()
            total, held = total_before + total, held_before + held
        blocks.append((start, total, held))
    return np.array([start for start, *_ in blocks], np.intp), np.array([total / held for _, total, held in blocks])
