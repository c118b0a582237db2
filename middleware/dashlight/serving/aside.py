"""Answers that wait for a disk are made on threads, few at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable

from anyio import CapacityLimiter, to_thread
from starlette.responses import Response

from dashlight.serving.later import later


class Aside:
    """Makes answers on threads, so many at a time; whoever comes meanwhile is told to come again."""

    def __init__(self, most: int, *, retry_seconds: int | None = None) -> None:
        """*most* threads are taken by a disk that hangs, and no more; *retry_seconds*: when to come again (a pane)."""
        # Two, because a request that its server cancels is over while its thread still hangs.
        self._asking = threading.BoundedSemaphore(most)
        self._working = threading.BoundedSemaphore(most)
        self._retry_seconds = retry_seconds

    async def run(self, make: Callable[[], Response]) -> Response:
        """What *make* returns, called on a thread."""
        if not self._asking.acquire(blocking=False):
            return self._busy()
        try:
            # With a limiter of its own, which never waits: those of the event loop are for the app's own threads.
            return await to_thread.run_sync(self._made, make, limiter=CapacityLimiter(1))
        finally:
            self._asking.release()

    def _made(self, make: Callable[[], Response]) -> Response:
        if not self._working.acquire(blocking=False):
            return self._busy()
        try:
            return make()
        finally:
            self._working.release()

    def _busy(self) -> Response:
        return later("others are being answered", self._retry_seconds)
