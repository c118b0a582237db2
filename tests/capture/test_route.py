"""Endpoints are templates, never paths."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import MutableMapping
from types import SimpleNamespace
from typing import Annotated, Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from litestar import Litestar, asgi, get
from litestar.params import PathParameter
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Host, Match, Mount, Route, Router

from dashlight.capture.route import OTHER, UNMATCHED, RouteNames, route_of


async def answer(request: Request) -> PlainTextResponse:
    return PlainTextResponse("x")


async def another(request: Request) -> PlainTextResponse:
    return PlainTextResponse("y")


@get("/items/{item:int}", sync_to_thread=False)
def litestar_answer(item: Annotated[int, PathParameter()]) -> int:
    return item


async def raw(scope: Any, receive: Any, send: Any) -> None:
    await PlainTextResponse("raw")(scope, receive, send)


class Hidden:
    """A middleware that does not show the routes of its app."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)


class Closed(Hidden):
    """One that shows nothing at all."""

    def __init__(self, app: Any) -> None:
        self._hidden = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self._hidden(scope, receive, send)


def fastapi_app() -> FastAPI:
    router = APIRouter(prefix="/pre")
    router.add_api_route("/it/{number}", answer)
    router.mount("/files/{kind}", raw)
    router.routes.append(Route("/plain", answer))
    app = FastAPI()
    app.include_router(router)
    app.include_router(router, prefix="/again/{year}")
    app.mount("/sub", Starlette(routes=[Route("/b/{y}", answer)]))
    return app


def mounting_itself() -> Starlette:
    app = Starlette(routes=[Route("/x", answer)])
    app.mount("/self", app)
    return app


INNER = Starlette(routes=[Route("/z", answer), Route("/by/{x}", answer)])
STARLETTE = Starlette(
    routes=[
        Route("/a/{x:int}", answer),
        Route("/a/{x:int}/{y:path}", answer, methods=["GET", "POST"]),
        Mount("/m", routes=[Route("/b/{y}", answer), Mount("/n", app=INNER)]),
        Mount("/app/{tenant}", app=INNER),
        Mount("/raw", app=raw),
        Mount("/hidden", app=Hidden(Hidden(Starlette(routes=[Route("/z", another)])))),
        Mount("/closed", app=Closed(FastAPI())),
        Host("models.example", app=Router([Route("/hosted/{x}", answer)])),
    ]
)


