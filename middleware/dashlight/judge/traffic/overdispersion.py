"""How errors and slowness come in bursts: what the reference of an endpoint's traffic says of chance. Pure.

The blocks of the reference follow each other in time. Where exchanges are independent, the counts of an event vary from
block to block as binomial ones do; the ratio by which they vary more is phi, the exchanges that are worth one. It is
measured on single blocks and on twos and fours of them: a burst longer than a block shows in those. Such a reference is
short, so what is used is an upper bound of what was measured.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import fdtrc, ndtr, ndtri

from dashlight.judge.evidence.null import SEASON_DEVIATIONS, Floats
from dashlight.judge.evidence.proportions import Proportions
from dashlight.judge.traffic.steps import UNSTEADY, has_step

Counts = NDArray[np.int64]

LENGTHS = (1, 2, 4)
"""Blocks joined; of 64 blocks sixteen fours."""
CLEAR = 2.0
"""Standard errors above 1 from which on longer blocks are believed to vary more than chance explains."""
CERTAIN = 1.0
"""Standard errors added to a ratio that is believed."""
UNSEEN_PHI, UNKNOWN_PHI = 2.0, 4.0
"""What is assumed of an event of which the reference holds none: a client that fails tries again, some at once. The second
is for failures where it holds hardly any of whatever kind: it may have fallen between two bursts."""
PRIOR_BURSTS = 2.0
"""So many bursts of the reference weigh as much as that assumption."""
FEWEST_OCCURRENCES = 8
"""Below so many an event's own bursts tell less than those of failures as a whole."""
GROWTH = 0.6
"""Exponent from which on a ratio that grows with the length has not begun to level off; that of a trend is 1."""
DAY_SECONDS = 86400.0
UNSEEN_DAY_TAU = 0.1
"""Slow movement of latency, in Cohen's h at the median, assumed for the part of a day that the reference has not seen: an
assumption about machines that are busier at noon than at night, not a measurement. It allows for times that are longer by
about a sixth of the width of their distribution."""
QUARTERS = 4


def proportions_of(
    blocks: Counts,
    *,
    is_failure: NDArray[np.bool_],
    is_slow: NDArray[np.bool_],
    seconds: float,
    is_refusal: NDArray[np.bool_] | None = None,
) -> Proportions:
    """What a reference says of its events.

    Args:
        blocks: occurrences and trials of every event in every block, shape (blocks, 2, events).
        is_failure: events that are failures, shape (events,).
        is_slow: events that are slowness, shape (events,).
        seconds: the time that the reference covers.
        is_refusal: events that are refusals, shape (events,); they come in bursts of their own. None: there are none.
    """
    occurred, trials = blocks.sum(axis=0).astype(np.float64)
    # One more occurrence in one more trial than all are: no event is impossible because it was not seen.
    shares = np.where(occurred > 0, occurred, 0.5) / np.maximum(trials, 1.0)
    unseen_part = max(1.0 - seconds / DAY_SECONDS, 0.0)
    # All slowness comes of machines that are slow for a while, which shows the less in an event the rarer that is.
    visible = _visible(np.clip(shares, 0.0, 1.0))
    assumed = np.where(is_slow, UNSEEN_DAY_TAU * visible, 0.0)
    phi, tau, bursts = _memory(blocks, assumed if unseen_part else np.full(len(shares), np.inf), is_slow)
    # Few bursts cannot show how long they are: what is assumed counts as some more.
    rare = np.minimum(occurred, trials - occurred) < FEWEST_OCCURRENCES
    groups = [is_failure] if is_refusal is None else [is_failure, is_refusal]
    assumed_phi = np.full(len(shares), UNSEEN_PHI)
    for group in groups:
        assumed_phi[group & (not (group & ~rare).any())] = UNKNOWN_PHI
    phi = (PRIOR_BURSTS * assumed_phi + bursts * phi) / (PRIOR_BURSTS + bursts)
    for group in groups:
        # A rare failure comes as the failures do of which there are enough, if more than one by one.
        usual = float((phi * (group & ~rare)).max(initial=1.0))
        phi = np.where(group & rare, np.maximum(phi, usual), phi)
    slowest = float(((phi - 1) * (is_slow & ~rare)).max(initial=0.0))
    return Proportions(
        shares=np.clip(shares, 0.0, 1.0),
        trials=trials,
        phi=np.where(is_slow, np.maximum(phi, 1 + slowest * visible**2), phi),
        tau=np.sqrt(tau**2 + assumed**2 * unseen_part),
    )


