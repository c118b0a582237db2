"""Ray Serve's proxy behind Dashlight, against a stand-in that does with the hook and the scope what Ray 2.60.0 does.

The real one is asked in tests/e2e/test_ray_serve.py. Of ray/serve/_private the stand-in follows: http_util.py
(`validate_http_proxy_callback_return`, `_apply_middlewares`), proxy.py (`HTTPProxy._get_response_handler_info`,
`not_found_response`, `proxy_asgi_receive`) and proxy_request_response.py (`ASGIProxyRequest.serialized_replica_arg`).
"""

from __future__ import annotations

import asyncio
import json
import os
import pickle
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket

from dashlight import DashlightMiddleware, hand_over
from dashlight.runtime.assembly import assemble
from dashlight.runtime.process import process
from dashlight.testing import MemoryExporter
from dashlight_ray import WatchedProxy, middlewares
from dashlight_ray.proxy import ray_route

PATIENCE_SECONDS = 20.0
IMPORT_PATH = "dashlight_ray:middlewares"
ASGIApp = Callable[[Any, Any, Any], Awaitable[Any]]


class Ray:
    """A proxy that routes by prefix and sends the pickled scope to a replica, which runs an app of its own."""

    def __init__(self, deployments: Mapping[str, ASGIApp]) -> None:
        self._deployments = deployments
        self.sent: list[bytes] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serves one connection, as `HTTPProxy` does."""
        path = scope["path"][len(scope.get("root_path", "")) :]
        matched = next((prefix for prefix in self._deployments if prefix in {path, "/"}), None)
        if matched is None:
            await JSONResponse(f"Path '{path}' not found.", status_code=404)(scope, receive, send)
            return
        if matched != "/":
            scope["root_path"] = scope.get("root_path", "") + matched
        self.sent.append(pickle.dumps({key: value for key, value in scope.items() if key not in IN_A_TEST}))
        messages: asyncio.Queue[Any] = asyncio.Queue()
        fetching = asyncio.ensure_future(fetched(receive, messages))
        try:
            await self._deployments[matched](pickle.loads(self.sent[-1]), messages.get, send)
        finally:
            fetching.cancel()


IN_A_TEST = {"app", "state", "extensions", "http_version_info"}
"""What Starlette's test client adds to a scope, and uvicorn does not."""


async def fetched(receive: Any, messages: asyncio.Queue[Any]) -> None:
    while True:
        message = await receive()
        await messages.put(message)
        if message["type"] in {"http.disconnect", "websocket.disconnect"}:
            return


def behind(proxy: ASGIApp, given: list[Middleware]) -> Any:
    """What Ray starts its server with, once it has checked what the callback has *given*."""
    assert isinstance(given, list)
    assert all(issubclass(type(each), Middleware) for each in given)
    app: Any = proxy
    for each in given:
        app = each.cls(app, *each.args, **each.kwargs)
    return app


def called(import_path: str) -> Any:
    module, _, name = import_path.partition(":")
    return getattr(import_module(module), name)()


async def petal(scope: Any, receive: Any, send: Any) -> None:
    row = await Request(scope, receive).json()
    await JSONResponse({"length": row["sepal"] / 2})(scope, receive, send)


async def price(scope: Any, receive: Any, send: Any) -> None:
    row = await Request(scope, receive).json()
    await JSONResponse({"price": row["rooms"] * 100.0})(scope, receive, send)


async def broken(scope: Any, receive: Any, send: Any) -> None:
    raise RuntimeError("the replica is gone")


