from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

import dashlight
from dashlight import DashlightMiddleware, watch
from dashlight.zero_code.watched import is_watched, say_not_asgi, watched


class Ours(DashlightMiddleware):
    """As an integration makes it."""


async def app(scope: Any, receive: Any, send: Any) -> None:
    pass


class Odd(SimpleNamespace):
    """An app with attributes of any kind."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        raise NotImplementedError


def with_middleware(kind: Any) -> Starlette:
    return Starlette(middleware=[Middleware(CORSMiddleware), Middleware(kind)])


def marked() -> Starlette:
    within = Starlette()
    within.dashlight_watched = True  # type: ignore[attr-defined]
    return within


WATCHED = {
    "the front door": watch(app),
    "in Starlette's list": with_middleware(DashlightMiddleware),
    "a kind of ours in Starlette's list": with_middleware(Ours),
    "below another layer": CORSMiddleware(watch(app)),
    "by its own word": marked(),
}
UNWATCHED = {
    "a function": app,
    "an application": Starlette(),
    "with the middleware of others": with_middleware(CORSMiddleware),
    "below the layer of others": CORSMiddleware(Starlette()),
    "whose layers are no apps": Odd(app=5),
    "whose list is none": Odd(user_middleware=5),
    "whose list holds anything": Odd(user_middleware=[5, SimpleNamespace(cls="DashlightMiddleware")]),
}


@pytest.mark.parametrize("served", WATCHED.values(), ids=WATCHED.keys())
def test_an_app_that_is_watched_is_left_as_it_is(served: Any) -> None:
    assert is_watched(served)
    assert watched(served) is served


@pytest.mark.parametrize("served", UNWATCHED.values(), ids=UNWATCHED.keys())
def test_any_other_app_is_watched(served: Any) -> None:
    assert not is_watched(served)
    assert isinstance(watched(served), dashlight.DashlightMiddleware)


def test_layers_without_an_end_are_followed_only_so_far() -> None:
    served: Any = CORSMiddleware(app)
    served.app = served

    assert not is_watched(served)


def test_an_app_is_left_alone_where_nothing_is_to_be_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASHLIGHT_ENABLED", "false")

    assert watched(app) is app


def test_a_switch_that_cannot_be_read_is_left_to_the_monitor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASHLIGHT_ENABLED", "perhaps")

    assert isinstance(watched(app), DashlightMiddleware)


class Awkward:
    """Does not even say what it has."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)


def test_an_app_that_cannot_be_looked_at_is_served_and_the_log_says_why(caplog: pytest.LogCaptureFixture) -> None:
    served = Awkward()

    with caplog.at_level(logging.ERROR):
        kept = watched(served)

    assert kept is served
    (told,) = caplog.messages
    assert told.startswith("monitoring is off: the app could not be watched: ")


def test_what_cannot_be_watched_is_said_once_for_each_server(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        for server in ("ours", "ours", "theirs"):
            say_not_asgi(server, "WSGI")
        monkeypatch.setenv("DASHLIGHT_ENABLED", "false")
        say_not_asgi("nobody asked for", "WSGI")

    assert [record.getMessage() for record in caplog.records] == [
        "monitoring is off: ours serves a WSGI app, and Dashlight watches ASGI apps",
        "monitoring is off: theirs serves a WSGI app, and Dashlight watches ASGI apps",
    ]
