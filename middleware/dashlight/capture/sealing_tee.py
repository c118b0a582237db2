"""The tee where ids are sealed: the start of an answer waits for its first piece, and its id tells what stands in it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import Any, Final

from anyio import Event

from dashlight.capture.capture import Capture
from dashlight.capture.headers import kept_in_lower_case, readable
from dashlight.capture.tee import Tee
from dashlight.records import Exchange, Headers
from dashlight.types import Message, Receive, Scope, Send

logger = logging.getLogger(__name__)

MOST_BYTES: Final = 16 << 10
"""Of an answer, and of a request, that is read on the event loop."""
PATIENCE_SECONDS: Final = 0.05
"""How long a start waits for a body; whoever has the answer sends both at once."""
_ASKING = frozenset({"GET", "POST", "PUT"})


class SealingTee(Tee):
    """Holds back `http.response.start` until the first message of the body, where the answer may be sealed.

    That is JSON of at most MOST_BYTES, said to be well, to a request that is here as a whole. The start leaves before
    whatever else the app sends, before the app waits for its client, and on asyncio after PATIENCE_SECONDS at the latest.
    An app that fails in between has not begun its answer, and its server says so.
    """

    __slots__ = ("_held", "_is_asked", "_leaving", "_sealed", "_task", "_timer")

    def __init__(self, capture: Capture, scope: Scope, receive: Receive, send: Send, *, here: bool = False) -> None:
        self._held: Message | None = None
        """The start that waits."""
        self._is_asked = False
        """Whether all of the request is here."""
        self._leaving: Event | None = None
        """Set when a start has left that had to while the app waits for its client."""
        self._sealed: bytes | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        super().__init__(capture, scope, receive, send, here=here)

    async def receive(self) -> Message:
        """The app's receive: hands on the server's message, after a start that waits."""
        if self._held is not None:
            await self._let_go()
        message = await super().receive()
        if message["type"] == "http.request" and not message.get("more_body"):
            self._is_asked = True
        return message

    def send(self, message: Message) -> Awaitable[None]:
        """The app's send: keeps a start that may wait, else hands the message on, behind the start that waits."""
        if self._held is not None or self._leaving is not None:
            return self._send_behind(message)
        if message["type"] == "http.response.start" and not self._done and self._capture.seal is not None:
            message = readable(message)
            if self._may_seal(message):
                self._held = message
                self._timer = _later(self._lose_patience)
                return _nothing()
        return super().send(message)

    def close(self) -> None:
        """The app has returned or raised."""
        self._held = None
        self._stop_waiting()
        super().close()

    def _known_as(self) -> bytes:
        return self._sealed or super()._known_as()

    async def _send_behind(self, message: Message) -> None:
        if self._leaving is not None:
            await self._leaving.wait()
        start = self._taken()
        if start is not None:
            self._sealed = self._seal(start, message)
            await super().send(start)
        await super().send(message)

    async def _let_go(self) -> None:
        """Sends the start as it is."""
        start = self._taken()
        self._leaving = leaving = Event()
        try:
            if start is not None:
                await super().send(start)
        finally:
            self._leaving = None
            leaving.set()

    def _taken(self) -> Message | None:
        start, self._held = self._held, None
        self._stop_waiting()
        return start

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _lose_patience(self) -> None:
        """Called by the event loop: no body has come."""
        if self._held is not None:
            self._task = asyncio.get_running_loop().create_task(self._let_go_aside())

    async def _let_go_aside(self) -> None:
        try:
            await self._let_go()
        except Exception as error:  # the app hears of it with its next message
            logger.debug("the start of an answer could not be sent: %s", type(error).__name__)

    def _may_seal(self, start: Message) -> bool:
        """Whether what *start* begins may be read on the event loop."""
        method = self._scope["method"]
        is_whole = self._is_asked or (method == "GET" and not self._request_bytes)
        if method not in _ASKING or not is_whole or self._request_bytes > min(MOST_BYTES, self._capture.max_body):
            return False
        try:
            return (
                200 <= start["status"] < 300 and not start.get("trailers") and _is_short_json(start.get("headers", ()))
            )
        except Exception:  # whatever the app has made of it, the server says it
            return False

    def _seal(self, start: Message, first: Message) -> bytes | None:
        """The sealed id, where *first* is all of the body; None where it is not, or nothing can be made of it."""
        body, seal = first.get("body"), self._capture.seal
        is_all = first["type"] == "http.response.body" and not first.get("more_body")
        if seal is None or not is_all or not body or self._disconnected or self._done:
            return None
        try:
            return seal(self._exchange(start, body)) if len(body) <= min(MOST_BYTES, self._capture.max_body) else None
        except Exception as error:
            self._capture.count_failure(error)
            return None

    def _exchange(self, start: Message, body: Any) -> Exchange:
        """What is known of this exchange now that its answer is complete, and about to leave."""
        capture, scope, opened = self._capture, self._scope, self._opened
        return Exchange(
            self._id, capture.routes.name(scope, self._path, capture.count), scope["method"], self._path,
            scope.get("query_string", b""), scope.get("scheme", "http"), scope.get("server"),
            scope.get("http_version", ""), self._headers, kept_in_lower_case(start.get("headers", ())), start["status"], "", "ok",
            self._started_at, None, perf_counter() - self._clock, self._request_bytes, len(body),
            tuple(self._request_chunks), (bytes(body),), 0, 0, 0, None, opened.handed,
        )  # fmt: skip


def _later(call: Callable[[], None]) -> asyncio.TimerHandle | None:
    """Has *call* called after PATIENCE_SECONDS; None where the event loop is none of asyncio's."""
    try:
        return asyncio.get_running_loop().call_later(PATIENCE_SECONDS, call)
    except RuntimeError:
        return None


async def _nothing() -> None:
    """What the app awaits while its start waits."""


def _is_short_json(headers: Headers) -> bool:
    """Whether an answer with these headers may be JSON that is short enough; one of no said type may be."""
    for name, value in headers:
        lower = name.lower()
        if lower == b"content-type":
            kind = value.partition(b";")[0].strip().lower()
            if kind != b"application/json" and not kind.endswith(b"+json"):
                return False
        elif lower == b"content-encoding":
            if value.strip().lower() != b"identity":
                return False
        elif lower == b"content-length" and not (len(value) < 9 and value.isdigit() and int(value) <= MOST_BYTES):
            return False
    return True
