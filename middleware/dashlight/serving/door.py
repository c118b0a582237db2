"""Which requests are Dashlight's own: those below DASHLIGHT_PATH. Loads no web framework; see `serving.app`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from dashlight.types import Receive, Scope, Send

App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

RETRY_SECONDS = 10
"""A pane, unless DASHLIGHT_PANE says otherwise: by then there are figures."""
ALWAYS = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))
"""Headers of every answer."""
_CONTENT_TYPE = (b"content-type", b"text/plain; charset=utf-8")
_NOT_YET = b"there are no figures yet\n"
# What the app around us keeps in a scope, such as its handlers of exceptions and its router, is not for our own.
_OF_ASGI = ("type", "asgi", "http_version", "method", "scheme", "query_string", "headers", "client", "server")


class Answers:
    """An ASGI app for everything below *path*, which it takes away from the app that is watched.

    Where a server tells its `root_path` as a part of the path, as uvicorn does, *path* has to begin with it.
    """

    def __init__(self, path: str) -> None:
        """*path* as `/dashlight`. Nobody is let in before `open`."""
        self._path = path
        self._below = f"{path}/"
        self._app: App | None = None

    def open(self, app: App) -> None:
        """Hands requests to *app* from now on, with paths from *path* on: `/dashlight/metrics` is its `/metrics`."""
        self._app = app

    def takes(self, scope: Scope) -> bool:
        """Whether the request is for us; costs one comparison for all that are not."""
        path: str = scope["path"]
        return path.startswith(self._path) and (path == self._path or path.startswith(self._below))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if self._app is None:
            await _tell_to_come_again(scope, send)
            return
        own = {name: scope[name] for name in _OF_ASGI if name in scope}
        # Not as a root_path, which Starlette 0.36 takes for a regular expression.
        own |= {"path": scope["path"][len(self._path) :], "root_path": ""}
        await self._app(own, receive, send)


async def _tell_to_come_again(scope: Scope, send: Send) -> None:
    length, retry = str(len(_NOT_YET)).encode(), str(RETRY_SECONDS).encode()
    headers = [_CONTENT_TYPE, (b"content-length", length), (b"retry-after", retry), *ALWAYS]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else _NOT_YET})
