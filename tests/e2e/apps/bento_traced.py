"""A service that makes spans of its own, and says only when it starts where they go."""

# BentoML is no package of the type checker's.
# mypy: disable-error-code="untyped-decorator"
from __future__ import annotations

import bentoml
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

import dashlight_bentoml


@dashlight_bentoml.watch
@bentoml.service(workers=1, traffic={"timeout": 1})
class Traced:
    """Makes a span of its own in each call."""

    def __init__(self) -> None:
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter()))
        trace.set_tracer_provider(provider)

    @bentoml.api
    async def predict(self, x: float) -> float:
        with trace.get_tracer("app").start_as_current_span("model.score"):
            return 2 * x
