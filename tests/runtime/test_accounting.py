"""One cut through capture, sampler and outboxes: it adds up whenever it is taken, and by whichever thread."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashlight.capture.capture import Capture
from dashlight.capture.inbox import Inbox, Settling
from dashlight.clock import SystemClock
from dashlight.deliver.delivery import Delivery
from dashlight.deliver.encoding.events import PREDICTION, SCORES, Event
from dashlight.deliver.encoding.ndjson import NdjsonEncoder
from dashlight.deliver.encoding.traces import SpanEncoder
from dashlight.deliver.spool.spool import Spool
from dashlight.deliver.transport.answer import CollectorAnswer
from dashlight.deliver.transport.endpoints import Endpoint
from dashlight.metrics.accounts import Account
from dashlight.metrics.machine_accounts import MachineAccounts
from dashlight.records import Exchange, OwnSpan
from dashlight.runtime.accounting import Accounting
from dashlight.runtime.event_sampler import EventSampler
from dashlight.testing import FakeClock

RESOURCE = {"service.name": "risk"}
NO_SPANS: Endpoint | None = None


def an_exchange(*, has_span: bool = False, trace_id: int = 1) -> Exchange:
    return Exchange(
        1, "/predict", "POST", "/predict", b"", "http", None, "1.1", (), (), 200, "", "ok", 1_700_000_000.0, 0.01,
        0.02, 1, 1, (b"x",), (b"y",), trace_id, 1, 1, OwnSpan() if has_span else None,
    )  # fmt: skip


def an_event(name: str = PREDICTION) -> Event:
    return Event(name, at=0.0, id="0", seq=1, severity=9, attributes={})


@dataclass
class Way:
    """The way from the request path to a collector, each step done when it is told; no thread of its own."""

    limit: int = 8
    rate: float = 0.5
    rng: random.Random = field(default_factory=lambda: random.Random(4))
    answers: list[int] = field(default_factory=list[int])
    """Statuses with which the collector answers next; 200 where there are no more."""
    clock: FakeClock | SystemClock = field(default_factory=FakeClock)
    spool: Spool | None = None

    def __post_init__(self) -> None:
        self.capture = Capture(Inbox(limit=self.limit, limit_bytes=8), spans=None, max_body=1)  # type: ignore[arg-type]
        lines, spans = NdjsonEncoder(RESOURCE, epoch=1), SpanEncoder(RESOURCE, "dashlight", "0")
        self.delivery = Delivery(
            spans=(Endpoint("http://spans"), spans),
            events=(Endpoint("http://events"), lines),
            clock=self.clock,
            spool=self.spool,
            jitter=lambda: 0.5,
            connect=lambda _: self,
        )
        self.sampler = EventSampler(self.rate)
        self.accounting = Accounting(self.delivery, self.sampler, self.capture.captured)
        self.batch: list[Exchange] = []
        """What the analysis has taken and is at work on."""
        self.seen = self.seen_spans = self.made = 0

    def __call__(self, body: bytes, *, content_type: str, key: str) -> CollectorAnswer:
        return CollectorAnswer(self.answers.pop(0) if self.answers else 200)

    def close(self) -> None:
        """As a connection has it."""

    def answer(self, *, has_span: bool, settles: bool = False) -> None:
        self.seen += 1
        self.seen_spans += has_span
        exchange = an_exchange(has_span=has_span, trace_id=self.rng.getrandbits(128))
        if settles:
            self.capture.inbox.put_settling(Settling(exchange, 0.0))
        else:
            self.capture.inbox.put(exchange)

    def exclude(self) -> None:
        self.capture.inbox.put_excluded(an_exchange())

    def stumble(self, *, has_span: bool) -> None:
        self.seen += 1
        self.seen_spans += has_span
        self.capture.lose(has_span=has_span)

    def take(self, most: int) -> None:
        self.batch += self.capture.inbox.take(most)

    def publish(self, most: int) -> None:
        """The spans and the events of some that were taken; now and then a mistake of ours costs one."""
        some, self.batch = self.batch[:most], self.batch[most:]
        for each in some:
            if each.own_span is not None:
                if self.rng.random() < 0.1:
                    self.delivery.lose_span()
                else:
                    self.delivery.send_spans([b"span"])
            if self.sampler.decide(each, (), at=0.0) is not None:
                if self.rng.random() < 0.1:
                    self.delivery.lose_event()
                else:
                    self.delivery.send_event(an_event())

    def tell_scores(self) -> None:
        self.made += 1
        self.delivery.send_event(an_event(SCORES))

    def deliver(self, status: int, passed_seconds: float) -> None:
        self.answers = [status]
        if isinstance(self.clock, FakeClock):
            self.clock.advance(passed_seconds)
        for thread in self.delivery._threads.values():
            thread.destination.step()

    def check(self) -> None:
        accounts = self.accounting.accounts()
        assert [each.balance for each in accounts.values()] == [0, 0]
        assert least(accounts["events"]) >= 0
        assert least(accounts["spans"]) >= 0
        assert accounts["events"].captured == self.seen + self.made
        assert accounts["spans"].captured == self.seen_spans


def least(account: Account) -> int:
    """The smallest of its counts."""
    numbers = (account.queued, account.in_flight, account.spooled, account.sampled_out, account.delivered)
    return min(*numbers, account.rejected, *account.dropped.values())


STEPS: dict[str, st.SearchStrategy[Callable[[Way], None]]] = {
    "answer": st.builds(
        lambda span, settles: lambda way: way.answer(has_span=span, settles=settles), st.booleans(), st.booleans()
    ),
    "exclude": st.just(Way.exclude),
    "stumble": st.booleans().map(lambda span: lambda way: way.stumble(has_span=span)),
    "take": st.integers(1, 6).map(lambda most: lambda way: way.take(most)),
    "publish": st.integers(1, 6).map(lambda most: lambda way: way.publish(most)),
    "scores": st.just(Way.tell_scores),
    "deliver": st.builds(
        lambda status, seconds: lambda way: way.deliver(status, seconds),
        st.sampled_from([200, 200, 400, 401, 413, 429, 500, 503]),
        st.sampled_from([0.1, 1.0, 60.0, 400.0]),
    ),
}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(*STEPS.values()), max_size=80), st.integers(0, 2**32))
def test_the_account_adds_up_after_every_step_and_at_the_end_nothing_waits(
    steps: list[Callable[[Way], None]], seed: int
) -> None:
    way = Way(rng=random.Random(seed))

    for step in steps:
        step(way)
        way.check()
    way.take(100)
    way.publish(100)
    way.delivery.close(0.0)
    way.check()

    assert all(not each.queued and not each.in_flight for each in way.accounting.accounts().values())


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.lists(st.one_of(*STEPS.values()), max_size=30), min_size=1, max_size=4),
    st.sampled_from(["end", "kill"]),
    st.integers(0, 2**32),
)
def test_with_a_spool_it_adds_up_over_several_lives(
    tmp_path_factory: pytest.TempPathFactory, lives: list[list[Callable[[Way], None]]], ending: str, seed: int
) -> None:
    root = tmp_path_factory.mktemp("spool")
    machine, clock = MachineAccounts(), FakeClock()
    for number, steps in enumerate(lives):
        spool = Spool(root / "spool", clock=clock, free_share=lambda _: 0.5)
        way = Way(rng=random.Random(seed), clock=clock, spool=spool)
        spool.look()
        for step in steps:
            step(way)
            way.check()
            machine.hear(str(number), way.accounting.accounts(), number)
            assert all(not each.balance for each in machine.accounts().values())
        if ending == "end":
            way.delivery.close(0.0)
            way.accounting.end()
        else:
            spool.forget()
        machine.end(str(number), way.accounting.accounts(), number=number)

    for account in machine.accounts().values():
        assert (account.balance, account.queued, account.in_flight) == (0, 0, 0)
        # All that was ever on disk came to be there in one of these lives. Of a record that was sent in parts a kill
        # leaves nobody who knows which have arrived: it is sent once more.
        assert account.recovered <= (0 if ending == "end" else account.delivered + account.rejected)


def test_what_is_left_when_the_process_ends_is_dropped_wherever_it_is() -> None:
    way = Way(rate=1.0)
    for _ in range(5):
        way.answer(has_span=True)
    way.take(3)
    way.publish(1)

    way.accounting.end()

    events, spans = (way.accounting.accounts()[signal] for signal in ("events", "spans"))
    assert (events.dropped, events.queued) == ({"shutdown": 5}, 0)
    assert (spans.dropped, spans.queued) == ({"shutdown": 5}, 0)


def test_what_the_inbox_has_no_room_for_is_dropped_and_excluded_urls_are_none_of_it() -> None:
    way = Way(limit=2)
    for _ in range(5):
        way.answer(has_span=False)
        way.exclude()
    way.answer(has_span=True)

    accounts = way.accounting.accounts()

    assert accounts["events"] == Account(captured=6, dropped={"inbox_full": 4}, queued=2)
    assert accounts["spans"] == Account(captured=1, dropped={"inbox_full": 1})


def test_a_signal_that_goes_nowhere_has_no_account() -> None:
    way = Way()
    nowhere = Delivery(clock=way.clock)

    assert Accounting(nowhere, way.sampler, way.capture.captured).accounts() == {}


@pytest.fixture
def busy() -> Iterator[Way]:
    """A way on which three threads are at work: the event loop, the analysis and the delivery."""
    way = Way(limit=1000, rate=0.5, clock=SystemClock())
    over = threading.Event()

    def loop() -> None:
        while not over.is_set():
            way.capture.inbox.put(an_exchange(has_span=True))

    def analysis() -> None:
        while not over.is_set():
            way.take(50)
            way.publish(50)

    threads = [threading.Thread(target=each) for each in (loop, analysis)]
    way.delivery.start()
    for each in threads:
        each.start()
    yield way
    over.set()
    for each in threads:
        each.join()
    way.delivery.close(1.0)


def test_a_cut_by_another_thread_adds_up_at_any_moment_and_only_grows(busy: Way) -> None:
    before = {"events": Account(), "spans": Account()}

    for _ in range(2000):
        now = busy.accounting.accounts()
        for signal, account in now.items():
            assert account.balance == 0
            assert least(account) >= 0
            known = before[signal]
            assert account.captured >= known.captured
            assert account.delivered >= known.delivered
            assert account.sampled_out >= known.sampled_out
        before = dict(now)

    assert before["events"].captured > 0
