"""One thread a route: it delivers what is owed for as long as it takes."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest
from opentelemetry.context import get_value

from dashlight.deliver.alerting.courier import Courier, Couriers
from dashlight.deliver.alerting.owed import DELIVERED, Owed, Verdict
from dashlight.metrics.losses import SignalFate
from dashlight.records import Notice
from dashlight.testing import FakeClock

PATIENCE_SECONDS = 20.0
AWAY = Verdict("retry", reason="unreachable: ConnectError")


@dataclass
class Way:
    """A route that answers as it is told, the last answer for ever."""

    name: str = "a"
    answers: Sequence[Verdict | Exception] = (DELIVERED,)
    told: list[str] = field(default_factory=list[str])
    repeated: list[tuple[int, float]] = field(default_factory=list[tuple[int, float]])
    again_at: Callable[[float], float | None] = lambda _at: None
    closed: threading.Event = field(default_factory=threading.Event)
    gate: threading.Event | None = None
    """Until it is set, an attempt lasts."""
    begun: threading.Event = field(default_factory=threading.Event)
    is_suppressed: object = None

    def deliver(self, notice: Notice) -> Verdict:
        self.begun.set()
        self.is_suppressed = get_value("suppress_instrumentation")
        if self.gate is not None:
            self.gate.wait(PATIENCE_SECONDS)
        self.told.append(notice.id[-1])
        answer = self.answers[min(len(self.told), len(self.answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def repeat(self, in_force: Sequence[Notice], at: float) -> float | None:
        self.repeated.append((len(in_force), at))
        return self.again_at(at)

    def close(self) -> None:
        self.closed.set()


@pytest.fixture
def owed(notice: Callable[..., Notice]) -> Owed:
    owed = Owed(["a", "b"])
    owed.open()
    for number in (1, 2):
        owed.owe(notice(number))
    return owed


def courier_of(way: Way, owed: Owed, clock: FakeClock, jitter: float = 1.0) -> Courier:
    return Courier(way, owed, clock=clock, jitter=lambda: jitter, settled=lambda: None)


def run(courier: Courier, clock: FakeClock, steps: int) -> list[float]:
    """Seconds between the attempts."""
    waits: list[float] = []
    for _ in range(steps):
        wait = courier.step()
        if 0 < wait < float("inf"):
            waits.append(round(wait, 3))
            clock.advance(wait)
    return waits


def test_what_is_owed_is_delivered_in_order(owed: Owed, clock: FakeClock) -> None:
    way = Way()

    run(courier_of(way, owed, clock), clock, 3)

    assert way.told == ["1", "2"]
    assert owed.counts() == {"a": 0, "b": 2}


def test_a_failing_route_is_tried_without_end_and_ever_more_rarely(owed: Owed, clock: FakeClock) -> None:
    way = Way(answers=[AWAY] * 50 + [DELIVERED])

    waits = run(courier_of(way, owed, clock), clock, 104)

    assert waits[:8] == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    assert waits[8:] == [30.0] * 42
    assert owed.count("a") == 0
    assert owed.fates() == {SignalFate("alerts", "delivered", part="a"): 2}


def test_the_pause_is_drawn_at_random_below_its_bound(owed: Owed, clock: FakeClock) -> None:
    waits = run(courier_of(Way(answers=[AWAY]), owed, clock, jitter=0.25), clock, 6)

    assert waits == [0.125, 0.25, 0.5]


def test_a_route_that_asks_for_time_gets_it(owed: Owed, clock: FakeClock) -> None:
    way = Way(answers=[Verdict("retry", 120.0, "status 429"), DELIVERED])

    assert run(courier_of(way, owed, clock), clock, 5) == [120.0]


def test_after_a_success_pauses_begin_anew(owed: Owed, clock: FakeClock) -> None:
    way = Way(answers=[AWAY, AWAY, DELIVERED, AWAY, DELIVERED])

    assert run(courier_of(way, owed, clock), clock, 9) == [0.5, 1.0, 0.5]


def test_a_wrong_address_is_tried_once_a_minute_with_one_error_in_ten(
    owed: Owed, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    way = Way(answers=[Verdict("misconfigured", reason="status 401")])

    waits = run(courier_of(way, owed, clock), clock, 39)

    assert waits == [60.0] * 19
    assert [record.levelno for record in caplog.records] == [logging.ERROR] * 2
    assert owed.count("a") == 2


def test_what_is_rejected_for_good_ends_with_one_error_and_the_next_goes_on(
    owed: Owed, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    way = Way(answers=[Verdict("rejected", reason="status 422"), DELIVERED])

    run(courier_of(way, owed, clock), clock, 3)

    assert [record.getMessage() for record in caplog.records] == [
        "an alert was rejected by a for good (status 422): incident/%2Fpredict/1"
    ]
    assert owed.fates() == {
        SignalFate("alerts", "rejected", part="a"): 1,
        SignalFate("alerts", "delivered", part="a"): 1,
    }


def test_a_mistake_of_ours_is_told_once_and_costs_no_notice(
    owed: Owed, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    way = Way(answers=[KeyError("x"), KeyError("x"), DELIVERED])

    run(courier_of(way, owed, clock), clock, 7)

    assert owed.count("a") == 0
    assert sum("stumbled" in record.getMessage() for record in caplog.records) == 1


def test_it_says_once_that_a_route_fails_and_once_that_it_is_well(
    owed: Owed, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    way = Way(answers=[AWAY] * 9 + [DELIVERED])

    run(courier_of(way, owed, clock), clock, 21)

    assert [record.levelno for record in caplog.records] == [logging.WARNING, logging.INFO]


def test_what_is_in_force_is_repeated_when_the_route_wants_it(owed: Owed, clock: FakeClock) -> None:
    way = Way(again_at=lambda at: at + 60.0)
    courier = courier_of(way, owed, clock)
    began_at = clock.now()

    run(courier, clock, 6)

    assert way.repeated[:2] == [(2, began_at), (2, began_at + 60.0)]


@dataclass
class SetClock(FakeClock):
    """A clock of which the reading that can be set goes back by an hour with each look."""

    set_back: float = 0.0

    def now(self) -> float:
        self.set_back += 3600.0
        return self.at - self.set_back


def test_a_clock_that_is_set_back_silences_no_repetition(owed: Owed) -> None:
    way, clock = Way(again_at=lambda at: at + 60.0), SetClock()

    waits = run(courier_of(way, owed, clock), clock, 6)

    assert waits == [60.0] * 4
    assert len(way.repeated) == 4


def test_a_route_that_would_repeat_at_once_is_asked_once_a_second(owed: Owed, clock: FakeClock) -> None:
    way = Way(again_at=lambda at: at - 5.0)

    assert run(courier_of(way, owed, clock), clock, 5) == [1.0] * 3


def test_after_a_notice_it_is_asked_again_what_to_repeat(
    owed: Owed, clock: FakeClock, notice: Callable[..., Notice]
) -> None:
    way = Way()
    courier = courier_of(way, owed, clock)
    run(courier, clock, 4)
    owed.owe(notice(3))

    run(courier, clock, 3)

    assert [count for count, _ in way.repeated] == [2, 3]


def test_a_process_that_does_not_judge_delivers_nothing(owed: Owed, clock: FakeClock) -> None:
    way = Way()
    courier = courier_of(way, owed, clock)
    state = owed.state
    owed.clear()
    owed.restore(state)

    assert courier.step() == float("inf")
    owed.open()
    run(courier, clock, 3)

    assert way.told == ["1", "2"]


def couriers_of(owed: Owed, clock: FakeClock, *ways: Way) -> Couriers:
    return Couriers(ways, owed, clock=clock, jitter=lambda: 1.0)


def test_a_slow_route_delays_no_other(owed: Owed, clock: FakeClock) -> None:
    slow, quick = Way("a", gate=threading.Event()), Way("b")
    couriers = couriers_of(owed, clock, slow, quick)

    couriers.wake()
    assert slow.begun.wait(PATIENCE_SECONDS)
    assert couriers.drain(1.0) == 2

    assert (quick.told, slow.told) == (["1", "2"], [])
    assert slow.gate is not None
    slow.gate.set()
    assert couriers.drain(PATIENCE_SECONDS) == 0
    couriers.close(PATIENCE_SECONDS)
    assert slow.told == ["1", "2"]


def test_it_closes_out_of_a_pause_and_tells_what_is_still_owed(owed: Owed, clock: FakeClock) -> None:
    away = Way("a", answers=[Verdict("retry", 300.0)])
    couriers = couriers_of(owed, clock, away, Way("b"))
    couriers.wake()
    assert away.begun.wait(PATIENCE_SECONDS)

    couriers.close(PATIENCE_SECONDS)

    assert away.closed.is_set()
    assert owed.counts() == {"a": 2, "b": 0}
    assert [thread for thread in threading.enumerate() if thread.name == "dashlight-alerts-a"] == []


def test_its_thread_is_not_traced(owed: Owed, clock: FakeClock) -> None:
    way = Way()
    couriers = couriers_of(owed, clock, way)

    couriers.wake()
    couriers.drain(PATIENCE_SECONDS)
    couriers.close(PATIENCE_SECONDS)

    assert way.is_suppressed is True


def test_a_repetition_that_fails_keeps_nothing_from_being_delivered(
    owed: Owed, clock: FakeClock, notice: Callable[..., Notice]
) -> None:
    def broken(_at: float) -> float | None:
        raise RuntimeError

    way = Way(again_at=broken)
    couriers = couriers_of(owed, clock, way)
    couriers.wake()
    couriers.drain(PATIENCE_SECONDS)
    owed.owe(notice(3))

    couriers.wake()
    couriers.drain(PATIENCE_SECONDS)
    couriers.close(PATIENCE_SECONDS)

    assert way.told == ["1", "2", "3"]


def test_without_threads_there_is_nothing_to_wait_for(owed: Owed, clock: FakeClock) -> None:
    couriers = couriers_of(owed, clock, Way())

    assert couriers.drain(PATIENCE_SECONDS) == 4
    couriers.close(PATIENCE_SECONDS)
