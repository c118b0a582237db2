"""A destination whose collector fails: what it cannot deliver waits on disk, and arrives."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dashlight.deliver.destination import MOST_AGE_SECONDS, Destination
from dashlight.deliver.encoding.envelope import Envelope
from dashlight.deliver.outbox import Counts, Outbox
from dashlight.deliver.spool.backlog import Backlog
from dashlight.deliver.spool.spool import Spool
from dashlight.deliver.transport.answer import CollectorAnswer
from dashlight.testing import FakeClock

OK, BUSY, GONE, FORBIDDEN = (
    CollectorAnswer(200),
    CollectorAnswer(503),
    CollectorAnswer(failure="unreachable"),
    CollectorAnswer(401),
)
LARGE, POISON = CollectorAnswer(413), CollectorAnswer(400)


class Life:
    """One process: a destination with its outbox and spool."""

    def __init__(self, root: Path, form: Any, collector: Any, clock: FakeClock, **arguments: Any) -> None:
        self.clock = clock
        self.outbox = Outbox(**arguments.pop("outbox", {}))
        self.spool = Spool(root, clock=clock, **{"free_share": lambda _path: 0.5, **arguments})
        backlog = Backlog(self.spool, signal="events", content_type=form.content_type, account=self.outbox)
        keys = count(1)
        self.destination = Destination(
            "events for http://collector",
            form,
            outbox=self.outbox,
            connect=collector.connect,
            clock=clock,
            jitter=lambda: 1.0,
            new_key=lambda: f"key {next(keys)}",
            backlog=backlog,
        )

    def put(self, words: str) -> None:
        """Puts words into the outbox."""
        self.outbox.put([word.encode() for word in words.split()], at=self.clock.at)

    def run(self, seconds: float) -> None:
        """Lets so many seconds pass, with a step whenever one is due; nothing is ever unaccounted for."""
        end_at = self.clock.at + seconds
        while self.destination.due_at() <= end_at:
            self.clock.at = max(self.clock.at, self.destination.due_at())
            self.destination.step()
            assert self.outbox.counts().balance == 0
        self.clock.at = max(self.clock.at, end_at)

    def end(self) -> Counts:
        """Ends in order."""
        self.outbox.close()
        self.destination.hurry(is_ending=True)
        self.run(0.0)
        self.destination.shelve(is_ending=True)
        self.spool.close()
        self.outbox.abandon()
        return self.outbox.counts()

    def die(self) -> None:
        """Ends as by kill -9."""
        self.spool.forget()


@pytest.fixture
def live(tmp_path: Path, collector: Any, clock: FakeClock, text_format: Any) -> Iterator[Callable[..., Life]]:
    """Begins lives on one spool."""
    lives: list[Life] = []

    def begin(**arguments: Any) -> Life:
        lives.append(Life(tmp_path / "spool", arguments.pop("form", text_format), collector, clock, **arguments))
        return lives[-1]

    yield begin
    for each in lives:
        each.die()


def test_what_cannot_be_delivered_goes_to_disk_and_arrives_once_with_the_same_key(live: Any, collector: Any) -> None:
    collector.answers = [BUSY, BUSY, OK]
    one = live()
    one.put("a b")
    one.run(1.0)
    in_between = one.outbox.counts()
    one.run(10.0)

    assert in_between == Counts(offered=2, spooled=2)
    assert collector.requests == [(["a", "b"], "key 1")] * 3
    assert one.outbox.counts() == Counts(offered=2, delivered=2)


def test_while_the_collector_fails_what_is_new_goes_to_disk_without_an_attempt(live: Any, collector: Any) -> None:
    collector.answers = [CollectorAnswer(503, retry_after="100")]
    one = live()
    for word in ("a", "b", "c"):
        one.put(word)
        one.run(2.0)

    assert collector.received == [["a"]]
    assert one.outbox.counts() == Counts(offered=3, spooled=3)


def test_more_than_the_outbox_holds_waits_on_disk(live: Any, collector: Any) -> None:
    collector.answers = [GONE]
    one = live(outbox={"most_entries": 5})
    for number in range(100):
        one.put(f"e{number} f{number}")
        one.run(1.1)

    counts = one.outbox.counts()
    assert counts.dropped == {}
    assert counts.spooled + counts.in_flight + counts.queued == 200


def test_on_disk_nothing_expires_by_its_age(live: Any, collector: Any) -> None:
    collector.answers = [FORBIDDEN]
    one = live()
    one.put("old")
    one.run(4 * 86_400.0)
    collector.answers = [OK]
    one.run(100.0)

    assert one.outbox.counts() == Counts(offered=1, delivered=1)


def test_where_the_disk_does_not_take_it_memory_keeps_it_for_five_minutes(live: Any, collector: Any) -> None:
    collector.answers = [GONE]
    one = live(free_share=lambda _path: 0.01)
    one.put("a")
    one.run(MOST_AGE_SECONDS - 10)
    in_between = one.outbox.counts()
    one.run(20.0)

    assert in_between.pending == 1
    assert one.outbox.counts() == Counts(offered=1, dropped={"expired": 1})
    assert one.spool.troubles["disk_full"] > 1


def test_the_backlog_is_sent_oldest_first_in_turns_with_what_is_new(
    live: Any, collector: Any, clock: FakeClock
) -> None:
    collector.answers = [CollectorAnswer(503, retry_after="10")]
    one = live()
    for word in ("a", "b", "c", "d"):
        one.put(word)
        one.run(2.0)
    one.run(2.5)
    collector.answers = [OK]
    collector.requests.clear()
    numbers = count()

    def new_ones_come(texts: Sequence[str]) -> None:
        if texts[0] in "abc":
            one.put(f"new{next(numbers)}")
        clock.advance(2.0)

    collector.answer_to = new_ones_come
    one.run(30.0)

    assert collector.received == [["a"], ["new0"], ["b"], ["new1"], ["c"], ["new2"], ["d"]]
    assert one.outbox.counts() == Counts(offered=7, delivered=7)


def test_a_collector_that_is_too_slow_costs_nothing_but_disk(live: Any, collector: Any, clock: FakeClock) -> None:
    one = live(outbox={"most_entries": 20})

    def slowly(_texts: Sequence[str]) -> None:
        # While the request hangs, others put what they have.
        clock.advance(2.0)
        if len(one_after_the_other) < 40:
            one_after_the_other.append(1)
            one.put(" ".join(f"e{len(one_after_the_other)}.{number}" for number in range(9)))

    one_after_the_other: list[int] = []
    collector.answer_to = slowly
    one.put("first")
    one.run(600.0)

    assert one.outbox.counts() == Counts(offered=361, delivered=361)


def test_the_end_puts_everything_on_disk_and_the_next_process_delivers_it(live: Any, collector: Any) -> None:
    collector.answers = [GONE]
    one = live()
    one.put("a b")
    one.run(0.5)
    ended = one.end()
    collector.answers = [OK]
    two = live()
    two.run(5.0)

    assert ended == Counts(offered=2, spooled=2)
    assert two.outbox.counts() == Counts(recovered=2, delivered=2)
    assert collector.received[-1] == ["a", "b"]


def test_an_end_does_not_wait_for_the_backlog(live: Any, collector: Any) -> None:
    collector.answers = [CollectorAnswer(503, retry_after="60")]
    one = live()
    for word in ("a", "b"):
        one.put(word)
        one.run(2.0)
    collector.answers = [OK]
    ended = one.end()

    assert ended == Counts(offered=2, spooled=2)


def test_what_hangs_in_a_request_at_the_end_is_on_disk_and_the_late_answer_changes_nothing(
    live: Any, collector: Any
) -> None:
    gate, begun = threading.Event(), threading.Event()

    def hang(_texts: Sequence[str]) -> None:
        begun.set()
        assert gate.wait(20)

    one = live()
    one.put("a")
    one.clock.advance(2.0)
    collector.answer_to = hang
    thread = threading.Thread(target=one.destination.step)
    thread.start()
    assert begun.wait(20)
    one.destination.shelve(is_ending=True)
    one.spool.close()
    one.outbox.abandon()
    gate.set()
    thread.join()

    assert one.outbox.counts() == Counts(offered=1, spooled=1)
    collector.answer_to = lambda _texts: None
    two = live()
    two.run(5.0)
    assert two.outbox.counts() == Counts(recovered=1, delivered=1)
    # The same key: whoever keeps them sees that it is the same batch.
    assert len({key for _, key in collector.requests}) == 1


def test_what_hangs_in_a_request_at_a_flush_is_on_disk_and_is_sent_from_there(live: Any, collector: Any) -> None:
    gate, begun = threading.Event(), threading.Event()

    def hang(_texts: Sequence[str]) -> None:
        begun.set()
        assert gate.wait(20)

    one = live()
    one.put("a")
    one.clock.advance(2.0)
    collector.answer_to = hang
    thread = threading.Thread(target=one.destination.step)
    thread.start()
    assert begun.wait(20)
    one.put("b")
    one.destination.shelve()
    in_between = one.outbox.counts()
    gate.set()
    thread.join()
    collector.answer_to = lambda _texts: None
    one.run(5.0)

    assert in_between == Counts(offered=2, spooled=2)
    assert one.outbox.counts() == Counts(offered=2, delivered=2)
    assert collector.requests[0] == collector.requests[1]


@pytest.mark.parametrize("later", ["", "b"], ids=["unnoticed", "noticed"])
def test_what_is_in_hand_from_a_segment_that_was_removed_is_written_anew_at_the_end(
    live: Any, collector: Any, tmp_path: Path, later: str
) -> None:
    collector.answers = [GONE]
    one = live()
    one.put("a")
    one.run(2.0)
    for path in tmp_path.rglob("*.seg"):
        path.unlink()
    one.put(later)
    one.run(2.0)
    ended = one.end()
    collector.answers = [OK]
    two = live()
    two.run(5.0)

    assert ended == Counts(offered=1 + len(later), spooled=1 + len(later))
    assert two.outbox.counts() == Counts(recovered=1 + len(later), delivered=1 + len(later))


def test_a_record_that_is_too_large_is_halved_and_acknowledged_as_a_whole(live: Any, collector: Any) -> None:
    collector.answers = [GONE]
    one = live()
    one.put("a b c d")
    one.run(1.5)
    collector.answers = [OK]
    collector.answer_to = lambda words: LARGE if len(words) > 1 else None
    one.run(40.0)

    assert one.outbox.counts() == Counts(offered=4, delivered=4)
    one.die()
    two = live()
    two.run(2.0)
    assert two.outbox.counts() == Counts()


def test_the_poisoned_event_of_a_record_costs_itself_alone(live: Any, collector: Any) -> None:
    collector.answers = [GONE]
    one = live()
    one.put("a evil c")
    one.run(1.5)
    collector.answers = [OK]
    collector.answer_to = lambda words: POISON if "evil" in words else None
    one.run(40.0)

    assert one.outbox.counts() == Counts(offered=3, delivered=2, rejected=1)


def test_a_refused_address_costs_nothing_where_there_is_a_spool(live: Any, collector: Any) -> None:
    collector.answers = [CollectorAnswer(failure="refused address", detail="somewhere"), OK]
    one = live()
    one.put("a")
    one.run(70.0)

    assert one.outbox.counts() == Counts(offered=1, delivered=1)


class EnvelopedText:
    """Words in an envelope that names their process."""

    content_type = "text/plain"
    speaks_otlp = True

    def __init__(self, name: str) -> None:
        self.envelope = Envelope({"service.instance.id": name}, "dashlight", "1")

    def request(self, entries: Sequence[bytes], /) -> bytes:
        """The words, and who sends them."""
        return self.envelope.around(entries)

    def rejected_count(self, _answer: bytes, /) -> int:
        """None."""
        return 0


def test_what_a_dead_process_left_arrives_in_its_own_name(live: Any, collector: Any, clock: FakeClock) -> None:
    bodies: list[bytes] = []

    class Wire:
        answer = GONE

        def __call__(self, body: bytes, *, content_type: str, key: str) -> CollectorAnswer:
            bodies.append(body)
            return self.answer

        def close(self) -> None:
            """Nothing to close."""

    wire = Wire()
    collector.connect = lambda: wire
    dead = live(form=EnvelopedText("the dead one"))
    dead.put("a")
    dead.run(1.2)
    dead.die()
    wire.answer = OK
    living = live(form=EnvelopedText("the living one"))
    living.put("b")
    living.run(3.0)

    assert len(bodies) == 3
    assert bodies[0] == bodies[1]
    assert (b"the dead one" in bodies[1], b"the living one" in bodies[1]) == (True, False)
    assert b"the living one" in bodies[2]


def test_an_envelope_that_cannot_be_read_is_replaced_by_ours() -> None:
    ours = Envelope({"a": "b"}, "dashlight", "1")

    assert ours.around_others(b"\xff\xff", [b"x"]) == ours.around([b"x"])
    assert ours.around_others(Envelope({"c": "d"}, "e", "2").told, [b"x"]) == Envelope({"c": "d"}, "e", "2").around(
        [b"x"]
    )


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["put", "put", "run", "run", "answer", "break", "mend", "kill", "end", "remove", "damage"]),
        st.integers(0, 9),
    ),
    max_size=30,
)
ANSWERS = (
    OK,
    OK,
    BUSY,
    GONE,
    FORBIDDEN,
    CollectorAnswer(500),
    LARGE,
    POISON,
    CollectorAnswer(501),
    CollectorAnswer(429),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_whatever_happens_everything_is_accounted_for_and_nothing_is_in_the_way(
    tmp_path_factory: pytest.TempPathFactory, collector: Any, text_format: Any, steps: list[tuple[str, int]]
) -> None:
    root = tmp_path_factory.mktemp("spool")
    root.chmod(0o700)
    numbers = count()
    free = [0.5]

    def begin() -> Life:
        return Life(
            root, text_format, collector, collector.clock, free_share=lambda _path: free[0], budget_bytes=2**18,
            outbox={"most_entries": 30},
        )  # fmt: skip

    one = begin()
    for step, number in steps:
        match step:
            case "put":
                one.put(" ".join(f"e{next(numbers)}" for _ in range(number)))
            case "run":
                one.run(number * number / 2)
            case "answer":
                collector.answers = [ANSWERS[number]]
            case "break" | "mend":
                free[0] = 0.5 if step == "mend" else 0.0
            case "kill":
                one.die()
                one = begin()
            case "end":
                ended = one.end()
                assert (ended.balance, ended.pending) == (0, 0)
                one = begin()
            case _:
                for path in sorted(root.rglob("events.*"))[:1]:
                    path.unlink() if step == "remove" else path.write_bytes(path.read_bytes()[: number * 9])
        counts = one.outbox.counts()
        assert counts.balance == 0
        assert min(counts.queued, counts.in_flight, counts.spooled) >= 0

    # In the end the collector is well, and so is the disk.
    collector.answers, free[0] = [OK], 0.5
    one.put("last")
    one.run(400.0)
    counts = one.outbox.counts()
    assert (counts.balance, counts.pending, counts.spooled) == (0, 0, 0)
    assert collector.received[-1] == ["last"] or "last" in [word for words in collector.received for word in words]
    one.end()
    assert list(root.glob("w-*")) == []


def test_where_what_waited_on_disk_is_gone_what_is_new_is_sent(live: Any, collector: Any, tmp_path: Path) -> None:
    collector.answers = [CollectorAnswer(503, retry_after="5")]
    one = live()
    one.put("a")
    one.run(1.5)
    for path in tmp_path.rglob("events.*"):
        path.unlink()
    collector.answers = [OK]
    one.run(8.0)
    one.put("b")
    one.run(2.0)

    assert collector.received[-1] == ["b"]
    assert one.outbox.counts() == Counts(offered=2, delivered=1, dropped={"spool_full": 1})


def test_where_the_disk_fails_in_the_middle_of_a_flush_memory_goes_on(live: Any, collector: Any) -> None:
    collector.answers = [GONE]
    free = [0.5]
    one = live(free_share=lambda _path: free[0])
    one.put("a " * 3000)
    free[0] = 0.0
    one.destination.shelve()
    in_between = one.outbox.counts()
    free[0] = 0.5
    one.run(100.0)

    assert (in_between.balance, in_between.pending) == (0, 3000)
    assert one.outbox.counts().pending + one.outbox.counts().spooled == 3000
    collector.answers = [OK]
    one.run(100.0)
    assert one.outbox.counts() == Counts(offered=3000, delivered=3000)
