from __future__ import annotations

import logging
from collections.abc import Callable
from itertools import count, pairwise
from typing import Any

import pytest

from dashlight.deliver.destination import Destination
from dashlight.deliver.outbox import Counts, Outbox
from dashlight.deliver.transport.answer import CollectorAnswer
from dashlight.testing import FakeClock

OK, BUSY, GONE, FORBIDDEN = (
    CollectorAnswer(200),
    CollectorAnswer(503),
    CollectorAnswer(failure="unreachable"),
    CollectorAnswer(401),
)
LARGE, POISON = CollectorAnswer(413), CollectorAnswer(400)


@pytest.fixture
def outbox() -> Outbox:
    return Outbox()


@pytest.fixture
def destination(outbox: Outbox, collector: Any, clock: FakeClock, text_format: Any) -> Destination:
    keys = count(1)
    return Destination(
        "events for http://collector",
        text_format,
        outbox=outbox,
        connect=collector.connect,
        clock=clock,
        jitter=lambda: 1.0,
        new_key=lambda: f"key {next(keys)}",
    )


@pytest.fixture
def put(outbox: Outbox, clock: FakeClock) -> Callable[..., None]:
    """Puts words into the outbox."""

    def put_words(words: str) -> None:
        outbox.put([word.encode() for word in words.split()], at=clock.at)

    return put_words


@pytest.fixture
def run(destination: Destination, clock: FakeClock) -> Callable[[float], None]:
    """Lets so many seconds pass, with a step whenever one is due."""

    def steps(seconds: float) -> None:
        end_at = clock.at + seconds
        while destination.due_at() <= end_at:
            clock.at = max(clock.at, destination.due_at())
            destination.step()
        clock.at = max(clock.at, end_at)

    return steps


def test_events_wait_a_second_for_company(put: Any, run: Any, collector: Any) -> None:
    put("a b")
    run(0.9)
    put("c")
    before = list(collector.received)
    run(0.2)

    assert before == []
    assert collector.received == [["a", "b", "c"]]


def test_a_full_batch_does_not_wait(put: Any, run: Any, collector: Any) -> None:
    put("e " * 2049)
    run(0.0)

    assert [len(words) for words in collector.received] == [2048]


def test_a_batch_that_is_large_enough_does_not_wait(outbox: Outbox, run: Any, collector: Any, clock: FakeClock) -> None:
    outbox.put([b"x" * 2**19] * 3, at=clock.at)
    run(0.0)

    assert [len(words) for words in collector.received] == [2]


def test_with_nothing_to_do_it_wants_no_step(destination: Destination, collector: Any) -> None:
    destination.step()

    assert destination.due_at() == float("inf")
    assert collector.requests == []


def test_what_arrives_is_delivered(put: Any, run: Any, outbox: Outbox) -> None:
    put("a b")
    run(2.0)

    assert outbox.counts() == Counts(offered=2, delivered=2)


def test_what_the_collector_takes_in_part_is_not_sent_again(
    put: Any, run: Any, outbox: Outbox, collector: Any, caplog: pytest.LogCaptureFixture
) -> None:
    collector.answers = [CollectorAnswer(200, body=b"2")]
    put("a b c")
    run(60.0)

    assert collector.received == [["a", "b", "c"]]
    assert outbox.counts() == Counts(offered=3, delivered=1, rejected=2)
    assert caplog.messages == [
        "2 of events for http://collector given up (not taken by the collector); the counts tell what follows"
    ]


def test_a_busy_collector_is_tried_again_with_the_same_key_and_growing_pauses(
    put: Any, run: Any, collector: Any, clock: FakeClock
) -> None:
    collector.answers = [BUSY, GONE, BUSY, OK]
    moments: list[float] = []
    collector.answer_to = lambda _texts: moments.append(clock.at)
    put("a")
    run(10.0)

    assert [later - earlier for earlier, later in pairwise(moments)] == [0.5, 1.0, 2.0]
    assert collector.requests == [(["a"], "key 1")] * 4


def test_the_pauses_start_small_again_after_a_success(put: Any, run: Any, collector: Any, clock: FakeClock) -> None:
    collector.answers = [BUSY, BUSY, OK, BUSY, OK]
    put("a")
    run(10.0)
    put("b")
    run(1.0)
    failed_at = clock.at
    run(0.5)

    assert collector.received[-2:] == [["b"], ["b"]]
    assert clock.at == failed_at + 0.5


def test_retry_after_is_obeyed(put: Any, run: Any, collector: Any) -> None:
    collector.answers = [CollectorAnswer(429, retry_after="20"), OK]
    put("a")
    run(22.9)
    before = len(collector.requests)
    run(0.2)

    # A second for company, twenty seconds, and a tenth by the jitter.
    assert (before, len(collector.requests)) == (1, 2)


