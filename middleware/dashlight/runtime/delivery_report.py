"""Tells the collector what became of everything since it was told last, by signal, outcome and reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from dashlight.capture.ids import prediction_id
from dashlight.deliver.delivery import Delivery
from dashlight.deliver.encoding.events import report_event
from dashlight.metrics.accounts import Account

REPORT_SECONDS = 60.0
"""At least so long between two reports."""


class _Outcome(NamedTuple):
    signal: str
    outcome: str
    reason: str = ""


_OWN = (_Outcome("events", "captured"), _Outcome("events", "delivered"))
"""As what a report itself is counted."""


class DeliveryReport:
    """Sends a `dashlight.delivery.report` with the next batch of events: at most once a minute, and not about itself alone."""

    def __init__(self, delivery: Delivery, *, numbers: Iterator[int], at: float) -> None:
        """*numbers* are those of all events of this process; *at* is when it started."""
        self._delivery = delivery
        self._numbers = numbers
        self._told_at = at
        self._told: Counter[_Outcome] = Counter()
        self._own_counts: Counter[_Outcome] = Counter()
        """What earlier reports are to be counted as, and were not yet."""

    def tell(self, accounts: Mapping[str, Account], at: float) -> None:
        """Sends what *accounts* hold more than at the last report, where that is a minute ago and there is something."""
        if not self._delivery.takes_events or 0 <= at - self._told_at < REPORT_SECONDS:
            return
        found = _outcomes(accounts)
        news = found - self._told
        of_reports = self._own_counts & news
        if not news - of_reports:
            return
        # At the collector it is new as well that earlier reports arrived.
        counts = [{**each._asdict(), "count": count} for each, count in sorted(news.items())]
        event = report_event(
            counts, since_at=self._told_at, at=at, identifier=prediction_id(at), seq=next(self._numbers)
        )
        self._told, self._told_at = found, at
        self._own_counts = self._own_counts - of_reports + Counter(_OWN)
        self._delivery.send_event(event)


def _outcomes(accounts: Mapping[str, Account]) -> Counter[_Outcome]:
    found: Counter[_Outcome] = Counter()
    for signal, account in accounts.items():
        for outcome in ("captured", "recovered", "delivered", "rejected", "sampled_out"):
            found[_Outcome(signal, outcome)] = getattr(account, outcome)
        for reason, count in account.dropped.items():
            found[_Outcome(signal, "dropped", reason)] = count
    return +found
