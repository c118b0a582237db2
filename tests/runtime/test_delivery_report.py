"""What the collector is told of what it never saw."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any

import pytest

from dashlight.deliver.delivery import Delivery
from dashlight.deliver.encoding.events import INFO, WARN
from dashlight.deliver.encoding.ndjson import NdjsonEncoder
from dashlight.deliver.transport.endpoints import Endpoint
from dashlight.metrics.accounts import Account
from dashlight.runtime.delivery_report import REPORT_SECONDS, DeliveryReport
from dashlight.testing import MemoryExporter

BEGAN_AT = 1_700_000_000.0


class Collected:
    """A process that reports, and the collector that it reports to."""

    def __init__(self, *, delivers: bool = True) -> None:
        self.exporter = MemoryExporter()
        lines = NdjsonEncoder({"service.name": "risk"}, epoch=1)
        self.delivery = Delivery(
            events=(Endpoint("http://collector/v1/logs"), lines) if delivers else None, connect=self.exporter.connect
        )
        self.report = DeliveryReport(self.delivery, numbers=count(1), at=BEGAN_AT)
        self.at = BEGAN_AT

    def after(self, seconds: float, **accounts: Account) -> None:
        self.at += seconds
        self.report.tell(accounts, self.at)

    def told(self) -> list[Mapping[str, Any]]:
        """The attributes of the reports that arrived."""
        self.delivery.start()
        assert self.delivery.flush(20.0) == 0
        return [each["attributes"] for each in self.exporter.events("dashlight.delivery.report")]


@pytest.fixture
def collected() -> Iterator[Collected]:
    """One that delivers, and ends with the test."""
    made = Collected()
    yield made
    made.delivery.close(20.0)


def test_it_says_what_became_of_each_signal_since_the_last_one(collected: Collected) -> None:
    collected.after(
        60.0, events=Account(9, delivered=4, sampled_out=3, dropped={"outbox_full": 2}), spans=Account(2, rejected=2)
    )
    collected.after(
        60.0, events=Account(12, delivered=6, sampled_out=3, dropped={"outbox_full": 3}), spans=Account(2, rejected=2)
    )

    first, second = collected.told()
    assert first["dashlight.delivery.since"] == BEGAN_AT
    assert [tuple(each.values()) for each in first["dashlight.delivery.counts"]] == [
        ("events", "captured", "", 9),
        ("events", "delivered", "", 4),
        ("events", "dropped", "outbox_full", 2),
        ("events", "sampled_out", "", 3),
        ("spans", "captured", "", 2),
        ("spans", "rejected", "", 2),
    ]
    assert second["dashlight.delivery.since"] == BEGAN_AT + 60.0
    assert [tuple(each.values()) for each in second["dashlight.delivery.counts"]] == [
        ("events", "captured", "", 3),
        ("events", "delivered", "", 2),
        ("events", "dropped", "outbox_full", 1),
    ]


def test_it_comes_once_a_minute_at_most(collected: Collected) -> None:
    for number in range(1, 20):
        collected.after(10.0, events=Account(number, delivered=number))

    assert len(collected.told()) == 190 // REPORT_SECONDS


def test_reports_are_counted_and_are_no_reason_for_another(collected: Collected) -> None:
    collected.after(60.0, events=Account(1, delivered=1))

    for _ in range(3):
        collected.after(60.0, events=Account(2, delivered=2))
    assert len(collected.told()) == 1

    collected.after(60.0, events=Account(3, delivered=3))
    _, second = collected.told()
    assert [tuple(each.values()) for each in second["dashlight.delivery.counts"]] == [
        ("events", "captured", "", 2),
        ("events", "delivered", "", 2),
    ]
    assert collected.delivery.made_count == 2


@pytest.mark.parametrize("lost", [True, False])
def test_it_is_one_line_for_people_too(collected: Collected, lost: bool) -> None:  # noqa: FBT001
    collected.after(60.0, events=Account(3, delivered=1 if lost else 3, dropped={"expired": 2} if lost else {}))
    collected.told()

    (report,) = collected.exporter.events("dashlight.delivery.report")
    assert report["body"] == ("lost in 60 s: 2 events expired" if lost else "nothing lost in 60 s")
    assert report["severity"] == (WARN if lost else INFO)


def test_where_no_events_go_there_is_no_report() -> None:
    collected = Collected(delivers=False)

    collected.after(60.0, spans=Account(1, delivered=1))

    assert collected.delivery.counts()["events"].offered == 0