@pytest.mark.parametrize(
    ("app", "path", "route"),
    [
        (STARLETTE, "/a/1", "/a/{x}"),
        (STARLETTE, "/a/1/1/1", "/a/{x}/{y}"),
        (STARLETTE, "/m/b/2", "/m/b/{y}"),
        (STARLETTE, "/m/n/z", "/m/n/z"),
        (STARLETTE, "/m/nothing/7", "/m/{path}"),
        (STARLETTE, "/app/acme/by/acme", "/app/{tenant}/by/{x}"),
        (STARLETTE, "/app/acme/nothing", "/app/{tenant}/{path}"),
        (STARLETTE, "/raw/anything/7", "/raw/{path}"),
        (STARLETTE, "/hidden/z", "/hidden/z"),
        (STARLETTE, "/closed/docs", "/closed/{path}"),
        (STARLETTE, "/nowhere", "unmatched"),
        (STARLETTE, "http://models.example/hosted/7", "/hosted/{x}"),
        (Starlette(routes=[Mount("/", app=raw)]), "/any/thing", "/{path}"),
        (mounting_itself(), "/self/self/x", "/self/self/x"),
        (fastapi_app(), "/pre/it/3", "/pre/it/{number}"),
        (fastapi_app(), "/again/1999/pre/it/3", "/again/{year}/pre/it/{number}"),
        (fastapi_app(), "/again/1999/plain", "/again/{year}/plain"),
        (fastapi_app(), "/again/1999/files/js/a/b", "/again/{year}/files/{kind}/{path}"),
        (fastapi_app(), "/sub/b/3", "/sub/b/{y}"),
        (fastapi_app(), "/docs", "/docs"),
        (Litestar([litestar_answer]), "/items/7", "/items/{item}"),
        (Litestar([asgi("/below", is_mount=True, copy_scope=True)(raw)]), "/below/7", "unmatched"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_frameworks_leave_their_template_in_the_scope(app: Any, path: str, route: str) -> None:
    assert seen(app, path) == [route]


def test_what_is_below_a_root_path_is_told_with_it_as_by_fastapis_own_span() -> None:
    assert seen(fastapi_app(), "/api/pre/it/3", root_path="/api") == ["/api/pre/it/{number}"]
    assert seen(fastapi_app(), "/api/sub/b/3", root_path="/api") == ["/api/sub/b/{y}"]


def test_routes_that_are_added_while_the_app_serves_are_found() -> None:
    app = Starlette(routes=[Route("/first", answer)])
    seen(app, "/first")

    routes = []
    for number in range(4):
        app.mount(f"/late/{number}", Router([Route("/{x}", PlainTextResponse("late"))]))
        routes += seen(app, f"/late/{number}/7")

    assert routes == [f"/late/{number}/{{x}}" for number in range(4)]


def test_routes_of_a_kind_of_their_own_are_passed_over() -> None:
    class Odd(BaseRoute):
        def matches(self, scope: Any) -> Any:
            return Match.NONE, {}

    assert seen(Starlette(routes=[Odd(), Route("/p/{x}", answer)]), "/p/7") == ["/p/{x}"]


def test_apps_by_the_dozen_are_told_apart() -> None:
    apps = [Starlette(routes=[Route(f"/p{number}/{{x}}", answer)]) for number in range(12)]

    assert [seen(app, f"/p{number}/7") for number, app in enumerate(apps)] == [[f"/p{n}/{{x}}"] for n in range(12)]


def test_an_endpoint_that_no_route_is_known_for_is_unmatched() -> None:
    app = Starlette(routes=[Route("/first", answer)])

    async def sent_elsewhere(scope: Any, receive: Any, send: Any) -> None:
        await app(scope, receive, send)
        scope["endpoint"] = object()
        scope.pop("route", None)

    assert [seen(sent_elsewhere, "/first") for _ in range(5)] == [["unmatched"]] * 5


@pytest.mark.parametrize(
    ("scope", "route"),
    [
        pytest.param(
            {"endpoint": answer, "path": "/u/7/x", "path_params": {"user": 7}}, "/u/{user}/x", id="parameters"
        ),
        pytest.param(
            {"endpoint": answer, "path": "/u/a/b/a", "path_params": {"p": "a/b", "q": "a"}}, "/u/{p}/{q}", id="a path"
        ),
        pytest.param(
            {"endpoint": answer, "path": "/u/u", "path_params": {"u": "u"}}, "/u/{u}", id="named like its value"
        ),
        pytest.param({"endpoint": answer, "path": "/x/1.50", "path_params": {"x": 1.5}}, "unmatched", id="converted"),
        pytest.param({"endpoint": answer, "path": "/u/7"}, "/u/7", id="no parameters"),
        pytest.param({"route": SimpleNamespace(path="/plain"), "path": "/plain"}, "/plain", id="route without format"),
        pytest.param({"route": object(), "path": "/odd"}, "unmatched", id="route of another kind"),
        pytest.param({"router": object(), "path": "/odd"}, "unmatched", id="router of another kind"),
        pytest.param({"path_template": "/t", "endpoint": answer, "path": "/x"}, "/t", id="a template that was set"),
        pytest.param({"path": "/none"}, "unmatched", id="no router at all"),
    ],
)
def test_other_routers_are_read_as_far_as_they_tell(scope: dict[str, Any], route: str) -> None:
    assert route_of(scope) == route


def test_names_are_bounded_whatever_routers_leave() -> None:
    names, told = RouteNames(most=5, most_guessed=3), Counter[str]()

    def name(**scope: Any) -> str:
        return names.name(scope, scope["path"], lambda reason: told.update([reason]))

    guessed = [name(path=f"/{number}", endpoint=answer) for number in range(50)]
    routed = [name(path="/", route=SimpleNamespace(path=f"/r{number}")) for number in range(50)]

    assert guessed == ["/0", "/1", "/2", *[OTHER] * 47]
    assert routed == ["/r0", "/r1", *[OTHER] * 48]
    assert name(path="/0", endpoint=answer) == "/0"
    assert name(path="/x") == UNMATCHED
    assert told == {"too_many_routes": 95}


def test_root_paths_that_clients_make_up_are_left_out() -> None:
    names = RouteNames(most_roots=2)

    found = [
        names.name(
            {"path": "/p", "root_path": f"/{number}", "route": SimpleNamespace(path="/p")}, "/p", list[str]().append
        )
        for number in range(5)
    ]

    assert found == ["/0/p", "/1/p", "/p", "/p", "/p"]


def test_a_router_that_cannot_be_read_costs_the_name_alone() -> None:
    class Odd:
        @property
        def routes(self) -> Any:
            raise RuntimeError("no routes")

    told: list[str] = []

    name = RouteNames().name({"path": "/p", "router": Odd(), "endpoint": answer}, "/p", told.append)

    assert (name, told) == (UNMATCHED, ["RuntimeError"])


def seen(app: Any, path: str, *, root_path: str = "") -> list[str]:
    """What the endpoint of one request is called."""
    found: list[str] = []
    names = RouteNames()

    async def noting(scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        asked = scope["path"]
        await app(scope, receive, send)
        found.append(names.name(scope, asked, found.append))

    async def request() -> None:
        transport = httpx.ASGITransport(noting, root_path=root_path)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            await client.get(path)

    asyncio.run(request())
    return found
