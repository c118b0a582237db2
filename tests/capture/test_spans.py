"""The span of a request, by what is configured and what the caller sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from opentelemetry import baggage, trace
from opentelemetry.context import detach
from opentelemetry.propagators.textmap import TextMapPropagator
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.trace import NonRecordingSpan, NoOpTracerProvider, SpanContext, TraceFlags
from starlette.applications import Starlette
from starlette.middleware import Middleware

from dashlight.capture.inside import traces_itself
from dashlight.capture.plugins import propagation_of
from dashlight.capture.spans import Opened, Spans
from dashlight.capture.trace_parent import sampler_from

PARENT = [(b"traceparent", f"00-{0xABC:032x}-{0xDEF:016x}-03".encode())]
BAGGAGE = [(b"baggage", b"tenant=7")]


def described() -> tuple[str, dict[str, Any]]:
    return "POST", {"http.request.method": "POST"}


@pytest.fixture
def spans() -> Callable[..., Spans]:
    """Spans under a source, perhaps with an exporter of our own and a provider of the host's."""

    def make(source: Any, *, exported: bool = False, provider: Any = None, **options: Any) -> Spans:
        made = Spans(source, exported=exported, sampler=sampler_from({}), version="0", **options)
        if provider is not None:
            made._provider = provider
            made._tracer = provider.get_tracer("test")
        return made

    return make


@pytest.fixture
def opened() -> Iterator[Callable[..., Opened]]:
    """Opens a span, and undoes its context at the end."""
    tokens: list[Any] = []

    def open_one(of: Spans, headers: Any = ()) -> Opened:
        found = of.open(headers, headers, described)
        if found.token is not None:
            tokens.append(found.token)
        return found

    yield open_one
    for token in reversed(tokens):
        detach(token)


def test_without_anything_there_are_fresh_ids_and_no_span(spans: Any, opened: Any) -> None:
    first, second = opened(spans("auto")), opened(spans("auto"))

    assert (first.choice, first.token, first.host, first.lean) == ("none", None, None, None)
    assert first.trace_id != second.trace_id
    assert first.trace_flags == 0


def test_without_anything_the_caller_s_ids_are_used(spans: Any, opened: Any) -> None:
    found = opened(spans("off", exported=True), PARENT)

    assert (found.choice, found.trace_id, found.span_id, found.trace_flags) == ("none", 0xABC, 0xDEF, 3)


def test_a_current_span_is_enriched(spans: Any, opened: Any) -> None:
    outer = NonRecordingSpan(SpanContext(1, 2, False, TraceFlags(1)))

    with trace.use_span(outer):
        found = opened(spans("auto", exported=True))

    assert (found.choice, found.trace_id, found.span_id, found.host) == ("enrich", 1, 2, outer)


def test_a_current_span_that_is_not_valid_is_none(spans: Any, opened: Any) -> None:
    with trace.use_span(NonRecordingSpan(SpanContext(0, 0, False))):
        assert opened(spans("auto")).choice == "none"


def test_our_own_span_is_current_and_hangs_below_the_caller_s(spans: Any, opened: Any) -> None:
    found = opened(spans("auto", exported=True), PARENT)

    assert found.choice == "own"
    assert (found.trace_id, found.lean.parent.span_id, found.trace_flags) == (0xABC, 0xDEF, 3)
    assert found.span_id not in {0, 0xDEF}
    assert trace.get_current_span() is found.lean


def test_our_own_span_without_a_caller_is_a_root_of_random_id(spans: Any, opened: Any) -> None:
    found = opened(spans("auto", exported=True))

    assert found.lean.parent is None
    assert found.trace_flags == 3


def test_the_caller_s_baggage_goes_on(spans: Any, opened: Any) -> None:
    opened(spans("auto", exported=True), BAGGAGE)

    assert baggage.get_baggage("tenant") == "7"


