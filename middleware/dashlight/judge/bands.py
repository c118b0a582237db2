"""The largest value that no drift, the reference's own error and natural variation allow. Pure.

Every event of a column has a band of shares, every functional a largest mean. Only what lies outside is a sign of
drift; the bets of judge.evidence are placed against these borders.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

from dashlight.judge.variation import NaturalVariation, natural_variation
from dashlight.window.events import EVENT_COUNT, FUNCTIONAL_COUNT, event_counts, functionals
from dashlight.window.layout import STRUCTURAL_BINS
from dashlight.window.reference import ColumnReference, is_numeric, reference_shares, unseen_is_other

Floats = NDArray[np.float64]

DELTA = 0.05
"""Probability, over the draw of the reference, that some band is too narrow."""
SLACK = 0.02
"""Cohen's h by which every band is wider than it must be: no stream repeats its reference to the last digit."""
SEASON_DEVIATIONS = 2.5
"""So many standard deviations of the slow movement are natural."""


@dataclass(frozen=True, slots=True, eq=False)
class Bands:
    """What no drift allows, for the events and functionals of the columns."""

    rows: Floats
    """Shape (columns, 1): rows of the reference."""
    shares: Floats
    """Shape (columns, BINS): the reference's shares, none of them zero where a first occurrence is possible."""
    numeric: NDArray[np.bool_]
    """Shape (columns,)."""
    unseen_is_other: NDArray[np.bool_]
    """Shape (columns,): new categories are expected and count in "other" as well."""
    event_shares: Floats
    """Shape (columns, EVENT_COUNT): the reference's."""
    event_high: Floats
    event_low: Floats
    """Both of shape (columns, EVENT_COUNT): borders of the band."""
    functionals: Floats
    """Shape (columns, FUNCTIONAL_COUNT, BINS)."""
    functional_means: Floats
    functional_deviations: Floats
    functional_high: Floats
    """All of shape (columns, FUNCTIONAL_COUNT): the reference's mean and standard deviation, the largest natural mean."""
    variation: NaturalVariation


def bands(columns: Sequence[ColumnReference], *, delta: float = DELTA, slack: float = SLACK) -> Bands:
    """Bands of *columns*.

    The error of the reference is bounded for all events, functionals and directions at once, with probability
    1 - *delta*: by Clopper and Pearson's Beta quantiles for events, by Bernstein's inequality for functionals. Rows
    that hang together count as rows / phi.
    """
    rows = np.array([column.rows for column in columns], np.float64)[:, np.newaxis]
    numeric, unseen = is_numeric(columns), unseen_is_other(columns)
    shares = reference_shares(columns)
    variation = natural_variation(columns)
    # Half of delta for the few structural events, half for all others.
    structural_level = delta / (4 * STRUCTURAL_BINS * max(len(columns), 1))
    level = delta / (4 * (EVENT_COUNT + FUNCTIONAL_COUNT) * max(len(columns), 1))
    levels = np.where(np.arange(EVENT_COUNT) < STRUCTURAL_BINS, structural_level, level)

    held = np.clip(event_counts(shares, unseen), 0.0, 1.0)
    natural = slack + SEASON_DEVIATIONS * variation.tau
    low, high = share_bounds(held, np.maximum(rows / variation.likely_phi, 2.0), levels)
    high = np.maximum(high, shifted(held, natural))
    low = np.minimum(low, shifted(held, -natural))

    scores = functionals(shares, numeric)
    means = np.einsum("ck,cfk->cf", shares, scores)
    deviations = np.sqrt(np.maximum(np.einsum("ck,cfk->cf", shares, scores**2) - means**2, 1e-12))
    effective = np.maximum(rows / variation.functional_phi, 2.0)
    span = scores.max(-1) - scores.min(-1)
    sampling = deviations * np.sqrt(2 * np.log(1 / level) / effective) + span * np.log(1 / level) / (3 * effective)
    ball = slack + SEASON_DEVIATIONS * variation.functional_tau
    largest = np.maximum(means + sampling, hellinger_supremum(shares[:, np.newaxis], scores, ball))
    return Bands(
        rows=rows,
        shares=shares,
        numeric=numeric,
        unseen_is_other=unseen,
        event_shares=held,
        event_high=np.clip(high, 1e-9, 1.0),
        event_low=np.clip(low, 0.0, 1 - 1e-9),
        functionals=scores,
        functional_means=means,
        functional_deviations=deviations,
        functional_high=largest,
        variation=variation,
    )


def share_bounds(shares: Floats, rows: Floats, levels: Floats) -> tuple[Floats, Floats]:
    """Bounds of a share seen in *rows* rows, each wrong with probability *levels*: (low, high).

    Quantiles of Beta distributions, exact for events and for intervals between order statistics alike.
    Source: Clopper and Pearson (1934), Biometrika 26, 404-413.
    """
    inside = shares * rows
    outside = np.maximum(rows - inside, 0.0)
    low: Floats = np.where(shares > 0, betaincinv(inside + 1e-9, outside + 1, levels), 0.0)
    high: Floats = np.where(shares < 1, 1 - betaincinv(outside + 1e-9, inside + 1, levels), 1.0)
    return low, high


def shifted(shares: Floats, distance: Floats | float) -> Floats:
    """*shares* moved by Cohen's h = *distance*, kept in [0, 1]: sin(asin(sqrt(p)) + h/2) ** 2."""
    angle = np.arcsin(np.sqrt(np.clip(shares, 0.0, 1.0))) + distance / 2
    return np.asarray(np.sin(np.clip(angle, 0.0, np.pi / 2)) ** 2)


def hellinger_supremum(shares: Floats, scores: Floats, distance: Floats) -> Floats:
    """Largest mean of *scores* over all shares q with sum sqrt(p q) >= cos(distance / 2).

    Inside that ball no event is further than Cohen's h = *distance* away. The maximum has sqrt(q) proportional to
    sqrt(p) / (nu - score); bisection finds nu.

    Args:
        shares: p, shape (..., BINS) that broadcasts with *scores*.
        scores: shape (..., BINS).
        distance: shape (...).
    """
    top = scores.max(-1, keepdims=True)
    span = np.maximum(top - scores.min(-1, keepdims=True), 1e-12)
    root = np.sqrt(np.maximum(shares, 1e-12))
    gap = (top - scores) / span
    target = np.cos(distance / 2)[..., np.newaxis]
    low, high = np.full(top.shape, -14.0), np.full(top.shape, 10.0)
    tilted = root
    for _ in range(40):  # 24 / 2**40: far below the error of the shares
        middle = (low + high) / 2
        tilted = root / (gap + np.exp(middle))
        tilted = tilted / np.sqrt((tilted * tilted).sum(-1, keepdims=True))
        inside = (tilted * root).sum(-1, keepdims=True) >= target
        high = np.where(inside, middle, high)
        low = np.where(inside, low, middle)
    return np.asarray((tilted * tilted * scores).sum(-1))
