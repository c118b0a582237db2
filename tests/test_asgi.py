"""The front door, as servers and apps meet it."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import MutableMapping
from functools import partial
from typing import Any

import httpx
import pytest
import trio
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket

from dashlight import DashlightMiddleware, watch
from dashlight.records import Exchange
from dashlight.runtime.process import process
from dashlight.serving.access import Access
from dashlight.serving.app import ServedApp
from dashlight.serving.door import Answers

pytestmark = pytest.mark.usefixtures("fresh_process")


async def answer(request: Request) -> PlainTextResponse:
    return PlainTextResponse("ok")


async def echo(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text(await websocket.receive_text())
    await websocket.close()


def captured_count() -> int:
    return process.monitor.capture.inbox.ended_count if process.monitor is not None else 0


def get(app: Any, path: str = "/p", **options: Any) -> httpx.Response:
    async def request() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
            return await client.get(path, **options)

    return asyncio.run(request())


def test_nothing_starts_before_the_first_request() -> None:
    apps = [watch(Starlette(routes=[Route("/p", answer)])) for _ in range(24)]
    before = process.monitor

    get(apps[0])

    assert before is None
    assert process.monitor is not None


def test_a_request_is_watched_once_however_often_it_passes() -> None:
    inner = Starlette(routes=[Route("/p", answer)], middleware=[Middleware(DashlightMiddleware)])
    mounted = Starlette(routes=[Mount("/m", app=watch(inner))], middleware=[Middleware(DashlightMiddleware)])

    assert get(watch(mounted), "/m/p").text == "ok"

    assert captured_count() == 1


def test_excluded_urls_are_counted_and_not_watched() -> None:
    inner = watch(Starlette(routes=[Route("/healthz", answer), Route("/p", answer)]))
    app = watch(Starlette(routes=[Mount("/", app=inner)]))
    get(app, "/p")
    assert process.monitor is not None
    counted: list[Exchange] = []
    process.monitor.capture.inbox.put_excluded = counted.append  # type: ignore[assignment]

    assert get(app, "/healthz?deep=1").text == "ok"

    assert [(each.method, each.status, each.outcome) for each in counted] == [("GET", 200, "ok")]
    assert captured_count() == 1


def test_several_apps_share_the_monitor_of_the_process() -> None:
    one, other = (watch(Starlette(routes=[Route("/p", answer)])) for _ in range(2))

    get(one)
    first = process.monitor
    get(other)

    assert process.monitor is first
    assert captured_count() == 2


def test_watching_twice_is_watching_once() -> None:
    app = watch(Starlette())

    assert watch(app) is app


def test_the_attributes_of_the_app_are_there() -> None:
    inner = Starlette(routes=[Route("/p", answer)])
    inner.state.model = "m"
    app = watch(inner)

    assert app.state.model == "m"
    assert app.routes is inner.routes
    with pytest.raises(AttributeError, match="nothing_of_the_kind"):
        app.nothing_of_the_kind  # type: ignore[attr-defined]  # noqa: B018


def test_a_copy_in_the_making_has_no_attributes_of_an_app_yet() -> None:
    with pytest.raises(AttributeError):
        DashlightMiddleware.__new__(DashlightMiddleware)._wrapped  # noqa: B018


def test_websockets_pass_untouched() -> None:
    app = watch(Starlette(routes=[WebSocketRoute("/ws", echo)]))

    with TestClient(app) as client, client.websocket_connect("/ws") as session:
        session.send_text("hello")
        assert session.receive_text() == "hello"

    assert captured_count() == 0


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_the_lifespan_starts_the_monitor_and_its_end_loses_nothing(backend: Any) -> None:
    app = watch(Starlette(routes=[Route("/p", answer)]))

    with TestClient(app, backend=backend) as client:
        started = process.monitor
        client.get("/p")

    assert started is not None
    assert len(started.capture.inbox) == 0
    assert captured_count() == 1


def test_a_failing_startup_fails_as_it_would_without_us() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise RuntimeError("no database")

    with pytest.raises(RuntimeError, match="no database"), TestClient(watch(app)):
        pass


def test_unknown_kinds_of_scope_pass_untouched() -> None:
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> str:
        seen.extend([scope, receive, send])
        return "value"

    scope, receive, send = {"type": "webtransport"}, object(), object()

    returned = asyncio.run(watch(app)(scope, receive, send))

    assert returned == "value"
    assert seen[0] is scope
    assert seen[1:] == [receive, send]


def test_the_app_s_exception_leaves_as_it_is() -> None:
    error = ValueError("mine")

    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise error

    with pytest.raises(ValueError, match="mine") as caught:
        get(watch(app))

    assert caught.value is error
    assert captured_count() == 1


def test_an_asgi_2_app_is_served() -> None:
    class Double:
        def __init__(self, scope: MutableMapping[str, Any]) -> None:
            self.scope = scope

        async def __call__(self, receive: Any, send: Any) -> None:
            await PlainTextResponse(self.scope["path"])(self.scope, receive, send)

    def single(scope: MutableMapping[str, Any]) -> Double:
        return Double(scope)

    assert get(watch(Double), "/two").text == "/two"
    assert get(watch(single), "/two").text == "/two"


def test_callables_of_odd_signatures_are_taken_for_asgi_3() -> None:
    async def variadic(*args: Any) -> None:
        await PlainTextResponse("variadic")(*args)

    class Unsigned:
        __signature__ = "not a signature"

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            await PlainTextResponse("unsigned")(scope, receive, send)

    async def optional(scope: Any, receive: Any = None, send: Any = None) -> None:
        await PlainTextResponse("optional")(scope, receive, send)

    def synchronous(scope: Any, receive: Any, send: Any) -> Any:
        return PlainTextResponse("synchronous")(scope, receive, send)

    def both(scope: Any, receive: Any = None, send: Any = None, *, extra: Any = None) -> Any:
        return PlainTextResponse("both")(scope, receive, send)

    class Synchronous:
        def __call__(self, scope: Any, receive: Any = None, send: Any = None) -> Any:
            return PlainTextResponse("instance")(scope, receive, send)

    apps = [variadic, Unsigned(), optional, synchronous, both, Synchronous(), partial(both, extra=1)]
    words = ["variadic", "unsigned", "optional", "synchronous", "both", "instance", "both"]
    assert [get(watch(app)).text for app in apps] == words


def test_disabled_means_as_if_it_were_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASHLIGHT_ENABLED", "false")
    scopes: list[MutableMapping[str, Any]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        scopes.append(scope)
        await PlainTextResponse("ok")(scope, receive, send)

    assert get(watch(app)).text == "ok"
    assert process.monitor is None
    assert "dashlight" not in scopes[0]


def test_a_mistake_in_a_setting_is_one_error_and_the_app_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("DASHLIGHT_SAMPLE_RATE", "2")
    app = watch(Starlette(routes=[Route("/p", answer)]))

    with caplog.at_level(logging.ERROR), TestClient(app) as client:
        answers = [client.get("/p").text for _ in range(3)]

    assert answers == ["ok"] * 3
    assert [record.getMessage() for record in caplog.records] == [
        "monitoring is off: DASHLIGHT_SAMPLE_RATE='2': expected a number from 0 to 1"
    ]


@pytest.mark.parametrize(
    ("variable", "value"),
    [("DASHLIGHT_SAMPLE_RATE", "2"), ("DASHLIGHT_REFERENCE", "/nowhere/reference.json"), ("DASHLIGHT_STRICT", "true")],
)
def test_strict_refuses_the_start_for_a_mistake_and_only_then(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv("DASHLIGHT_STRICT", "true")
    monkeypatch.setenv(variable, value)
    sent: list[MutableMapping[str, Any]] = []

    async def lifespan() -> None:
        waiting = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]

        async def receive() -> MutableMapping[str, Any]:
            return waiting.pop(0)

        async def send(message: MutableMapping[str, Any]) -> None:
            sent.append(message)

        await watch(Starlette())({"type": "lifespan", "app": None}, receive, send)

    asyncio.run(lifespan())

    if variable == "DASHLIGHT_STRICT":
        assert sent[0] == {"type": "lifespan.startup.complete"}
    else:
        assert sent[0]["type"] == "lifespan.startup.failed"
        assert sent[0]["message"].startswith(f"Dashlight: {variable}='{value}'")


def test_a_strict_that_cannot_be_read_is_not_strict(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASHLIGHT_STRICT", "perhaps")

    with TestClient(watch(Starlette(routes=[Route("/p", answer)]))) as client:
        assert client.get("/p").text == "ok"

    assert process.refusal is None


def test_trio_serves_requests_too() -> None:
    app = watch(Starlette(routes=[Route("/p", answer)]))

    async def request() -> str:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
            return (await client.get("/p")).text

    assert trio.run(request) == "ok"
    assert captured_count() == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
# From Python 3.12 on a fork beside threads is deprecated; servers do it all the same.
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_starts_a_monitor_of_its_own() -> None:
    app = watch(Starlette(routes=[Route("/p", answer)]))
    get(app)
    parent = process.monitor
    reading, writing = os.pipe()

    child = os.fork()
    if child == 0:  # pragma: no cover - the child does not report its coverage
        try:
            empty = process.monitor is None
            get(app)
            own = process.monitor
            alive = own is not None and own is not parent and own.flush(5) == 0
            os.write(writing, b"own" if empty and alive else b"shared")
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as told:
        said = told.read()
    os.waitpid(child, 0)

    assert said == b"own"
    assert process.monitor is parent


def test_what_is_meant_for_dashlight_reaches_neither_the_app_nor_the_statistics() -> None:
    app = watch(Starlette(routes=[Route("/p", answer), Route("/dashlight/metrics", answer)]))
    get(app)
    assert process.monitor is not None
    assert process.monitor.ready.wait(30)
    process.monitor.answers = Answers("/dashlight")
    process.monitor.answers.open(ServedApp(Access("a-token-of-some-length"), lambda: None))

    answered = get(app, "/dashlight/metrics", headers={"x-dashlight-token": "a-token-of-some-length"})
    refused, passed = get(app, "/dashlight/metrics"), get(app, "/p")

    assert (answered.status_code, answered.text) == (503, "there are no figures yet\n")
    assert refused.status_code == 401
    assert (passed.status_code, passed.text) == (200, "ok")
    assert captured_count() == 2


def test_where_nothing_is_served_the_path_is_the_apps_own() -> None:
    app = watch(Starlette(routes=[Route("/dashlight/board", answer)]))

    assert get(app, "/dashlight/board").text == "ok"
    assert captured_count() == 1
