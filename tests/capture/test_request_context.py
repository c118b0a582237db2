"""Requests that a server begins in the context of an earlier one: its spans and its baggage are none of theirs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import Context as Variables
from contextvars import copy_context
from typing import Any

import pytest
from opentelemetry import baggage, trace
from opentelemetry.context import detach, get_current
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import INVALID_SPAN

from dashlight.asgi import DashlightMiddleware
from dashlight.capture.inside import Inside
from dashlight.capture.spans import Opened, Spans
from dashlight.capture.trace_parent import sampler_from
from dashlight.runtime.process import process

PROVIDER, SILENT = TracerProvider(), TracerProvider(sampler=ALWAYS_OFF)
BAGGAGE = [(b"baggage", b"tenant=7")]


class Tracing(Inside):
    """An app that is known to trace itself."""

    def traces_itself(self, provider: object) -> bool:
        return True


@pytest.fixture(params=["own", "sdk", "sampled out", "inner", "inner, sampled out"])
def spans(request: pytest.FixtureRequest) -> Spans:
    """Each way in which a span comes to be, with what the app's own tracer is then."""
    made = Spans("auto", exported=request.param == "own", sampler=sampler_from({}), version="0")
    if request.param != "own":
        provider = SILENT if "sampled out" in request.param else PROVIDER
        made._provider, made._tracer = provider, provider.get_tracer("test")
        made._inside = Tracing(None) if "inner" in request.param else Inside(None)
    return made


def tracer_of(spans: Spans) -> trace.Tracer:
    return spans._tracer or trace.NoOpTracer()


def begin(spans: Spans, headers: Any = ()) -> Opened:
    return spans.open(headers, headers, lambda: ("POST", {}))


def left_behind(spans: Spans, *, while_open: bool) -> Variables:
    """A copy of the context in the middle of a request with baggage and a span of the app's, which then ends."""

    def request() -> Variables:
        opened = begin(spans, BAGGAGE)
        span = tracer_of(spans).start_span("read")
        with trace.use_span(span):
            assert opened.claim is not None
            if while_open:
                kept = copy_context()
                opened.claim.end()
            else:
                opened.claim.end()
                kept = copy_context()
        span.end()
        if opened.host is not None:
            opened.host.end()
        return kept

    return copy_context().run(request)


@pytest.mark.parametrize("while_open", [True, False])
def test_a_request_in_the_context_of_an_earlier_one_begins_as_the_first_did(spans: Spans, *, while_open: bool) -> None:
    first = copy_context().run(begin, spans)
    left = left_behind(spans, while_open=while_open)

    def request() -> tuple[Opened, object, Any]:
        opened = begin(spans)
        child = tracer_of(spans).start_span("child")
        return opened, baggage.get_baggage("tenant"), getattr(child, "parent", None)

    opened, tenant, parent = left.run(request)

    assert opened.choice == first.choice
    assert opened.lean is None or opened.lean.parent is None
    assert getattr(opened.host, "parent", None) is None
    assert tenant is None
    assert parent is None or parent.span_id == opened.span_id


def test_every_request_of_a_connection_has_ids_of_its_own(spans: Spans) -> None:
    left, seen = left_behind(spans, while_open=True), set()

    for _ in range(5):
        seen.add(left.copy().run(begin, spans).trace_id)

    assert len(seen) == 5


def test_a_span_that_has_ended_is_not_enriched_whoever_made_it(spans: Spans) -> None:
    def request() -> Opened:
        outer = PROVIDER.get_tracer("theirs").start_span("theirs")
        with trace.use_span(outer):
            outer.end()
            return begin(spans)

    assert copy_context().run(request).choice != "enrich"


@pytest.mark.parametrize("spans", ["own", "sdk", "inner"], indirect=True)
def test_a_span_that_began_around_us_after_the_earlier_request_is_enriched(spans: Spans) -> None:
    left = left_behind(spans, while_open=True)

    def request() -> tuple[Opened, trace.Span]:
        with PROVIDER.get_tracer("theirs").start_as_current_span("theirs") as outer:
            return begin(spans), outer

    opened, outer = left.run(request)

    assert (opened.choice, opened.host) == ("enrich", outer)


def test_an_app_that_asks_another_in_its_process_keeps_the_span_below_which_it_does(spans: Spans) -> None:
    def request() -> Opened:
        begin(spans)
        with PROVIDER.get_tracer("app").start_as_current_span("ask"):
            return begin(spans)

    assert copy_context().run(request).choice == "enrich"


def test_the_context_is_as_before_once_the_request_is_over(spans: Spans) -> None:
    left = left_behind(spans, while_open=True)

    def request() -> bool:
        before = get_current()
        detach(begin(spans).token)
        return get_current() is before

    assert left.run(request)


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch, fresh_process: None) -> Callable[[str], Coroutine[Any, Any, trace.Span]]:
    """Asks a watched app, by kind of scope, and tells which span was current in it."""
    monkeypatch.setenv("DASHLIGHT_EXCLUDED_URLS", "/health$")
    current: list[trace.Span] = []

    async def app(_scope: Any, _receive: Any, _send: Any) -> None:
        current.append(trace.get_current_span())

    async def nothing(*_: Any) -> Any:
        return {"type": "http.disconnect"}

    middleware = DashlightMiddleware(app)

    async def ask(kind: str) -> trace.Span:
        scope = {"type": kind, "method": "GET", "path": "/health", "headers": [], "query_string": b""}
        await middleware(scope, nothing, nothing)
        return current.pop()

    process.start(app)
    return ask


@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_what_is_not_watched_does_not_begin_there_either(
    watched: Callable[[str], Coroutine[Any, Any, trace.Span]], spans: Spans, kind: str
) -> None:
    left = left_behind(spans, while_open=True)

    assert left.run(lambda: asyncio.run(watched(kind))) is INVALID_SPAN
