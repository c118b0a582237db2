"""A bank of bets on proportions: any number of events, each an outcome of trials that a reference has counted. Pure.

Every bet stakes that an event is more (or less) frequent than the reference allows, by one of a few sizes; its wealth
grows by a factor whose mean is at most 1 where nothing moved, and its logarithm is summed and kept above zero (a CUSUM).
A threshold of ln(panes / weight), with weights that sum to at most one over all bets, makes the mean time between false
alarms of the whole bank at least *panes*.

Source: Shin, Ramdas and Rinaldo (2023), "E-detectors", arXiv 2203.03532. Dividing scores by phi is an asymptotic
correction where trials hang together, not a proven one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.evidence.cusum import Cusum, CusumState
from dashlight.judge.evidence.null import SEASON_DEVIATIONS, Floats, shifted
from dashlight.judge.evidence.null_bounds import BORDER_STEPS, margins, share_bounds, shares_bet_on

Bools = NDArray[np.bool_]

SIZES = (0.1, 0.3, 0.8)
"""How far beyond what is natural the bets say that a share lies, in Cohen's h."""
SLACK = 0.02
"""Cohen's h by which every border is wider than it must be: no stream repeats its reference to the last digit."""
DELTA = 0.05
"""Probability, over the draw of the reference, that the exact bound of some event with few occurrences is too narrow."""
FEWEST_OCCURRENCES = 50.0
"""Below so many independent occurrences (or failures to occur) in the reference its error is not yet normal."""
LEAST_OWN = 0.5
"""Least rho: a bet whose weight is close to one still has to answer for the reference."""
HIGHEST_BORDER, LOWEST_BORDER = 0.995, 0.002
"""Beyond these there is no room left for a share to move into."""


@dataclass(frozen=True, slots=True, eq=False)
class Proportions:
    """What a reference says of m events, all of shape (m,)."""

    shares: Floats
    """Part of the trials in which the event occurred, 0 to 1."""
    trials: Floats
    """0 or more."""
    phi: Floats
    """So many trials in a row are worth one independent trial; at least 1."""
    tau: Floats
    """Standard deviation of the slow movement, in Cohen's h; 0 where there is none."""


@dataclass(frozen=True, slots=True, eq=False)
class ProportionBets:
    """The bets on m events; the first axis holds the sizes upwards, then the sizes downwards."""

    borders: Floats
    """Shape (2 sizes, m): the furthest share that nothing but chance, memory and season explain."""
    live: Bools
    """The bet exists."""
    inside: Floats
    """What a trial scores in which the event occurs, 0 where there is no bet."""
    outside: Floats
    """What any other trial scores."""


