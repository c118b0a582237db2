from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.instrumentation.utils import is_http_instrumentation_enabled, is_instrumentation_enabled

from dashlight.deliver.delivery import Delivery
from dashlight.deliver.destination import LINGER_SECONDS
from dashlight.deliver.encoding.events import ALERT, PREDICTION, Event
from dashlight.deliver.outbox import Counts
from dashlight.deliver.spool.spool import Spool
from dashlight.deliver.transport.answer import CollectorAnswer
from dashlight.deliver.transport.endpoints import Endpoint
from dashlight.metrics.losses import SignalFate
from dashlight.testing import FakeClock

SPANS, EVENTS = Endpoint("http://spans"), Endpoint("http://events")
PATIENCE_SECONDS = 20.0


def event(body: str, name: str = PREDICTION, **attributes: object) -> Event:
    return Event(name, at=1.0, id="id", seq=1, severity=9, attributes=attributes, body=body)


class Collectors:
    """Stands for the ways to both collectors; `gate` holds every request back until it is set."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, list[str]]] = []
        self.answers: dict[str, CollectorAnswer] = {}
        self.closed: list[str] = []
        self.contexts: list[tuple[bool, bool]] = []
        self.hanging = ""
        """The one to which the gate is shut; empty: to all."""
        self.gate = threading.Event()
        self.gate.set()

    def connect(self, endpoint: Endpoint) -> Any:
        """A connection to one of them."""
        return _Way(self, endpoint.url)


class _Way:
    def __init__(self, collectors: Collectors, url: str) -> None:
        self._collectors = collectors
        self._url = url

    def __call__(self, body: bytes, *, content_type: str, key: str) -> CollectorAnswer:
        if self._collectors.hanging in {"", self._url}:
            assert self._collectors.gate.wait(PATIENCE_SECONDS)
        self._collectors.contexts.append((is_instrumentation_enabled(), is_http_instrumentation_enabled()))
        self._collectors.requests.append((self._url, body.decode().split()))
        return self._collectors.answers.get(self._url, CollectorAnswer(200))

    def close(self) -> None:
        self._collectors.closed.append(self._url)


@pytest.fixture
def collectors() -> Collectors:
    return Collectors()


@pytest.fixture
def deliver(collectors: Collectors, text_format: Any) -> Iterator[Callable[..., Delivery]]:
    """Makes deliveries, and ends them with the test."""
    made: list[Delivery] = []

    def make(**arguments: Any) -> Delivery:
        wanted: dict[str, Any] = {
            "spans": (SPANS, text_format),
            "events": (EVENTS, text_format),
            "connect": collectors.connect,
            "jitter": lambda: 0.0,
        }
        made.append(Delivery(**{**wanted, **arguments}))
        return made[-1]

    yield make
    collectors.gate.set()
    for delivery in made:
        delivery.close(0.0)
        for thread in delivery._threads.values():
            thread.join(PATIENCE_SECONDS)


def reached(delivery: Delivery, is_there: Callable[[], bool]) -> bool:
    """Whether it is there, at the latest when patience ends; looked at after each step of the threads, and in between."""
    end_at = time.monotonic() + PATIENCE_SECONDS
    while not is_there() and time.monotonic() < end_at:
        for thread in delivery._threads.values():
            with thread.progress:
                thread.progress.wait(0.01)
    return is_there()


def test_spans_and_events_go_their_own_ways(deliver: Any, collectors: Collectors) -> None:
    delivery = deliver()
    delivery.start()
    delivery.send_spans([b"s1", b"s2"])
    delivery.send_event(event("e1"))

    pending = delivery.flush(PATIENCE_SECONDS)

    assert pending == 0
    assert sorted(collectors.requests) == [("http://events", ["e1"]), ("http://spans", ["s1", "s2"])]
    assert delivery.counts() == {"spans": Counts(offered=2, delivered=2), "events": Counts(offered=1, delivered=1)}


def test_events_leave_by_themselves(deliver: Any, collectors: Collectors) -> None:
    delivery = deliver()
    delivery.start()

    delivery.send_event(event("alert", ALERT))

    assert reached(delivery, lambda: delivery.counts()["events"].delivered == 1)
    assert collectors.requests == [("http://events", ["alert"])]


def test_a_collector_that_is_away_does_not_hold_up_the_other(deliver: Any, collectors: Collectors) -> None:
    collectors.answers["http://spans"] = CollectorAnswer(failure="name")
    delivery = deliver()
    delivery.start()
    delivery.send_spans([b"s1"])
    for number in range(3):
        delivery.send_event(event(f"e{number}", ALERT))
    delivery.flush(0.0)

    assert reached(
        delivery,
        lambda: ("http://spans", ["s1"]) in collectors.requests and delivery.counts()["events"].delivered == 3,
    )
    assert delivery.flush(0.0) == 1
    assert delivery.counts()["events"] == Counts(offered=3, delivered=3)
    assert delivery.counts()["spans"] == Counts(offered=1, in_flight=1)


def test_the_thread_does_not_trace_itself(deliver: Any, collectors: Collectors) -> None:
    delivery = deliver()
    delivery.start()
    delivery.send_spans([b"s1"])
    delivery.flush(PATIENCE_SECONDS)

    assert collectors.contexts == [(False, False)]
    assert is_instrumentation_enabled()


def test_each_destination_has_a_daemon_thread_that_starts_once(deliver: Any) -> None:
    delivery = deliver()

    delivery.start()
    delivery.start()

    threads = [thread for thread in threading.enumerate() if thread.name.startswith("dashlight-delivery")]
    assert sorted(thread.name for thread in threads) == ["dashlight-delivery-events", "dashlight-delivery-spans"]
    assert all(thread.daemon for thread in threads)


def test_a_collector_that_hangs_delays_no_other(deliver: Any, collectors: Collectors) -> None:
    collectors.hanging = "http://spans"
    collectors.gate.clear()
    delivery = deliver()
    delivery.start()
    delivery.send_spans([b"s1"])
    delivery.flush(0.0)
    delivery.send_event(event("e1"))
    delivery.flush(0.0)

    assert reached(delivery, lambda: delivery.counts()["events"].delivered == 1)
    assert delivery.counts()["spans"].delivered == 0


def test_without_a_destination_there_is_no_thread_and_everything_is_counted(deliver: Any) -> None:
    delivery = deliver(spans=None, events=None)
    delivery.start()
    delivery.send_spans([b"s1", b"s2"])
    delivery.send_event(event("e1"))

    assert not any(thread.name.startswith("dashlight-delivery") for thread in threading.enumerate())
    assert (delivery.takes_spans, delivery.takes_events) == (False, False)
    assert delivery.counts() == {
        "spans": Counts(offered=2, dropped={"disabled": 2}),
        "events": Counts(offered=1, dropped={"disabled": 1}),
    }
    assert delivery.fates() == {}
    assert delivery.flush(0.0) == 0


def test_no_spans_are_no_reason_to_wake(deliver: Any) -> None:
    delivery = deliver()

    delivery.send_spans([])

    assert not delivery._threads["spans"]._nudge.is_set()


def test_an_event_that_cannot_be_encoded_is_dropped_alone(deliver: Any) -> None:
    delivery = deliver()
    delivery.start()
    delivery.send_event(event("good"))
    delivery.send_event(event("bad", poison=object()))
    delivery.flush(PATIENCE_SECONDS)

    assert delivery.counts()["events"] == Counts(offered=2, delivered=1, dropped={"unencodable": 1})
    assert delivery.fates() == {
        SignalFate("events", "delivered"): 1,
        SignalFate("events", "dropped", "unencodable"): 1,
    }


def test_events_that_come_together_fail_one_by_one(deliver: Any, collectors: Collectors) -> None:
    delivery = deliver()
    delivery.send_events([event("a"), event("bad", poison=object()), event("x" * (256 * 1024 + 1)), event("b", ALERT)])
    delivery.start()
    delivery.flush(PATIENCE_SECONDS)

    assert collectors.requests == [("http://events", ["a", "b"])]
    assert delivery.made_count == 1
    assert delivery.counts()["events"] == Counts(offered=4, delivered=2, dropped={"unencodable": 1, "too_large": 1})


def test_an_event_that_is_too_large_is_dropped(deliver: Any) -> None:
    delivery = deliver()

    delivery.send_event(event("x" * (256 * 1024 + 1)))

    assert delivery.counts()["events"] == Counts(offered=1, dropped={"too_large": 1})


def test_before_the_start_everything_waits(deliver: Any, collectors: Collectors) -> None:
    delivery = deliver()
    delivery.send_event(event("e1"))

    assert delivery.flush(PATIENCE_SECONDS) == 1
    delivery.start()
    assert delivery.flush(PATIENCE_SECONDS) == 0
    assert collectors.requests == [("http://events", ["e1"])]


def test_the_end_delivers_what_waits_and_closes_the_connections(deliver: Any, collectors: Collectors) -> None:
    delivery = deliver()
    for word, name in (("e1", PREDICTION), ("a1", ALERT), ("e2", PREDICTION)):
        delivery.send_event(event(word, name))
    delivery.start()

    delivery.close(PATIENCE_SECONDS)

    assert collectors.requests == [("http://events", ["e1", "a1", "e2"])]
    assert reached(delivery, lambda: collectors.closed == ["http://events"])
    assert delivery.counts()["events"] == Counts(offered=3, delivered=3)


def test_after_the_end_nothing_is_taken(deliver: Any) -> None:
    delivery = deliver()
    delivery.start()
    delivery.close(PATIENCE_SECONDS)
    delivery.send_spans([b"late"])

    assert delivery.counts()["spans"] == Counts(offered=1, dropped={"shutdown": 1})


def test_what_the_time_does_not_suffice_for_is_counted_once(deliver: Any, collectors: Collectors) -> None:
    collectors.gate.clear()
    delivery = deliver()
    delivery.start()
    delivery.send_event(event("a1", ALERT))
    delivery.send_event(event("e1"))

    delivery.close(0.1)
    at_the_end = delivery.counts()["events"]
    collectors.gate.set()
    delivery._threads["events"].join(PATIENCE_SECONDS)

    assert at_the_end == Counts(offered=2, dropped={"shutdown": 2})
    assert delivery.counts()["events"] == at_the_end


def test_a_collector_that_has_been_failing_does_not_hold_up_the_end(deliver: Any, collectors: Collectors) -> None:
    collectors.answers["http://events"] = CollectorAnswer(401)
    delivery = deliver()
    delivery.start()
    delivery.send_event(event("e1", ALERT))
    assert reached(delivery, lambda: len(collectors.requests) == 1)

    delivery.close(PATIENCE_SECONDS * 100)

    assert delivery.counts()["events"] == Counts(offered=1, dropped={"shutdown": 1})
    assert len(collectors.requests) == 2


def test_a_mistake_of_ours_does_not_end_the_thread(
    deliver: Any, collectors: Collectors, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR, "dashlight")
    moods = iter([ValueError("a mistake")])

    def jitter() -> float:
        for mistake in moods:
            raise mistake
        return 0.0

    collectors.answers["http://spans"] = CollectorAnswer(503)
    delivery = deliver(jitter=jitter)
    delivery.start()
    delivery.send_spans([b"s1"])
    delivery.flush(0.0)
    delivery.send_event(event("e1", ALERT))

    assert reached(delivery, lambda: bool(caplog.messages) and delivery.counts()["events"].delivered == 1)
    (told,) = caplog.messages
    assert told.startswith("the delivery thread stumbled and goes on: ")
    # The batch it had in hand is not lost from the count.
    assert delivery.counts()["spans"] == Counts(offered=1, in_flight=1)


def test_without_more_said_batches_are_posted_over_http() -> None:
    from dashlight.deliver.delivery import _connect
    from dashlight.deliver.transport.http import HttpSender

    sender = _connect(Endpoint("http://127.0.0.1:9"))

    assert isinstance(sender, HttpSender)
    sender.close()


def test_nothing_is_loaded_for_the_network_before_there_is_something_to_send() -> None:
    script = (
        "import sys, dashlight.deliver.delivery, dashlight.deliver.encoding.traces, dashlight.deliver.encoding.logs\n"
        "print([name for name in ('httpx', 'httpcore', 'ssl', 'numpy', 'opentelemetry.sdk') if name in sys.modules])"
    )

    found = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)

    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("since_at", "waited_seconds"),
    [(100.0, 0.0), (99.75, 0.25), (90.0, 1.0), (200.0, 0.0), (float("inf"), 0.0)],
    ids=["now", "a while ago", "long ago", "clock set back", "unknown"],
)
def test_an_event_has_waited_for_company_since_its_exchange_ended(
    deliver: Callable[..., Delivery], since_at: float, waited_seconds: float
) -> None:
    clock = FakeClock(100.0)
    delivery = deliver(clock=clock)

    delivery.send_event(event("a"), since_at=since_at)
    delivery.send_spans([b"b"], since_at=since_at)

    waiting = [thread.destination.due_at() for thread in delivery._threads.values()]
    assert waiting == [pytest.approx(clock.monotonic() + LINGER_SECONDS - waited_seconds)] * 2


def test_a_forked_child_closes_what_is_the_parent_s(deliver: Callable[..., Delivery], tmp_path: Path) -> None:
    clock = FakeClock()
    spool = Spool(tmp_path / "spool", clock=clock, free_share=lambda _path: 0.5)
    delivery = deliver(spool=spool)
    deliver().forget()

    delivery.forget()

    assert spool.is_closed
