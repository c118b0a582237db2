"""An app that reads its body and makes a span of its own, with or without a TracerProvider of the user's."""

import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from starlette.middleware.opentelemetry import OpenTelemetryMiddleware

import dashlight

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

traced_by = os.environ["TRACED_BY"]
if traced_by != "dashlight":
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(), schedule_delay_millis=100))
    trace.set_tracer_provider(provider)
tracer = trace.get_tracer("app")


async def score(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
    """Answers with a score once it has read the body, all of it below a span of its own."""
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return
    with tracer.start_as_current_span("score"):
        while (await receive()).get("more_body"):
            pass
        headers = [(b"content-length", b"11"), (b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b'{"score":1}'})


app: Any = dashlight.watch(OpenTelemetryMiddleware(score) if traced_by == "app" else score)
