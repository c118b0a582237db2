"""Where each bet begins: the largest value that no drift, the reference's own error and its season allow. Pure.

A bet after a shift of size s begins a margin b beyond the reference's value, which is known with variance sigma**2. If
the reference is off by e, the bet's wealth beyond its threshold h is as rare as exp(-h (1 - 2 (e - b) / s)). Over the
draw of the reference, e normal, that has the mean exp(-h) where b = h sigma**2 / s. Of a bet much smaller than sigma
this is the mean of a few references that alarm for ever; an alarm for ever is one alarm. Counted so, with A panes between
false alarms and w = exp(-rho) = A exp(-h) the bet's part of them, it is enough that a reference which makes it alarm
within A panes, e > b + s rho / (2h), is as rare as w: b = sigma sqrt(2 rho) - s rho / (2h). This is the lesser of both
and takes over where they touch, at s = h sigma sqrt(2 / rho). What the whole bank promises of false alarms is thus a mean
over the draw of reference and stream.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import betaincinv

from dashlight.judge.evidence.null import Floats, Null, shifted
from dashlight.judge.run_lengths import CLUMPED_PHI

SIZES = (0.11, 0.22, 0.45, 1.0)
"""How far beyond its border each detector bets that the share lies, in Cohen's h; a functional's mean in deviations."""
SLACK = 0.01
"""Least margin of a bet, in Cohen's h or deviations: no stream repeats its reference to the last digit."""
LARGEST_SCORE = 12.0
"""No single row says more than this many nats."""
LARGEST_CLUMP = 2.0
"""Where rows hang together, phi of them say no more than this together: what is rare comes in bursts, some of them long."""
LONGEST_TAIL = 2**0.5 - 1
"""The chance of no row where R p are expected is exp(-R p): normal angles say exp(-2 R p), as if sigma were sqrt(2) less."""
BORDER_STEPS = 5
"""Repetitions after which borders no longer move."""
HIGHEST_THRESHOLD = 60.0
"""Of a bet without weight, which is none."""


@dataclass(frozen=True, slots=True, eq=False)
class NullBounds:
    """Borders of the bets, one for each of SIZES."""

    event_high: Floats
    event_low: Floats
    """Both of shape (len(SIZES), columns, EVENT_COUNT): shares."""
    functional_high: Floats
    """Shape (len(SIZES), columns, FUNCTIONAL_COUNT): means; inf where the bet refuses itself."""


def null_bounds(null: Null, event_thresholds: Floats, functional_thresholds: Floats, *, panes: float) -> NullBounds:
    """Borders of bets with these thresholds in nats, shapes (columns, EVENT_COUNT) and (columns, FUNCTIONAL_COUNT).

    *panes* is the mean number of panes between false alarms.
    """
    events = np.minimum(event_thresholds, HIGHEST_THRESHOLD)
    scores = np.minimum(functional_thresholds, HIGHEST_THRESHOLD)
    high, low = _event_borders(null, events, events - np.log(panes))
    return NullBounds(high, low, _functional_borders(null, scores, scores - np.log(panes)))


def margins(sizes: Floats | float, thresholds: Floats, own: Floats, errors: Floats) -> Floats:
    """Margins b of bets of these *sizes*, where the value is known with standard *errors*; *own* is rho."""
    parted = sizes < thresholds * errors * np.sqrt(2 / own)
    small = errors * np.sqrt(2 * own) - sizes * own / (2 * thresholds)
    return np.where(parted, small, thresholds * errors**2 / sizes)


def _event_borders(null: Null, thresholds: Floats, own: Floats) -> tuple[Floats, Floats]:
    rows = np.maximum(null.rows / null.variation.likely_phi, 2.0)
    least, most = share_bounds(null.event_shares, rows, np.exp(-own))
    high = [_border(null, (thresholds, own, rows), most, size) for size in SIZES]
    low = [_border(null, (thresholds, own, rows), least, -size) for size in SIZES]
    return np.clip(np.stack(high), 1e-9, 1.0), np.clip(np.stack(low), 0.0, 1 - 1e-9)


