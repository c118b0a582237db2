"""Routes of every kind in an app of the framework that is installed; prints what Dashlight calls them, as JSON.

python routes_seen.py starlette|fastapi VERSION|newest
"""

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import starlette
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from dashlight import watch
from dashlight.runtime.assembly import assemble
from dashlight.runtime.process import process
from dashlight.testing import MemoryExporter

PATIENCE_SECONDS = 30.0
SCANNER = 40
Asked = tuple[str, str, str]
"""Method, path and root path of the server."""


async def score(request: Request) -> JSONResponse:
    """A model."""
    row = await request.json()
    return JSONResponse({"score": row["age"] / 2})


async def other_score(request: Request) -> JSONResponse:
    """Another model, with other columns."""
    row = await request.json()
    return JSONResponse({"late": row["wind"] > 2})


async def raw(scope: Any, receive: Any, send: Any) -> None:
    """An app that sets no route."""
    await JSONResponse({"raw": 1})(scope, receive, send)


class Hidden:
    """A middleware that does not show the routes of its app."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Hands on."""
        await self.app(scope, receive, send)


def files() -> StaticFiles:
    """Static files, one of which is there."""
    directory = Path(tempfile.mkdtemp())
    (directory / "app.js").write_text("let x = 1")
    return StaticFiles(directory=directory)


def model(path: str, endpoint: Any = score) -> Route:
    """A model at *path*."""
    return Route(path, endpoint, methods=["POST"])


def starlette_app() -> tuple[Any, Mapping[Asked, str]]:
    """An app, and what the endpoints of its requests are called."""
    tenant = Starlette(routes=[model("/predict"), model("/by/{name}")])
    app = Starlette(
        routes=[
            model("/predict"),
            model("/items/{item:int}/of/{shop}"),
            model("/number/{x:float}"),
            model("/any/{p:path}"),
            model("/items/{item}"),
            Mount("/m", routes=[model("/predict"), Mount("/n/{k}", routes=[model("/predict", other_score)])]),
            Mount("/app/{tenant}", app=tenant),
            Mount("/v1", app=tenant),
            Mount("/hidden", app=Hidden(Starlette(routes=[model("/predict")]))),
            Mount("/raw", app=raw),
            Mount("/static", app=files()),
            Mount("/", app=files()),
        ]
    )
    return app, {
        ("POST", "/predict", ""): "/predict",
        ("POST", "/items/7/of/7", ""): "/items/{item}/of/{shop}",
        ("POST", "/items/items", ""): "/items/{item}",
        ("POST", "/number/1.50", ""): "/number/{x}",
        ("POST", "/any/a/b/c", ""): "/any/{p}",
        ("POST", "/any/a", ""): "/any/{p}",
        ("PUT", "/m/predict", ""): "/m/predict",
        ("POST", "/m/predict", ""): "/m/predict",
        ("POST", "/m/n/7/predict", ""): "/m/n/{k}/predict",
        ("POST", "/m/none", ""): "/m/{path}",
        ("POST", "/app/acme/predict", ""): "/app/{tenant}/predict",
        ("POST", "/app/zebra/by/me", ""): "/app/{tenant}/by/{name}",
        ("POST", "/app/acme/none", ""): "/app/{tenant}/{path}",
        ("POST", "/v1/by/you", ""): "/v1/by/{name}",
        ("POST", "/hidden/predict", ""): "/hidden/predict",
        ("POST", "/raw/any/thing", ""): "/raw/{path}",
        ("GET", "/static/app.js", ""): "/static/{path}",
        ("GET", "/static/none.js", ""): "/static/{path}",
        ("GET", "/app.js", ""): "/{path}",
        ("GET", "/none", ""): "/{path}",
        ("POST", f"{ROOT}/app/acme/predict", "/api"): "/api/app/{tenant}/predict",
    }


def fastapi_app() -> tuple[Any, Mapping[Asked, str]]:
    """An app, and what the endpoints of its requests are called."""
    from fastapi import APIRouter, FastAPI

    fraud, churn, shared, inner = APIRouter(), APIRouter(), APIRouter(prefix="/own"), APIRouter()
    fraud.add_api_route("/predict", score, methods=["POST"])
    churn.add_api_route("/predict", other_score, methods=["POST"])
    shared.add_api_route("/predict/{x}", score, methods=["POST"])
    inner.add_api_route("/predict", score, methods=["POST"])
    fraud.include_router(inner, prefix="/inner/{depth}")
    sub = FastAPI()
    sub.include_router(inner, prefix="/below")
    sub.add_api_route("/direct", score, methods=["POST"])
    app = FastAPI()
    app.include_router(fraud, prefix="/fraud")
    app.include_router(churn, prefix="/churn")
    app.include_router(shared, prefix="/v1")
    app.include_router(shared, prefix="/v2/{region}")
    app.add_api_route("/plain/{p:path}", score, methods=["POST"])
    app.mount("/sub", sub)
    app.mount("/tenants/{tenant}", sub)
    app.mount("/static", files())
    return app, {
        ("POST", "/fraud/predict", ""): "/fraud/predict",
        ("POST", "/churn/predict", ""): "/churn/predict",
        ("POST", "/fraud/inner/3/predict", ""): "/fraud/inner/{depth}/predict",
        ("POST", "/v1/own/predict/5", ""): "/v1/own/predict/{x}",
        ("POST", "/v2/eu/own/predict/5", ""): "/v2/{region}/own/predict/{x}",
        ("POST", "/plain/a/b", ""): "/plain/{p}",
        ("GET", "/fraud/predict", ""): "/fraud/predict",
        ("POST", "/sub/direct", ""): "/sub/direct",
        ("POST", "/sub/below/predict", ""): "/sub/below/predict",
        ("POST", "/sub/none", ""): "/sub/{path}",
        ("POST", "/tenants/acme/below/predict", ""): "/tenants/{tenant}/below/predict",
        ("POST", "/tenants/zebra/direct", ""): "/tenants/{tenant}/direct",
        ("POST", "/tenants/zebra/none", ""): "/tenants/{tenant}/{path}",
        ("GET", "/static/app.js", ""): "/static/{path}",
        ("GET", "/static/none.js", ""): "/static/{path}",
        ("GET", "/docs", ""): "/docs",
        ("GET", "/openapi.json", ""): "/openapi.json",
        ("GET", "/sub/docs", ""): "/sub/docs",
        ("POST", "/none", ""): "unmatched",
        ("POST", f"{ROOT}/v1/own/predict/5", "/api"): "/api/v1/own/predict/{x}",
        ("POST", f"{ROOT}/sub/below/predict", "/api"): "/api/sub/below/predict",
    }


