"""The doubles that users' tests may rely on."""

from __future__ import annotations

import pytest

from dashlight.clock import Clock
from dashlight.deliver.delivery import Delivery
from dashlight.deliver.encoding.events import ALERT, PREDICTION, Event
from dashlight.deliver.encoding.logs import LogEncoder
from dashlight.deliver.encoding.ndjson import NdjsonEncoder
from dashlight.deliver.outbox import Counts
from dashlight.deliver.transport.endpoints import Endpoint
from dashlight.testing import FakeClock, MemoryExporter

PATIENCE_SECONDS = 20.0
RESOURCE = {"service.name": "risk"}


def an_event(name: str) -> Event:
    return Event(name, at=1.0, id="an-id", seq=1, severity=9, attributes={"dashlight.rows": 3})


def test_a_fake_clock_moves_only_when_told_to() -> None:
    fake = FakeClock(100.0)
    clock: Clock = fake

    before = clock.now(), clock.monotonic()
    fake.advance(2.5)

    assert before == (100.0, 100.0)
    assert (clock.now(), clock.monotonic()) == (102.5, 102.5)


@pytest.mark.parametrize(
    "form", [NdjsonEncoder(RESOURCE, epoch=1), LogEncoder(RESOURCE, "dashlight", "0", epoch=1)], ids=["lines", "otlp"]
)
def test_what_is_delivered_to_memory_can_be_looked_at_in_any_format(form: NdjsonEncoder | LogEncoder) -> None:
    exporter = MemoryExporter()
    delivery = Delivery(events=(Endpoint("http://collector/v1/logs"), form), connect=exporter.connect)
    delivery.start()

    for name in (PREDICTION, ALERT, PREDICTION):
        delivery.send_event(an_event(name))
    delivery.close(PATIENCE_SECONDS)

    assert delivery.counts()["events"] == Counts(offered=3, delivered=3)
    assert len(exporter.events()) == 3
    (alert,) = exporter.events("dashlight.alert")
    assert alert["attributes"]["dashlight.rows"] == 3
    assert exporter.spans == []
    assert b"dashlight.alert" in b"".join(exporter.bodies)