class ProportionBank:
    """The state of the bets on m events: for every bet its margin over the threshold, in nats, and its age."""

    def __init__(
        self,
        reference: Proportions,
        *,
        weights: Floats,
        panes: float,
        up: Bools,
        down: Bools,
        sizes: Sequence[float] = SIZES,
        slack: float = SLACK,
        once: bool = False,
    ) -> None:
        """Set up the bets.

        *weights*, shape (m,), are the events' shares of the budget, each parted evenly over the bets on it; they sum to
        at most one, and an event of weight 0 is not watched. *up* and *down*, shape (m,), say in which directions an
        event may alarm. *panes* is the mean number of panes between false alarms, were the weights to sum to one. With
        *once* a reference so wrong that it alarms for ever is one alarm, as it is where that alarm is told once and the
        reference is then replaced or goes on growing; else it counts with all that its evidence promises.

        Raises:
            ValueError: weights that are negative or sum to more than one.
        """
        if len(weights) and (weights.min() < 0 or weights.sum() > 1 + 1e-6):
            raise ValueError("weights must not be negative, and sum to at most 1")
        watched = weights > 0
        asked = np.repeat(np.stack([up & watched, down & watched]), len(sizes), axis=0)
        # The margins are those of the full number of bets; what then has no room leaves its budget to the others.
        thresholds = _thresholds(asked, weights, panes)
        stakes = proportion_bets(
            reference, asked, thresholds=thresholds, sizes=sizes, slack=slack, panes=panes if once else None
        )
        self._each = stakes.outside.astype(np.float32)
        self._inside = (stakes.inside - stakes.outside).astype(np.float32)
        self._directions = (slice(None, len(sizes)), slice(len(sizes), None))
        self._cusum = Cusum(-_thresholds(stakes.live, weights, panes).astype(np.float32), bets=len(asked))
        self._gain = np.empty((len(sizes), len(weights)), np.float32)
        self._margins: NDArray[np.float32] = self._cusum.margins.max(axis=0)

    @property
    def state(self) -> CusumState:
        """What is remembered: the arrays themselves."""
        return self._cusum.state

    def restore(self, state: CusumState) -> None:
        """Go on from *state*; ValueError where it does not fit these bets."""
        self._cusum.restore(state)
        self._margins = self._cusum.margins.max(axis=0)

    @property
    def margins(self) -> NDArray[np.float32]:
        """Margin of every event's leading bet, shape (m,), in nats over its threshold: evidence at 0 or more.

        -inf where an event is not watched.
        """
        return self._margins

    @property
    def thresholds(self) -> NDArray[np.float32]:
        """Nats that a bet on the event must win, shape (m,); infinite where there is no bet."""
        return -self._cusum.floor

    def update(self, successes: NDArray[np.number], trials: NDArray[np.number]) -> NDArray[np.float32]:
        """Take one pane: in how many of its *trials* each event occurred, both of shape (m,). The margins after it."""
        for part in self._directions:
            np.multiply(self._inside[part], successes, out=self._gain, casting="same_kind")
            self._cusum.add(self._gain, part)
            np.multiply(self._each[part], trials, out=self._gain, casting="same_kind")
            self._cusum.add(self._gain, part)
        self._cusum.settle()
        self._margins = self._cusum.cap().max(axis=0)
        return self._margins

    def age(self, place: int) -> int:
        """Panes since the evidence of the leading bet on event *place* last was zero, at least 1."""
        return self._cusum.leading_age(place)

    def reset(self, places: NDArray[np.intp] | list[int]) -> None:
        """Forget all evidence of the events at *places*."""
        self._cusum.reset(places)
        self._margins = self._cusum.margins.max(axis=0)


def proportion_bets(
    reference: Proportions,
    asked: Bools,
    *,
    thresholds: Floats,
    sizes: Sequence[float] = SIZES,
    slack: float = SLACK,
    panes: float | None = None,
) -> ProportionBets:
    """Bets log(q/p) inside and log((1-q)/(1-p)) outside, divided by phi: p the border, q beyond it by the size.

    The border lies slack + SEASON_DEVIATIONS tau + threshold phi / (trials size) from the reference's share, in Cohen's
    h. The last term pays for the reference's own error: a bet of size s reaches its threshold h in about n = 2h/s**2
    independent trials, over which an error of variance v = phi/trials makes the mean of its wealth at most
    exp(n**2 s**2 v/2 - n s b), and that is 1 at b = h v/s. Where the reference has seen too few occurrences for that,
    the border is at least Clopper and Pearson's, wrong for any event with probability DELTA.

    Args:
        reference: of m events.
        asked: which bets are wanted, shape (2 sizes, m).
        thresholds: of the events, shape (m,).
        sizes: in Cohen's h.
        slack: in Cohen's h.
        panes: between false alarms; with it a reference that alarms for ever counts as one alarm (see `null_bounds`).
    """
    steps = np.concatenate([sizes, np.negative(sizes)])[:, np.newaxis]
    effective = np.maximum(reference.trials, 1e-9) / reference.phi
    thresholds = np.where(asked.any(axis=0), thresholds, 0.0)
    if panes is None:
        natural = slack + SEASON_DEVIATIONS * reference.tau + thresholds / (effective * np.abs(steps))
        borders = shifted(reference.shares, np.sign(steps) * natural)
        borders = _no_closer_than_exact(borders, reference.shares, effective)
    else:
        own = np.maximum(thresholds - np.log(panes), LEAST_OWN)
        borders = _borders_counted_once(reference, steps, (thresholds, own), slack)
    borders = np.clip(borders, 1e-9, 1 - 1e-9)
    bet_on = shares_bet_on(borders, steps, reference.phi)
    live = asked & np.where(steps > 0, borders < HIGHEST_BORDER, borders > LOWEST_BORDER)
    inside, outside = np.log(bet_on / borders), np.log((1 - bet_on) / (1 - borders))
    return ProportionBets(
        borders, live, np.where(live, inside / reference.phi, 0.0), np.where(live, outside / reference.phi, 0.0)
    )


