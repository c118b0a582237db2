"""Whether what is learned holds a step, up or down, or up and down again: an incident that began, ended, or did both. Pure."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import fdtrc, xlogy

from dashlight.judge.evidence.null import Floats

Counts = NDArray[np.int64]

MOST_BLOCKS = 64
"""More are joined: all stretches between two of so many boundaries are looked at."""
LEAST_INSIDE = 4
"""Blocks of a stretch in the middle; a shorter one is a burst, as which it is learned. At the ends one is enough: what has
just begun may be an incident, and what goes on may be one that ends."""
MEMORY = 4
"""Blocks within which bursts may hang together."""
CLEAR = 2.0
"""Standard errors by which longer bursts must show to be believed."""
UNSTEADY = 1e-3
"""Probability at which what is steady is taken for something else, all events together."""


def has_step(blocks: Counts, gates: Floats) -> bool:
    """Whether some event has another share in one stretch of *blocks* than in all others.

    F = (deviance between the stretch and the others) / phi, phi the dispersion of the blocks about the share of their own
    part: of each for itself or, where that is clearly more, of MEMORY neighbours together (Bartlett's weights). A step
    matters from the event's gate on, Cohen's h, shape (events,). *blocks* has the shape (blocks, 2, events).
    """
    blocks = _few(blocks)
    count = len(blocks)
    trials = blocks[:, 1].astype(np.float64)
    occurred = np.minimum(blocks[:, 0], trials)
    begins, ends = _stretches(count)
    total, held = occurred.sum(axis=0), trials.sum(axis=0)
    inside = [_between(counts, begins, ends) for counts in (occurred, trials)]
    outside = [total - inside[0], held - inside[1]]
    deviance = 2 * (_likelihood(*inside) + _likelihood(*outside) - _likelihood(total, held))
    shares = [part[0] / np.maximum(part[1], 1.0) for part in (inside, outside)]
    share = total / np.maximum(held, 1.0)
    freedom = count - 2
    phi = _dispersion((occurred, trials), (begins, ends), shares) / np.maximum(share * (1 - share), 1e-9) / freedom
    single, longer = np.maximum(phi, 1.0)
    clear = longer > single * (1 + CLEAR * (2 * MEMORY / freedom) ** 0.5)
    chance = fdtrc(1, freedom, np.maximum(deviance, 0.0) / np.where(clear, longer, single))
    angles = [2 * np.arcsin(np.sqrt(np.clip(each, 0.0, 1.0))) for each in shares]
    is_large = np.abs(angles[1] - angles[0]) >= gates
    # Stretches that overlap are much alike: there are about as many for themselves as blocks, and as boundaries.
    return bool(((chance < UNSTEADY / (2 * count * len(gates))) & is_large).any())


def _few(blocks: Counts) -> Counts:
    """*blocks*, or neighbours of them joined, so that they are MOST_BLOCKS at most."""
    length = -(-len(blocks) // MOST_BLOCKS)
    return np.asarray(np.add.reduceat(blocks, np.arange(0, len(blocks), length), axis=0))


def _stretches(count: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """First block of every stretch, and the one behind its last."""
    begins, ends = np.triu_indices(count + 1, 1)
    at_end = (begins == 0) | (ends == count)
    lengths = ends - begins
    wanted = np.where(at_end, lengths < count, (lengths >= LEAST_INSIDE) & (lengths <= count - LEAST_INSIDE))
    return begins[wanted], ends[wanted]


def _between(values: Floats, begins: NDArray[np.intp], ends: NDArray[np.intp]) -> Floats:
    """Sums of *values* from each of *begins* to before *ends*; 0 where that is not after."""
    sums = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
    return np.asarray(sums[np.maximum(ends, begins)] - sums[begins])


def _dispersion(
    counts: tuple[Floats, Floats], stretches: tuple[NDArray[np.intp], NDArray[np.intp]], shares: list[Floats]
) -> Floats:
    """Squared deviations in trials, shape (2, stretches, events): of each block, and of neighbours together."""
    occurred, trials = counts
    count = len(occurred)
    begins, ends = stretches
    first, last = np.zeros_like(begins), np.full_like(ends, count)
    parts = ((begins, ends, shares[0]), (first, begins, shares[1]), (ends, last, shares[1]))
    single = longer = np.zeros((len(begins), occurred.shape[1]))
    for lag in range(MEMORY):
        one, other = slice(count - lag), slice(lag, count)
        scale = np.sqrt(np.maximum(trials[one] * trials[other], 1.0))
        both = occurred[one] * occurred[other] / scale
        crossed = (occurred[one] * trials[other] + occurred[other] * trials[one]) / scale
        of_trials = trials[one] * trials[other] / scale
        found = np.zeros_like(single)
        for begin, end, share in parts:
            # A pair of neighbours belongs to a part where both do; it is found under the first of them.
            from_, to = np.minimum(begin, count - lag), np.clip(end - lag, 0, count - lag)
            sums = [_between(values, from_, to) for values in (both, crossed, of_trials)]
            found = found + sums[0] - share * sums[1] + share**2 * sums[2]
        if not lag:
            single = found
        longer = longer + (1.0 if not lag else 2 * (1 - lag / MEMORY)) * found
    return np.stack([single, longer])


def _likelihood(occurred: Floats, trials: Floats) -> Floats:
    """Greatest log-likelihood of so many occurrences in so many trials."""
    failed = trials - occurred
    of = np.maximum(trials, 1.0)
    return np.asarray(xlogy(occurred, occurred / of) + xlogy(failed, failed / of))
