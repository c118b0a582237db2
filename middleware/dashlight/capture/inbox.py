"""The bounded list in memory between the event loop and the analysis thread."""

from __future__ import annotations

import math
import threading
from collections import deque
from dataclasses import dataclass
from operator import itemgetter

from msgspec import structs

from dashlight.records import Exchange

BATCH = 1024
"""The waiting thread is woken when so many exchanges are there; it comes by itself four times a second."""
LIMIT_BYTES = 16_000_000
"""Of bodies, and as much of what is kept beside them, where nobody says otherwise."""
EXCHANGE_BYTES, CHUNK_BYTES = 2048, 48
"""What an exchange takes beside its bodies, with its span and the usual headers, and what each piece of a body takes."""
_VALUE = itemgetter(1)


@dataclass(frozen=True, slots=True)
class Captured:
    """What the request path has seen since the start, excluded URLs left out: all of it, and what of it never arrives."""

    exchanges: int = 0
    spans: int = 0
    """Those of the exchanges that have a span of ours."""
    dropped_exchanges: int = 0
    """For which the inbox had no room."""
    dropped_spans: int = 0
    mistaken_exchanges: int = 0
    """Lost by a mistake of ours."""
    mistaken_spans: int = 0


class Settling:
    """An exchange that was answered, whose app has yet to return: it may still prove to have failed."""

    __slots__ = ("due_at", "exchange", "is_settled", "is_taken")

    def __init__(self, exchange: Exchange, due_at: float) -> None:
        """*due_at* is the moment, as `time.perf_counter` has it, from which it is no longer waited for."""
        self.exchange = exchange
        self.due_at = due_at
        self.is_settled = False
        self.is_taken = False


class Inbox:
    """Exchanges on their way to analysis, bounded in number, in bytes of the bodies that they keep, and of all else.

    `put` is called on the event loop and costs half a microsecond; it takes no lock, because each step
    that matters is one operation of a deque or a set. An exchange whose bodies do not fit goes on without them: it is
    counted as any other, and not decoded. What does not fit even so is lost, and counted in `dropped_count`.
    """

    def __init__(
        self, *, limit: int = 16 * BATCH, limit_bytes: int = LIMIT_BYTES, limit_beside_bytes: int = LIMIT_BYTES
    ) -> None:
        """*limit_beside_bytes* bounds all but bodies: paths and headers are the client's as well, and as long as it likes."""
        self._waiting: deque[Exchange] = deque()
        self._settling: deque[Settling] = deque()
        self._excluded: deque[Exchange] = deque()
        self._limit = limit
        self.limit_bytes = limit_bytes
        self._limit_beside_bytes = limit_beside_bytes
        # Reset, never subtracted from, so that a lost update cannot add up.
        self._waiting_bytes = self._beside_bytes = 0
        self.wake = threading.Event()
        self.captured_count = self.captured_span_count = 0
        """Exchanges put here, and those of them with a span of ours; excluded ones left out."""
        self.dropped_count = 0
        """Exchanges for which there was no room."""
        self.dropped_excluded_count = self.dropped_span_count = 0
        """Of those, the excluded ones, and the ones with a span of ours."""
        self.bodiless_count = 0
        """Exchanges that went on without their bodies."""
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

    def put(self, exchange: Exchange, size_bytes: int | None = None) -> None:
        """Appends *exchange*, without its bodies where they do not fit; drops and counts it where the inbox is full.

        *size_bytes* is what is kept of its bodies, where the caller knows it.
        """
        waiting = self._waiting
        held_bytes = self._waiting_bytes + (exchange.kept_bytes if size_bytes is None else size_bytes)
        self.captured_count += 1
        if exchange.own_span is not None:
            self.captured_span_count += 1
        if len(waiting) >= self._limit or not self._has_room(exchange):
            self._drop(exchange)
            return
        if held_bytes <= self.limit_bytes:
            self._waiting_bytes = held_bytes
            waiting.append(exchange)
        else:
            waiting.append(self._without_bodies(exchange))
        if len(waiting) == BATCH:
            self.wake.set()

    def put_settling(self, settling: Settling, size_bytes: int | None = None) -> None:
        """Likewise an exchange that is to be taken once it is settled, or when it is due."""
        waiting, exchange = self._settling, settling.exchange
        held_bytes = self._waiting_bytes + (exchange.kept_bytes if size_bytes is None else size_bytes)
        self.captured_count += 1
        if exchange.own_span is not None:
            self.captured_span_count += 1
        if len(waiting) >= self._limit or not self._has_room(exchange):
            self._drop(exchange)
            return
        if held_bytes <= self.limit_bytes:
            self._waiting_bytes = held_bytes
        else:
            settling.exchange = self._without_bodies(exchange)
        waiting.append(settling)
        if len(waiting) == BATCH:
            self.wake.set()

    def put_excluded(self, exchange: Exchange) -> None:
        """Appends one, without bodies or headers, that is to be counted and nothing else; drops and counts it where there are as many already."""
        if len(self._excluded) >= self._limit:
            # First of the two: a reader in between sees one too few that were watched, never one too many.
            self.dropped_excluded_count += 1
            self.dropped_count += 1
            return
        self._excluded.append(exchange)
        if len(self._excluded) == BATCH:
            self.wake.set()

    def take_excluded(self) -> list[Exchange]:
        """Removes and returns all that `put_excluded` appended, oldest first."""
        return [self._excluded.popleft() for _ in range(len(self._excluded))]

    def take(self, most: int = BATCH, *, due_at: float = math.inf) -> list[Exchange]:
        """Removes and returns up to *most* exchanges, oldest first; of those that settle, the ones due by *due_at*."""
        waiting, settling = self._waiting, self._settling
        for _ in range(len(settling)):
            each = settling.popleft()
            if each.is_settled or each.due_at <= due_at:
                # Before its exchange is read, so that whoever changes that afterwards can see that it is too late.
                each.is_taken = True
                waiting.append(each.exchange)
            else:
                settling.append(each)
        taken = [waiting.popleft() for _ in range(min(most, len(waiting)))]
        if not waiting and not settling:
            self._waiting_bytes = self._beside_bytes = self.handed_bytes = 0
        return taken

    def __len__(self) -> int:
        return len(self._waiting) + len(self._settling)

    def _drop(self, exchange: Exchange) -> None:
        self.dropped_count += 1
        self.dropped_span_count += exchange.own_span is not None

    def _has_room(self, exchange: Exchange) -> bool:
        """Notes what *exchange* takes beside its bodies; False where there is no room for that."""
        held_bytes = (
            self._beside_bytes
            + EXCHANGE_BYTES
            + len(exchange.path)
            + len(exchange.query)
            + sum(map(len, map(_VALUE, exchange.request_headers)))
            + sum(map(len, map(_VALUE, exchange.response_headers)))
            + CHUNK_BYTES * (len(exchange.request_chunks) + len(exchange.response_chunks))
        )
        if held_bytes > self._limit_beside_bytes:
            return False
        self._beside_bytes = held_bytes
        return True

    def _without_bodies(self, exchange: Exchange) -> Exchange:
        self.bodiless_count += 1
        self.wake.set()
        return structs.replace(exchange, request_chunks=(), response_chunks=(), is_bodiless=True)
