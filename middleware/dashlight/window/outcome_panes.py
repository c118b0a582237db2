"""The outcomes of an endpoint, pane by pane, in bounded memory; every window is a sum of panes.

Each pane is one row of numbers in a `Ring`, and rows add up: exchanges by outcome, failures by kind, rows, those of
them that were left out because of who asked, analysed exchanges, undecodable ones by reason, refusals by kind, the panes whose time it covers, and the four histograms of `outcomes`.
"""

from dataclasses import dataclass

import numpy as np

from dashlight.window.names import Names
from dashlight.window.outcomes import BINNING, HISTOGRAM_ENDS, KIND_LIMIT, OUTCOMES, REASON_LIMIT, OutcomeCounts
from dashlight.window.ring import Ring, RingState, Stretch

LEVELS = 5
"""32 panes each of 1, 2, 4, 8, 16: 512 panes, eighty-five minutes of ten seconds."""
LONGEST_STALL = 30
"""Panes by which a judge may be late. A longer gap counts as such only where processes closed panes meanwhile."""

# Where each count stands in a row: exchanges by outcome, failures by kind, and so on.
_KINDS = slice(len(OUTCOMES), len(OUTCOMES) + KIND_LIMIT + 1)
_ROWS = _KINDS.stop
_EXCLUDED = _ROWS + 1
_ANALYSED = _EXCLUDED + 1
_REASONS = slice(_ANALYSED + 1, _ANALYSED + 1 + REASON_LIMIT + 1)
_REFUSALS = slice(_REASONS.stop, _REASONS.stop + KIND_LIMIT + 1)
_PANES = _REFUSALS.stop
_BINS = slice(_PANES + 1, _PANES + 1 + BINNING.bins)


@dataclass(frozen=True, slots=True, eq=False)
class OutcomePanesState:
    """What OutcomePanes hold."""

    ring: RingState
    kinds: tuple[str, ...]
    """Kinds of failure by their place in a row."""
    reasons: tuple[str, ...]
    """Likewise reasons why an exchange could not be read."""
    refusals: tuple[str, ...]
    """Likewise kinds of refusal."""


class OutcomePanes:
    """The panes of one endpoint that were closed."""

    def __init__(self, levels: int = LEVELS) -> None:
        """*levels* is how far back panes are kept: 32 * 2^(levels - 1) of them."""
        self._ring = Ring((_BINS.stop,), levels)
        self._kinds, self._reasons = Names(KIND_LIMIT), Names(REASON_LIMIT)
        self._refusals = Names(KIND_LIMIT)

    @property
    def state(self) -> OutcomePanesState:
        """All that they hold, in arrays that the next pane changes."""
        return OutcomePanesState(self._ring.state, self._kinds.state, self._reasons.state, self._refusals.state)

    def restore(self, state: OutcomePanesState) -> None:
        """Go on from *state*, whose arrays are taken over; ValueError where it does not fit."""
        self._ring.restore(state.ring)
        self._kinds.restore(state.kinds)
        self._reasons.restore(state.reasons)
        self._refusals.restore(state.refusals)

    def take(self, pane: OutcomeCounts, at: float) -> None:
        """Keep the counts of the pane that ended *at*; *pane.panes* is how many panes' worth of time it covers."""
        row = np.zeros(_BINS.stop, np.int64)
        row[: len(OUTCOMES)] = [pane.outcomes.get(outcome, 0) for outcome in OUTCOMES]
        row[_KINDS] = self._kinds.count(pane.failures)
        row[_ROWS], row[_EXCLUDED], row[_ANALYSED] = pane.rows, pane.excluded_rows, pane.analysed
        row[_REASONS] = self._reasons.count(pane.undecodable)
        row[_REFUSALS] = self._refusals.count(pane.refusals)
        row[_PANES] = pane.panes
        row[_BINS] = pane.histograms
        self._ring.add(row, at)

    def window(self, panes: int) -> OutcomeCounts:
        """The last *panes*: exact up to 32; of more, as few more as are kept apart; of too many, all that are kept."""
        return self._counts(self._ring.last(panes))

    def with_exchanges(self, panes: int, least: int) -> OutcomeCounts:
        """The last *panes*, or as many more as it takes to hold *least* exchanges."""
        stretch = self._ring.last(panes)
        while (counts := self._counts(stretch)).exchanges < least:
            further = self._ring.last(stretch.panes + max(1, stretch.panes // 2))
            if further.panes <= stretch.panes:
                break
            stretch = further
        return counts

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
            refusals=self._refusals.named(counts[_REFUSALS]),
            excluded_rows=int(counts[_EXCLUDED]),
        )


def panes_covered(passed_panes: float, closed_count: int) -> int:
    """How many panes' worth of time the pane that just ended stands for; at least 1.

    A judge that was busy or asleep closes one pane late, and that pane then holds the exchanges of a longer time.

    *passed_panes* is the time since the pane before ended, in lengths of a pane. *closed_count* is how many panes of
    processes were added up in this one. After a gap longer than LONGEST_STALL the time counts only where as many panes
    were closed meanwhile: a machine that was suspended, or whose clock was set, closed none, and then this is one pane.
    """
    return max(1, round(passed_panes)) if passed_panes <= max(LONGEST_STALL, closed_count) else 1
