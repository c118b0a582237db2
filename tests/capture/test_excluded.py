"""A request whose URL is excluded: what is counted of it, and that nothing else is kept or changed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

import pytest

from dashlight.capture.capture import Capture
from dashlight.capture.excluded import Excluded
from dashlight.records import Exchange

App: TypeAlias = Callable[[Any, Any, Any], Awaitable[Any]]
START = {"type": "http.response.start", "status": 200, "headers": []}
END = {"type": "http.response.body", "body": b"ok"}


async def _never() -> Any:
    raise AssertionError


def converse(
    app: App, capture: Capture, scope: dict[str, Any], *, send_error: BaseException | None = None
) -> tuple[list[MutableMapping[str, Any]], BaseException | None]:
    """What the server is sent, and what leaves the app."""
    sent: list[MutableMapping[str, Any]] = []

    async def send(message: MutableMapping[str, Any]) -> None:
        if send_error is not None and message["type"] == "http.response.body":
            raise send_error
        sent.append(message)

    async def request() -> BaseException | None:
        passing = Excluded(capture, scope, _never, send)
        assert passing.receive is _never
        try:
            await app(scope, passing.receive, passing.send)
        except Exception as error:
            passing.fail(error)
            return error
        finally:
            passing.close()
        return None

    return sent, asyncio.run(request())


def sending(*messages: Any, error: BaseException | None = None) -> App:
    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        for message in messages:
            await send(message)
        if error is not None:
            raise error

    return app


def told(exchange: Exchange) -> tuple[int, str, str]:
    return exchange.status, exchange.outcome, exchange.error


PIECE = {"type": "http.response.body", "body": b"piece", "more_body": True}
FILE = {"type": "http.response.pathsend", "path": "/a"}


@pytest.mark.parametrize(
    ("messages", "error", "expected"),
    [
        ((START, END), None, (200, "ok", "")),
        ((START, PIECE, {"type": "http.response.debug"}, END), None, (200, "ok", "")),
        ((START, FILE), None, (200, "ok", "")),
        (({**START, "status": 503}, END), None, (503, "error", "")),
        (({**START, "status": 422}, END), None, (422, "refused", "")),
        ((START, END), ValueError("after the answer"), (200, "ok", "")),
        ((), ValueError("v"), (500, "error", "ValueError")),
        ((START, PIECE), ValueError("v"), (200, "error", "ValueError")),
        ((START, PIECE), None, (200, "client_disconnect", "")),
        ((), None, (0, "error", "no_response")),
    ],
    ids=[
        "ok", "in pieces", "a file", "failed", "refused", "a background task", "raised", "broken", "left", "no answer",
    ],
)  # fmt: skip
def test_it_is_counted_once_with_its_status_and_outcome(
    new_capture: Callable[..., Capture],
    request_scope: Callable[..., dict[str, Any]],
    messages: tuple[Any, ...],
    error: BaseException | None,
    expected: tuple[int, str, str],
) -> None:
    capture = new_capture()

    sent, raised = converse(sending(*messages, error=error), capture, request_scope())

    (exchange,) = capture.inbox.take_excluded()
    assert told(exchange) == expected
    assert [id(message) for message in sent] == [id(message) for message in messages]
    assert raised is error
    assert capture.inbox.take() == []
    assert capture.inbox.begun_count == capture.inbox.ended_count == 0


def test_a_client_that_left_while_it_was_sent_to_is_no_failure(
    new_capture: Callable[..., Capture], request_scope: Callable[..., dict[str, Any]]
) -> None:
    capture = new_capture()

    # What fails is the send of the piece, after it was seen.
    _, raised = converse(sending(START, PIECE, END), capture, request_scope(), send_error=OSError())

    (exchange,) = capture.inbox.take_excluded()
    assert told(exchange) == (200, "client_disconnect", "OSError")
    assert isinstance(raised, OSError)


def test_nothing_of_it_is_kept_but_sizes_and_times(
    new_capture: Callable[..., Capture], request_scope: Callable[..., dict[str, Any]]
) -> None:
    capture = new_capture()
    headers = [(b"content-length", b"17"), (b"authorization", b"Bearer secret")]

    converse(sending(START, PIECE, END), capture, request_scope(headers=headers))
    converse(sending(START, END), capture, request_scope(method="GET", headers=headers))

    posted, got = capture.inbox.take_excluded()
    assert (posted.request_bytes, posted.response_bytes) == (17, 7)
    assert got.request_bytes == 0
    assert posted.duration_seconds > 0
    assert posted.kept_bytes == 0
    assert not any((posted.id, posted.path, posted.request_headers, posted.trace_id, posted.own_span))


def test_a_message_or_scope_that_we_cannot_read_is_the_server_s_to_judge(
    new_capture: Callable[..., Capture], request_scope: Callable[..., dict[str, Any]]
) -> None:
    capture = new_capture()
    scope = request_scope()
    del scope["method"]

    sent, raised = converse(sending({"nothing": 1}), capture, scope)
    converse(sending(error=ValueError()), capture, scope)

    assert sent == [{"nothing": 1}]
    assert raised is None
    assert capture.inbox.take_excluded() == []
    assert capture.failures == {"KeyError": 3}