def test_a_collector_that_fails_slowly_gets_half_the_time_at_most(
    put: Any, run: Any, collector: Any, clock: FakeClock, destination: Destination
) -> None:
    collector.answers, collector.seconds = [CollectorAnswer(failure="timeout")], 15.0
    put("a")
    run(1.0)

    assert destination.due_at() == clock.at + 15.0


def test_what_is_being_retried_stays_before_what_is_newer(put: Any, run: Any, collector: Any) -> None:
    collector.answers = [BUSY, OK]
    put("first")
    run(1.0)
    put("second")
    run(2.0)

    assert collector.received == [["first"], ["first"], ["second"]]


def test_after_five_minutes_events_are_given_up(
    put: Any, run: Any, outbox: Outbox, collector: Any, caplog: pytest.LogCaptureFixture
) -> None:
    collector.answers = [BUSY]
    put("a")
    run(200.0)
    put("b")
    run(101.0)
    in_between = outbox.counts()
    run(200.0)

    assert in_between == Counts(
        offered=2, dropped={"expired": 1}, queued=in_between.queued, in_flight=in_between.in_flight
    )
    assert in_between.pending == 1
    assert outbox.counts() == Counts(offered=2, dropped={"expired": 2})
    assert [line.levelname for line in caplog.records] == ["WARNING", "WARNING"]


def test_only_the_old_part_of_a_batch_expires_and_the_rest_is_another_request(
    put: Any, run: Any, outbox: Outbox, collector: Any, clock: FakeClock
) -> None:
    collector.answers = [CollectorAnswer(503, retry_after="272"), OK]
    put("old")
    clock.advance(0.5)
    put("young")
    run(0.5)
    # The pause, 272 seconds and a tenth by the jitter, ends between their times.
    run(400.0)

    assert collector.requests == [(["old", "young"], "key 1"), (["young"], "key 3")]
    assert outbox.counts() == Counts(offered=2, delivered=1, dropped={"expired": 1})


def test_what_would_go_to_a_refused_address_is_given_up_and_told_once(
    put: Any, run: Any, outbox: Outbox, collector: Any, caplog: pytest.LogCaptureFixture
) -> None:
    collector.answers = [CollectorAnswer(failure="refused address", detail="a.example leads to 169.254.169.254")]
    put("a b")
    run(2.0)
    put("c")
    run(2.0)

    assert collector.received == [["a", "b"], ["c"]]
    assert outbox.counts() == Counts(offered=3, dropped={"refused_address": 3})
    (line,) = caplog.records
    assert line.getMessage() == (
        "events for http://collector cannot be delivered (refused address: a.example leads to 169.254.169.254); "
        "address, credentials or format must be wrong"
    )


def test_too_large_a_batch_is_halved_until_it_fits(put: Any, run: Any, outbox: Outbox, collector: Any) -> None:
    collector.answer_to = lambda words: LARGE if len(words) > 2 else OK
    put("a b c d e")
    run(2.0)

    assert collector.received == [["a", "b", "c", "d", "e"], ["a", "b"], ["c", "d", "e"], ["c"], ["d", "e"]]
    assert len({key for _, key in collector.requests}) == 5
    assert outbox.counts() == Counts(offered=5, delivered=5)


def test_an_event_that_is_too_large_by_itself_is_dropped(put: Any, run: Any, outbox: Outbox, collector: Any) -> None:
    collector.answer_to = lambda words: LARGE if "b" in words else OK
    put("a b")
    run(2.0)

    assert outbox.counts() == Counts(offered=2, delivered=1, dropped={"too_large": 1})


def test_the_poisoned_event_is_found_and_costs_itself_alone(put: Any, run: Any, outbox: Outbox, collector: Any) -> None:
    collector.answer_to = lambda words: POISON if "evil" in words else OK
    put("x " * 300 + "evil " + "x " * 211)
    run(2.0)

    assert outbox.counts() == Counts(offered=512, delivered=511, rejected=1)
    assert len(collector.requests) <= 1 + 2 * 9


def test_a_collector_that_finds_everything_poisoned_is_the_one_at_fault(
    put: Any, run: Any, outbox: Outbox, collector: Any, caplog: pytest.LogCaptureFixture
) -> None:
    collector.answers = [POISON]
    put("x " * 40)
    run(2.0)
    after_two_seconds = outbox.counts()
    collector.answers = [OK]
    run(60.0)

    assert (after_two_seconds.rejected, after_two_seconds.pending) == (5, 35)
    assert outbox.counts() == Counts(offered=40, delivered=35, rejected=5)
    assert "ERROR" in [line.levelname for line in caplog.records]