class OddPropagator(TextMapPropagator):
    """Finds the caller's trace in whatever headers it is shown."""

    def __init__(self, *fields: str) -> None:
        self._fields = set(fields)

    def extract(self, carrier: Any, context: Any = None, getter: Any = None) -> Any:
        (trace_id,) = getter.get(carrier, "x-odd")
        ids = SpanContext(int(trace_id), 1, True, TraceFlags(1))
        return trace.set_span_in_context(NonRecordingSpan(ids), context)

    def inject(self, carrier: Any, context: Any = None, setter: Any = None) -> None:
        """Nothing: it is asked for extraction alone."""

    @property
    def fields(self) -> set[str]:
        return self._fields


def test_a_propagator_is_asked_where_one_of_its_headers_is_there(spans: Any, opened: Any) -> None:
    odd = spans("auto", exported=True, propagation=propagation_of([OddPropagator("X-Odd")]))

    assert opened(odd, [(b"x-odd", b"5")]).trace_id == 5
    assert opened(odd, PARENT).lean.parent is None


def test_a_propagator_that_names_no_headers_is_shown_all_of_them(spans: Any) -> None:
    odd = spans("auto", exported=True, propagation=propagation_of([OddPropagator()]))

    found = odd.open([], [(b"X-Odd", b"5")], described)
    detach(found.token)

    assert found.trace_id == 5


def test_a_propagator_that_fails_costs_the_caller_s_trace_alone(
    spans: Any, opened: Any, caplog: pytest.LogCaptureFixture
) -> None:
    odd = spans("auto", exported=True, propagation=propagation_of([OddPropagator("x-odd")]))

    found = [opened(odd, [(b"x-odd", b"none")]) for _ in range(3)]

    assert [each.choice for each in found] == ["own"] * 3
    assert [record.message for record in caplog.records] == [
        "a propagator fails (ValueError); requests go on without their caller's trace"
    ]


def test_own_hangs_below_whatever_is_current(spans: Any, opened: Any) -> None:
    outer = NonRecordingSpan(SpanContext(1, 2, False, TraceFlags(1)))

    with trace.use_span(outer):
        below = opened(spans("own", exported=True))
        detach(below.token)
    alone = opened(spans("own", exported=True))

    assert (below.trace_id, below.lean.parent.span_id) == (1, 2)
    assert alone.lean.parent is None


def test_a_provider_that_makes_no_spans_leaves_ids(spans: Any, opened: Any) -> None:
    found = opened(spans("auto", provider=NoOpTracerProvider()))

    assert (found.choice, found.token) == ("none", None)
    assert found.trace_id


def test_a_provider_makes_the_span_below_the_caller_s(spans: Any, opened: Any) -> None:
    found = opened(spans("server", provider=TracerProvider()), PARENT)

    assert found.choice == "server"
    assert found.trace_id == 0xABC
    assert isinstance(found.host, ReadableSpan)
    assert found.host.parent is not None
    assert found.host.parent.span_id == 0xDEF


def test_the_configured_provider_is_noticed_once(spans: Any, opened: Any) -> None:
    of = spans("auto", provider=TracerProvider())

    of.look_around(None)  # no provider is configured in this process
    of.look_around(None)

    assert opened(of).choice == "none"


def test_only_a_server_span_below_ours_says_that_the_app_traces_itself(spans: Any) -> None:
    of = spans("auto", provider=TracerProvider())
    below = Opened("server", 1, 2, 1)

    of.note_inner(trace.INVALID_SPAN, below)  # no kind, no parent: nothing to learn, nobody to tell
    assert below.inside is None


def test_fastapi_that_was_told_not_to_trace_does_not() -> None:
    assert not traces_itself(FastAPI(telemetry={"tracing": False}))
    assert traces_itself(FastAPI())


def test_a_listed_middleware_traces() -> None:
    class OpenTelemetryMiddleware:
        pass

    assert traces_itself(Starlette(middleware=[Middleware(OpenTelemetryMiddleware)]))  # type: ignore[arg-type]
