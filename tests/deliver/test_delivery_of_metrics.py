"""Metrics on their way to a collector: the newest count, older ones give way."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import Any

import pytest

from dashlight.deliver.delivery import Delivery
from dashlight.deliver.destination import Destination
from dashlight.deliver.outbox import Counts, Outbox
from dashlight.deliver.transport.answer import CollectorAnswer
from dashlight.deliver.transport.endpoints import Endpoint
from dashlight.metrics.figures import Figures
from dashlight.metrics.losses import SignalFate
from dashlight.testing import FakeClock

OK, BUSY = CollectorAnswer(200), CollectorAnswer(503)
PATIENCE_SECONDS = 20.0


class MomentFormat:
    """Figures are the second at which they were made."""

    content_type = "text/plain"
    speaks_otlp = True

    def request(self, entries: Sequence[bytes], /) -> bytes:
        """The words one after the other."""
        return b" ".join(entries)

    def rejected_count(self, answer: bytes, /) -> int:
        """None ever is."""
        return len(answer)

    def metrics(self, figures: Figures) -> bytes:
        """The moment as a word."""
        if figures.at < 0:
            raise ValueError("no moment")
        return str(int(figures.at)).encode()


class Way:
    """A connection that holds every request back until `gate` is set."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.bodies: list[bytes] = []

    def __call__(self, body: bytes, *, content_type: str, key: str) -> CollectorAnswer:
        """Notes the request."""
        assert self.gate.wait(PATIENCE_SECONDS)
        assert (content_type, bool(key)) == ("text/plain", True)
        self.bodies.append(body)
        return OK

    def close(self) -> None:
        """There is nothing to close."""


def figures(at: float) -> Figures:
    return Figures(at, 0.0, (), ())


@pytest.fixture
def way() -> Way:
    return Way()


@pytest.fixture
def delivery(way: Way) -> Iterator[Delivery]:
    made = Delivery(metrics=(Endpoint("http://metrics"), MomentFormat()), connect=lambda _endpoint: way)
    yield made
    way.gate.set()
    made.close(PATIENCE_SECONDS)


def test_metrics_are_delivered_and_counted(delivery: Delivery, way: Way) -> None:
    way.gate.set()
    delivery.start()

    delivery.send_metrics(figures(1))
    left = delivery.flush(PATIENCE_SECONDS)

    assert (left, way.bodies) == (0, [b"1"])
    assert delivery.counts()["metrics"] == Counts(1, delivered=1)


def test_the_end_delivers_what_waits(delivery: Delivery, way: Way) -> None:
    way.gate.set()
    delivery.start()

    delivery.send_metrics(figures(1))
    delivery.close(PATIENCE_SECONDS)

    assert way.bodies == [b"1"]


def test_metrics_that_wait_give_way_to_newer_ones(delivery: Delivery, way: Way) -> None:
    for at in (1, 2, 3):
        delivery.send_metrics(figures(at))
    way.gate.set()
    delivery.start()
    delivery.flush(PATIENCE_SECONDS)

    assert way.bodies == [b"3"]
    assert delivery.counts()["metrics"] == Counts(3, delivered=1, dropped={"replaced": 2})
    assert delivery.fates() == {SignalFate("metrics", "delivered"): 1, SignalFate("metrics", "replaced"): 2}


def test_figures_that_cannot_be_encoded_are_counted(delivery: Delivery) -> None:
    delivery.send_metrics(figures(-1))

    assert delivery.counts()["metrics"] == Counts(1, dropped={"unencodable": 1})


def test_where_metrics_go_nowhere_they_are_not_even_encoded() -> None:
    delivery = Delivery()

    delivery.send_metrics(figures(-1))

    assert list(delivery.counts()) == ["spans", "events"]


@pytest.fixture
def run(collector: Any, clock: FakeClock) -> Callable[[Outbox, float], None]:
    """Lets so many seconds pass for a destination, with a step whenever one is due."""
    keys = count(1)
    made: dict[int, Destination] = {}

    def steps(outbox: Outbox, seconds: float) -> None:
        destination = made.setdefault(
            id(outbox),
            Destination(
                "metrics for http://collector",
                MomentFormat(),
                outbox=outbox,
                connect=collector.connect,
                clock=clock,
                jitter=lambda: 1.0,
                new_key=lambda: f"key {next(keys)}",
                latest_only=True,
            ),
        )
        end_at = clock.at + seconds
        while destination.due_at() <= end_at:
            clock.at = max(clock.at, destination.due_at())
            destination.step()
        clock.at = max(clock.at, end_at)

    return steps


def test_what_was_tried_in_vain_gives_way_too(
    run: Callable[[Outbox, float], None], collector: Any, clock: FakeClock
) -> None:
    outbox = Outbox()
    collector.answers = [BUSY, BUSY, BUSY, BUSY, OK]

    outbox.replace(b"old", at=clock.at)
    run(outbox, 3.0)
    outbox.replace(b"new", at=clock.at)
    run(outbox, 60.0)

    assert collector.received[0] == ["old"]
    assert collector.received[-1] == ["new"]
    assert outbox.counts() == Counts(2, delivered=1, dropped={"replaced": 1})


def test_as_long_as_there_is_nothing_newer_it_is_tried_again(
    run: Callable[[Outbox, float], None], collector: Any, clock: FakeClock
) -> None:
    outbox = Outbox()
    collector.answers = [BUSY, BUSY, OK]

    outbox.replace(b"only", at=clock.at)
    run(outbox, 60.0)

    assert collector.received == [["only"]] * 3
    assert outbox.counts() == Counts(1, delivered=1)
