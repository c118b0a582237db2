"""What Dashlight answers itself, below DASHLIGHT_PATH: the host's figures for Prometheus."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from anyio import CapacityLimiter, to_thread

from dashlight.errors import MissingExtraError
from dashlight.metrics.figures import Figures
from dashlight.metrics.prometheus import exposition
from dashlight.serving.access import Access
from dashlight.types import Receive, Scope, Send

logger = logging.getLogger(__name__)

_RETRY_SECONDS = 10
"""A pane, unless DASHLIGHT_PANE says otherwise: by then there are figures."""
_MOST_READ = 2
"""Scrapes that are answered at the same time; a directory that hangs takes as many threads, and no more."""


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: bytes
    content_type: str = "text/plain; charset=utf-8"
    headers: tuple[tuple[bytes, bytes], ...] = ()


class Answers:
    """An ASGI app for everything below *path*, which it takes away from the app that is watched.

    Where a server tells its `root_path` as a part of the path, as uvicorn does, *path* has to begin with it.
    """

    def __init__(
        self, path: str, access: Access | None = None, figures: Callable[[], Figures | None] = lambda: None
    ) -> None:
        """*path* as `/dashlight`. Without *access* nobody is let in yet; see `open`."""
        self._path = path
        self._below = f"{path}/"
        self._access = access
        self._figures = figures
        self._told: set[str] = set()
        # Two, because a request that its server cancels is over while its thread still hangs.
        self._asking = threading.BoundedSemaphore(_MOST_READ)
        self._reading = threading.BoundedSemaphore(_MOST_READ)

    def open(self, access: Access, figures: Callable[[], Figures | None]) -> None:
        """Lets in whoever has *access* to *figures*, which may read files: it is called on a thread; None: none yet."""
        self._figures, self._access = figures, access

    def takes(self, scope: Scope) -> bool:
        """Whether the request is for us; costs one comparison for all that are not."""
        path: str = scope["path"]
        return path.startswith(self._path) and (path == self._path or path.startswith(self._below))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request, whose body is not read."""
        del receive
        answer = await self._answer(scope)
        headers = [
            (b"content-type", answer.content_type.encode("latin-1")),
            (b"content-length", str(len(answer.body)).encode()),
            (b"cache-control", b"no-store"),
            (b"x-content-type-options", b"nosniff"),
            *answer.headers,
        ]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        body = b"" if scope["method"] == "HEAD" else answer.body
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, scope: Scope) -> _Answer:
        # Before anything else, so that who does not know it learns nothing.
        if self._access is None:
            return _unready()
        if not self._access.allows(scope["headers"]):
            return _Answer(401, b"a token is wanted\n", headers=((b"www-authenticate", b"Bearer"),))
        if scope["path"] != f"{self._path}/metrics":
            return _Answer(404, b"there is nothing here\n")
        if scope["method"] not in {"GET", "HEAD"}:
            return _Answer(405, b"GET or HEAD\n", headers=((b"allow", b"GET, HEAD"),))
        accept = b",".join(value for name, value in scope["headers"] if name == b"accept")
        if not self._asking.acquire(blocking=False):
            return _busy()
        try:
            # With a limiter of its own, which never waits: those of the event loop are for the host's own threads.
            return await to_thread.run_sync(partial(self._read, accept.decode("latin-1")), limiter=CapacityLimiter(1))
        finally:
            self._asking.release()

    def _read(self, accept: str) -> _Answer:
        if not self._reading.acquire(blocking=False):
            return _busy()
        try:
            return self._metrics(accept)
        finally:
            self._reading.release()

    def _metrics(self, accept: str) -> _Answer:
        """Reads and writes figures; on a thread, because a file is read and writing takes milliseconds."""
        try:
            figures = self._figures()
            if figures is None:
                return _unready()
            body, content_type = exposition(figures, accept)
        except MissingExtraError as missing:
            self._tell_once(f"metrics cannot be served: {missing}")
            return _Answer(501, f"{missing}\n".encode())
        except Exception as error:
            self._tell_once(f"metrics could not be served: {type(error).__name__}: {error}")
            return _unready()
        return _Answer(200, body, content_type)

    def _tell_once(self, message: str) -> None:
        if message not in self._told:
            self._told = {message}
            logger.error("%s", message)


def _unready() -> _Answer:
    return _later(b"there are no figures yet\n")


def _busy() -> _Answer:
    return _later(b"others are being answered\n")


def _later(reason: bytes) -> _Answer:
    return _Answer(503, reason, headers=((b"retry-after", str(_RETRY_SECONDS).encode()),))
