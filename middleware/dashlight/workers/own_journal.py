"""What this process has counted and not handed on, kept in its journal."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from dashlight.counting.machine import MachinePane
from dashlight.counting.remains import Remains, Uncounted
from dashlight.metrics.accounts import Account
from dashlight.metrics.losses import SignalFate
from dashlight.records import Outcome
from dashlight.workers.journal import Journal

_MOST_PANES = 4
"""Apart from one another, before some become one: those that are being judged, those that wait, the one that fills."""
NOTHING = Uncounted()


class OwnJournal:
    """Numbers the panes of this process, and keeps those in the journal that nobody else has yet. Safe for any thread.

    A pane is handed on once it is posted, or once the checkpoint that counts it is written. Each carries its number, and
    whoever finds this process dead adds those that are above the last one counted: a pane that was handed on just before
    the end, and is still in the journal, is not counted twice.
    """

    def __init__(self, journal: Journal, process: str) -> None:
        self._journal = journal
        self._process = process
        self._panes: dict[int, Uncounted] = {}
        self._filling = NOTHING
        self._accounts: Mapping[str, Account] | None = None
        self._number = 0
        self._written: Remains | None = None
        self._lock = threading.Lock()
        self._is_over = self._has_left = False

    @property
    def number(self) -> int:
        """Of the last pane that ended; 0 before the first did."""
        return self._number

    def close_pane(self, pane: MachinePane) -> MachinePane:
        """Keeps *pane*, which ended; the same with its number."""
        with self._lock:
            self._has_left = False
            self._number += 1
            self._panes[self._number] = _uncounted(pane)
            if len(self._panes) > _MOST_PANES:
                # Neither the first, which may be handed on by itself, nor the last.
                _, older, newer, *_ = self._panes
                self._panes[newer] = _sum(self._panes.pop(older), self._panes[newer])
            self._filling = NOTHING
            statuses = {name: replace(status, number=self._number) for name, status in pane.statuses.items()}
            return replace(pane, statuses=statuses)

    def hand_on(self, number: int) -> None:
        """The panes up to *number* are counted elsewhere from now on."""
        with self._lock:
            self._panes = {each: pane for each, pane in self._panes.items() if each > number}

    def leave(self) -> None:
        """The last pane has ended: from here on the process may end at any moment, unless another one ends after all."""
        with self._lock:
            self._has_left = True

    def note(self, filling: Uncounted | None, accounts: Mapping[str, Account]) -> None:
        """Keeps what is counted by now of the pane that fills (None: what was known of it), and the accounts of this moment."""
        with self._lock:
            if self._is_over:
                return
            if filling is not None:
                self._filling = filling
            self._accounts = accounts
            self._write()

    def end(self, accounts: Mapping[str, Account]) -> None:
        """Keeps the last accounts of this process, which ends: nothing is noted any more."""
        self.note(None, accounts)
        with self._lock:
            self._is_over = True
            self._journal.close()

    def forget(self) -> None:
        """Closes what is the parent's: what a forked child does at once."""
        self._lock = threading.Lock()
        self._is_over = True
        self._journal.forget()

    def _write(self) -> None:
        remains = Remains(
            self._process, {**self._panes, self._number + 1: self._filling}, self._accounts, self._has_left
        )
        if remains != self._written and self._journal.write(remains):
            self._written = remains


def _uncounted(pane: MachinePane) -> Uncounted:
    requests: dict[str, Mapping[Outcome, int]] = {}
    for route, endpoint in pane.endpoints.items():
        outcomes: dict[Outcome, int] = {name: count for name, count in endpoint.outcomes.outcomes.items() if count}
        if outcomes:
            requests[route] = outcomes
    return Uncounted(requests, pane.counts)


def _sum(older: Uncounted, newer: Uncounted) -> Uncounted:
    requests: dict[str, Mapping[Outcome, int]] = dict(older.requests)
    for route, outcomes in newer.requests.items():
        total: Counter[Outcome] = Counter()
        total.update(requests.get(route, {}))
        total.update(outcomes)
        requests[route] = total
    counts: Counter[SignalFate] = Counter(older.counts)
    counts.update(newer.counts)
    return Uncounted(requests, dict(counts))
