"""Ray Serve below `dashlight run`, against a stand-in of `ray.serve._private.http_util` as in Ray 2.60.0."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware

from dashlight.zero_code.watched import is_watched
from dashlight_ray import WatchedProxy, middlewares
from dashlight_ray.zero_code import patch


@dataclass
class Options:
    """Ray's `HTTPOptions`, as far as it matters."""

    middlewares: list[Any] = field(default_factory=list)


def patched(*given: Middleware) -> Any:
    """The module, in which the user's callback gives *given*."""

    def configure_http_middlewares(http_options: Options) -> Options:
        return Options([*http_options.middlewares, *given])

    module = SimpleNamespace(configure_http_middlewares=configure_http_middlewares)
    patch(module)
    return module


def kinds(options: Any) -> list[Any]:
    return [each.cls for each in options.middlewares]


def test_a_proxy_is_watched_without_being_told_to(fresh_process: None) -> None:
    assert kinds(patched().configure_http_middlewares(Options())) == [WatchedProxy]


def test_what_the_callback_of_the_user_gives_stands_within(fresh_process: None) -> None:
    module = patched(Middleware(GZipMiddleware))

    # Ray puts the last of them outermost.
    assert kinds(module.configure_http_middlewares(Options())) == [GZipMiddleware, WatchedProxy]


def test_a_proxy_that_is_watched_already_is_left_as_it_is(fresh_process: None) -> None:
    assert kinds(patched(*middlewares()).configure_http_middlewares(Options())) == [WatchedProxy]


def test_uvicorn_below_a_watched_proxy_is_left_as_it_is() -> None:
    async def proxy(scope: Any, receive: Any, send: Any) -> None:
        pass

    assert is_watched(WatchedProxy(proxy))
