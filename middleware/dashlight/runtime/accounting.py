"""One cut through the way of exchanges, spans and events: where each of them is at a moment, or what became of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from dashlight.capture.inbox import Captured
from dashlight.counting.remains import Uncounted
from dashlight.deliver.delivery import Delivery
from dashlight.deliver.outbox import Counts
from dashlight.metrics.accounts import Account
from dashlight.metrics.losses import INBOX_FULL
from dashlight.metrics.machine_accounts import SHUTDOWN
from dashlight.workers.own_journal import OwnJournal

MISTAKE = "mistake"
"""Reason: lost by a mistake of ours on the request path."""


class Sampled(Protocol):
    """What counts the exchanges that are not drawn."""

    @property
    def sampled_out(self) -> int:
        """How many were not, since the start."""
        ...


class Accounting:
    """Makes the accounts of one process, one for each signal that is delivered somewhere. Safe for any thread.

    Each step on the way counts by itself, and only upwards. A cut reads the last step first and the first one last, the
    outbox under its lock: what moves on meanwhile is then seen as waiting, never twice and never nowhere. What has been
    captured and is known to no later step is `queued`: in the inbox, being analysed, or about to be encoded. So an account
    adds up at any moment, and something that gets lost without being counted shows: it stays queued for ever.
    """

    def __init__(
        self,
        delivery: Delivery,
        sampler: Sampled,
        captured: Callable[[], Captured],
        *,
        journal: OwnJournal | None = None,
    ) -> None:
        """*captured* says what the request path has seen; *journal* outlives the process, None: nothing does."""
        self._delivery = delivery
        self._sampler = sampler
        self._captured = captured
        self._journal = journal
        self._has_ended = False

    def accounts(self) -> Mapping[str, Account]:
        """The account of each signal, `spans`, `events` and `metrics`."""
        sampled_out = self._sampler.sampled_out
        counts = self._delivery.counts()
        made_count = self._delivery.made_count
        captured = self._captured()
        found: dict[str, Account] = {}
        if self._delivery.takes_spans:
            lost = _lost(captured.dropped_spans, captured.mistaken_spans)
            found["spans"] = _account(counts["spans"], captured.spans, lost, 0)
        if self._delivery.takes_events:
            lost = _lost(captured.dropped_exchanges, captured.mistaken_exchanges)
            found["events"] = _account(counts["events"], captured.exchanges + made_count, lost, sampled_out)
        if "metrics" in counts:
            found["metrics"] = _account(counts["metrics"], counts["metrics"].offered, {}, 0)
        if self._has_ended:
            return {signal: account.ended(SHUTDOWN) for signal, account in found.items()}
        return found

    def keep(self, filling: Uncounted | None) -> None:
        """Keeps the accounts, and what the pane that fills holds (None: what was known of it), for whoever finds us dead."""
        if self._journal is not None:
            self._journal.note(filling, self.accounts())

    def end(self) -> None:
        """From now on whatever still waits in memory is lost with the process; the last accounts are kept."""
        self._has_ended = True
        if self._journal is not None:
            self._journal.end(self.accounts())


def _lost(full: int, mistaken: int) -> Mapping[str, int]:
    return {reason: count for reason, count in ((INBOX_FULL.reason, full), (MISTAKE, mistaken)) if count}


def _account(counts: Counts, captured: int, lost: Mapping[str, int], sampled_out: int) -> Account:
    """*lost* never came as far as the outbox."""
    on_the_way = captured - sum(lost.values()) - sampled_out - counts.offered
    dropped = dict(counts.dropped)
    for reason, count in lost.items():
        dropped[reason] = dropped.get(reason, 0) + count
    return Account(
        captured=captured,
        recovered=counts.recovered,
        delivered=counts.delivered,
        rejected=counts.rejected,
        sampled_out=sampled_out,
        dropped=dropped,
        queued=counts.queued + on_the_way,
        in_flight=counts.in_flight,
        spooled=counts.spooled,
        in_flight_on_disk=counts.in_flight_on_disk,
    )
