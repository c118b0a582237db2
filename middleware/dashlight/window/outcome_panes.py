"""The outcomes of an endpoint, pane by pane, in bounded memory; every window is a sum of panes."""

import numpy as np

from dashlight.window.names import Names
from dashlight.window.outcomes import BINNING, HISTOGRAM_ENDS, KIND_LIMIT, OUTCOMES, REASON_LIMIT, OutcomeCounts
from dashlight.window.ring import Ring, Stretch

LEVELS = 5
"""32 panes each of 1, 2, 4, 8, 16: 512 panes, eighty-five minutes of ten seconds."""
LONGEST_STALL = 30
"""Panes that a judge alone is believed to have been late; of more, other processes must have counted meanwhile."""

_KINDS = slice(len(OUTCOMES), len(OUTCOMES) + KIND_LIMIT + 1)
_ROWS = _KINDS.stop
_ANALYSED = _ROWS + 1
_REASONS = slice(_ANALYSED + 1, _ANALYSED + 1 + REASON_LIMIT + 1)
_PANES = _REASONS.stop
_BINS = slice(_PANES + 1, _PANES + 1 + BINNING.bins)


class OutcomePanes:
    """The panes of one endpoint that were closed."""

    def __init__(self, levels: int = LEVELS) -> None:
        """*levels* is how far back panes are kept: 32 * 2^(levels - 1) of them."""
        self._ring = Ring((_BINS.stop,), levels)
        self._kinds, self._reasons = Names(KIND_LIMIT), Names(REASON_LIMIT)

    def take(self, pane: OutcomeCounts, at: float) -> None:
        """Keep the counts of the pane that ended *at*; one that was late covers the time of several, its *panes*."""
        row = np.zeros(_BINS.stop, np.int64)
        row[: len(OUTCOMES)] = [pane.outcomes.get(outcome, 0) for outcome in OUTCOMES]
        row[_KINDS] = self._kinds.count(pane.failures)
        row[_ROWS], row[_ANALYSED] = pane.rows, pane.analysed
        row[_REASONS] = self._reasons.count(pane.undecodable)
        row[_PANES] = pane.panes
        row[_BINS] = np.concatenate([pane.durations, pane.first_bytes, pane.request_sizes, pane.response_sizes])
        self._ring.add(row, at)

    def window(self, panes: int) -> OutcomeCounts:
        """The last *panes*: exact up to 32; of more, as few more as are kept apart; of too many, all that are kept."""
        return self._counts(self._ring.last(panes))

    def since(self, at: float) -> OutcomeCounts:
        """The shortest window that covers every kept pane that ended after *at*."""
        return self.window(self._ring.panes_since(at))

    def _counts(self, stretch: Stretch) -> OutcomeCounts:
        counts = stretch.counts
        durations, first_bytes, requests, responses = np.split(counts[_BINS], HISTOGRAM_ENDS)
        return OutcomeCounts(
            outcomes=dict(zip(OUTCOMES, counts[: len(OUTCOMES)].tolist(), strict=True)),
            failures=self._kinds.named(counts[_KINDS]),
            rows=int(counts[_ROWS]),
            durations=durations,
            first_bytes=first_bytes,
            request_sizes=requests,
            response_sizes=responses,
            panes=int(counts[_PANES]),
            first_ended_at=stretch.first_ended_at,
            last_ended_at=stretch.last_ended_at,
            analysed=int(counts[_ANALYSED]),
            undecodable=self._reasons.named(counts[_REASONS]),
        )


def panes_covered(passed: float, closed_count: int) -> int:
    """How many panes' time a pane covers that ended so many panes after the one before, at least 1.

    It is more than one where the judge was late. *closed_count* is how many panes of processes it is the sum of: a host
    that was suspended, or a clock that was set, closed none meanwhile.
    """
    return max(1, round(passed)) if passed <= max(LONGEST_STALL, closed_count) else 1
