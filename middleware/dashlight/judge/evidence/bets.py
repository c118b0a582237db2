"""What each detector of the evidence bank stakes on a row: log-likelihood ratios and growth-optimal bets. Pure.

Scores are divided by phi: so many rows that hang together are worth one.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.evidence.null import Floats, Null, shifted
from dashlight.judge.evidence.null_bounds import SIZES, NullBounds, shares_bet_on
from dashlight.window.events import EVENT_COUNT, event_matrices
from dashlight.window.layout import BELOW, BINS, STRUCTURAL_BINS, UNSEEN

Bools = NDArray[np.bool_]

DIRECTIONS = 2
"""Up and down; functionals come with both signs instead."""
LOWEST_SHARE, HIGHEST_SHARE = 0.002, 0.995
"""Borders beyond which a share has no room left to fall or rise."""
FEWEST_ORDERED_BINS = 5
"""Below this many occupied value bins the intervals see everything that a functional would."""


@dataclass(frozen=True, slots=True, eq=False)
class LiveBets:
    """Which bets make sense."""

    events: Bools
    """Shape (DIRECTIONS, columns, EVENT_COUNT)."""
    functionals: Bools
    """Shape (columns, FUNCTIONAL_COUNT)."""


@dataclass(frozen=True, slots=True, eq=False)
class EventBets:
    """Bets on events: a row scores *inside* where it is in the event, else *outside*."""

    inside: Floats
    """Shape (DIRECTIONS, len(SIZES), columns, EVENT_COUNT), 0 where there is no bet."""
    outside: Floats


def live_bets(null: Null) -> LiveBets:
    """The bets among which the budget is parted: events that no finer one equals, functionals of columns in order."""
    held, distinct = null.event_shares, _distinct_events(null)
    live = np.stack(
        [shifted(held, null.event_natural) < HIGHEST_SHARE, shifted(held, -null.event_natural) > LOWEST_SHARE]
    )
    live[:, :, STRUCTURAL_BINS:] &= held[:, STRUCTURAL_BINS:] > 0
    live[1, :, 1:STRUCTURAL_BINS] = False  # fewer wrong types, values out of range or new categories alarm nobody
    live[:, :, BELOW : UNSEEN + 1] &= null.shares[:, BELOW : UNSEEN + 1] > 0  # bins that the kind of column has
    ordered = null.numeric & ((null.shares[:, STRUCTURAL_BINS:] > 0).sum(1) >= FEWEST_ORDERED_BINS)
    return LiveBets(live & distinct, ordered[:, np.newaxis] & (null.functional_deviations > 1e-3))


def event_bets(null: Null, bounds: NullBounds, live: LiveBets) -> EventBets:
    """Bets that an event's share lies beyond its border by each of SIZES: log(q/p) inside, log((1-q)/(1-p)) outside."""
    border = np.stack([bounds.event_high, bounds.event_low])
    steps = np.multiply.outer([1.0, -1.0], SIZES)[:, :, np.newaxis, np.newaxis]
    phi = null.variation.phi
    bet_on = shares_bet_on(border, steps, phi)
    with np.errstate(divide="ignore", invalid="ignore"):
        inside = np.log(bet_on / border)
        outside = np.log((1 - bet_on) / (1 - border))
    bet = live.events[:, np.newaxis] & np.stack([bounds.event_high < HIGHEST_SHARE, bounds.event_low > LOWEST_SHARE])
    return EventBets(np.where(bet, inside / phi, 0.0), np.where(bet, outside / phi, 0.0))


def functional_bets(null: Null, bounds: NullBounds, live: LiveBets) -> Floats:
    """Bets log(1 + stake (f - high)) that a functional's mean lies beyond its border by each of SIZES.

    The stake is growth-optimal where the shares are those of the reference, tilted exponentially to that mean.

    Returns:
        What a row scores by its bin, shape (columns, BINS, FUNCTIONAL_COUNT, len(SIZES)), 0 where there is no bet.
    """
    scores = np.zeros((*live.functionals.shape, BINS, len(SIZES)))
    for place, size in enumerate(SIZES):
        high, top = bounds.functional_high[place], null.functionals.max(-1)
        on = live.functionals & (high < top - 1e-6)
        shares = np.broadcast_to(null.shares[:, np.newaxis], null.functionals.shape)[on]
        values, means, border = null.functionals[on], null.functional_means[on], high[on]
        furthest = means + 0.97 * (top[on] - means)
        tilted = _tilted(shares, values, np.minimum(border + size * null.functional_deviations[on], furthest))
        scores[on, :, place] = _growth_optimal(tilted, values - border[:, np.newaxis])
    scores /= null.variation.functional_phi[:, :, np.newaxis, np.newaxis]
    return scores.transpose(0, 2, 1, 3)


def _distinct_events(null: Null) -> Bools:
    """Events that hold bins no finer event holds alike, and not all values; shape (columns, EVENT_COUNT).

    Where the reference has fewer than VALUE_BINS bins, wide intervals equal narrow ones: the budget is not shared
    with copies.
    """
    codes = 1 << np.arange(BINS, dtype=np.int64)
    occupied = null.shares > 0
    held = event_matrices(null.unseen_is_other).astype(np.int64) * occupied[:, :, np.newaxis]
    keys = np.einsum("cke,k->ce", held, codes)
    all_values = (occupied * codes)[:, STRUCTURAL_BINS:].sum(1, keepdims=True)
    distinct: Bools = np.not_equal(keys & (all_values | codes[UNSEEN]), 0)
    distinct &= (keys & all_values) != all_values
    for column, key in enumerate(keys):
        _, first = np.unique(key[: STRUCTURAL_BINS - 1 : -1], return_index=True)
        finest = np.zeros(EVENT_COUNT, np.bool_)
        finest[EVENT_COUNT - 1 - first] = True
        distinct[column] &= finest
    distinct[:, :STRUCTURAL_BINS] = True
    return distinct


def _tilted(shares: Floats, values: Floats, target: Floats) -> Floats:
    """Shares q ~ p exp(t f) whose mean of *values* is *target*; all of shape (bets, BINS), target (bets,)."""
    gap = values - values.max(-1, keepdims=True)
    low, high = np.zeros((len(values), 1)), np.full((len(values), 1), 60.0)
    tilted = shares
    for _ in range(32):
        middle = (low + high) / 2
        tilted = shares * np.exp(middle * gap)
        tilted /= tilted.sum(-1, keepdims=True)
        reached = (tilted * values).sum(-1, keepdims=True) > target[:, np.newaxis]
        high = np.where(reached, middle, high)
        low = np.where(reached, low, middle)
    return tilted


def _growth_optimal(tilted: Floats, gains: Floats) -> Floats:
    """log(1 + stake * gain), the stake maximising its mean under *tilted*, short of ruin in any bin."""
    low: Floats = np.zeros((len(gains), 1))
    high: Floats = np.asarray(0.95 / np.maximum(-gains.min(-1, keepdims=True), 1e-9))
    for _ in range(32):
        middle = (low + high) / 2
        growing = (tilted * gains / (1 + middle * gains)).sum(-1, keepdims=True) > 0
        low = np.where(growing, middle, low)
        high = np.where(growing, high, middle)
    return np.asarray(np.log1p(low * gains))
