"""Whatever a collector does: nothing is unaccounted for, and what was spooled arrives, once by id."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dashlight.clock import SystemClock
from dashlight.deliver.delivery import Delivery
from dashlight.deliver.encoding.events import PREDICTION, Event
from dashlight.deliver.encoding.ndjson import NdjsonEncoder
from dashlight.deliver.outbox import Counts
from dashlight.deliver.spool.spool import Spool
from dashlight.deliver.transport.endpoints import Endpoint

PATIENCE_SECONDS = 60.0
MISBEHAVIOURS = (
    "500", "429", "502", "503", "504", "408", "503 until a date", "slow", "cut", "taken, and cut", "taken, and half an answer",
    "nonsense", "redirect", "401", "404", "too large", "poison",
)  # fmt: skip
EVENTS = 60


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Callable[..., Delivery]]:
    """Starts processes that deliver to a URL from one state directory."""
    made: list[Delivery] = []

    def start(url: str, *, timeout_seconds: float = 0.5) -> Delivery:
        spool = Spool(tmp_path / "spool", clock=SystemClock(), free_share=lambda _path: 0.5)
        made.append(
            Delivery(
                events=(Endpoint(url, timeout_seconds=timeout_seconds), NdjsonEncoder({}, epoch=1)),
                spool=spool,
                jitter=lambda: 0.0,
            )
        )
        # Before its thread does, so that the test knows what was left.
        spool.look()
        made[-1].start()
        return made[-1]

    yield start
    for delivery in made:
        delivery.close(0.1)


def event(number: int, body: str = "fine") -> Event:
    return Event(PREDICTION, at=1.0, id=f"e{number}", seq=number, severity=9, attributes={}, body=body)


def balanced(delivery: Delivery) -> Counts:
    """The counts, which always add up."""
    counts = delivery.counts()["events"]
    assert counts.balance == 0
    return counts


def settled(delivery: Delivery) -> Counts:
    """The counts once nothing waits; each flush is a probe where a misconfigured collector is left alone for a minute."""
    end_at = time.monotonic() + PATIENCE_SECONDS
    while ((counts := balanced(delivery)).pending or counts.spooled) and time.monotonic() < end_at:
        delivery.flush(0.2)
        time.sleep(0.01)
    return counts


@pytest.mark.parametrize("what", MISBEHAVIOURS)
def test_after_each_misbehaviour_every_event_has_arrived_and_all_is_accounted_for(
    process: Callable[..., Delivery], misbehaving: Any, storms: Any, what: str
) -> None:
    storms.coming = [what] * 4
    collector = misbehaving(storms)
    delivery = process(collector.url)
    for number in range(EVENTS):
        delivery.send_event(event(number))
        if number % 15 == 14:
            delivery.flush(0.2)
            balanced(delivery)

    assert settled(delivery) == Counts(offered=EVENTS, delivered=EVENTS)
    assert set(storms.taken) == {f"e{number}" for number in range(EVENTS)}
    # What came twice came with the same key, unless its batch had to be parted.
    assert what == "too large" or all(len(keys) == 1 for keys in storms.keys.values())


def test_poison_costs_itself_alone_from_the_disk_too(
    process: Callable[..., Delivery], misbehaving: Any, storms: Any
) -> None:
    storms.is_away = True
    collector = misbehaving(storms)
    delivery = process(collector.url)
    for number in range(EVENTS):
        delivery.send_event(event(number, "evil" if number == 7 else "fine"))
    delivery.flush(0.5)
    storms.coming, storms.is_away = ["poison"] * 30, False

    assert settled(delivery) == Counts(offered=EVENTS, delivered=EVENTS - 1, rejected=1)
    assert set(storms.taken) == {f"e{number}" for number in range(EVENTS)} - {"e7"}


def test_what_a_wrong_certificate_holds_up_arrives_once_that_is_mended(
    process: Callable[..., Delivery], misbehaving: Any, storms: Any, wrong_certificate: tuple[Path, Path]
) -> None:
    one = process(misbehaving(storms, certificate=wrong_certificate).url)
    for number in range(EVENTS):
        one.send_event(event(number))
    one.flush(1.0)
    one.close(2.0)
    ended = balanced(one)
    two = process(misbehaving(storms).url)

    assert ended == Counts(offered=EVENTS, spooled=EVENTS)
    assert settled(two) == Counts(recovered=EVENTS, delivered=EVENTS)
    assert len(storms.taken) == EVENTS


def test_a_life_of_storms_and_restarts_loses_nothing(
    process: Callable[..., Delivery], misbehaving: Any, storms: Any, rng: random.Random, length: str
) -> None:
    collector = misbehaving(storms)
    numbers = 0
    for _ in range(60 if length == "long" else 6):
        storms.coming = [rng.choice(MISBEHAVIOURS) for _ in range(rng.randrange(12))]
        delivery = process(collector.url)
        for _ in range(rng.randrange(1, 6)):
            for _ in range(rng.randrange(40)):
                delivery.send_event(event(numbers))
                numbers += 1
            delivery.flush(0.1)
            balanced(delivery)
        delivery.close(3.0)
        counts = balanced(delivery)
        assert (counts.pending, dict(counts.dropped), counts.rejected) == (0, {}, 0)
    storms.coming = []
    last = process(collector.url)
    counts = settled(last)

    assert (counts.spooled, counts.pending) == (0, 0)
    assert len(storms.taken) == numbers
