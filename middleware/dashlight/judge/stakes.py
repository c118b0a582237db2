"""What each detector of the evidence bank stakes on a row: log-likelihood ratios and growth-optimal bets. Pure.

Scores are divided by phi: so many rows that hang together are worth one.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.bands import Bands, Floats, shifted
from dashlight.window.events import EVENT_COUNT, FUNCTIONAL_COUNT, event_matrices
from dashlight.window.layout import BELOW, BINS, STRUCTURAL_BINS, UNSEEN

Bools = NDArray[np.bool_]

SIZES = (0.075, 0.2, 0.5, 1.2)
"""How far beyond its band each detector bets that the share lies, in Cohen's h; a functional's mean in deviations."""
DIRECTIONS = 2
"""Up and down; functionals come with both signs instead."""
LARGEST_SCORE = 12.0
"""No single row says more than this many nats."""
LARGEST_CLUMP = 2.0
"""Where rows hang together, phi of them say no more than this together: what is rare comes in bursts, some of them long."""
CLUMPED_PHI = 1.5
"""A phi that chance alone can give is no sign of bursts."""
FEWEST_ORDERED_BINS = 5
"""Below this many occupied value bins the intervals see everything that a functional would."""


@dataclass(frozen=True, slots=True, eq=False)
class EventStakes:
    """Bets on events: a row scores *inside* where it is in the event, else *outside*."""

    live: Bools
    """Shape (DIRECTIONS, columns, EVENT_COUNT): the bet exists."""
    inside: Floats
    """Shape (DIRECTIONS, len(SIZES), columns, EVENT_COUNT), 0 where there is no bet."""
    outside: Floats


@dataclass(frozen=True, slots=True, eq=False)
class FunctionalStakes:
    """Bets on functionals: a row scores by its bin."""

    live: Bools
    """Shape (columns, FUNCTIONAL_COUNT)."""
    scores: Floats
    """Shape (columns, BINS, FUNCTIONAL_COUNT, len(SIZES)), 0 where there is no bet."""


def event_stakes(bands: Bands) -> EventStakes:
    """Bets that an event's share lies beyond its band by each of SIZES: log(q/p) inside, log((1-q)/(1-p)) outside."""
    borders = np.stack([bands.event_high, bands.event_low])[:, np.newaxis]
    steps = np.multiply.outer([1.0, -1.0], SIZES)[:, :, np.newaxis, np.newaxis]
    phi = bands.variation.phi
    largest = np.where(phi > CLUMPED_PHI, LARGEST_CLUMP, LARGEST_SCORE)
    # Limits on the share that is bet on, not on the scores: the mean of the factor stays 1 at the border.
    least = borders * np.exp(-LARGEST_SCORE)
    most = np.minimum(borders * np.exp(largest), 1 - (1 - borders) * np.exp(-LARGEST_SCORE))
    bet_on = np.clip(shifted(borders, steps), least, most)
    with np.errstate(divide="ignore", invalid="ignore"):
        inside = np.log(bet_on / borders)
        outside = np.log((1 - bet_on) / (1 - borders))
    live = _live_events(bands)
    bet = live[:, np.newaxis]
    return EventStakes(live, np.where(bet, inside / phi, 0.0), np.where(bet, outside / phi, 0.0))


def functional_stakes(bands: Bands) -> FunctionalStakes:
    """Bets log(1 + stake (f - high)) that a functional's mean lies beyond its band by each of SIZES.

    The stake is growth-optimal where the shares are those of the reference, tilted exponentially to that mean.
    """
    deviations, high = bands.functional_deviations, bands.functional_high
    top = bands.functionals.max(-1)
    ordered = bands.numeric & ((bands.shares[:, STRUCTURAL_BINS:] > 0).sum(1) >= FEWEST_ORDERED_BINS)
    live = ordered[:, np.newaxis] & (deviations > 1e-3) & (high < top - 1e-6)
    scores = np.zeros((len(live), FUNCTIONAL_COUNT, BINS, len(SIZES)))
    shares = np.repeat(bands.shares[:, np.newaxis], FUNCTIONAL_COUNT, axis=1)[live]
    values, means = bands.functionals[live], bands.functional_means[live]
    base = np.maximum(high[live] - means, 0.0)
    for place, size in enumerate(SIZES):
        furthest = means + 0.97 * (top[live] - means)
        tilted = _tilted(shares, values, np.minimum(means + base + size * deviations[live], furthest))
        scores[live, :, place] = _growth_optimal(tilted, values - high[live][:, np.newaxis])
    scores /= bands.variation.functional_phi[:, :, np.newaxis, np.newaxis]
    return FunctionalStakes(live, scores.transpose(0, 2, 1, 3))


def _live_events(bands: Bands) -> Bools:
    """Which bets make sense, shape (DIRECTIONS, columns, EVENT_COUNT)."""
    live = np.stack([bands.event_high < 0.995, bands.event_low > 0.002])
    live[:, :, STRUCTURAL_BINS:] &= bands.event_shares[:, STRUCTURAL_BINS:] > 0
    live[1, :, 1:STRUCTURAL_BINS] = False  # fewer wrong types, values out of range or new categories alarm nobody
    live[:, :, BELOW : UNSEEN + 1] &= bands.shares[:, BELOW : UNSEEN + 1] > 0  # bins that the kind of column has
    return live & _distinct_events(bands)


def _distinct_events(bands: Bands) -> Bools:
    """Events that hold bins no finer event holds alike, and not all values; shape (columns, EVENT_COUNT).

    Where the reference has fewer than VALUE_BINS bins, wide intervals equal narrow ones: the budget is not shared
    with copies.
    """
    codes = 1 << np.arange(BINS, dtype=np.int64)
    occupied = bands.shares > 0
    held = event_matrices(bands.unseen_is_other).astype(np.int64) * occupied[:, :, np.newaxis]
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
