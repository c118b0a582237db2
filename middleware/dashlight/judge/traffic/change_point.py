"""When a change of an endpoint's traffic began: the panes that what is kept of them does not exclude. Pure."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dashlight.judge.evidence.change_point import REACH, STEPS_OF_ONE, WITHIN_NATS
from dashlight.judge.evidence.null import Floats


@dataclass(frozen=True, slots=True)
class Occurrences:
    """Of one event: how often it occurred in the last panes."""

    occurred: int
    trials: int
    panes: int
    """How many panes were counted: those asked for, or a few more."""


def traffic_change_point(tally: Callable[[int], Occurrences], age: int, *, share: float, phi: float) -> tuple[int, int]:
    """How many panes ago an event became more frequent than its *share* in the reference: (at least, at most).

    *tally* counts the last panes, *age* is for how many there has been evidence. With k panes since a boundary that hold
    n exchanges, and the rise h (Cohen's) in them, the log-likelihood of a change there is n h**2 / (2 phi). The interval
    holds the boundaries within WITHIN_NATS of the best, and one more on either side.

    Source: as of evidence.change_point.
    """
    tallies: list[Occurrences] = []
    wanted = 1
    while wanted <= REACH * age + STEPS_OF_ONE:
        found = tally(wanted)
        if tallies and found.panes <= tallies[-1].panes:
            break
        tallies.append(found)
        wanted = found.panes + max(1, 2 * found.panes // STEPS_OF_ONE)
    trials = np.array([each.trials for each in tallies], np.float64)
    shares = np.array([each.occurred for each in tallies]) / np.maximum(trials, 1.0)
    rise = np.maximum(_angles(shares) - _angles(np.array([share])), 0.0)
    likelihood = trials * rise**2 / (2 * phi)
    near = np.flatnonzero(likelihood >= likelihood.max() - WITHIN_NATS)
    first, last = int(near[0]) - 1, min(int(near[-1]) + 1, len(tallies) - 1)
    return (tallies[first].panes if first >= 0 else 0), tallies[last].panes


def _angles(shares: Floats) -> Floats:
    return np.asarray(2 * np.arcsin(np.sqrt(np.clip(shares, 0.0, 1.0))))
