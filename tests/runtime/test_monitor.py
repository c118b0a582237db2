"""The Monitor: its thread, its budget, and what happens when a part of it fails."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pytest
from msgspec import structs

from dashlight.capture.capture import Capture
from dashlight.capture.inbox import Inbox
from dashlight.capture.spans import Spans
from dashlight.capture.trace_parent import sampler_from
from dashlight.clock import SystemClock
from dashlight.errors import ReferenceDataError
from dashlight.metrics.losses import BODIES_DROPPED, INBOX_FULL, SignalFate
from dashlight.records import Exchange
from dashlight.runtime.analysis import Analysis
from dashlight.runtime.monitor import Monitor
from dashlight.runtime.monitor_plan import MonitorPlan


class Noted:
    """An analysis that notes what it is given, and can be told to fail."""

    def __init__(
        self, *, fails: bool = False, fails_to_tick: bool = False, refuses: int = -1, cpu_iterations: int = 0
    ) -> None:
        self.analysed: list[int] = []
        self.counted: list[int] = []
        self.excluded_statuses: list[int] = []
        self.rates: list[float] = []
        self.lost: Mapping[SignalFate, int] = {}
        self.closed = self.forgotten = False
        self.left_count = 0
        self.told_lost = False
        self.thread = ""
        self._fails = fails
        self._fails_to_tick = fails_to_tick
        self._refuses = refuses
        self.cpu_iterations = cpu_iterations

    def analyse(self, exchanges: Sequence[Exchange]) -> Mapping[int, str]:
        if self._fails:
            raise ZeroDivisionError
        self.thread = threading.current_thread().name
        self.analysed += [exchange.id for exchange in exchanges]
        sum(range(self.cpu_iterations * len(exchanges)))
        return {}

    def count(self, exchanges: Sequence[Exchange], failures: Mapping[int, str]) -> None:
        if any(exchange.id == self._refuses for exchange in exchanges):
            raise LookupError
        self.counted += [exchange.id for exchange in exchanges]

    def count_excluded(self, exchanges: Sequence[Exchange]) -> None:
        if any(exchange.status == self._refuses for exchange in exchanges):
            raise LookupError
        self.excluded_statuses += [exchange.status for exchange in exchanges]

    def tick(
        self,
        at: float,
        *,
        lost: Mapping[SignalFate, int],
        in_flight_count: int,
        rate: float,
        waiting_count: int = 0,
    ) -> float:
        self.rates.append(rate)
        self.lost = lost
        if self._fails_to_tick:
            raise ArithmeticError
        return 10.0

    def flush(self, timeout_seconds: float) -> int:
        return 0

    def close(self, timeout_seconds: float) -> None:
        self.closed = True

    def tell_lost(self) -> None:
        self.told_lost = True

    def leave(self) -> None:
        self.left_count += 1

    def forget(self) -> None:
        self.forgotten = True


def exchange(number: int) -> Exchange:
    return Exchange(
        number, "/p", "POST", "/p", b"", "http", None, "1.1", [], [], 200, "", "ok",
        0.0, None, 0.001, 0, 0, [], [], 0, 0, 0, None,
    )  # fmt: skip


@pytest.fixture
def monitors() -> Iterator[Callable[..., Monitor]]:
    """Makes Monitors, and closes them."""
    made: list[Monitor] = []

    def make(prepare: Callable[[], Analysis], *, cpu_share: float = 1.0) -> Monitor:
        spans = Spans("off", exported=False, sampler=sampler_from({}), version="0")
        plan = MonitorPlan(None, cpu_share, shutdown_seconds=5.0, prepare=prepare, look_around=lambda: None)
        made.append(Monitor(Capture(Inbox(), spans, 1024), plan, SystemClock()))
        made[-1].start()
        return made[-1]

    yield make
    for monitor in made:
        monitor.close()


def test_all_that_was_captured_is_analysed_before_flush_returns(monitors: Callable[..., Monitor]) -> None:
    noted = Noted()
    monitor = monitors(lambda: noted)
    for number in range(1000):
        monitor.capture.inbox.put(exchange(number))

    pending = monitor.flush()

    assert pending == 0
    assert noted.analysed == noted.counted == list(range(1000))
    assert noted.thread == "dashlight-analysis"


def test_what_has_lost_its_bodies_is_counted_and_not_analysed(monitors: Callable[..., Monitor]) -> None:
    noted = Noted()
    monitor = monitors(lambda: noted)

    monitor.capture.inbox.put(structs.replace(exchange(1), is_bodiless=True))
    monitor.capture.inbox.put(exchange(2))
    monitor.flush(5)

    assert (noted.analysed, noted.counted) == ([2], [1, 2])


def test_closing_takes_what_is_there_and_closes_delivery(monitors: Callable[..., Monitor]) -> None:
    noted = Noted()
    monitor = monitors(lambda: noted)
    assert monitor.ready.wait(5)
    monitor.capture.inbox.put(exchange(7))

    monitor.close()

    assert noted.counted == [7]
    assert noted.closed
    assert monitor.open({"type": "http", "path": "/"}, _never, _never) is None


def test_under_overload_a_sample_is_analysed_and_every_exchange_counted(
    monitors: Callable[..., Monitor], caplog: pytest.LogCaptureFixture
) -> None:
    noted = Noted(cpu_iterations=20_000)
    monitor = monitors(lambda: noted, cpu_share=0.02)

    with caplog.at_level(logging.INFO, logger="dashlight.runtime.monitor"):
        for number in range(12_000):
            monitor.capture.inbox.put(exchange(number))
            if number % 1000 == 999:
                monitor.flush()

    assert noted.counted == list(range(12_000))
    assert 0 < len(noted.analysed) < 6_000
    assert set(noted.analysed) < set(noted.counted)
    assert min(noted.rates) < 0.5
    assert [
        record.getMessage().split(" the ")[1] for record in caplog.records if record.levelno == logging.WARNING
    ] == ["exchanges to stay within DASHLIGHT_CPU; counts, errors and latency stay exact"]


def test_a_slice_that_cannot_be_analysed_costs_no_more_than_itself(
    monitors: Callable[..., Monitor], caplog: pytest.LogCaptureFixture
) -> None:
    noted = Noted(fails=True)
    monitor = monitors(lambda: noted)

    with caplog.at_level(logging.ERROR, logger="dashlight.runtime.monitor"):
        for number in range(3):
            monitor.capture.inbox.put(exchange(number))
            monitor.flush()

    assert monitor.capture.failures == {"ZeroDivisionError": 3}
    assert noted.counted == [0, 1, 2]
    (told,) = [record.getMessage() for record in caplog.records]
    assert told.startswith("a slice of exchanges could not be analysed: ZeroDivisionError < ")


def test_after_the_overload_every_exchange_is_analysed_again(
    monitors: Callable[..., Monitor], caplog: pytest.LogCaptureFixture
) -> None:
    noted = Noted(cpu_iterations=20_000)
    monitor = monitors(lambda: noted, cpu_share=0.05)

    with caplog.at_level(logging.INFO, logger="dashlight.runtime.monitor"):
        for number in range(6_000):
            monitor.capture.inbox.put(exchange(number))
            if number % 1000 == 999:
                monitor.flush()
        deadline = time.monotonic() + 20
        while "analysing every exchange again" not in caplog.messages and time.monotonic() < deadline:
            monitor.flush()

    assert "analysing every exchange again" in caplog.messages


def test_a_slice_that_cannot_be_counted_does_not_cost_the_others(monitors: Callable[..., Monitor]) -> None:
    noted = Noted(refuses=300)
    monitor = monitors(lambda: noted)
    for number in range(1000):
        monitor.capture.inbox.put(exchange(number))
    monitor.flush()

    assert 999 in noted.counted
    assert 300 not in noted.counted
    assert monitor.capture.failures == {"LookupError": 1}


def test_excluded_exchanges_are_counted_apart_and_a_slice_that_cannot_be_costs_no_more_than_itself(
    monitors: Callable[..., Monitor],
) -> None:
    noted = Noted(refuses=500)
    monitor = monitors(lambda: noted)
    for number in range(600):
        monitor.capture.inbox.put_excluded(structs.replace(exchange(number), status=500 if number == 300 else 200))

    assert monitor.flush() == 0

    assert noted.excluded_statuses == [200] * (600 - 256)
    assert noted.analysed == noted.counted == []
    assert monitor.capture.failures == {"LookupError": 1}


def test_a_tick_that_fails_is_told_once_and_the_thread_goes_on(
    monitors: Callable[..., Monitor], caplog: pytest.LogCaptureFixture
) -> None:
    noted = Noted(fails_to_tick=True)
    monitor = monitors(lambda: noted)

    with caplog.at_level(logging.ERROR, logger="dashlight.runtime.monitor"):
        for number in range(3):
            monitor.capture.inbox.put(exchange(number))
            monitor.flush()

    assert noted.counted == [0, 1, 2]
    assert monitor.capture.failures["ArithmeticError"] >= 3
    assert len(caplog.messages) == 1


@pytest.mark.parametrize(
    ("error", "message", "refused"),
    [
        (ReferenceDataError("reference.json: not JSON"), "monitoring is off: reference.json: not JSON", True),
        (RuntimeError("odd"), "monitoring is off: the analysis could not start", False),
    ],
    ids=["the operator's mistake", "our own"],
)
def test_an_analysis_that_cannot_start_leaves_the_host_unwatched(
    monitors: Callable[..., Monitor],
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    message: str,
    refused: bool,  # noqa: FBT001
) -> None:
    def prepare() -> Analysis:
        raise error

    with caplog.at_level(logging.ERROR, logger="dashlight.runtime.monitor"):
        monitor = monitors(prepare)
        assert monitor.ready.wait(5)

    (told,) = caplog.messages
    assert told.startswith(message)
    # What we did not foresee may say a secret of the settings.
    assert "odd" not in caplog.text
    assert (monitor.refusal is not None) == refused
    assert monitor.open({"type": "http", "path": "/"}, _never, _never) is None
    assert monitor.flush() == 0


def test_a_scope_that_we_cannot_read_is_the_app_s_to_judge(
    monitors: Callable[..., Monitor], caplog: pytest.LogCaptureFixture
) -> None:
    monitor = monitors(Noted)

    with caplog.at_level(logging.ERROR, logger="dashlight.runtime.monitor"):
        tees = [monitor.open({"type": "http", "path": "/", "headers": 7}, _never, _never) for _ in range(3)]
        monitor.flush()

    assert tees == [None] * 3
    assert monitor.capture.failures == {"TypeError": 3}
    assert caplog.messages == ["lost on the request path: TypeError; the app did not notice"]


def test_what_was_lost_before_analysis_and_in_it_is_counted_with_each_pane(
    monitors: Callable[..., Monitor],
) -> None:
    noted = Noted(fails=True)
    monitor = monitors(lambda: noted)
    monitor.capture.inbox.dropped_count = 2
    monitor.capture.inbox.put(exchange(1))

    monitor.flush()
    monitor.flush()

    assert noted.lost == {INBOX_FULL: 2, BODIES_DROPPED: 0, SignalFate("exchanges", "mistake", "ZeroDivisionError"): 1}


async def _never(*_: Any) -> Any:
    raise AssertionError


def test_what_was_captured_is_counted_before_it_is_handed_on_to_other_processes(
    monitors: Callable[..., Monitor],
) -> None:
    noted = Noted()
    monitor = monitors(lambda: noted)
    for number in range(300):
        monitor.capture.inbox.put(exchange(number))

    monitor.flush()
    assert noted.left_count == 0
    monitor.flush(leaving=True)

    assert (noted.left_count, len(noted.counted)) == (1, 300)


def test_what_belongs_to_the_parent_is_let_go(monitors: Callable[..., Monitor]) -> None:
    noted = Noted()
    monitor = monitors(lambda: noted)
    assert monitor.ready.wait(5)

    monitor.forget()

    assert noted.forgotten


def test_without_an_analysis_there_is_nothing_to_let_go(monitors: Callable[..., Monitor]) -> None:
    def prepare() -> Analysis:
        raise ReferenceDataError("none")

    monitor = monitors(prepare)
    assert monitor.ready.wait(5)

    monitor.forget()

    assert monitor.refusal is not None


def test_a_process_that_ends_while_dashlight_starts_says_how_many_requests_nobody_read(
    monitors: Callable[..., Monitor], caplog: pytest.LogCaptureFixture
) -> None:
    may_start = threading.Event()

    def prepare() -> Analysis:
        may_start.wait(20.0)
        return Noted()

    monitor = monitors(prepare)
    for number in range(3):
        monitor.capture.inbox.put(exchange(number))

    with caplog.at_level(logging.WARNING, logger="dashlight.runtime.monitor"):
        assert monitor.flush(0.01) == 3
        assert monitor.flush(0.01, leaving=True) == 3
    may_start.set()

    assert caplog.messages == ["3 requests could not be analysed in time: Dashlight is starting"]


def test_what_could_not_be_sent_is_told_before_the_server_ends(monitors: Callable[..., Monitor]) -> None:
    noted = Noted()
    monitor = monitors(lambda: noted)

    monitor.flush()
    assert not noted.told_lost
    monitor.flush(leaving=True)

    assert noted.told_lost
