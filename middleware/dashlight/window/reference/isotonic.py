"""Isotonic regression: the best fit that never falls, by pooling adjacent violators."""

import numpy as np
from numpy.typing import NDArray

from dashlight.labels.rows import Floats


def isotonic(scores: Floats, values: Floats, weights: Floats | None = None) -> tuple[Floats, Floats]:
    """The knots of the weighted least-squares fit of *values* that does not fall as *scores* rise.

        minimise  sum weight_i * (value_i - f(score_i))^2   over all f that do not fall

    Rows of equal scores count as one, of their mean. Between two knots the fit is linear, beyond the outer ones constant:
    `isotonic_at`. Linear in the rows after sorting.

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
    blocks: list[tuple[int, float, float]] = []
    for place, (own_level, own_weight) in enumerate(zip(mean.tolist(), weight.tolist(), strict=True)):
        start, level, held = place, own_level, own_weight
        while blocks and blocks[-1][1] >= level:
            start, level_before, held_before = blocks.pop()
            level = (level_before * held_before + level * held) / (held_before + held)
            held += held_before
        blocks.append((start, level, held))
    return np.array([start for start, *_ in blocks], np.intp), np.array([level for _, level, _ in blocks])
