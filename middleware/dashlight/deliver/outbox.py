"""What waits to be delivered to one destination: bounded, and counted to the last event."""

import threading
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, islice, repeat
from operator import itemgetter
from typing import Literal, TypeAlias

DropReason: TypeAlias = Literal[
    "outbox_full",
    "too_large",
    "unencodable",
    "expired",
    "shutdown",
    "disabled",
    "replaced",
    "refused_address",
    "mistake",
]

MOST_ENTRIES, MOST_BYTES = 10_000, 32 * 2**20
MOST_URGENT_ENTRIES, MOST_URGENT_BYTES = 1_000, 8 * 2**20

_PAYLOAD = itemgetter(0)

# A plain tuple, because one is made for every span.
Entry: TypeAlias = tuple[bytes, float]
"""An encoded event or span, and when it came (seconds on the monotonic clock)."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Entries that travel in one request."""

    entries: tuple[Entry, ...]
    urgent: bool
    key: str
    """The same for every attempt to deliver the same entries."""

    def __len__(self) -> int:
        return len(self.entries)


@dataclass(frozen=True, slots=True)
class Waiting:
    """What is queued at a moment."""

    count: int
    size_bytes: int
    oldest_at: float
    """Infinity where nothing is queued."""
    urgent: bool


@dataclass(frozen=True, slots=True)
class Counts:
    """Where everything that was offered is.

    offered + recovered = delivered + rejected + sum(dropped) + queued + in_flight + spooled, at any moment.
    """

    offered: int = 0
    delivered: int = 0
    rejected: int = 0
    """Not taken by the collector, for good."""
    dropped: Mapping[str, int] = field(default_factory=dict[str, int])
    """By reason."""
    queued: int = 0
    in_flight: int = 0
    spooled: int = 0
    """On disk, in segments that are this process's."""
    recovered: int = 0
    """Found in the spool of a process that has ended."""

    @property
    def pending(self) -> int:
        """Neither delivered nor lost yet."""
        return self.queued + self.in_flight


class Outbox:
    """Two lanes, urgent entries (alerts) before all others; a full lane turns away what is new.

    The bounds count what is in flight, too. Safe for any number of threads.
    """

    def __init__(
        self,
        *,
        most_entries: int = MOST_ENTRIES,
        most_bytes: int = MOST_BYTES,
        most_urgent_entries: int = MOST_URGENT_ENTRIES,
        most_urgent_bytes: int = MOST_URGENT_BYTES,
    ) -> None:
        self._lock = threading.Lock()
        self._urgent = _Lane(most_urgent_entries, most_urgent_bytes)
        self._other = _Lane(most_entries, most_bytes)
        self._offered = self._delivered = self._rejected = 0
        self._dropped: Counter[str] = Counter()
        self._closed = self._abandoned = False

    def put(self, payloads: Sequence[bytes], *, at: float, urgent: bool = False) -> int:
        """How many of *payloads* were taken in; the rest is counted as `outbox_full`, or as `shutdown` once closed."""
        with self._lock:
            self._offered += len(payloads)
            taken_count = 0 if self._closed else self._lane(urgent=urgent).put(payloads, at)
            if taken_count < len(payloads):
                self._dropped["shutdown" if self._closed else "outbox_full"] += len(payloads) - taken_count
            return taken_count

    def replace(self, payload: bytes, *, at: float) -> bool:
        """Takes in *payload* in place of all that is queued, which is counted as `replaced`; whether it was taken."""
        with self._lock:
            replaced_count = 0 if self._closed else self._other.forgo()
            if replaced_count:
                self._dropped["replaced"] += replaced_count
        return self.put([payload], at=at) == 1

    def turn_away(self, reason: DropReason, *, count: int = 1) -> None:
        """Counts what cannot even come in."""
        with self._lock:
            self._offered += count
            self._dropped[reason] += count

    def waiting(self) -> Waiting:
        """What is queued now."""
        with self._lock:
            lanes = (self._urgent, self._other)
            return Waiting(
                count=sum(len(lane.queue) for lane in lanes),
                size_bytes=sum(lane.queued_bytes for lane in lanes),
                oldest_at=min(lane.queue[0][1] if lane.queue else float("inf") for lane in lanes),
                urgent=bool(self._urgent.queue),
            )

    def take(self, *, most_entries: int, most_bytes: int, key: str) -> Batch | None:
        """The next batch, from then on in flight; of one lane, and of one entry at least; None where nothing waits."""
        with self._lock:
            urgent = bool(self._urgent.queue)
            entries = self._lane(urgent=urgent).take(most_entries, most_bytes)
            return Batch(entries, urgent, key) if entries else None

    def deliver(self, batch: Batch, *, rejected_count: int = 0) -> None:
        """Counts a batch that arrived, save *rejected_count* of it."""
        with self._lock:
            if self._release(batch):
                rejected_count = min(rejected_count, len(batch))
                self._delivered += len(batch) - rejected_count
                self._rejected += rejected_count

    def reject(self, batch: Batch) -> None:
        """Counts a batch that the collector will never take."""
        self.deliver(batch, rejected_count=len(batch))

    def drop(self, batch: Batch, reason: DropReason) -> None:
        """Counts a batch that was given up."""
        with self._lock:
            if self._release(batch):
                self._dropped[reason] += len(batch)

    def expire(self, *, at: float, most_seconds: float) -> int:
        """Drops what has been queued for *most_seconds* at the moment *at*; how many."""
        with self._lock:
            expired_count = self._urgent.expire(at=at, most_seconds=most_seconds) + self._other.expire(
                at=at, most_seconds=most_seconds
            )
            if expired_count:
                self._dropped["expired"] += expired_count
            return expired_count

    def close(self) -> None:
        """Takes nothing in any more."""
        with self._lock:
            self._closed = True

    def abandon(self) -> None:
        """Counts everything that is queued or in flight as dropped by the shutdown, whatever becomes of it."""
        with self._lock:
            self._closed = self._abandoned = True
            left_count = self._urgent.held_count + self._other.held_count
            if left_count:
                self._dropped["shutdown"] += left_count
            self._urgent.clear()
            self._other.clear()

    def counts(self) -> Counts:
        """Where everything that was offered is now."""
        with self._lock:
            queued = len(self._urgent.queue) + len(self._other.queue)
            return Counts(
                offered=self._offered,
                delivered=self._delivered,
                rejected=self._rejected,
                dropped=dict(self._dropped),
                queued=queued,
                in_flight=self._urgent.held_count + self._other.held_count - queued,
            )

    def _lane(self, *, urgent: bool) -> "_Lane":
        return self._urgent if urgent else self._other

    def _release(self, batch: Batch) -> bool:
        """Makes room; False where the batch has been counted before, at the shutdown."""
        if not self._abandoned:
            self._lane(urgent=batch.urgent).release(batch.entries)
        return not self._abandoned


