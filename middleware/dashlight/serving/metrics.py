"""`/metrics`: the totals and scores of the machine, for Prometheus."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dashlight.metrics.figures import Figures
from dashlight.metrics.prometheus import exposition
from dashlight.serving.later import later

_MOST_READ = 2
"""Scrapes that are answered at the same time; a directory that hangs takes as many threads, and no more."""


def metrics_route(figures: Callable[[], Figures | None]) -> Route:
    """The route that shows *figures*, which is called on a thread; None: there are none yet."""
    return Route("/metrics", _Scrapes(figures).answer, methods=["GET"])


class _Scrapes:
    def __init__(self, figures: Callable[[], Figures | None]) -> None:
        self._figures = figures
        # Two, because a request that its server cancels is over while its thread still hangs.
        self._asking = threading.BoundedSemaphore(_MOST_READ)
        self._reading = threading.BoundedSemaphore(_MOST_READ)

    async def answer(self, request: Request) -> Response:
        """The figures in the format that the request prefers."""
        if not self._asking.acquire(blocking=False):
            return _busy()
        read = partial(self._read, ",".join(request.headers.getlist("accept")))
        try:
            # With a limiter of its own, which never waits: those of the event loop are for the app's own threads.
            return await to_thread.run_sync(read, limiter=CapacityLimiter(1))
        finally:
            self._asking.release()

    def _read(self, accept: str) -> Response:
        """Reads and writes figures; on a thread, because a file is read and writing takes milliseconds."""
        if not self._reading.acquire(blocking=False):
            return _busy()
        try:
            figures = self._figures()
            if figures is None:
                return later("there are no figures yet")
            body, content_type = exposition(figures, accept)
        finally:
            self._reading.release()
        # Not as a media_type, to which Starlette 0.36 adds a second charset.
        return Response(body, headers={"content-type": content_type})


def _busy() -> Response:
    return later("others are being answered")
