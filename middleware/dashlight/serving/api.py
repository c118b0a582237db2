"""`/api/v1`: what is shown of the machine, as JSON that the judge made; see docs/api.md."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from hashlib import blake2b

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from dashlight.page.view import View
from dashlight.serving.aside import Aside
from dashlight.serving.later import later

_MOST_READ = 4
"""Requests that are answered at the same time: a page asks every few seconds."""


def api_routes(view: Callable[[], View | None]) -> Sequence[Route]:
    """The routes that show parts of *view*, which is called on a thread; None: there is none yet."""
    aside = Aside(_MOST_READ, retry_seconds=1)
    return [
        Route("/api/v1/status", _Part(aside, view, lambda each: each.status).answer, methods=["GET"]),
        Route("/api/v1/versions", _Part(aside, view, lambda each: each.versions).answer, methods=["GET"]),
    ]


class _Part:
    def __init__(self, aside: Aside, view: Callable[[], View | None], part: Callable[[View], bytes]) -> None:
        self._aside = aside
        self._view = view
        self._part = part

    async def answer(self, request: Request) -> Response:
        """The bytes as they are, or that they are those that the client has."""
        return await self._aside.run(partial(self._read, ",".join(request.headers.getlist("if-none-match"))))

    def _read(self, known: str) -> Response:
        view = self._view()
        if view is None:
            return later("nothing has been judged yet")
        body = self._part(view)
        tag = f'"{blake2b(body, digest_size=12).hexdigest()}"'
        if _is_among(tag, known):
            return Response(status_code=304, headers={"etag": tag})
        return Response(body, headers={"content-type": "application/json", "etag": tag})


def _is_among(tag: str, known: str) -> bool:
    """Whether *tag* is one of those that the header If-None-Match names; by weak comparison, as it is defined."""
    return any(each.strip().removeprefix("W/") in {tag, "*"} for each in known.split(","))
