"""What waits for a collector outlives the process, where there is a state directory."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dashlight.clock import SystemClock
from dashlight.deliver.delivery import Delivery
from dashlight.deliver.encoding.events import PREDICTION, Event
from dashlight.deliver.outbox import Counts
from dashlight.deliver.transport.answer import CollectorAnswer
from dashlight.deliver.transport.endpoints import Endpoint
from dashlight.errors import MissingExtraError
from dashlight.runtime.assembly import analysis
from dashlight.runtime.assembly.spool import send_spool
from dashlight.settings import Settings
from dashlight.testing import MemoryConnection, MemoryExporter

PATIENCE_SECONDS = 30.0


class Way:
    """The way to a collector in memory, closed as long as *is_away*."""

    def __init__(self, exporter: MemoryExporter, *, is_away: bool) -> None:
        self._inner = MemoryConnection(exporter, "http://collector/v1/logs")
        self._is_away = is_away

    def __call__(self, body: bytes, *, content_type: str, key: str) -> CollectorAnswer:
        """Passes it on, or not."""
        if self._is_away:
            return CollectorAnswer(failure="unreachable")
        return self._inner(body, content_type=content_type, key=key)

    def close(self) -> None:
        """Nothing to close."""


@pytest.fixture
def exporter() -> MemoryExporter:
    return MemoryExporter()


@pytest.fixture
def delivery(exporter: MemoryExporter, tmp_path: Path) -> Callable[..., Delivery]:
    """The delivery of a new process, whose collector is there or not, and how to end it."""

    def start(*, is_away: bool, **environ: str) -> Delivery:
        variables = {"DASHLIGHT_STATE_DIR": str(tmp_path / "state"), **environ}
        made: Any = analysis(
            Settings.from_env(variables),
            variables,
            spans_to=None,
            events_to=Endpoint("http://collector/v1/logs"),
            clock=SystemClock(),
            connect=lambda _endpoint: Way(exporter, is_away=is_away),
        )
        found: Delivery = made._delivery
        return found

    return start


def event(number: int) -> Event:
    return Event(PREDICTION, at=1.0, id=f"id {number}", seq=number, severity=9, attributes={})


def test_what_a_collector_did_not_take_is_delivered_after_the_restart(
    delivery: Callable[..., Delivery], exporter: MemoryExporter
) -> None:
    one = delivery(is_away=True)
    for number in range(5):
        one.send_event(event(number))
    one.close(PATIENCE_SECONDS)
    two = delivery(is_away=False)
    end_at = time.monotonic() + PATIENCE_SECONDS
    while two.counts()["events"].delivered < 5 and time.monotonic() < end_at:
        two.flush(0.1)
    two.close(PATIENCE_SECONDS)

    assert one.counts()["events"] == Counts(offered=5, spooled=5)
    assert two.counts()["events"] == Counts(recovered=5, delivered=5)
    assert [each["attributes"]["dashlight.event.id"] for each in exporter.events()] == [f"id {n}" for n in range(5)]


@pytest.mark.parametrize(
    "environ", [{"DASHLIGHT_STATE_DIR": ""}, {"DASHLIGHT_SPOOL": "0"}], ids=["no directory", "a budget of nothing"]
)
def test_without_a_spool_what_is_left_is_dropped_and_counted(
    delivery: Callable[..., Delivery], environ: dict[str, str], tmp_path: Path
) -> None:
    one = delivery(is_away=True, **environ)
    one.send_event(event(1))
    one.close(1.0)

    assert one.counts()["events"] == Counts(offered=1, dropped={"shutdown": 1})
    assert list(tmp_path.rglob("spool")) == []


def test_with_a_key_nothing_readable_is_on_disk(delivery: Callable[..., Delivery], tmp_path: Path) -> None:
    pytest.importorskip("cryptography")
    one = delivery(is_away=True, DASHLIGHT_SPOOL_KEY="a-long-secret-of-ours")
    one.send_event(event(7))
    one.close(PATIENCE_SECONDS)
    (segment,) = tmp_path.rglob("*.seg")

    assert one.counts()["events"] == Counts(offered=1, spooled=1)
    assert segment.name.startswith("events.x-protobuf.")
    assert len(segment.name.split(".")[2]) == 16


def test_a_key_without_the_package_is_a_clear_error(
    delivery: Callable[..., Delivery], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cryptography.exceptions", None)

    with pytest.raises(MissingExtraError, match=r"pip install 'dashlight\[sealed\]'"):
        delivery(is_away=True, DASHLIGHT_SPOOL_KEY="a-long-secret-of-ours")


def test_troubles_with_the_disk_are_shown_with_all_other_losses(
    delivery: Callable[..., Delivery], tmp_path: Path
) -> None:
    one = delivery(is_away=True)
    (application,) = (tmp_path / "state").iterdir()
    one.close(0.0)
    (application / "spool" / "lock").unlink()
    (application / "spool").rmdir()
    (application / "spool").write_text("in the way")

    two = delivery(is_away=True)
    two.send_event(event(1))
    two.close(1.0)

    assert {str(fate): count for fate, count in two.fates().items()}["files spool unusable"] >= 1
    assert two.counts()["events"] == Counts(offered=1, dropped={"shutdown": 1})


@pytest.mark.parametrize("event_format", ["otlp", "ndjson", "cloudevents"])
def test_by_hand_it_is_sent_in_each_format_and_the_way_that_the_app_would_send_it(
    delivery: Callable[..., Delivery],
    exporter: MemoryExporter,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    event_format: str,
) -> None:
    one = delivery(is_away=True, DASHLIGHT_COLLECTOR_FORMAT=event_format)
    one.send_event(event(1))
    one.close(PATIENCE_SECONDS)
    asked: list[Endpoint] = []

    def connect(endpoint: Endpoint) -> Way:
        asked.append(endpoint)
        return Way(exporter, is_away=False)

    monkeypatch.setattr("dashlight.deliver.transport.http.HttpSender", connect)
    (root,) = (tmp_path / "state").glob("*/spool")
    environ = {
        "DASHLIGHT_COLLECTOR": "http://collector/v1/logs",
        "DASHLIGHT_COLLECTOR_FORMAT": event_format,
        "DASHLIGHT_PROXY": "http://proxy:3128",
    }

    sent = send_spool(environ, root, timeout_seconds=PATIENCE_SECONDS)

    assert (sent.delivered_count, sent.left_count, sent.lost_count) == (1, 0, 0)
    assert [each["attributes"]["dashlight.event.id"] for each in exporter.events()] == ["id 1"]
    assert [each.egress.proxy for each in asked] == ["http://proxy:3128"]
