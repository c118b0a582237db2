"""Adds what ended processes had counted and not handed on: their exchanges and losses, of which no statistics are left."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from dashlight.counting.machine import MachinePane
from dashlight.counting.remains import Remains
from dashlight.metrics.losses import SignalFate
from dashlight.metrics.machine_accounts import KILLED, SHUTDOWN
from dashlight.metrics.totals import Totals

logger = logging.getLogger("dashlight")

WITHOUT_STATISTICS = SignalFate("exchanges", "dropped", KILLED)
"""Exchanges whose latencies and rows ended with their process; by endpoint and outcome they are counted all the same."""


def add_processes(totals: Totals, pane: MachinePane, remains: Sequence[Remains]) -> None:
    """Adds to *totals* what processes tell of themselves with their *pane*, and what those left that have ended."""
    totals.add_counts(pane.counts)
    over = {each.process for each in remains}
    # The ended ones first: what they left in the spool may have been taken over by the others.
    for process, status in pane.statuses.items():
        if process in over:
            totals.accounts.hear(process, status.accounts, status.number)
    for each in remains:
        _add(totals, each)
    for process, status in pane.statuses.items():
        if process not in over:
            totals.accounts.hear(process, status.accounts, status.number)


def _add(totals: Totals, remains: Remains) -> None:
    accounts = totals.accounts
    if accounts.has_ended(remains.process):
        return
    counted_number = accounts.number(remains.process)
    uncounted = [pane for number, pane in sorted(remains.panes.items()) if number > counted_number]
    for pane in uncounted:
        for route, outcomes in pane.requests.items():
            totals.add_requests(route, outcomes)
        totals.add_counts(pane.counts)
    request_count = sum(pane.request_count for pane in uncounted)
    totals.add_counts({WITHOUT_STATISTICS: request_count})
    # What it left is older than its last pane, where that is counted.
    is_newer = remains.number > counted_number
    lost = accounts.end(
        remains.process,
        remains.accounts if is_newer else None,
        number=remains.number,
        reason=SHUTDOWN if remains.has_left else KILLED,
    )
    if (request_count or lost) and not remains.has_left:
        said = [f"{request_count:,} requests are counted without their latencies and rows"] if request_count else []
        said += [f"{count:,} {signal} that waited in its memory are lost" for signal, count in lost.items()]
        logger.warning("worker %s was killed: %s", remains.process.partition(".")[0], ", ".join(said))