def _borders_counted_once(reference: Proportions, steps: Floats, known: tuple[Floats, Floats], slack: float) -> Floats:
    """Borders, shape (2 sizes, m), with the margins of `null_bounds`; *known* = (threshold, rho), shape (m,) each.

    Where an event is rare, the share of which a bet makes an alarm within the panes is no closer than the exact bound of
    level exp(-rho): that share lies the part rho / threshold of the way from the border to the share at which the bet
    neither wins nor loses.
    """
    thresholds, own = known
    effective = np.maximum(reference.trials / reference.phi, 1e-9)
    low, high = share_bounds(reference.shares, effective, np.exp(-own))
    up = steps > 0
    way, bound = np.sign(steps), np.where(up, high, low)
    natural = way * SEASON_DEVIATIONS * reference.tau
    angle = np.maximum(2 * _angle(np.where(up, reference.shares, 1 - reference.shares)), 1e-6)
    room = np.broadcast_to(np.abs(steps), angle.shape)
    alarming, borders = np.zeros(angle.shape), np.broadcast_to(reference.shares, angle.shape)
    for _ in range(BORDER_STEPS):
        # The lower tail of rare counts is longer than normal.
        margin = margins(room, thresholds, own, 1 / np.sqrt(effective))
        margin = np.maximum(margin * (1 + np.minimum(margin / angle, 1.0)), slack)
        usual = shifted(reference.shares, natural + way * margin)
        exact = shifted(shifted(bound, natural), -alarming)
        borders = np.clip(np.where(up, np.maximum(usual, exact), np.minimum(usual, exact)), 1e-9, 1 - 1e-9)
        bet_on = np.clip(shares_bet_on(borders, steps, reference.phi), 1e-12, 1 - 1e-12)
        gain, loss = np.log(bet_on / borders), np.log((1 - borders) / (1 - bet_on))
        even = loss / np.where(np.abs(gain + loss) > 1e-12, gain + loss, 1.0)
        alarming = 2 * (_angle(even) - _angle(borders)) * own / np.maximum(thresholds, own)
        room = np.maximum(2 * way * (_angle(bet_on) - _angle(borders)), 1e-3)
    return borders


def _angle(shares: Floats) -> Floats:
    return np.asarray(np.arcsin(np.sqrt(np.clip(shares, 0.0, 1.0))))


def _no_closer_than_exact(borders: Floats, shares: Floats, effective: Floats) -> Floats:
    """*borders*, shape (2 sizes, m), no closer to *shares* than exact bounds where too little occurred."""
    rare = np.flatnonzero(np.minimum(shares, 1 - shares) * effective < FEWEST_OCCURRENCES)
    level = DELTA / (2 * max(len(shares), 1))
    # For these alone: inverting a Beta distribution takes a tenth of a millisecond.
    low, high = share_bounds(shares[rare], effective[rare], np.full(len(rare), level))
    sizes = len(borders) // 2
    borders[:sizes, rare] = np.maximum(borders[:sizes, rare], high)
    borders[sizes:, rare] = np.minimum(borders[sizes:, rare], low)
    return borders


def _thresholds(bets: Bools, weights: Floats, panes: float) -> Floats:
    """ln(panes / weight) of a bet on every event, shape (m,), its weight parted over *bets*, shape (2 sizes, m)."""
    count = bets.sum(axis=0)
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(panes) - np.log(np.where(count, weights, 0.0) / np.maximum(count, 1)))