def _border(null: Null, known: tuple[Floats, Floats, Floats], bound: Floats, step: float) -> Floats:
    """Borders of the bets that shares lie *step* beyond, with *known* = (threshold, rho, rows).

    The s of the margin is what there is room for: a share cannot fall below 0. The lower tail of rare counts is longer
    than normal, about as if the margin were b (1 + b / angle), at most b sqrt(2). Where an event is rarer still, the point that the
    reference must be off by for an alarm is moved to the exact *bound*.
    """
    thresholds, own, rows = known
    way = np.sign(step)
    natural = way * null.event_natural
    angle = np.maximum(2 * _angle(null.event_shares if step > 0 else 1 - null.event_shares), 1e-6)
    outwards = np.maximum if step > 0 else np.minimum
    room = np.full(rows.shape, abs(step))
    alarming = np.zeros(rows.shape)
    border = null.event_shares
    for _ in range(BORDER_STEPS):
        margin = margins(room, thresholds, own, 1 / np.sqrt(rows))
        margin = np.maximum(margin * (1 + np.minimum(margin / angle, LONGEST_TAIL)), SLACK)
        border = outwards(
            shifted(null.event_shares, natural + way * margin), shifted(shifted(bound, natural), -alarming)
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            bet_on = shares_bet_on(border, step, null.variation.phi)
            gain, loss = np.log(bet_on / border), np.log((1 - border) / (1 - bet_on))
            middle = np.nan_to_num(loss / (gain + loss), nan=0.5)
        alarming = 2 * (_angle(middle) - _angle(border)) * own / thresholds
        room = np.maximum(2 * way * (_angle(bet_on) - _angle(border)), 1e-3)
    return border


def shares_bet_on(border: Floats, step: Floats | float, phi: Floats) -> Floats:
    """The shares that bets of Cohen's h = *step* beyond *border* are placed on, kept so that no row says too much."""
    largest = np.where(phi > CLUMPED_PHI, LARGEST_CLUMP, LARGEST_SCORE)
    # Limits on the share that is bet on, not on the scores: the mean of the factor stays 1 at the border.
    # A run of rows that lack a frequent event is as much a burst as one of rows that hold a rare one.
    least = np.maximum(border * np.exp(-LARGEST_SCORE), 1 - (1 - border) * np.exp(largest))
    most = np.minimum(border * np.exp(largest), 1 - (1 - border) * np.exp(-LARGEST_SCORE))
    return np.clip(shifted(border, step), least, most)


def _angle(shares: Floats) -> Floats:
    return np.asarray(np.arcsin(np.sqrt(np.clip(shares, 0.0, 1.0))))


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


def _functional_borders(null: Null, thresholds: Floats, own: Floats) -> Floats:
    """Means beyond which no drift can lie: margins as of a normal error, wider where one row of the reference says much.

    In deviations, with the tilt t = 2b that a margin b is for, Bernstein's bound: b / (1 - t span / 3).
    """
    errors = 1 / np.sqrt(np.maximum(null.rows / null.variation.functional_phi, 2.0))
    deviations = null.functional_deviations
    span = (null.functionals.max(-1) - null.functionals.min(-1)) / deviations
    ruin = deviations / np.maximum(null.functional_means - null.functionals.min(-1), 1e-9)
    natural = null.functional_means.copy()
    moving = (null.functional_natural > 0).any(1)
    shares = null.shares[moving, np.newaxis]
    natural[moving] = hellinger_supremum(shares, null.functionals[moving], null.functional_natural[moving])
    high: list[Floats] = []
    for size in SIZES:
        # A stake that may not ruin is that of a smaller bet.
        staked = np.minimum(size / (1 + size**2), ruin)
        margin = margins(staked, thresholds, own, errors)
        tilt = np.minimum(2 * thresholds * errors / staked, np.sqrt(2 * own)) * errors
        room = 1 - tilt * span / 3
        margin = np.where(room > 0, margin / np.maximum(room, 1e-9), np.inf)
        high.append(natural + np.maximum(margin, SLACK) * deviations)
    return np.stack(high)


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