def test_a_rotated_token_costs_no_data(
    put: Any, run: Any, outbox: Outbox, collector: Any, caplog: pytest.LogCaptureFixture
) -> None:
    clock = collector.clock
    caplog.set_level(logging.INFO, "dashlight")
    collector.answers = [FORBIDDEN, FORBIDDEN, OK]
    moments: list[float] = []
    collector.answer_to = lambda _texts: moments.append(clock.at)
    put("a")
    run(200.0)

    assert [later - earlier for earlier, later in pairwise(moments)] == [60.0, 60.0]
    assert outbox.counts() == Counts(offered=1, delivered=1)
    assert [line.levelname for line in caplog.records] == ["ERROR", "INFO"]


def test_what_will_never_be_taken_is_not_sent_again(put: Any, run: Any, outbox: Outbox, collector: Any) -> None:
    collector.answers = [CollectorAnswer(501)]
    put("a b")
    run(60.0)

    assert len(collector.requests) == 1
    assert outbox.counts() == Counts(offered=2, rejected=2)


def test_a_collector_that_restarts_and_says_500_is_asked_again(
    put: Any, run: Any, outbox: Outbox, collector: Any
) -> None:
    collector.answers = [CollectorAnswer(500), OK]
    put("a")
    run(10.0)

    assert outbox.counts() == Counts(offered=1, delivered=1)


def test_a_certificate_that_cannot_be_read_is_a_mistake_of_configuration(
    outbox: Outbox, clock: FakeClock, collector: Any, text_format: Any, caplog: pytest.LogCaptureFixture
) -> None:
    missing = [FileNotFoundError("/ca.pem")]

    def connect() -> Any:
        if missing:
            raise missing.pop()
        return collector

    destination = Destination(
        "events", text_format, outbox=outbox, connect=connect, clock=clock, jitter=lambda: 1.0, new_key=lambda: "key"
    )
    outbox.put([b"a"], at=clock.at - 1)

    destination.step()
    clock.advance(60.0)
    destination.step()

    assert outbox.counts() == Counts(offered=1, delivered=1)
    assert "setting: FileNotFoundError" in caplog.messages[0]


def test_a_hurry_ends_the_waiting_for_company(put: Any, run: Any, destination: Destination, collector: Any) -> None:
    put("a")
    destination.hurry()
    run(0.1)
    put("b")
    run(0.5)

    assert collector.received == [["a"]]


def test_a_hurry_tries_once_more_before_the_pause_is_over(
    put: Any, run: Any, destination: Destination, collector: Any
) -> None:
    collector.answers = [CollectorAnswer(503, retry_after="100"), OK]
    put("a")
    run(5.0)
    destination.hurry()
    run(0.0)

    assert collector.received == [["a"], ["a"]]


def test_a_failing_collector_gets_one_more_chance_in_a_hurry(
    put: Any, run: Any, destination: Destination, collector: Any
) -> None:
    collector.answers = [GONE]
    put("a")
    run(5.0)
    destination.hurry()
    before = destination.has_given_up
    run(0.0)

    assert (before, destination.has_given_up) == (False, True)


def test_a_collector_that_was_well_gets_all_the_time_there_is(
    put: Any, run: Any, destination: Destination, collector: Any
) -> None:
    collector.answers = [GONE]
    put("a")
    destination.hurry()
    run(5.0)

    assert not destination.has_given_up


def test_the_connection_is_closed_if_there_is_one(put: Any, run: Any, destination: Destination, collector: Any) -> None:
    destination.close()
    before = collector.closed
    put("a")
    run(1.0)
    destination.close()

    assert (before, collector.closed) == (False, True)


def test_what_was_abandoned_is_not_taken_any_more(
    put: Any, destination: Destination, outbox: Outbox, collector: Any, clock: FakeClock
) -> None:
    put("a")
    clock.advance(2.0)
    outbox.abandon()
    destination.step()

    assert collector.requests == []


def test_what_is_abandoned_while_it_is_being_taken_is_left_alone(
    outbox: Outbox, clock: FakeClock, collector: Any, text_format: Any
) -> None:
    def abandon() -> str:
        outbox.abandon()
        return "key"

    destination = Destination(
        "events", text_format, outbox=outbox, connect=collector.connect, clock=clock, jitter=float, new_key=abandon
    )
    outbox.put([b"a"], at=clock.at - 1)

    destination.step()

    assert collector.requests == []


def test_events_expire_at_the_very_moment_for_which_a_step_was_wanted(
    put: Any, destination: Destination, outbox: Outbox, collector: Any, clock: FakeClock
) -> None:
    collector.answers = [CollectorAnswer(429, retry_after="300")]
    clock.at = 1_700_000_000.1
    put("a b")
    clock.advance(1.0)
    destination.step()
    clock.at = destination.due_at()
    destination.step()

    assert len(collector.requests) == 1
    assert outbox.counts() == Counts(offered=2, dropped={"expired": 2})