def _visible(shares: Floats) -> Floats:
    """How far a share rises, in Cohen's h, where a normal distribution shifts: as a part of what its median does.

    By the shift that moves the median by SEASON_DEVIATIONS of UNSEEN_DAY_TAU: with it tails rise more than in proportion.
    """
    most = SEASON_DEVIATIONS * UNSEEN_DAY_TAU
    inside = np.clip(shares, 1e-9, 1 - 1e-9)
    shift = float(ndtri(np.sin(np.pi / 4 + most / 2) ** 2))
    risen = ndtr(ndtri(inside) + shift)
    return np.asarray(2 * (np.arcsin(np.sqrt(risen)) - np.arcsin(np.sqrt(inside))) / most)


def is_steady(blocks: Counts, gates: Floats) -> bool:
    """Whether the quarters of *blocks* look alike, but for their own bursts, and no step parts them at any boundary.

    F = (variance between the quarters) / (variance of the fours of blocks within them), or its chance where exchanges
    are independent, if that is larger. A difference matters where it is improbable, and beyond the event's gate
    (Cohen's h), shape (events,), from the least quarter to the most. Quarters, because an incident in the middle is in
    both halves.
    """
    fours = _joined(blocks, LENGTHS[-1])
    if len(fours) < 2 * QUARTERS:
        return False
    quarters = np.array_split(fours, QUARTERS)
    occurred, trials = fours.sum(axis=0).astype(np.float64)
    share = occurred / np.maximum(trials, 1.0)
    sums = np.array([quarter.sum(axis=0) for quarter in quarters])
    shares = sums[:, 0] / np.maximum(sums[:, 1], 1)
    freedom = len(fours) - QUARTERS
    within = sum(_squares(quarter, own, share) for quarter, own in zip(quarters, shares, strict=True)) / freedom
    between = _squares(sums, share, share) / (QUARTERS - 1)
    chance = fdtrc(QUARTERS - 1, freedom, between / np.maximum(within, 1.0))
    angles = 2 * np.arcsin(np.sqrt(np.clip(shares, 0.0, 1.0)))
    if bool(((chance < UNSTEADY / len(gates)) & (np.ptp(angles, axis=0) >= gates)).any()):
        return False
    return not has_step(blocks, gates)


def ratio_of_neighbours(blocks: Counts) -> Floats:
    """Mean squared difference between the shares of neighbouring blocks, in binomial variances of it, shape (events,).

    What moves slowly, or once, hardly shows in it.

    Source: von Neumann (1941), Annals of Mathematical Statistics 12, 367-395.
    """
    held = np.maximum(blocks[:, 1].astype(np.float64), 1e-9)
    occurred, trials = blocks.sum(axis=0).astype(np.float64)
    share = occurred / np.maximum(trials, 1.0)
    variance = np.maximum(share * (1 - share), 1e-12) * (1 / held[1:] + 1 / held[:-1])
    return np.asarray((np.diff(blocks[:, 0] / held, axis=0) ** 2 / variance).mean(axis=0))


