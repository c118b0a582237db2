from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from typing import Any

import pytest

from dashlight.asgi import DashlightMiddleware
from dashlight.capture.capture import Capture


@pytest.fixture
def answered() -> Callable[[Any], list[str]]:
    """Types of the messages that an app sends behind the middleware, on a connection that is not watched."""

    def answer(app: Any) -> list[str]:
        sent: list[str] = []

        async def receive() -> dict[str, Any]:
            return {"type": "websocket.connect"}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message["type"])

        asyncio.run(DashlightMiddleware(app)({"type": "websocket"}, receive, send))  # type: ignore[arg-type]
        return sent

    return answer


class AwaitedEndpoint:
    """As Starlette's class-based endpoints are written: ASGI 3, by awaiting an instance."""

    def __init__(self, scope: Any, receive: Any, send: Any) -> None:
        self._send = send

    def __await__(self) -> Generator[Any, None, None]:
        yield from self._send({"type": "websocket.accept"}).__await__()


class TwoStepApp:
    """As ASGI 2 apps are written: made for a scope, then called."""

    def __init__(self, scope: Any) -> None:
        pass

    async def __call__(self, receive: Any, send: Any) -> None:
        """Refuses the connection."""
        await send({"type": "websocket.close"})


@pytest.mark.parametrize(
    ("app", "said"),
    [(AwaitedEndpoint, "websocket.accept"), (TwoStepApp, "websocket.close")],
    ids=["a class whose instances are awaited", "a class whose instances are called"],
)
def test_a_class_can_be_an_app(answered: Callable[[Any], list[str]], app: Any, said: str) -> None:
    assert answered(app) == [said]


def test_a_request_without_headers_is_recorded(
    new_capture: Callable[..., Capture],
    request_scope: Callable[..., dict[str, Any]],
    converse: Callable[..., Any],
) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 204})
        await send({"type": "http.response.body"})

    scope = request_scope()
    del scope["headers"]
    capture = new_capture()

    heard = converse(app, scope=scope, capture=capture)

    assert heard.exchange.status == 204
    assert capture.failures == {}
