"""One place to deliver to: its outbox, the batches under way, and what the answers lead to."""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from dashlight.clock import Clock
from dashlight.deliver.outbox import Batch, Entry, Outbox, is_older
from dashlight.deliver.transport.answer import CollectorAnswer, Send
from dashlight.deliver.transport.health import Health
from dashlight.deliver.transport.retry import PROBE_SECONDS, backoff_seconds, meaning, retry_after_seconds

_TALLY_SECONDS = 60.0
"""How long refusals for their content are tallied before that begins anew."""
_FEW_POISONED = 5
_MOST_POISONED_SHARE = 0.1
"""Of the entries tried; where more are refused, and more than a few, the fault is the collector's."""
LINGER_SECONDS = 1.0
"""How long an event waits for company, from the end of its exchange on; an alert does not wait. A server that tells nobody
that it ends loses no more than that."""
MOST_BATCH_ENTRIES, MOST_BATCH_BYTES = 2048, 2**20
MOST_AGE_SECONDS = 300.0

_NEVER = float("inf")


class Format(Protocol):
    """How entries become a request, and what its answer says."""

    @property
    def content_type(self) -> str:
        """Of the request."""
        ...

    @property
    def speaks_otlp(self) -> bool:
        """Whether OTLP's rules tell which answers are worth a retry."""
        ...

    def request(self, entries: Sequence[bytes], /) -> bytes:
        """One request for all *entries*."""
        ...

    def rejected_count(self, answer: bytes, /) -> int:
        """Entries of a request that its answer says were not taken."""
        ...