@pytest.fixture
def exporter(fresh_process: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[MemoryExporter]:
    """What the Monitor of this process sends, spans too."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector")
    monkeypatch.setenv("DASHLIGHT_SAMPLE_RATE", "1")
    monkeypatch.setenv("DASHLIGHT_PAYLOADS", "features")
    made = MemoryExporter()
    process.monitor = assemble(os.environ, None, connect=made.connect)
    assert process.monitor is not None
    assert process.monitor.ready.wait(PATIENCE_SECONDS)
    yield made
    process.monitor.close()


def seen(exporter: MemoryExporter) -> list[tuple[Any, ...]]:
    """Endpoint, features and outputs of every event."""
    assert process.monitor is not None
    assert process.monitor.flush(PATIENCE_SECONDS) == 0
    events = sorted(exporter.events("dashlight.prediction"), key=lambda event: float(event["at"]))
    names = ("http.route", "dashlight.inputs", "dashlight.outputs")
    return [tuple(event["attributes"].get(name) for name in names) for event in events]


def test_every_deployment_is_an_endpoint_with_columns_of_its_own(exporter: MemoryExporter) -> None:
    ray = Ray({"/petal": petal, "/price": price})
    client = TestClient(behind(ray, called(IMPORT_PATH)))

    answers = [client.post("/petal", json={"sepal": 3}).json(), client.post("/price", json={"rooms": 2}).json()]

    assert answers == [{"length": 1.5}, {"price": 200.0}]
    assert seen(exporter) == [("/petal", {"sepal": 3}, {"length": 1.5}), ("/price", {"rooms": 2}, {"price": 200.0})]


def test_the_scope_that_ray_pickles_says_no_more_than_that_it_is_watched(exporter: MemoryExporter) -> None:
    ray = Ray({"/petal": petal})

    TestClient(behind(ray, called(IMPORT_PATH))).post("/petal", json={"sepal": 3})

    sent = pickle.loads(ray.sent[0])
    assert sent["dashlight"] == "watched"
    assert (sent["path"], sent["root_path"]) == ("/petal", "/petal")


def test_a_replica_that_is_watched_too_counts_nothing_twice(exporter: MemoryExporter) -> None:
    taken: list[bool] = []

    async def handing_over(scope: Any, receive: Any, send: Any) -> None:
        taken.append(hand_over(scope, outputs={"length": 7.0}))
        await petal(scope, receive, send)

    ray = Ray({"/petal": DashlightMiddleware(handing_over)})

    TestClient(behind(ray, called(IMPORT_PATH))).post("/petal", json={"sepal": 3})

    assert taken == [False]
    assert seen(exporter) == [("/petal", {"sepal": 3}, {"length": 1.5})]


def test_a_request_that_no_deployment_takes_is_of_no_route(exporter: MemoryExporter) -> None:
    client = TestClient(behind(Ray({"/petal": petal}), called(IMPORT_PATH)))

    status = client.get("/nowhere").status_code

    assert status == 404
    assert [route for route, *_ in seen(exporter)] == ["unmatched"]


def test_a_request_that_ends_without_an_answer_is_a_failure_of_its_deployment(exporter: MemoryExporter) -> None:
    client = TestClient(behind(Ray({"/petal": broken}), called(IMPORT_PATH)))

    with pytest.raises(RuntimeError, match="the replica is gone"):
        client.post("/petal", json={"sepal": 3})

    assert [route for route, *_ in seen(exporter)] == ["/petal"]


@pytest.mark.parametrize(("told", "route"), [("/flowers/{name}", "/flowers/{name}"), ("", "unmatched")])
def test_a_route_that_ray_tells_is_the_endpoint(exporter: MemoryExporter, told: str, route: str) -> None:
    app = WatchedProxy(Ray({"/": petal}), route=lambda: told)

    TestClient(app).post("/flowers/iris", json={"sepal": 3})

    assert [route for route, *_ in seen(exporter)] == [route]


def test_a_websocket_goes_by_untouched(exporter: MemoryExporter) -> None:
    scopes: list[Any] = []

    async def echo(socket: WebSocket) -> None:
        scopes.append(socket.scope)
        await socket.accept()
        await socket.send_text(await socket.receive_text())
        await socket.close()

    client = TestClient(behind(Starlette(routes=[WebSocketRoute("/echo", echo)]), called(IMPORT_PATH)))

    with client.websocket_connect("/echo") as socket:
        socket.send_text("hello")
        heard = socket.receive_text()

    assert heard == "hello"
    assert "dashlight" not in scopes[0]
    assert seen(exporter) == []


def test_where_monitoring_is_off_the_proxy_gets_the_scope_of_the_server(
    fresh_process: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DASHLIGHT_ENABLED", "false")
    scopes: list[Any] = []

    async def proxy(scope: Any, receive: Any, send: Any) -> None:
        scopes.append(scope)
        await petal(scope, receive, send)

    scope = {"type": "http", "method": "POST", "path": "/petal", "query_string": b"", "headers": []}
    asyncio.run(once(behind(proxy, called(IMPORT_PATH)), scope))

    assert scopes[0] is scope


async def once(app: ASGIApp, scope: Any) -> None:
    async def receive() -> Any:
        return {"type": "http.request", "body": json.dumps({"sepal": 3}).encode()}

    async def send(message: Any) -> None:
        pass

    await app(scope, receive, send)


def test_a_proxy_is_named_for_what_it_serves(fresh_process: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "application", "")

    middlewares()

    assert process.application == "ray-serve"


def test_without_ray_there_is_no_route_to_tell() -> None:
    assert "ray" not in sys.modules
    assert ray_route() == ""


@pytest.mark.parametrize(
    ("context", "route"),
    [
        ("class Asked:\n    route = '/flowers/{name}'\n\n_get_serve_request_context = Asked", "/flowers/{name}"),
        ("", ""),
    ],
    ids=["as in Ray 2.60", "where Ray has renamed it"],
)
def test_the_route_is_the_one_that_ray_logs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, context: str, route: str
) -> None:
    package = tmp_path / "ray" / "serve"
    package.mkdir(parents=True)
    (package / "context.py").write_text(context)
    monkeypatch.syspath_prepend(str(tmp_path))

    try:
        assert ray_route() == route
    finally:
        for name in ("ray.serve.context", "ray.serve", "ray"):
            del sys.modules[name]


@pytest.fixture
def excluding(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, str]]:
    """Excludes a deployment, once a Monitor is made; what is counted of it."""
    monkeypatch.setenv("DASHLIGHT_EXCLUDED_URLS", "^/petal")
    return []


def test_of_a_deployment_that_is_excluded_only_the_requests_are_counted(
    excluding: list[tuple[int, str]], exporter: MemoryExporter
) -> None:
    assert process.monitor is not None
    process.monitor.capture.inbox.put_excluded = lambda ended: excluding.append((ended.status, ended.outcome))  # type: ignore[assignment]
    client = TestClient(behind(Ray({"/petal": petal, "/price": price}), called(IMPORT_PATH)))

    assert client.post("/petal", json={"sepal": 3}).json() == {"length": 1.5}
    client.post("/price", json={"rooms": 2})

    assert excluding == [(200, "ok")]
    assert seen(exporter) == [("/price", {"rooms": 2}, {"price": 200.0})]
    assert len(exporter.spans) == 1
