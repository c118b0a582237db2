"""`/metrics`: the totals and scores of the machine, for Prometheus."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dashlight.metrics.figures import Figures
from dashlight.metrics.prometheus import exposition
from dashlight.serving.aside import Aside
from dashlight.serving.later import later

_MOST_READ = 2
"""Scrapes that are answered at the same time; a directory that hangs takes as many threads, and no more."""


def metrics_route(figures: Callable[[], Figures | None]) -> Route:
    """The route that shows *figures*, which is called on a thread; None: there are none yet."""
    return Route("/metrics", _Scrapes(figures).answer, methods=["GET"])


class _Scrapes:
    def __init__(self, figures: Callable[[], Figures | None]) -> None:
        self._figures = figures
        self._aside = Aside(_MOST_READ)

    async def answer(self, request: Request) -> Response:
        """The figures in the format that the request prefers."""
        return await self._aside.run(partial(self._read, ",".join(request.headers.getlist("accept"))))

    def _read(self, accept: str) -> Response:
        """Reads and writes figures; on a thread, because a file is read and writing takes milliseconds."""
        figures = self._figures()
        if figures is None:
            return later("there are no figures yet")
        body, content_type = exposition(figures, accept)
        # Not as a media_type, to which Starlette 0.36 adds a second charset.
        return Response(body, headers={"content-type": content_type})
