from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import SpanContext, SpanKind

from dashlight.capture.inside import Inside
from dashlight.capture.spans import Opened, Spans
from dashlight.capture.trace_parent import sampler_from


class OpenTelemetryMiddleware:
    """Called as those of contrib and of Starlette are."""

    def __init__(self, app: object) -> None:
        self.app = app


async def plain(scope: Any, receive: Any, send: Any) -> None:
    pass


def described() -> tuple[str, dict[str, Any]]:
    return "POST", {}


@pytest.fixture
def spans() -> Spans:
    """`auto` under a provider that is configured for these spans alone."""
    made = Spans("auto", exported=False, sampler=sampler_from({}), version="0")
    made._provider = TracerProvider()
    made._tracer = made._provider.get_tracer("test")
    return made


@pytest.fixture
def choice(spans: Spans) -> Callable[..., str]:
    """Who makes the span of a request to an app of which this is known."""

    def choose(inside: Inside | None) -> str:
        opened = spans.open((), (), described, inside)
        if opened.token is not None:
            from opentelemetry.context import detach

            detach(opened.token)
        return opened.choice

    return choose


def test_each_app_of_a_process_is_judged_by_itself(choice: Callable[..., str]) -> None:
    tracing, silent = Inside(OpenTelemetryMiddleware(plain)), Inside(plain)

    choices = [choice(tracing), choice(silent), choice(tracing)]

    assert choices == ["inner", "server", "inner"]


def test_an_app_is_looked_at_once_for_each_provider() -> None:
    app = OpenTelemetryMiddleware(plain)
    inside, first, second = Inside(app), TracerProvider(), TracerProvider()

    before = inside.traces_itself(first)
    type(app).__name__ = "SomethingElse"
    same, other = inside.traces_itself(first), inside.traces_itself(second)
    type(app).__name__ = "OpenTelemetryMiddleware"

    assert (before, same, other) == (True, True, False)


def test_a_server_span_seen_below_ours_is_learned_for_that_app_alone(spans: Spans, choice: Callable[..., str]) -> None:
    seen, other = Inside(plain), Inside(plain)
    assert choice(seen) == "server"
    ours = SpanContext(1, 2, False, trace.TraceFlags(1))
    below = TracerProvider().get_tracer("app").start_span(
        "GET", trace.set_span_in_context(trace.NonRecordingSpan(ours)), SpanKind.SERVER
    )  # fmt: skip

    spans.note_inner(below, Opened("server", 1, 2, 1, inside=seen))

    assert [choice(seen), choice(other)] == ["inner", "server"]


def test_an_app_that_is_not_named_is_the_one_that_was_looked_around_for(choice: Callable[..., str]) -> None:
    assert choice(None) == "server"