async def ask(
    app: Any, method: str, path: str, root_path: str = "", headers: Sequence[tuple[bytes, bytes]] = ()
) -> tuple[int, bytes]:
    """Status and body of one answer, as a server asks."""
    body = json.dumps({"age": 40, "wind": 3}).encode() if method == "POST" else b""
    scope = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "method": method,
        "scheme": "http", "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": root_path,
        "headers": [(b"host", b"test"), (b"content-type", b"application/json"), *headers],
        "client": ("127.0.0.1", 5000), "server": ("127.0.0.1", 8000),
    }  # fmt: skip
    received = [{"type": "http.request", "body": body, "more_body": False}]
    status, pieces = 0, []
    gone = asyncio.Event()

    async def receive() -> dict[str, Any]:
        if received:
            return received.pop()
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        nonlocal status
        status = message.get("status", status)
        pieces.append(message.get("body", b""))

    await app(scope, receive, send)
    return status, b"".join(pieces)


async def main(make: Callable[[], tuple[Any, Mapping[Asked, str]]]) -> dict[str, Any]:
    """Every request once, and a scanner's after them."""
    exporter, spans = MemoryExporter(), InMemorySpanExporter()
    if sys.argv[2] == "newest":
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(spans))
        trace.set_tracer_provider(provider)
    monitor = process.monitor = assemble(os.environ, None, connect=exporter.connect)
    process._tried = True
    assert monitor is not None
    assert monitor.ready.wait(PATIENCE_SECONDS)
    app, expected = make()
    watched = watch(app)
    statuses = [(await ask(watched, *asked))[0] for asked in expected]
    assert monitor.flush(PATIENCE_SECONDS) == 0
    events = sorted(exporter.events("dashlight.prediction"), key=lambda event: float(event["at"]))
    wrong = [
        {"asked": asked, "status": status, "route": event["attributes"]["http.route"], "wanted": wanted}
        for (asked, wanted), status, event in zip(expected.items(), statuses, events, strict=True)
        if event["attributes"]["http.route"] != wanted
        or (asked[0] == "POST" and (status == 200) is ("none" in asked[1]))
    ]
    told = [
        (span.attributes or {}).get("http.route", "unmatched")
        for span in spans.get_finished_spans()
        if span.kind is trace.SpanKind.SERVER and getattr(span.instrumentation_scope, "name", "") == "fastapi"
    ]
    for number in range(SCANNER):
        for path in (f"/wp-{number}.php", f"/static/{number}.js", f"/sub/{number}", f"/app/{number}/x", f"/m/{number}"):
            await ask(watched, "GET", path)
    await asyncio.sleep(1.1)
    assert monitor.flush(PATIENCE_SECONDS) == 0
    token = [(b"authorization", b"Bearer the-token-of-this-test")]
    status, figures = await ask(watched, "GET", "/dashlight/metrics", headers=token)
    counted = {
        line.partition(" ")[0].split('http_route="')[1].partition('"')[0]
        for line in figures.decode().splitlines()
        if line.startswith("dashlight_requests_total")
    }
    differing = [
        (wanted, route) for wanted, route in zip(expected.values(), told, strict=bool(told)) if wanted != route
    ]
    models = {
        wanted
        for (asked, wanted), answered in zip(expected.items(), statuses, strict=True)
        if asked[0] == "POST" and answered == 200
    }
    return {
        "version": version(sys.argv[1]), "asked": len(expected), "wrong": wrong, "spans": len(told), "spans_say": differing,
        "metrics": status, "endpoints": sorted(counted), "models": sorted(models),
    }  # fmt: skip


# Later Starlette wants the root path in the path, as servers now write it.
ROOT = "/api" if tuple(map(int, starlette.__version__.split(".")[:2])) >= (0, 33) else ""

if __name__ == "__main__":
    os.environ |= {
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector",
        "DASHLIGHT_SAMPLE_RATE": "1",
        "DASHLIGHT_PANE": "0.5s",
        "DASHLIGHT_METRICS": "true",
        "DASHLIGHT_TOKEN": "the-token-of-this-test",
    }
    sys.stdout.write(json.dumps(asyncio.run(main(fastapi_app if sys.argv[1] == "fastapi" else starlette_app))))
