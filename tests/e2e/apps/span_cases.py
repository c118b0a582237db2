"""One request through one way of tracing; prints the spans that the SDK finished, as JSON."""

import asyncio
import json
import sys
from typing import Any

import httpx
from fastapi import FastAPI
from opentelemetry import trace
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware as ContribMiddleware
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.opentelemetry import OpenTelemetryMiddleware as StarletteMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

import dashlight
from dashlight import DashlightMiddleware


async def predict(request: Request) -> JSONResponse:
    """Makes a span of its own inside."""
    await request.json()
    with trace.get_tracer("app").start_as_current_span("model.score"):
        return JSONResponse({"score": 1.0})


async def fail(request: Request) -> JSONResponse:
    """Raises."""
    raise ValueError("no model")


def starlette(*middleware: Any) -> Any:
    """A Starlette app with these middlewares, outermost first."""
    routes = [Route("/p/{x}", predict, methods=["POST"]), Route("/fail", fail, methods=["POST"])]
    return Starlette(routes=routes, middleware=[Middleware(each) for each in middleware])


def fastapi(**options: Any) -> Any:
    """A FastAPI app."""
    app = FastAPI(**options)
    app.add_api_route("/p/{x}", predict, methods=["POST"])
    app.add_api_route("/fail", fail, methods=["POST"])
    return app


def added(app: Any) -> Any:
    """*app* with our middleware in the first place."""
    app.add_middleware(DashlightMiddleware)
    return app


def instrumented(app: Any) -> Any:
    """*app* with contrib's instrumentor."""
    FastAPIInstrumentor.instrument_app(app)
    return app


UNTRACED = {"tracing": False, "metrics": False, "logs": False}
CASES: dict[str, Any] = {
    "sdk provider alone": lambda: dashlight.watch(starlette()),
    "sdk provider alone, added": lambda: added(starlette()),
    "sampled out": lambda: dashlight.watch(starlette()),
    "fastapi traces itself, watched": lambda: dashlight.watch(fastapi()),
    "fastapi traces itself, added": lambda: added(fastapi()),
    "fastapi told not to trace": lambda: dashlight.watch(fastapi(telemetry=UNTRACED)),
    "contrib outside": lambda: ContribMiddleware(dashlight.watch(starlette()), exclude_spans=["send", "receive"]),
    "contrib inside": lambda: dashlight.watch(ContribMiddleware(starlette(), exclude_spans=["send", "receive"])),
    "contrib's instrumentor, watched": lambda: dashlight.watch(instrumented(fastapi())),
    "contrib's instrumentor, added": lambda: instrumented(added(fastapi())),
    "starlette's middleware outside": lambda: starlette(StarletteMiddleware, DashlightMiddleware),
    "starlette's middleware inside": lambda: starlette(DashlightMiddleware, StarletteMiddleware),
    "entered twice": lambda: dashlight.watch(added(starlette())),
}


async def main(case: str, path: str) -> None:
    """Sends one request with a traceparent and prints what was traced."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(sampler=ALWAYS_OFF if case == "sampled out" else ALWAYS_ON)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    transport = httpx.ASGITransport(CASES[case](), raise_app_exceptions=False)
    parent = f"00-{0xABC:032x}-{0xDEF:016x}-01"
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        answer = await client.post(path, headers={"traceparent": parent}, json={"x": 1})
    spans = [
        {
            "name": span.name,
            "kind": span.kind.name,
            "trace_id": span.context.trace_id,
            "span_id": span.context.span_id,
            "parent_id": span.parent.span_id if span.parent else 0,
            "status": span.status.status_code.name,
            "attributes": dict(span.attributes or {}),
        }
        for span in exporter.get_finished_spans()
    ]
    sys.stdout.write(json.dumps({"status": answer.status_code, "spans": spans}))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
