"""Ray Serve's HTTP proxy, watched: it sees the requests of all deployments of its node."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from importlib import import_module
from typing import Any, TypeAlias

from starlette.middleware import Middleware

from dashlight import DashlightMiddleware, name_application

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
ASGIApp: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

_MARK = "dashlight"
"""Key in the scope of a request that is being watched."""


def middlewares() -> list[Middleware]:
    """What Ray Serve's proxy is to stand behind; Ray calls it once in every proxy."""
    # The command line of a proxy is the same in every cluster, and says nothing.
    name_application("ray-serve")
    return [Middleware(WatchedProxy, route=ray_route)]


class WatchedProxy:
    """A Dashlight around Ray Serve's proxy, or around a replica that Ray lets listen itself.

    Ray routes without telling the scope, and pickles the scope for the replica. So it gets a scope of its own, in which
    stands only that the request is watched already, and the scope that Dashlight sees gets the route.
    """

    dashlight_watched = True
    """Said to `dashlight run`, which finds uvicorn below Ray, too."""

    def __init__(self, app: ASGIApp, *, route: Callable[[], str] = str) -> None:
        """*route* says where Ray has sent the request of this context; empty: as its prefix alone tells."""
        self._app = app
        self._route = route
        self._watched = DashlightMiddleware(self._proxied)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one connection."""
        await self._watched(scope, receive, send)

    async def _proxied(self, scope: Scope, receive: Receive, send: Send) -> None:
        if _MARK not in scope:
            await self._app(scope, receive, send)
            return
        rays = {**scope, _MARK: "watched"}

        def tell_route() -> None:
            route = self._route() or _prefix(scope, rays)
            if route:
                # The key by which Litestar tells it, too.
                scope["path_template"] = route

        async def send_routed(message: Message) -> None:
            if message["type"] == "http.response.start":
                tell_route()
            await send(message)

        try:
            await self._app(rays, receive, send_routed)
        finally:
            # For a request that ends without an answer, too.
            tell_route()


def ray_route() -> str:
    """Template of the route that Ray has matched in this context; empty where it has not, or no longer says so.

    Ray writes it in its access log: ray/serve/_private/proxy.py, `GenericProxy.proxy_request` (2.60.0).
    """
    try:
        asked = import_module("ray.serve.context")._get_serve_request_context()  # noqa: SLF001 - it has no other
        return str(asked.route)
    except Exception:  # whatever Ray has changed, its request goes on
        return ""


def _prefix(scope: Scope, rays: Scope) -> str:
    """What Ray has added to the root path: the prefix of the application; empty where that is `/`."""
    root_path = str(rays.get("root_path") or "")
    return root_path if root_path != (scope.get("root_path") or "") else ""
