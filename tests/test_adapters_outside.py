"""What an adapter knows of the end of an exchange, and exchanges that never pass the middleware."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import Decision, StaticSampler

from dashlight import DashlightMiddleware, adopt_spans, hand_over, note_loss, record
from dashlight.adapters import MOST_BYTES, TOO_LARGE
from dashlight.records import Exchange
from dashlight.runtime.assembly import assemble
from dashlight.runtime.monitor import Monitor
from dashlight.runtime.process import process
from dashlight.testing import MemoryExporter

PATIENCE_SECONDS = 20.0
Act = Callable[[dict[str, Any]], Awaitable[object]]
CALLER = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
SCOPE = {"type": "http", "method": "POST", "path": "/predict", "headers": [], "endpoint": object()}


class Server:
    """A server whose one app does what it is told, watched, with a collector in memory."""

    def __init__(self) -> None:
        self.exporter = MemoryExporter()
        monitor = assemble(os.environ, None, connect=self.exporter.connect)
        assert monitor is not None
        self.monitor: Monitor = monitor
        assert monitor.ready.wait(PATIENCE_SECONDS)

    def request(self, act: Act, *, status: int = 200, headers: tuple[tuple[bytes, bytes], ...] = ()) -> None:
        """One request, while which *act* is called with the scope; what it raises is caught."""

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await act(scope)
            await send({"type": "http.response.start", "status": status, "headers": []})
            await send({"type": "http.response.body", "body": b"[1]"})

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b""}

        async def send(message: Any) -> None:
            pass

        async def served() -> None:
            scope = {**SCOPE, "query_string": b"", "headers": list(headers)}
            with suppress(asyncio.CancelledError):
                await DashlightMiddleware(app)(scope, receive, send)

        asyncio.run(served())

    def events(self) -> list[dict[str, Any]]:
        """The events of predictions."""
        assert self.monitor.flush(PATIENCE_SECONDS) == 0
        return self.exporter.events("dashlight.prediction")

    def event(self) -> dict[str, Any]:
        """The attributes of the one event."""
        (event,) = self.events()
        attributes: dict[str, Any] = event["attributes"]
        return attributes

    def span(self) -> dict[str, Any]:
        """The one span."""
        assert self.monitor.flush(PATIENCE_SECONDS) == 0
        (span,) = self.exporter.spans
        return span


@pytest.fixture
def server(fresh_process: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """The Monitor of this process, with everything that may leave it."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector")
    for name, value in {"SAMPLE_RATE": "1", "PAYLOADS": "features"}.items():
        monkeypatch.setenv(f"DASHLIGHT_{name}", value)
    made = Server()
    process.monitor = made.monitor
    yield made
    made.monitor.close()


def outcome(event: dict[str, Any]) -> tuple[object, object]:
    return event.get("http.response.status_code"), event["dashlight.outcome"]


async def cancelled() -> None:
    raise asyncio.CancelledError


def test_what_the_client_is_told_from_outside_goes_before_a_cancellation(server: Server) -> None:
    async def act(scope: dict[str, Any]) -> None:
        hand_over(scope, inputs={"age": 1}, status=504, error="TimeoutError")
        await cancelled()

    server.request(act)

    assert outcome(server.event()) == (504, "error")
    assert server.span()["attributes"]["error.type"] == "TimeoutError"


def test_without_that_a_cancellation_stays_one(server: Server) -> None:
    async def act(scope: dict[str, Any]) -> None:
        await cancelled()

    server.request(act)

    assert outcome(server.event()) == (None, "cancelled")


def test_what_the_client_is_told_from_outside_goes_before_an_answer_that_comes_too_late(server: Server) -> None:
    async def act(scope: dict[str, Any]) -> None:
        hand_over(scope, status=429)

    server.request(act, status=503)

    assert outcome(server.event()) == (429, "ok")


def test_an_exception_that_the_server_has_made_an_answer_of_is_told(server: Server) -> None:
    async def act(scope: dict[str, Any]) -> None:
        hand_over(scope, error="LookupError")
        hand_over(scope, inputs={"age": 1})

    server.request(act, status=500)

    assert outcome(server.event()) == (500, "error")
    assert server.span()["attributes"]["error.type"] == "LookupError"


def test_it_is_told_on_the_span_of_the_host_too(server: Server) -> None:
    tracer = TracerProvider().get_tracer("host")

    async def act(scope: dict[str, Any]) -> None:
        hand_over(scope, error="LookupError")

    with tracer.start_as_current_span("POST /predict") as span:
        server.request(act, status=500)

    assert span.attributes["error.type"] == "LookupError"  # type: ignore[attr-defined]
    assert span.attributes["dashlight.outcome"] == "error"  # type: ignore[attr-defined]


def test_an_exchange_that_did_not_pass_is_recorded_as_it_was(server: Server) -> None:
    taken = record(
        SCOPE,
        status=200,
        duration_seconds=2.5,
        inputs={"age": 40},
        outputs={"score": 0.5},
        model="churn",
        version="7",
    )

    event = server.event()
    assert taken
    assert outcome(event) == (200, "ok")
    assert (event["dashlight.inputs"], event["dashlight.outputs"]) == ({"age": 40}, {"score": 0.5})
    assert (event["dashlight.model.name"], event["dashlight.model.version"]) == ("churn", "7")
    assert event["http.route"] == "/predict"
    assert event["dashlight.duration"] == pytest.approx(2.5, abs=0.1)


