"""One place to deliver to: its outbox, its backlog on disk, the batches under way, and what the answers lead to."""

import threading
from collections import deque
from collections.abc import Callable
from math import inf

from dashlight.clock import Clock
from dashlight.deliver.batch_sender import BatchSender
from dashlight.deliver.entries import Entry, is_older
from dashlight.deliver.formats import Format
from dashlight.deliver.outbox import Batch, DropReason, Outbox
from dashlight.deliver.poison import PoisonTally
from dashlight.deliver.spool.backlog import Backlog
from dashlight.deliver.spool.records import SpoolRecord
from dashlight.deliver.transport.answer import CollectorAnswer, Send
from dashlight.deliver.transport.health import Health
from dashlight.deliver.transport.retry import PROBE_SECONDS, backoff_seconds, meaning, retry_after_seconds

LINGER_SECONDS = 1.0
"""How long an event waits for company, from the end of its exchange on. A server that tells nobody that it ends loses no
more than that."""
MOST_BATCH_ENTRIES, MOST_BATCH_BYTES = 2048, 2**20
MOST_AGE_SECONDS = 300.0
"""In memory; on disk nothing expires by its age."""


class Destination:
    """Delivers what its outbox and its backlog hold, one request at a time, and never loses count.

    While the collector fails, or is too slow, what is new goes to the backlog on disk, where there is one; afterwards the
    backlog is sent oldest first, in turns with what is new. It neither sleeps nor waits: `due_at` says when it wants its
    next `step`. Both are for its thread alone; `hurry` and `shelve` may come from any.
    """

    def __init__(
        self,
        name: str,
        form: Format,
        *,
        outbox: Outbox,
        connect: Callable[[], Send],
        clock: Clock,
        jitter: Callable[[], float],
        new_key: Callable[[], str],
        backlog: Backlog | None = None,
        latest_only: bool = False,
    ) -> None:
        """*latest_only*: what was tried in vain is given up as soon as something newer waits."""
        self.outbox = outbox
        self._form = form
        self._attempt = BatchSender(form, connect)
        self._clock = clock
        self._jitter = jitter
        self._new_key = new_key
        self._backlog = backlog
        self._latest_only = latest_only
        self.health = Health(name)
        """Whether it takes what it is sent, and why not."""
        self._poison = PoisonTally()
        # Taken from outbox or backlog and not settled yet, in the order in which they are to be tried.
        self._under_way: deque[Batch] = deque()
        self._in_hand: Batch | None = None
        self._lock = threading.Lock()
        """Held for every change, and not while a request is under way."""
        self._wait_until = self._hurried_at = -inf
        self._chances: int | None = None
        self._is_backlogs_turn = True
        self._is_ending = self._has_ended = False

    def hurry(self, *, is_ending: bool = False) -> None:
        """Sends what is here at once, and tries once where a retry should wait. *is_ending*: what is on disk stays there."""
        # A collector that has been failing gets one more chance; one that was well gets as many as there is time for.
        self._chances = 1 if self.health.troubled else None
        self._hurried_at = self._clock.monotonic()
        self._wait_until = -inf
        self._is_ending = self._is_ending or is_ending

    @property
    def has_given_up(self) -> bool:
        """Whether the chance that `hurry` gave to a failing collector is used up."""
        return self._chances == 0

    def due_at(self) -> float:
        """When the next step is wanted, on the monotonic clock; infinity where there is nothing to do."""
        oldest_at = min(self.outbox.waiting().oldest_at, *(batch.entries[0][1] for batch in self._under_way), inf)
        ready_at = self._live_at()
        goes_at = ready_at if self._shelves and ready_at < inf else max(ready_at, self._wait_until)
        if self._under_way or self._has_backlog:
            goes_at = min(goes_at, self._wait_until)
        look_at = inf if self._backlog is None else self._backlog.spool.look_at
        return min(goes_at, oldest_at + MOST_AGE_SECONDS, look_at)

    def step(self) -> None:
        """Drops what is too old, keeps on disk what cannot be sent now, and makes one attempt if one is due."""
        with self._lock:
            at = self._clock.monotonic()
            if self._backlog is not None:
                self._backlog.spool.look()
            self._expire(at)
            if self._has_ended or at < self.due_at():
                return
            self._shelve_what_waits(at)
            self._in_hand = batch = self._next(at) if at >= self._wait_until else None
        if batch is None:
            return
        answer = self._attempt(batch)
        with self._lock:
            # What was put on disk meanwhile is sent from there, whatever came of this attempt.
            if self._in_hand is batch and not self._has_ended:
                self._in_hand = None
                self._conclude(batch, answer, tried_at=at)
                self._shelve_what_waits(at)

    def shelve(self, *, is_ending: bool = False) -> None:
        """Puts everything that is not delivered on disk, where there is one; also while a request hangs, from any thread.

        *is_ending*: nothing is sent any more.
        """
        with self._lock:
            self._has_ended = self._has_ended or is_ending
            if self._backlog is None:
                return
            if self._in_hand is not None and self._in_hand.record is None and self._keep(self._in_hand):
                self._in_hand = None
            self._shelve_under_way()
            self._shelve_live(lambda: True)
            if is_ending:
                self._keep_what_is_left_of_a_record()
            if is_ending and not self._backlog.give_back():
                # Somebody removed its segment, to make room.
                for batch in (self._in_hand, *self._under_way):
                    if batch is not None and batch.record is not None:
                        self._keep(batch)
            self._backlog.sync()

    def close(self) -> None:
        """Closes the connection."""
        self._attempt.close()

    @property
    def _shelves(self) -> bool:
        """Whether what is new goes to disk: the collector fails, or is too slow."""
        if self._backlog is None or not self._backlog.spool.is_usable:
            return False
        return self.health.troubled or self.outbox.is_crowded

    @property
    def _has_backlog(self) -> bool:
        return self._backlog is not None and self._backlog.is_waiting and not self._is_ending

    def _live_at(self) -> float:
        """When what waits in memory has waited long enough for company."""
        waiting = self.outbox.waiting()
        is_crowded = waiting.count >= MOST_BATCH_ENTRIES or waiting.size_bytes >= MOST_BATCH_BYTES
        at_once = is_crowded or waiting.oldest_at <= self._hurried_at
        return waiting.oldest_at if at_once else waiting.oldest_at + LINGER_SECONDS

    def _shelve_what_waits(self, at: float) -> None:
        """Puts on disk what waits in memory for a collector that fails, so that it neither expires nor takes room."""
        if self._shelves:
            self._shelve_under_way()
        self._shelve_live(lambda: self._shelves and self._live_at() <= at)

    def _shelve_under_way(self) -> None:
        for _ in range(len(self._under_way)):
            batch = self._under_way.popleft()
            if batch.record is not None or not self._keep(batch):
                self._under_way.append(batch)

    def _keep_what_is_left_of_a_record(self) -> None:
        """Writes anew what is left of a record of which some has arrived: who goes on with it would send all of it."""
        under_way = [batch for batch in (self._in_hand, *self._under_way) if batch is not None]
        parts = [(batch, batch.record) for batch in under_way if batch.record is not None]
        left_count = sum(len(batch) for batch, _ in parts)
        if self._backlog is None or not parts or left_count == parts[0][1].frame.count:
            return
        if all(self._keep(batch) for batch, _ in parts):
            for batch, record in parts:
                self._backlog.settle(record, len(batch))

    def _shelve_live(self, is_wanted: Callable[[], bool]) -> None:
        while is_wanted() and (batch := self._take()) is not None:
            if not self._keep(batch):
                self._under_way.append(batch)
                return

    def _keep(self, batch: Batch) -> bool:
        """Whether *batch* could be written to disk."""
        record = SpoolRecord(batch.key, self._attempt.envelope_of(batch), [payload for payload, _ in batch.entries])
        return self._backlog is not None and self._backlog.append(record, booked=lambda: self.outbox.spool(batch))

    def _take(self) -> Batch | None:
        return self.outbox.take(most_entries=MOST_BATCH_ENTRIES, most_bytes=MOST_BATCH_BYTES, key=self._new_key())

    def _expire(self, at: float) -> None:
        expired_count = self.outbox.expire(at=at, most_seconds=MOST_AGE_SECONDS)
        for _ in range(len(self._under_way)):
            batch = self._under_way.popleft()
            if not is_older(batch.entries[0], at=at, most_seconds=MOST_AGE_SECONDS):
                # The first is the oldest.
                self._under_way.append(batch)
                continue
            old = tuple(entry for entry in batch.entries if is_older(entry, at=at, most_seconds=MOST_AGE_SECONDS))
            expired_count += len(old)
            self.outbox.drop(self._part(batch, old), "expired")
            batch = self._part(batch, batch.entries[len(old) :])
            if batch.entries:
                self._under_way.append(batch)
        if expired_count:
            self.health.lost("too old", count=expired_count, at=at)

    def _next(self, at: float) -> Batch | None:
        """The batch to try: what was tried before, then the oldest on disk in turns with what waits in memory."""
        if self._latest_only and self.outbox.waiting().count:
            while self._under_way:
                self.outbox.drop(self._under_way.popleft(), "replaced")
        if self._under_way:
            return self._under_way.popleft()
        is_live = self._live_at() <= at
        if self._backlog is not None and self._has_backlog and (self._is_backlogs_turn or not is_live):
            self._is_backlogs_turn = False
            taken = self._backlog.take()
            if taken is not None:
                return self._tried(self.outbox.take_back(taken), at)
        self._is_backlogs_turn = True
        return self._tried(self._take(), at) if is_live else None

    def _tried(self, batch: Batch | None, at: float) -> Batch | None:
        if batch is not None:
            self._poison.try_batch(len(batch), at=at)
        return batch

    def _conclude(self, batch: Batch, answer: CollectorAnswer, *, tried_at: float) -> None:
        at = self._clock.monotonic()
        verdict = meaning(answer, speaks_otlp=self._form.speaks_otlp)
        if verdict in {"rejected", "too_large", "poisoned"}:
            self.health.reached()
        match verdict:
            case "delivered":
                rejected_count = min(self._form.rejected_count(answer.body), len(batch))
                self.health.delivered()
                self._settle(batch, rejected_count=rejected_count)
                if rejected_count:
                    self.health.lost("not taken by the collector", count=rejected_count, at=at)
            case "retry":
                self.health.failed(answer)
                wanted = retry_after_seconds(answer.retry_after, at=self._clock.now(), jitter=self._jitter())
                pause = backoff_seconds(self.health.failures - 1, jitter=self._jitter()) if wanted is None else wanted
                # A collector that takes its time to fail is spared: half of the time at most is its.
                self._hold(batch, until=at + max(pause, at - tried_at))
            case "refused" if self._backlog is None:
                self.health.misconfigured(answer, at=at)
                self._settle(batch, dropped="refused_address")
            case "misconfigured" | "refused":
                self.health.misconfigured(answer, at=at)
                self._hold(batch, until=at + PROBE_SECONDS)
            case "rejected":
                self._settle(batch, rejected_count=len(batch))
                self.health.lost(str(answer), count=len(batch), at=at)
            case _ if len(batch) > 1:  # too large, or poisoned
                middle = len(batch) // 2
                for half in (batch.entries[middle:], batch.entries[:middle]):
                    self._under_way.appendleft(self._part(batch, half))
            case "too_large":
                self._settle(batch, dropped="too_large")
                self.health.lost(str(answer), count=1, at=at)
            case _:  # poisoned, and alone
                self._settle(batch, rejected_count=1)
                self.health.lost(str(answer), count=1, at=at)
                if self._poison.is_the_collector():
                    self._poison.clear(at=at)
                    self.health.misconfigured(answer, at=at)
                    self._wait_until = at + PROBE_SECONDS

    def _settle(self, batch: Batch, *, rejected_count: int = 0, dropped: DropReason | None = None) -> None:
        """Counts what became of *batch* for good, and notes it on disk where it comes from there."""
        if dropped is not None:
            self.outbox.drop(batch, dropped)
        else:
            self.outbox.deliver(batch, rejected_count=rejected_count)
        if batch.record is not None and self._backlog is not None:
            self._backlog.settle(batch.record, len(batch))

    def _hold(self, batch: Batch, *, until: float) -> None:
        """Keeps *batch* for another attempt."""
        self._under_way.appendleft(batch)
        self._wait_until = until
        if self._chances:
            self._chances -= 1

    def _part(self, batch: Batch, entries: tuple[Entry, ...]) -> Batch:
        """Some of a batch: another request, so with a key of its own."""
        return Batch(entries, self._new_key(), batch.record)
