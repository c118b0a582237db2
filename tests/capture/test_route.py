"""Endpoints are templates, never paths."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from types import SimpleNamespace
from typing import Annotated, Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from litestar import Litestar, get
from litestar.params import PathParameter
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from dashlight.capture.route import route_of


async def answer(request: Request) -> PlainTextResponse:
    return PlainTextResponse("x")


@get("/items/{item:int}", sync_to_thread=False)
def litestar_answer(item: Annotated[int, PathParameter()]) -> int:
    return item


def fastapi_app() -> FastAPI:
    router = APIRouter(prefix="/pre")
    router.add_api_route("/it/{number}", answer)
    app = FastAPI()
    app.include_router(router)
    app.mount("/sub", Starlette(routes=[Route("/b/{y}", answer)]))
    return app


STARLETTE = Starlette(
    routes=[
        Route("/a/{x:int}", answer),
        Mount("/m", routes=[Route("/b/{y}", answer), Mount("/n", app=Starlette(routes=[Route("/z", answer)]))]),
        Mount("/raw", app=PlainTextResponse("raw")),
    ]
)


@pytest.mark.parametrize(
    ("app", "path", "route"),
    [
        (STARLETTE, "/a/1", "/a/{x}"),
        (STARLETTE, "/m/b/2", "/m/b/{y}"),
        (STARLETTE, "/m/n/z", "/m/n/z"),
        (STARLETTE, "/raw/anything/7", "/raw"),
        (STARLETTE, "/nowhere", "unmatched"),
        (fastapi_app(), "/pre/it/3", "/pre/it/{number}"),
        (fastapi_app(), "/sub/b/3", "/sub/b/{y}"),
        (Litestar([litestar_answer]), "/items/7", "/items/{item}"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_frameworks_leave_their_template_in_the_scope(app: Any, path: str, route: str) -> None:
    seen: list[str] = []

    async def noting(scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        await app(scope, receive, send)
        seen.append(route_of(scope))

    async def request() -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(noting), base_url="http://test") as client:
            await client.get(path)

    asyncio.run(request())

    assert seen == [route]


@pytest.mark.parametrize(
    ("scope", "route"),
    [
        pytest.param(
            {"endpoint": answer, "path": "/u/7/x", "path_params": {"user": 7}}, "/u/{user}/x", id="parameters"
        ),
        pytest.param({"endpoint": answer, "path": "/u/7"}, "/u/7", id="no parameters"),
        pytest.param({"route": SimpleNamespace(path="/plain"), "path": "/plain"}, "/plain", id="route without format"),
        pytest.param({"route": object(), "path": "/odd"}, "unmatched", id="route of another kind"),
        pytest.param({"path": "/none"}, "unmatched", id="no router at all"),
    ],
)
def test_other_routers_are_read_as_far_as_they_tell(scope: dict[str, Any], route: str) -> None:
    assert route_of(scope) == route
