"""What is served, asked by raw ASGI messages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import anyio
import pytest

from dashlight.metrics.figures import Figure, Figures
from dashlight.serving.access import Access
from dashlight.serving.app import ServedApp
from dashlight.serving.door import Answers

TOKEN = "a-token-of-some-length"
FIGURES = Figures(20.0, 1.0, (Figure("dashlight.requests", "counter", "{request}", "Requests", 7, {}),), ())


@dataclass(frozen=True, slots=True)
class Answered:
    """What a client is told."""

    status: int
    headers: dict[bytes, bytes]
    body: bytes


def scope(path: str, *headers: tuple[bytes, bytes], method: str = "GET", **others: Any) -> dict[str, Any]:
    return {"type": "http", "path": path, "method": method, "headers": list(headers), "query_string": b"", **others}


def opened(figures: Callable[[], Figures | None] = lambda: FIGURES) -> Answers:
    answers = Answers("/dashlight")
    answers.open(ServedApp(Access(TOKEN), figures))
    return answers


async def asked(answers: Answers, asking: dict[str, Any]) -> Answered:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        raise RuntimeError("the body is nobody's business")

    await answers(asking, receive, send)

    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    return Answered(sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"])


@pytest.fixture
def shown() -> tuple[bytes, bytes]:
    """The header of somebody who knows the token."""
    return (b"authorization", b"Bearer a-token-of-some-length")


@pytest.fixture(name="scope")
def scope_fixture() -> Any:
    """The scope of a request: (path, *headers, method, ...)."""
    return scope


@pytest.fixture(name="opened")
def opened_fixture() -> Any:
    """The door, open to whoever knows the token: (figures)."""
    return opened


@pytest.fixture(name="asked")
def asked_fixture() -> Any:
    """What a request is answered, awaited: (answers, scope)."""
    return asked


@pytest.fixture
def ask() -> Any:
    """What a request is answered: (scope, figures, backend)."""

    def ask(
        asking: dict[str, Any], figures: Callable[[], Figures | None] = lambda: FIGURES, *, backend: str = "asyncio"
    ) -> Answered:
        return anyio.run(asked, opened(figures), asking, backend=backend)

    return ask
