"""How exchanges end: streams that break or are left, through Starlette's middleware and without it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, MutableMapping
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from dashlight.capture.capture import Capture
from dashlight.capture.ending import raised
from dashlight.capture.inbox import Inbox
from dashlight.capture.spans import Spans
from dashlight.capture.tee import Tee
from dashlight.capture.trace_parent import sampler_from
from dashlight.records import Exchange

Message = MutableMapping[str, Any]
LEAVES_AFTER = 3
"""Pieces of an answer after which the client has gone, where it goes."""


class BrokenModelError(Exception):
    """What a model raises in the middle of an answer."""


async def pieces(count: int, *, breaks_at: int = -1) -> AsyncIterator[bytes]:
    for number in range(count):
        if number == breaks_at:
            raise BrokenModelError
        yield b"data: %d\n\n" % number
        await asyncio.sleep(0)


def fail() -> None:
    raise LookupError


async def whole(_: Request) -> Response:
    return StreamingResponse(pieces(5))


async def broken_at_once(_: Request) -> Response:
    return StreamingResponse(pieces(5, breaks_at=0))


async def broken(_: Request) -> Response:
    return StreamingResponse(pieces(5, breaks_at=3))


async def endless(_: Request) -> Response:
    return StreamingResponse(pieces(10**6))


async def plain(_: Request) -> Response:
    return JSONResponse({"score": 1})


async def plain_with_a_broken_task(_: Request) -> Response:
    return JSONResponse({"score": 1}, background=BackgroundTask(fail))


async def stream_with_a_broken_task(_: Request) -> Response:
    return StreamingResponse(pieces(5), background=BackgroundTask(fail))


async def empty(_: Request) -> Response:
    return Response(status_code=204)


async def raising(_: Request) -> Response:
    raise BrokenModelError


async def passing(request: Request, call_next: RequestResponseEndpoint) -> Response:
    return await call_next(request)


ENDPOINTS = (
    whole, broken_at_once, broken, endless, plain, plain_with_a_broken_task, stream_with_a_broken_task, empty, raising,
)  # fmt: skip
Asked = tuple[Exchange, BaseException | None, Capture]


def asked(endpoint: Any, depth: int, *, spans: Spans | None = None, leaves: bool = False) -> Asked:
    """What is captured of one request to *endpoint* through *depth* middlewares."""
    routes = [Route(f"/{each.__name__}", each) for each in ENDPOINTS]
    app = Starlette(routes=routes, middleware=[Middleware(BaseHTTPMiddleware, dispatch=passing)] * depth)
    made = spans or Spans("off", exported=False, sampler=sampler_from({}), version="0")
    capture = Capture(Inbox(), made, 1024)
    scope = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "method": "GET",
        "path": f"/{endpoint.__name__}", "root_path": "", "query_string": b"", "headers": [], "scheme": "http",
        "server": ("x", 80), "client": ("y", 1),
    }  # fmt: skip

    async def request() -> BaseException | None:
        requested, sent = [{"type": "http.request", "body": b"", "more_body": False}], []
        gone = asyncio.Event()

        async def receive() -> Message:
            if requested:
                return requested.pop()
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            sent.append(message)
            if leaves and len(sent) > LEAVES_AFTER:
                gone.set()

        tee = Tee(capture, scope, receive, send)
        try:
            await app(scope, tee.receive, tee.send)
        except Exception as error:
            tee.fail(error)
            return error
        finally:
            tee.close()
        return None

    error = asyncio.run(request())
    # As while the server runs: what is not settled is not taken yet.
    (exchange,) = capture.inbox.take(due_at=0.0)
    return exchange, error, capture


@pytest.mark.parametrize("depth", [0, 1, 2])
@pytest.mark.parametrize("endpoint", [whole, plain, empty])
def test_whole_answers_are_ok(endpoint: Any, depth: int) -> None:
    exchange, error, _ = asked(endpoint, depth)

    assert (exchange.outcome, exchange.error, error) == ("ok", "", None)


@pytest.mark.parametrize("depth", [0, 1, 2])
@pytest.mark.parametrize("endpoint", [broken_at_once, broken])
def test_a_stream_that_breaks_is_an_error_of_the_type_that_broke_it(endpoint: Any, depth: int) -> None:
    exchange, error, _ = asked(endpoint, depth)

    assert isinstance(error, BrokenModelError)
    assert (exchange.outcome, exchange.error, exchange.status) == ("error", "BrokenModelError", 200)


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_a_stream_that_the_client_leaves_is_its_disconnect(depth: int) -> None:
    exchange, _, _ = asked(endless, depth, leaves=True)

    assert (exchange.outcome, exchange.status) == ("client_disconnect", 200)


@pytest.mark.parametrize("depth", [0, 1, 2])
@pytest.mark.parametrize("endpoint", [plain_with_a_broken_task, stream_with_a_broken_task])
def test_a_background_task_that_fails_is_not_the_answer(endpoint: Any, depth: int) -> None:
    exchange, error, _ = asked(endpoint, depth)

    assert isinstance(error, LookupError)
    assert (exchange.outcome, exchange.error) == ("ok", "")


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_an_exception_before_the_answer_is_status_500(depth: int) -> None:
    exchange, _, _ = asked(raising, depth)

    assert (exchange.outcome, exchange.status) == ("error", 500)


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def sdk_spans(exporter: InMemorySpanExporter) -> Iterator[Spans]:
    """Spans that the SDK makes for us."""
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    made = Spans("server", exported=False, sampler=sampler_from({}), version="0")
    made._provider, made._tracer = provider, provider.get_tracer("test")
    yield made
    provider.shutdown()


def attributes(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def test_the_span_that_the_sdk_made_says_of_a_broken_stream_what_the_exchange_says(
    sdk_spans: Spans, exporter: InMemorySpanExporter
) -> None:
    exchange, _, _ = asked(broken, 1, spans=sdk_spans)

    (span,) = exporter.get_finished_spans()
    assert span.status.status_code is StatusCode.ERROR
    assert attributes(span)["error.type"] == exchange.error == "BrokenModelError"
    assert attributes(span)["dashlight.outcome"] == "error"


def test_the_span_that_the_sdk_made_ends_with_the_answer_and_not_with_the_task_behind_it(
    sdk_spans: Spans, exporter: InMemorySpanExporter
) -> None:
    exchange, _, _ = asked(whole, 1, spans=sdk_spans)

    (span,) = exporter.get_finished_spans()
    assert span.end_time == int((exchange.started_at + exchange.duration_seconds) * 1e9)
    assert attributes(span)["dashlight.outcome"] == "ok"


Converse = Callable[..., Any]
Send = Callable[[Message], Awaitable[None]]


def test_what_was_not_settled_in_time_is_taken_and_said_where_it_breaks_later(converse: Converse) -> None:
    taken: list[Exchange] = []
    inbox = Inbox()

    async def app(_scope: Any, _receive: Any, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body"})
        taken.extend(inbox.take(due_at=0.0))
        taken.extend(inbox.take())
        await _raised_below_the_middleware()

    spans = Spans("off", exported=False, sampler=sampler_from({}), version="0")
    heard = converse(app, capture=Capture(inbox, spans, 64))

    assert [each.outcome for each in taken] == ["ok"]
    assert heard.capture.failures == {"broken_answer_counted_as_ok": 1}


async def _raised_below_the_middleware() -> None:
    async def app(_scope: Any, _receive: Any, _send: Any) -> None:
        raise BrokenModelError

    async def nothing(*_: Any) -> Any:
        return {"type": "http.disconnect"}

    await BaseHTTPMiddleware(app, dispatch=passing)({"type": "http", "headers": []}, nothing, nothing)


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (ValueError(), "ValueError"),
        (ExceptionGroup("one", [ExceptionGroup("in it", [ValueError()])]), "ValueError"),
        (ExceptionGroup("two", [ValueError(), KeyError()]), "ExceptionGroup"),
    ],
    ids=["alone", "in groups of one", "of several"],
)
def test_the_type_of_an_exception_is_told_out_of_the_groups_of_one_that_hold_it(error: Exception, name: str) -> None:
    assert raised(error, is_disconnected=False) == ("error", name)
    assert raised(error, is_disconnected=True) == ("client_disconnect", name)


def test_a_cancellation_after_the_answer_does_not_break_it(converse: Converse) -> None:
    async def app(_scope: Any, _receive: Any, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body"})
        raise asyncio.CancelledError

    assert converse(app).exchange.outcome == "ok"
