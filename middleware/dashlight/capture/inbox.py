"""The bounded list in memory between the event loop and the analysis thread."""

import threading
from collections import deque

from dashlight.records import Exchange

BATCH = 1024
"""The waiting thread is woken when so many exchanges are there; it comes by itself four times a second."""


class Inbox:
    """Exchanges on their way to analysis, bounded in number and in bytes of bodies.

    `put` is called on the event loop and costs a tenth of a microsecond; it takes no lock, because each step
    that matters is one operation of a deque or a set. What does not fit is counted in `dropped_count`.
    """

    def __init__(self, *, limit: int = 16 * BATCH, limit_bytes: int = 64 * 2**20) -> None:
        self._waiting: deque[Exchange] = deque()
        self._limit = limit
        self._limit_bytes = limit_bytes
        # Reset, never subtracted from, so that a lost update cannot add up.
        self._waiting_bytes = 0
        self.wake = threading.Event()
        self.dropped_count = 0
        self.handed_bytes = 0
        """What adapters handed over since the inbox was empty: theirs to count and to bound."""
        self.begun_count = 0
        self.answered_count = 0
        """Requests whose answer has begun, and those that ended without one."""
        self.ended_count = 0

    @property
    def in_flight_count(self) -> int:
        """Requests that have begun and not ended."""
        return max(0, self.begun_count - self.ended_count)

    @property
    def waiting_count(self) -> int:
        """Requests that have begun and whose answer has not."""
        return max(0, self.begun_count - self.answered_count)

    def put(self, exchange: Exchange) -> None:
        """Appends *exchange*, or drops and counts it where the inbox is full."""
        waiting = self._waiting
        size_bytes = exchange.request_bytes + exchange.response_bytes
        if len(waiting) >= self._limit or self._waiting_bytes + size_bytes > self._limit_bytes:
            self.dropped_count += 1
            return
        waiting.append(exchange)
        self._waiting_bytes += size_bytes
        if len(waiting) == BATCH:
            self.wake.set()

    def take(self, most: int = BATCH) -> list[Exchange]:
        """Removes and returns up to *most* exchanges, oldest first."""
        waiting = self._waiting
        taken = [waiting.popleft() for _ in range(min(most, len(waiting)))]
        if not waiting:
            self._waiting_bytes = self.handed_bytes = 0
        return taken

    def __len__(self) -> int:
        return len(self._waiting)
