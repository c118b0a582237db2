from __future__ import annotations

import logging
from collections.abc import Callable
from types import FunctionType, ModuleType, SimpleNamespace
from typing import Any

import pytest

from dashlight import DashlightMiddleware, watch
from dashlight.zero_code.uvicorn import patch

Copy = Callable[[str], ModuleType]


async def app(scope: Any, receive: Any, send: Any) -> None:
    pass


def create() -> Any:
    return app


class Old:
    """An ASGI 2 app."""

    def __init__(self, scope: Any) -> None:
        self.scope = scope

    async def run(self, receive: Any, send: Any) -> None:
        pass


def layers(own_copy: Copy, served: Any, **settings: Any) -> list[str]:
    """Names of what uvicorn serves, from outside."""
    module: Any = own_copy("uvicorn.config")
    patch(module)
    config = module.Config(served, **settings)
    config.load()
    names, layer = [], config.loaded_app
    while layer is not None:
        names.append(layer.__name__ if isinstance(layer, type | FunctionType) else type(layer).__name__)
        layer = vars(layer).get("app") if not isinstance(layer, type) else None
    return names


CASES: dict[str, tuple[Any, dict[str, Any], list[str]]] = {
    "an app": (app, {}, ["ProxyHeadersMiddleware", "DashlightMiddleware", "app"]),
    "an app without proxy headers": (app, {"proxy_headers": False}, ["DashlightMiddleware", "app"]),
    "an app by its name": (
        "starlette.applications:Starlette", {"factory": True, "proxy_headers": False},
        ["DashlightMiddleware", "Starlette"],
    ),
    "a factory": (create, {"factory": True}, ["ProxyHeadersMiddleware", "DashlightMiddleware", "app"]),
    "messages logged": (
        app, {"log_level": "trace"},
        ["ProxyHeadersMiddleware", "MessageLoggerMiddleware", "DashlightMiddleware", "app"],
    ),
    "an ASGI 2 app": (Old, {}, ["ProxyHeadersMiddleware", "DashlightMiddleware", "ASGI2Middleware", "Old"]),
    "an app that is watched": (watch(app), {}, ["ProxyHeadersMiddleware", "DashlightMiddleware", "app"]),
}  # fmt: skip


@pytest.mark.parametrize(("served", "settings", "expected"), CASES.values(), ids=CASES.keys())
def test_the_app_is_watched_within_uvicorns_own_layers(
    own_copy: Copy, served: Any, settings: dict[str, Any], expected: list[str]
) -> None:
    assert layers(own_copy, served, **settings) == expected


@pytest.mark.filterwarnings("ignore:.*WSGI.*:DeprecationWarning")
def test_a_wsgi_app_is_left_alone(own_copy: Copy) -> None:
    assert DashlightMiddleware.__name__ not in layers(own_copy, app, interface="wsgi")


def test_a_uvicorn_that_keeps_its_app_elsewhere_starts_all_the_same(caplog: pytest.LogCaptureFixture) -> None:
    class Config:
        """Of a uvicorn to come."""

        loaded = False

        def load(self) -> None:
            self.loaded = True

    patch(SimpleNamespace(Config=Config))
    config = Config()

    with caplog.at_level(logging.ERROR):
        config.load()

    assert config.loaded
    (told,) = caplog.messages
    assert told.startswith("monitoring is off: the app could not be watched: ")
