"""What is compared: the same app bare, watched by Dashlight in its modes, and instrumented by others."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.model_app import App, model_app

QUEUE = "32768"
"""Room in the SDK's span queue for a whole slice; its default of 2048 drops spans of an app at full speed."""
_RATE = "DASHLIGHT_SAMPLE_RATE"


def _nothing() -> None:
    pass


@dataclass(frozen=True, slots=True)
class Instrumented:
    """An app under measurement, and how to finish the work that it has left to other threads."""

    app: App
    flush: Callable[[], None] = _nothing
    lost: Callable[[], dict[str, int]] = dict
    """What was not measured because it was dropped, by reason."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One row of the table."""

    does: str
    build: Callable[[], Instrumented]
    environ: dict[str, str]
    spans: int = 0
    """Spans that have to arrive at the sink for each request."""
    analysed: bool = False
    """Whether every row has to be analysed."""
    events: int = 0
    """Events that have to arrive at the sink for each request, beside those about the endpoint."""


class LostError(Exception):
    """Something could not be flushed."""


def _bare() -> Instrumented:
    return Instrumented(model_app())


def _dashlight() -> Instrumented:
    from dashlight import DashlightMiddleware

    app = model_app()
    app.add_middleware(DashlightMiddleware)
    warnings = _Warnings()
    logging.getLogger("dashlight").addHandler(warnings)
    return Instrumented(app, flush_dashlight, lambda: lost_by_dashlight() | dict.fromkeys(warnings.texts, 1))


def flush_dashlight() -> None:
    """Waits until Dashlight has analysed and sent all that it has captured."""
    from dashlight.runtime.process import process

    if process.monitor is None or (left := process.monitor.flush(60)):
        raise LostError("Dashlight is not running" if process.monitor is None else f"{left} were not sent in 60 s")


def lost_by_dashlight() -> dict[str, int]:
    """What Dashlight has dropped on the request path, and mistakes of its own."""
    from dashlight.runtime.process import process

    if process.monitor is None:
        return {"Dashlight did not start": 1}
    capture = process.monitor.capture
    return {"inbox full": capture.inbox.dropped_count, **capture.failures}


class _Warnings(logging.Handler):
    """Keeps what Dashlight warns of: alerts, a reduced rate, a sink that refuses."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())


def _dashlight_and_sdk() -> Instrumented:
    provider = _tracer_provider()
    from opentelemetry import trace

    trace.set_tracer_provider(provider)
    watched = _dashlight()

    def flush() -> None:
        watched.flush()
        _force(provider)

    return Instrumented(watched.app, flush, watched.lost)


def _capture_alone() -> Instrumented:
    """The request path and nothing behind it: its inbox is emptied, not analysed. The one that reaches inside."""
    from dashlight.capture.capture import Capture
    from dashlight.capture.inbox import Inbox
    from dashlight.capture.spans import Spans
    from dashlight.capture.tee import Tee
    from dashlight.capture.trace_parent import sampler_from

    inner = model_app()
    spans = Spans("off", exported=False, sampler=sampler_from({}), version="")
    capture = Capture(Inbox(), spans, max_body=256 * 2**10)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        tee = Tee(capture, scope, receive, send)
        try:
            await inner(scope, tee.receive, tee.send)
        finally:
            tee.close()
        if len(capture.inbox) >= 256:
            capture.inbox.take()

    return Instrumented(app, lost=lambda: {"inbox full": capture.inbox.dropped_count, **capture.failures})


def _otel_asgi() -> Instrumented:
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

    tracers = _tracer_provider()
    meters = MeterProvider([PeriodicExportingMetricReader(OTLPMetricExporter())])
    app = OpenTelemetryMiddleware(model_app(), tracer_provider=tracers, meter_provider=meters)

    def flush() -> None:
        _force(tracers)
        _force(meters)

    return Instrumented(app, flush)


def _tracer_provider() -> Any:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider


def _force(provider: Any) -> None:
    if not provider.force_flush(60_000):
        raise LostError(f"{type(provider).__name__} could not be flushed")


def _prometheus() -> Instrumented:
    from prometheus_fastapi_instrumentator import Instrumentator

    app = model_app()
    Instrumentator().instrument(app)
    return Instrumented(app)


def variants(sink: str, reference: Path) -> dict[str, Variant]:
    """All of them by name; each posts to a path of its own at *sink*, and is to run in a process of its own."""
    watched = {
        "DASHLIGHT_REFERENCE": str(reference),
        "DASHLIGHT_CPU": "100%",
        "DASHLIGHT_SAMPLE_RATE": "0.01",
        "DASHLIGHT_STRICT": "true",
        # Five times faster than by default, so that a report of all rows arrives within every run.
        "DASHLIGHT_PANE": "2s",
    }

    def to(name: str) -> dict[str, str]:
        return {"OTEL_EXPORTER_OTLP_ENDPOINT": f"{sink}/{name}", "OTEL_SERVICE_NAME": "benchmark"}

    sdk = {"OTEL_BSP_MAX_QUEUE_SIZE": QUEUE}
    everything = "both bodies, drift of 37 columns on every row, 1 % events"
    own = {**watched, "DASHLIGHT_SPANS": "own"}
    unspanned = {**watched, "DASHLIGHT_SPANS": "off"}
    return {
        "bare": Variant("nothing: the noise of the method", _bare, {}),
        "own": Variant(
            f"{everything}, own span, 100 % exported",
            _dashlight,
            own | to("own"),
            spans=1,
            analysed=True,
        ),
        "payloads": Variant(
            "as own, and features and outputs in the events, redacted",
            _dashlight,
            own | to("payloads") | {"DASHLIGHT_PAYLOADS": "features"},
            spans=1,
            analysed=True,
        ),
        "sdk": Variant(
            f"{everything}, span by the host's SDK",
            _dashlight_and_sdk,
            watched | to("sdk") | sdk,
            spans=1,
            analysed=True,
        ),
        "no-spans": Variant(
            everything, _dashlight, watched | to("no-spans") | {"DASHLIGHT_SPANS": "off"}, analysed=True
        ),
        "events-none": Variant("no events, no spans", _dashlight, unspanned | to("events-none") | {_RATE: "0"}),
        "events-off": Variant(
            "as events-none, and an event of every exchange, without payload",
            _dashlight,
            unspanned | to("events-off") | {_RATE: "1"},
            events=1,
        ),
        "events-features": Variant(
            "the same with features and outputs, redacted",
            _dashlight,
            unspanned | to("events-features") | {_RATE: "1", "DASHLIGHT_PAYLOADS": "features"},
            events=1,
        ),
        "capture": Variant("both bodies kept and let go: the request path alone", _capture_alone, {}),
        "otel-asgi": Variant(
            "opentelemetry-instrumentation-asgi: 4 spans, metrics", _otel_asgi, to("otel-asgi") | sdk, spans=4
        ),
        "prometheus": Variant("prometheus-fastapi-instrumentator: metrics, not exported", _prometheus, {}),
    }