def test_one_that_was_refused_needs_no_values(server: Server) -> None:
    assert record(SCOPE, status=503, duration_seconds=0.0, error="Overloaded")

    assert outcome(server.event()) == (503, "error")
    assert server.span()["attributes"]["error.type"] == "Overloaded"


def test_recording_within_a_watched_request_is_an_exchange_beside_it(server: Server) -> None:
    async def act(scope: dict[str, Any]) -> None:
        record(scope, status=429, duration_seconds=0.0)

    server.request(act)

    assert sorted(outcome(each["attributes"]) for each in server.events()) == [(200, "ok"), (429, "ok")]


def test_of_what_is_excluded_only_the_request_is_recorded(server: Server) -> None:
    inbox = server.monitor.capture.inbox
    counted: list[Exchange] = []
    inbox.put_excluded = counted.append  # type: ignore[assignment]

    assert not record({**SCOPE, "path": "/healthz"}, status=503, duration_seconds=2.0, inputs={"a": 1}, error="Busy")

    (exchange,) = counted
    assert (exchange.status, exchange.error, exchange.handed) == (503, "Busy", None)
    assert exchange.duration_seconds == pytest.approx(2.0, abs=0.1)
    assert server.events() == []


def test_too_large_a_value_is_not_recorded_and_counted(server: Server) -> None:
    assert not record(SCOPE, status=200, duration_seconds=0.0, inputs=np.zeros(MOST_BYTES))

    assert server.monitor.capture.failures == {TOO_LARGE: 1}


def test_a_mistake_of_the_adapter_while_recording_never_reaches_the_host(server: Server) -> None:
    assert not record({"type": "http"}, status=200, duration_seconds=0.0)
    assert not record(SCOPE, status="no", duration_seconds=0.0)  # type: ignore[arg-type]

    assert server.monitor.capture.failures == {"KeyError": 1, "ValueError": 1}


def test_a_loss_that_an_integration_notes_is_counted(server: Server) -> None:
    note_loss("columns_unequal")
    note_loss("columns_unequal")

    assert server.monitor.capture.failures == {"columns_unequal": 2}


def test_without_a_monitor_nothing_is_recorded_or_adopted(fresh_process: None) -> None:
    note_loss("columns_unequal")

    assert not record(SCOPE, status=200, duration_seconds=0.0)
    assert not adopt_spans()


def unsampled() -> trace.Tracer:
    return TracerProvider(sampler=StaticSampler(Decision.RECORD_ONLY)).get_tracer("host")


def test_an_adopted_span_has_the_ids_of_the_hosts_and_its_caller_and_is_sampled_below(server: Server) -> None:
    below: list[trace.SpanContext] = []

    async def act(scope: dict[str, Any]) -> None:
        below.append(trace.get_current_span().get_span_context())

    assert adopt_spans()
    caller = trace.SpanContext(0x0AF7651916CD43DD8448EB211C80319C, 0xB7AD6B7169203331, True, trace.TraceFlags(1))
    context = trace.set_span_in_context(trace.NonRecordingSpan(caller))
    with unsampled().start_as_current_span("POST /predict", context=context) as host:
        server.request(act, headers=((b"traceparent", CALLER),))

    ids, span = host.get_span_context(), server.span()
    assert (span["trace_id"], span["span_id"]) == (f"{ids.trace_id:032x}", f"{ids.span_id:016x}")
    assert span["parent_span_id"] == "b7ad6b7169203331"
    assert not ids.trace_flags.sampled
    assert [(each.span_id, each.trace_flags.sampled) for each in below] == [(ids.span_id, True)]


def test_an_adopted_span_is_a_root_where_the_host_has_not_followed_the_caller(server: Server) -> None:
    async def act(scope: dict[str, Any]) -> None:
        pass

    adopt_spans()
    with unsampled().start_as_current_span("POST /predict"):
        server.request(act, headers=((b"traceparent", CALLER),))

    assert server.span()["parent_span_id"] == ""


def test_a_host_whose_spans_arrive_keeps_them(server: Server) -> None:
    async def act(scope: dict[str, Any]) -> None:
        pass

    adopt_spans()
    assert not adopt_spans(adopts=False)
    with unsampled().start_as_current_span("POST /predict") as host:
        server.request(act)

    assert host.attributes["dashlight.outcome"] == "ok"  # type: ignore[attr-defined]
    assert server.monitor.flush(PATIENCE_SECONDS) == 0
    assert server.exporter.spans == []


@pytest.mark.parametrize("spans", ["enrich", "off", "server", "own"])
def test_only_auto_adopts(fresh_process: None, monkeypatch: pytest.MonkeyPatch, spans: str) -> None:
    monkeypatch.setenv("DASHLIGHT_SPANS", spans)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector")
    made = Server()
    process.monitor = made.monitor

    assert not adopt_spans()


def test_what_is_recorded_belongs_to_the_current_span_even_where_that_has_ended(server: Server) -> None:
    with TracerProvider().get_tracer("theirs").start_as_current_span("theirs", end_on_exit=False) as span:
        span.end()
        assert record(SCOPE, status=200, duration_seconds=0.1)

    ids = span.get_span_context()
    (event,) = server.events()
    assert (event["trace_id"], event["span_id"]) == (f"{ids.trace_id:032x}", f"{ids.span_id:016x}")