def _memory(blocks: Counts, allowed: Floats, is_slow: NDArray[np.bool_]) -> tuple[Floats, Floats, Floats]:
    """Memory and slow movement of every event, phi and tau, and the bursts that they are known from, shape (events,) each.

    Ratios of blocks of m exchanges with short memory level off as r(m) = phi - c/m: what the longest blocks miss is a
    third of the difference between them and blocks a quarter as long. Ratios that grow as m**gamma, with no sign of
    levelling off, are slow movement as far as it is *allowed*, shape (events,), and else a memory longer than what was
    measured.
    """
    measured = [_ratio(blocks, length) for length in LENGTHS]
    (shortest, error, chance, rows), (longest, long_error, _, long_rows) = measured[0], measured[-1]
    least = np.maximum(shortest, 1.0)
    phi = np.where(shortest > 1 + CLEAR * chance, shortest * (1 + CERTAIN * error), least)
    for ratio, ratio_error, chance, _ in measured[1:]:
        # The errors of the lengths hang together: of one that is not clearly more, the shortest tells as much.
        clear = (ratio > least * (1 + CLEAR * ratio_error)) | ((phi == least) & (ratio > 1 + CLEAR * chance))
        phi = np.where(clear, np.maximum(phi, ratio * (1 + CERTAIN * ratio_error)), phi)
    grows = longest > least * (1 + CLEAR * long_error)
    stretch = LENGTHS[-1] / LENGTHS[0]
    gamma = np.clip(np.log(np.maximum(longest, 1.0) / least) / np.log(stretch), 0.0, 1.0)
    endless = grows & (gamma >= GROWTH)
    levelled = longest + (longest - shortest) / (stretch - 1)
    phi = np.where(grows & ~endless, np.maximum(phi, levelled * (1 + CERTAIN * long_error)), phi)
    occurred, trials = blocks.sum(axis=0).astype(np.float64)
    bursts = np.minimum(occurred, trials - occurred) / np.maximum(shortest, 1.0)
    slow = np.sqrt(np.maximum(longest - shortest, 0.0) / np.maximum(long_rows - rows, 1.0))
    # Slow movement is in the blocks themselves; what is between neighbours is memory.
    beside = np.maximum(ratio_of_neighbours(blocks) * (1 + CERTAIN * error), 1.0)
    natural = endless & (slow <= allowed)
    phi = np.where(endless & ~natural, phi * stretch**gamma, phi)
    # Machines are busier at noon than at night; failures that come and go are bursts as well.
    return np.where(natural & is_slow, np.minimum(phi, beside), phi), np.where(natural, slow, 0.0), bursts


def _ratio(blocks: Counts, length: int) -> tuple[Floats, Floats, Floats, Floats]:
    """Pearson's dispersion on *length* blocks joined, and the trials of a joined block.

    Between them its relative standard error, and the standard error that it has where exchanges are independent.
    """
    joined = _joined(blocks, length)
    occurred, trials = joined.sum(axis=0).astype(np.float64)
    filled = np.maximum((joined[:, 1] > 0).sum(axis=0), 2)
    share = occurred / np.maximum(trials, 1.0)
    ratio = _squares(joined, share, share) / (filled - 1)
    # What comes in bursts is known from as many bursts as there were, not from as many occurrences.
    bursts = np.maximum(np.minimum(occurred, trials - occurred), 1.0) / np.maximum(ratio, 1.0)
    chance = 2 / (filled - 1)
    return ratio, np.sqrt(chance + 1 / np.maximum(bursts, 1.0)), np.sqrt(chance), trials / filled


def _joined(blocks: Counts, length: int) -> Counts:
    """Sums of *length* neighbouring blocks; what remains at the end is left out."""
    whole = len(blocks) // length
    return np.asarray(blocks[: whole * length].reshape(whole, length, *blocks.shape[1:]).sum(axis=1))


def _squares(blocks: Counts, expected: Floats, share: Floats) -> Floats:
    """Squared deviations from the share *expected*, in binomial variances of *share*, summed over the blocks."""
    occurred, trials = blocks[:, 0].astype(np.float64), blocks[:, 1].astype(np.float64)
    variance = trials * (share * (1 - share))
    with np.errstate(divide="ignore", invalid="ignore"):
        squares = np.where(variance > 0, (occurred - trials * expected) ** 2 / variance, 0.0)
    return np.asarray(squares.sum(axis=0))