class Destination:
    """Delivers what its outbox holds, one request at a time, and never loses count.

    It neither sleeps nor waits: `due_at` says when it wants its next `step`. Both are for the delivery thread alone;
    `hurry` may come from any.
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
        latest_only: bool = False,
    ) -> None:
        """*latest_only*: what was tried in vain is given up as soon as something newer waits."""
        self.outbox = outbox
        self._form = form
        self._connect = connect
        self._clock = clock
        self._jitter = jitter
        self._new_key = new_key
        self._latest_only = latest_only
        self._health = Health(name)
        self._poison = PoisonTally()
        self._send: Send | None = None
        # Taken from the outbox and not settled yet, in the order in which they are to be tried.
        self._under_way: deque[Batch] = deque()
        self._wait_until = self._hurried_at = float("-inf")
        self._chances: int | None = None

    def hurry(self) -> None:
        """Sends what is here now without lingering for company, and tries once even where a retry should wait."""
        # A collector that has been failing gets one more chance; one that was well gets as many as there is time for.
        self._chances = 1 if self._health.troubled else None
        self._hurried_at = self._clock.monotonic()
        self._wait_until = float("-inf")

    @property
    def trouble(self) -> str:
        """Why nothing arrives there now; empty where it does."""
        return self._health.trouble

    @property
    def has_given_up(self) -> bool:
        """Whether the chance that `hurry` gave to a failing collector is used up."""
        return self._chances == 0

    def due_at(self) -> float:
        """When the next step is wanted, on the monotonic clock; infinity where there is nothing to do."""
        waiting = self.outbox.waiting()
        oldest_at = min(waiting.oldest_at, *(batch.entries[0][1] for batch in self._under_way), _NEVER)
        crowded = waiting.count >= MOST_BATCH_ENTRIES or waiting.size_bytes >= MOST_BATCH_BYTES
        at_once = self._under_way or waiting.urgent or crowded or oldest_at <= self._hurried_at
        wanted_at = oldest_at if at_once else oldest_at + LINGER_SECONDS
        return min(max(wanted_at, self._wait_until), oldest_at + MOST_AGE_SECONDS)

    def step(self) -> None:
        """Drops what is too old, and makes one attempt if one is due."""
        at = self._clock.monotonic()
        self._expire(at)
        if at < self.due_at():
            return
        batch = self._next(at)
        if batch is not None:
            self._conclude(batch, self._attempt(batch), tried_at=at)

    def close(self) -> None:
        """Closes the connection."""
        if self._send is not None:
            self._send.close()

    def _expire(self, at: float) -> None:
        expired_count = self.outbox.expire(at=at, most_seconds=MOST_AGE_SECONDS)
        for _ in range(len(self._under_way)):
            batch = self._under_way.popleft()
            if not is_older(batch.entries[0], at=at, most_seconds=MOST_AGE_SECONDS):
                # The first is the oldest.
                self._under_way.append(batch)
                continue
            old = tuple(entry for entry in batch.entries if is_older(entry, at=at, most_seconds=MOST_AGE_SECONDS))
            if old:
                expired_count += len(old)
                self.outbox.drop(self._part(batch, old), "expired")
                batch = self._part(batch, batch.entries[len(old) :])
            if batch.entries:
                self._under_way.append(batch)
        if expired_count:
            self._health.lost("too old", count=expired_count, at=at)

    def _next(self, at: float) -> Batch | None:
        """The batch to try: alerts first, then what was tried before, then what waits."""
        if self._latest_only and self.outbox.waiting().count:
            while self._under_way:
                self.outbox.drop(self._under_way.popleft(), "replaced")
        if self._under_way and (self._under_way[0].urgent or not self.outbox.waiting().urgent):
            return self._under_way.popleft()
        batch = self.outbox.take(most_entries=MOST_BATCH_ENTRIES, most_bytes=MOST_BATCH_BYTES, key=self._new_key())
        if batch is not None:
            self._poison.try_batch(len(batch), at=at)
        return batch

    def _attempt(self, batch: Batch) -> CollectorAnswer:
        try:
            if self._send is None:
                self._send = self._connect()
            body = self._form.request([payload for payload, _ in batch.entries])
            return self._send(body, content_type=self._form.content_type, key=batch.key)
        except Exception as failure:
            return CollectorAnswer(failure="setting", detail=type(failure).__name__)

    def _conclude(self, batch: Batch, answer: CollectorAnswer, *, tried_at: float) -> None:
        at = self._clock.monotonic()
        match meaning(answer, speaks_otlp=self._form.speaks_otlp):
            case "delivered":
                rejected_count = min(self._form.rejected_count(answer.body), len(batch))
                self.outbox.deliver(batch, rejected_count=rejected_count)
                self._health.delivered()
                if rejected_count:
                    self._health.lost("not taken by the collector", count=rejected_count, at=at)
            case "retry":
                self._health.failed(answer)
                wanted = retry_after_seconds(answer.retry_after, at=self._clock.now(), jitter=self._jitter())
                pause = backoff_seconds(self._health.failures - 1, jitter=self._jitter()) if wanted is None else wanted
                # A collector that takes its time to fail shares the thread with others: half of it at most is its.
                self._hold(batch, until=at + max(pause, at - tried_at))
            case "misconfigured":
                self._health.misconfigured(answer, at=at)
                self._hold(batch, until=at + PROBE_SECONDS)
            case "refused":
                self._health.misconfigured(answer, at=at)
                self.outbox.drop(batch, "refused_address")
            case "rejected":
                self._health.reached()
                self.outbox.reject(batch)
                self._health.lost(str(answer), count=len(batch), at=at)
            case "too_large" | "poisoned" if len(batch) > 1:
                self._health.reached()
                middle = len(batch) // 2
                # extendleft turns the order round.
                self._under_way.extendleft(
                    (
                        self._part(batch, batch.entries[middle:]),
                        self._part(batch, batch.entries[:middle]),
                    )
                )
            case "too_large":
                self._health.reached()
                self.outbox.drop(batch, "too_large")
                self._health.lost(str(answer), count=1, at=at)
            case _:  # poisoned, and alone
                self._health.reached()
                self.outbox.reject(batch)
                self._health.lost(str(answer), count=1, at=at)
                if self._poison.is_the_collector():
                    self._poison.clear(at=at)
                    self._health.misconfigured(answer, at=at)
                    self._wait_until = at + PROBE_SECONDS

    def _hold(self, batch: Batch, *, until: float) -> None:
        """Keeps *batch* for another attempt."""
        self._under_way.appendleft(batch)
        self._wait_until = until
        if self._chances:
            self._chances -= 1

    def _part(self, batch: Batch, entries: tuple[Entry, ...]) -> Batch:
        """Some of a batch: another request, so with a key of its own."""
        return Batch(entries, batch.urgent, self._new_key())


class PoisonTally:
    """What was tried and what was refused for its content, over about a minute."""

    def __init__(self) -> None:
        self._since_at = float("-inf")
        self._tried_count = self._poisoned_count = 0

    def try_batch(self, count: int, *, at: float) -> None:
        """Counts entries that are tried for the first time."""
        if at - self._since_at >= _TALLY_SECONDS:
            self.clear(at=at)
        self._tried_count += count

    def is_the_collector(self) -> bool:
        """Counts one poisoned entry; True where they are so many that the fault must be another."""
        self._poisoned_count += 1
        return self._poisoned_count >= _FEW_POISONED and self._poisoned_count > _MOST_POISONED_SHARE * self._tried_count

    def clear(self, *, at: float) -> None:
        """Begins anew."""
        self._since_at = at
        self._tried_count = self._poisoned_count = 0
