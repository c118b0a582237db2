"""What could not be sent, in one line of the log, when a process ends."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from dashlight.metrics.accounts import Account
from dashlight.metrics.machine_accounts import SHUTDOWN

logger = logging.getLogger("dashlight")

_NAMES = {"metrics": "reports of metrics"}
_WORDS = {
    "inbox_full": "found no room before the analysis",
    "outbox_full": "found no room to wait",
    "expired": "waited too long",
    "rejected": "were refused by the collector",
    SHUTDOWN: "were still waiting",
    "too_large": "were too large",
    "unencodable": "could not be encoded",
    "mistake": "were lost by a mistake of Dashlight's",
    "refused_address": "were to go to an address that is never sent to",
    "spool_full": "found no room in the spool",
    "corrupt": "could not be read from the spool",
}
"""By reason; one without words is told as it is."""


class EndLine:
    """Tells once what a process leaves unsent; again only if that has become more."""

    def __init__(self) -> None:
        self._told: Mapping[str, int] = {}

    def tell(self, accounts: Mapping[str, Account], troubles: Mapping[str, str]) -> None:
        """Logs one line where something was lost or is kept in the spool, by signal; nothing where all was delivered.

        What still waits counts as lost. *troubles* says by signal why the collector does not take it, where that is known.
        """
        over = {signal: account.ended(SHUTDOWN) for signal, account in accounts.items()}
        lost = {signal: sum(account.lost.values()) for signal, account in over.items() if account.lost}
        kept = {signal: account.spooled for signal, account in over.items() if account.spooled}
        left = {**lost, **{f"{signal} in the spool": count for signal, count in kept.items()}}
        if all(count <= self._told.get(name, 0) for name, count in left.items()):
            return
        self._told = left
        sentences: list[str] = []
        if lost:
            why = "; ".join(_why(signal, over[signal], troubles.get(signal, ""), among=len(lost)) for signal in lost)
            sentences.append(f"{_counted(lost)} could not be sent: {why}")
        if kept:
            sentences.append(f"{_counted(kept)} are kept in the spool, for the next process to send")
        logger.log(logging.WARNING if lost else logging.INFO, "%s", ". ".join(sentences))


def _counted(counts: Mapping[str, int]) -> str:
    """`1,204 spans and 12 events`."""
    *others, last = [f"{count:,} {_NAMES.get(signal, signal)}" for signal, count in counts.items()]
    return f"{', '.join(others)} and {last}" if others else last


def _why(signal: str, account: Account, trouble: str, *, among: int) -> str:
    """`events: 12 waited too long, 3 were still waiting (connection refused)`; *among* so many signals."""
    by_reason = sorted(account.lost.items(), key=lambda item: -item[1])
    told = ", ".join(f"{count:,} {_WORDS.get(reason, reason)}" for reason, count in by_reason)
    of_signal = f"{_NAMES.get(signal, signal)}: " if among > 1 else ""
    return f"{of_signal}{told}{f' ({trouble})' if trouble else ''}"