class _Lane:
    """Entries in the order in which they came."""

    __slots__ = ("_most_bytes", "_most_entries", "held_bytes", "held_count", "queue", "queued_bytes")

    def __init__(self, most_entries: int, most_bytes: int) -> None:
        self._most_entries = most_entries
        self._most_bytes = most_bytes
        self.queue: deque[Entry] = deque()
        self.queued_bytes = 0
        # Queued and in flight.
        self.held_count = self.held_bytes = 0

    def put(self, payloads: Sequence[bytes], at: float) -> int:
        fitting = payloads[: max(self._most_entries - self.held_count, 0)]
        size_bytes = sum(map(len, fitting))
        room_bytes = self._most_bytes - self.held_bytes
        if size_bytes > room_bytes:
            fitting = fitting[: sum(total <= room_bytes for total in accumulate(map(len, fitting)))]
            size_bytes = sum(map(len, fitting))
        self.queue.extend(zip(fitting, repeat(at)))
        self.queued_bytes += size_bytes
        self.held_bytes += size_bytes
        self.held_count += len(fitting)
        return len(fitting)

    def take(self, most_entries: int, most_bytes: int) -> tuple[Entry, ...]:
        # Spans come by the thousand: as little as possible is done for each of them.
        taken = tuple(islice(self.queue, most_entries))
        if _size_bytes(taken) > most_bytes:
            totals = accumulate(len(payload) for payload, _ in taken)
            taken = taken[: max(sum(total <= most_bytes for total in totals), 1)]
        for _ in taken:
            self.queue.popleft()
        self.queued_bytes -= _size_bytes(taken)
        return taken

    def release(self, entries: Sequence[Entry]) -> None:
        self.held_count -= len(entries)
        self.held_bytes -= _size_bytes(entries)

    def expire(self, *, at: float, most_seconds: float) -> int:
        expired: list[Entry] = []
        while self.queue and is_older(self.queue[0], at=at, most_seconds=most_seconds):
            expired.append(self.queue.popleft())
        self.queued_bytes -= _size_bytes(expired)
        self.release(expired)
        return len(expired)

    def forgo(self) -> int:
        """Lets go of what is queued; how much that was."""
        forgone = tuple(self.queue)
        self.queue.clear()
        self.queued_bytes = 0
        self.release(forgone)
        return len(forgone)

    def clear(self) -> None:
        self.queue.clear()
        self.queued_bytes = self.held_bytes = self.held_count = 0


def is_older(entry: Entry, *, at: float, most_seconds: float) -> bool:
    """Whether *entry* has waited for *most_seconds* at the moment *at*."""
    # Not at - most_seconds: that is rounded otherwise than the moment for which the thread was told to wake.
    return entry[1] + most_seconds <= at


def _size_bytes(entries: Sequence[Entry]) -> int:
    return sum(map(len, map(_PAYLOAD, entries)))
