"""Entries that wait in memory, in the order in which they came."""

from collections import deque
from collections.abc import Sequence
from itertools import accumulate, islice, repeat
from operator import itemgetter
from typing import TypeAlias

_PAYLOAD = itemgetter(0)

# A plain tuple, because one is made for every span.
Entry: TypeAlias = tuple[bytes, float]
"""An encoded event or span, and when it came (seconds on the monotonic clock)."""


class EntryQueue:
    """Entries, and the room that they take until they are settled."""

    __slots__ = ("_most_bytes", "_most_entries", "held_bytes", "held_count", "queue", "queued_bytes")

    def __init__(self, most_entries: int, most_bytes: int) -> None:
        self._most_entries = most_entries
        self._most_bytes = most_bytes
        self.queue: deque[Entry] = deque()
        self.queued_bytes = 0
        # Queued and in flight.
        self.held_count = self.held_bytes = 0

    def put(self, payloads: Sequence[bytes], at: float) -> int:
        """How many of *payloads*, which came *at* that moment, found room."""
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
        """The first entries, at least one where there is one; they keep their room until they are released."""
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
        """Gives the room of *entries* back."""
        self.held_count -= len(entries)
        self.held_bytes -= _size_bytes(entries)

    def expire(self, *, at: float, most_seconds: float) -> int:
        """Lets go of what waits for so long already; how much that was."""
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
        """Lets go of everything, what is in flight too."""
        self.queue.clear()
        self.queued_bytes = self.held_bytes = self.held_count = 0


def is_older(entry: Entry, *, at: float, most_seconds: float) -> bool:
    """Whether *entry* has waited for *most_seconds* at the moment *at*."""
    # Not at - most_seconds: that is rounded otherwise than the moment for which the thread was told to wake.
    return entry[1] + most_seconds <= at


def _size_bytes(entries: Sequence[Entry]) -> int:
    return sum(map(len, map(_PAYLOAD, entries)))
