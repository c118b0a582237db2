"""What waits to be delivered to one destination: bounded, and counted to the last event."""

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Literal, TypeAlias

from dashlight.deliver.entries import Entry, EntryQueue
from dashlight.deliver.spool.backlog import TakenRecord
from dashlight.deliver.spool.holder import LossReason

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
    "spool_full",
    "corrupt",
]

MOST_ENTRIES, MOST_BYTES = 10_000, 32 * 2**20
_CROWDED_SHARE = 0.5
"""Of the room; what a collector is too slow for goes to disk from there on."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Entries that travel in one request."""

    entries: tuple[Entry, ...]
    key: str
    """The same for every attempt to deliver the same entries."""
    record: TakenRecord | None = None
    """Where it comes from the spool: of what it is the whole, or a part."""

    def __len__(self) -> int:
        return len(self.entries)


@dataclass(frozen=True, slots=True)
class Waiting:
    """What is queued at a moment."""

    count: int
    size_bytes: int
    oldest_at: float
    """Infinity where nothing is queued."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Where everything that was offered is.

    offered + recovered = delivered + rejected + sum(dropped) + queued + in_flight + spooled, at any moment.
    """

    offered: int = 0
    recovered: int = 0
    """Taken over on disk from processes that are gone."""
    delivered: int = 0
    rejected: int = 0
    """Not taken by the collector, for good."""
    dropped: Mapping[str, int] = field(default_factory=dict[str, int])
    """By reason."""
    queued: int = 0
    in_flight: int = 0
    spooled: int = 0
    """On disk."""
    in_flight_on_disk: int = field(default=0, compare=False)
    """Of those in flight, the ones that are on disk until they have arrived: they outlive the process."""

    @property
    def pending(self) -> int:
        """What would be lost with the process, if it ended now: neither delivered nor lost nor on disk."""
        return self.queued + self.in_flight

    @property
    def balance(self) -> int:
        """What came less what became of it: zero, or something is not accounted for."""
        ended = self.delivered + self.rejected + sum(self.dropped.values())
        return self.offered + self.recovered - ended - self.queued - self.in_flight - self.spooled


class Outbox:
    """What waits in memory, in the order in which it came; what is new is turned away where it is full.

    The bounds count what is in flight, too. Safe for any number of threads.
    """

    def __init__(self, *, most_entries: int = MOST_ENTRIES, most_bytes: int = MOST_BYTES) -> None:
        self._crowded_entries, self._crowded_bytes = _CROWDED_SHARE * most_entries, _CROWDED_SHARE * most_bytes
        self._lock = threading.Lock()
        self._queue = EntryQueue(most_entries, most_bytes)
        self._offered = self._delivered = self._rejected = 0
        self._recovered = self._spooled = self._taken_back = 0
        self._dropped: Counter[str] = Counter()
        self._closed = self._abandoned = False

    def put(self, payloads: Sequence[bytes], *, at: float) -> int:
        """How many of *payloads* were taken in; the rest is counted as `outbox_full`, or as `shutdown` once closed."""
        with self._lock:
            self._offered += len(payloads)
            taken_count = 0 if self._closed else self._queue.put(payloads, at)
            if taken_count < len(payloads):
                self._dropped["shutdown" if self._closed else "outbox_full"] += len(payloads) - taken_count
            return taken_count

    def replace(self, payload: bytes, *, at: float) -> bool:
        """Takes in *payload* in place of all that is queued, which is counted as `replaced`; whether it was taken."""
        with self._lock:
            replaced_count = 0 if self._closed else self._queue.forgo()
            if replaced_count:
                self._dropped["replaced"] += replaced_count
        return self.put([payload], at=at) == 1

    def turn_away(self, reason: DropReason, *, count: int = 1) -> None:
        """Counts what cannot even come in."""
        with self._lock:
            self._offered += count
            self._dropped[reason] += count

    @property
    def is_crowded(self) -> bool:
        """Whether what is queued takes more than half of the room."""
        waiting = self.waiting()
        return waiting.count > self._crowded_entries or waiting.size_bytes > self._crowded_bytes

    def waiting(self) -> Waiting:
        """What is queued now."""
        with self._lock:
            queue = self._queue.queue
            return Waiting(len(queue), self._queue.queued_bytes, queue[0][1] if queue else inf)

    def take(self, *, most_entries: int, most_bytes: int, key: str) -> Batch | None:
        """The next batch, from then on in flight; of one entry at least; None where nothing waits."""
        with self._lock:
            entries = self._queue.take(most_entries, most_bytes)
            return Batch(entries, key) if entries else None

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

    def spool(self, batch: Batch) -> None:
        """Counts a batch that was written to disk, out of flight."""
        with self._lock:
            if self._release(batch):
                self._spooled += len(batch)

    def take_back(self, taken: TakenRecord) -> Batch:
        """The batch that was taken from the disk, from then on in flight. It takes no room here."""
        with self._lock:
            count = len(taken.record.payloads)
            if not self._abandoned:
                self._spooled -= count
                self._taken_back += count
            # From the disk it never expires by its age.
            return Batch(tuple((each, inf) for each in taken.record.payloads), taken.record.key, taken)

    def recover(self, count: int) -> None:
        """Counts what a dead process had spooled."""
        with self._lock:
            self._recovered += count
            self._spooled += count

    def lose_spooled(self, count: int, reason: LossReason) -> None:
        """Counts what is lost of that which was spooled."""
        with self._lock:
            if count:
                self._spooled -= count
                self._dropped[reason] += count

    def expire(self, *, at: float, most_seconds: float) -> int:
        """Drops what has been queued for *most_seconds* at the moment *at*; how many."""
        with self._lock:
            expired_count = self._queue.expire(at=at, most_seconds=most_seconds)
            if expired_count:
                self._dropped["expired"] += expired_count
            return expired_count

    def close(self) -> None:
        """Takes nothing in any more."""
        with self._lock:
            self._closed = True

    def abandon(self) -> None:
        """Counts everything that is queued or in flight as dropped by the shutdown, whatever becomes of it.

        What is in flight from the disk is still there, and counted so.
        """
        with self._lock:
            self._closed = self._abandoned = True
            self._spooled, self._taken_back = self._spooled + self._taken_back, 0
            left_count = self._queue.held_count
            if left_count:
                self._dropped["shutdown"] += left_count
            self._queue.clear()

    def counts(self) -> Counts:
        """Where everything that was offered is now."""
        with self._lock:
            queued = len(self._queue.queue)
            return Counts(
                offered=self._offered,
                recovered=self._recovered,
                delivered=self._delivered,
                rejected=self._rejected,
                dropped=dict(self._dropped),
                queued=queued,
                in_flight=self._queue.held_count - queued + self._taken_back,
                spooled=self._spooled,
                in_flight_on_disk=self._taken_back,
            )

    def _release(self, batch: Batch) -> bool:
        """Makes room; False where the batch has been counted before, at the shutdown."""
        if not self._abandoned and batch.record is not None:
            self._taken_back -= len(batch)
        elif not self._abandoned:
            self._queue.release(batch.entries)
        return not self._abandoned
