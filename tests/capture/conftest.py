"""An ASGI conversation in raw messages: what the server says, what the app does, what is recorded."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import pytest
import trio

from dashlight.capture.capture import Capture
from dashlight.capture.inbox import Inbox
from dashlight.capture.spans import Spans
from dashlight.capture.tee import Tee
from dashlight.capture.trace_parent import sampler_from
from dashlight.records import Exchange

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[Any]]


@dataclass
class Heard:
    """What came of a conversation."""

    sent: list[Message]
    exchanges: list[Exchange]
    returned: Any = None
    raised: BaseException | None = None
    capture: Capture | None = None
    received: list[Message] = field(default_factory=list[Message])

    @property
    def exchange(self) -> Exchange:
        """The one exchange."""
        (only,) = self.exchanges
        return only


def _request_scope(**changes: Any) -> dict[str, Any]:
    return {
        "type": "http", "asgi": {"version": "3.0"}, "method": "POST", "path": "/predict", "query_string": b"",
        "scheme": "http", "server": ("127.0.0.1", 8000), "http_version": "1.1",
        "headers": [(b"content-type", b"application/json"), (b"authorization", b"Bearer secret")], **changes,
    }  # fmt: skip


@pytest.fixture
def new_capture() -> Callable[..., Capture]:
    """Capture with ids alone and room for 64 bytes of each body, or with other settings."""
    return _new_capture


@pytest.fixture
def request_scope() -> Callable[..., dict[str, Any]]:
    """The scope of a POST to /predict, with changes."""
    return _request_scope


def _new_capture(**changes: Any) -> Capture:
    spans = Spans("off", exported=False, sampler=sampler_from({}), version="0")
    return Capture(**{"inbox": Inbox(), "spans": spans, "max_body": 64, **changes})


@pytest.fixture
def converse() -> Callable[..., Heard]:
    """Runs one request through the tee: (app, messages, ...) -> Heard."""
    return _converse


def _converse(
    app: App,
    messages: Iterable[Message] = (),
    *,
    capture: Capture | None = None,
    scope: dict[str, Any] | None = None,
    send_error: BaseException | None = None,
    backend: str = "asyncio",
) -> Heard:
    used = capture or _new_capture()
    heard = Heard([], [], capture=used)
    waiting = list(messages)

    async def receive() -> Message:
        heard.received.append(waiting[0])
        return waiting.pop(0)

    async def send(message: Message) -> None:
        if send_error is not None and message["type"] == "http.response.body":
            raise send_error
        heard.sent.append(message)

    async def request() -> None:
        tee = Tee(used, scope if scope is not None else _request_scope(), receive, send)
        try:
            heard.returned = await app(tee._scope, tee.receive, tee.send)
        except BaseException as error:
            tee.fail(error)
            heard.raised = error
        finally:
            tee.close()

    if backend == "trio":
        trio.run(request)
    else:
        asyncio.run(request())
    heard.exchanges = used.inbox.take()
    return heard
