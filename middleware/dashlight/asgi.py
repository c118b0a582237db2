"""The front door: one line in an ASGI app."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias, TypeVar, cast

from opentelemetry.context import detach

from dashlight.capture.inside import Inside
from dashlight.capture.request_context import begin_anew
from dashlight.capture.tee import MARK
from dashlight.runtime.process import process
from dashlight.types import Message, Receive, Scope, Send

ASGIApp: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[Any]]
App = TypeVar("App")


class DashlightMiddleware:
    """Watches an ASGI app: `app.add_middleware(DashlightMiddleware)`, or `DashlightMiddleware(app)` around it.

    All settings come from the environment. Construction starts nothing; the Monitor of the process starts at the
    first `lifespan.startup` or the first request. Attributes that it does not have are those of the app.
    """

    def __init__(self, app: Any) -> None:
        _check(app)
        self.app: ASGIApp = _single_callable(app)
        self._wrapped = app
        self._inside = Inside(self.app)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> Any:
        """Serves one connection: watches HTTP, notes the lifespan, passes everything else through."""
        kind = scope["type"]
        if kind == "http" and MARK not in scope:
            monitor = process.monitor or process.start(self.app)
            if monitor is not None:
                answers = monitor.answers
                if answers is not None and answers.takes(scope):
                    return await answers(scope, receive, send)
                scope[MARK] = self._inside
                passing = monitor.open(scope, receive, send)
                if passing is not None:
                    try:
                        return await self.app(scope, passing.receive, passing.send)
                    except BaseException as error:
                        passing.fail(error)
                        raise
                    finally:
                        passing.close()
                return await _unwatched(self.app, scope, receive, send)
        elif kind == "websocket" and process.monitor is not None:
            return await _unwatched(self.app, scope, receive, send)
        elif kind == "lifespan":
            return await _living(self.app, scope, receive, send)
        return await self.app(scope, receive, send)

    def __getattr__(self, name: str) -> Any:
        if name == "_wrapped":  # while it is being copied or unpickled
            raise AttributeError(name)
        return getattr(self._wrapped, name)


def watch(app: App) -> App:
    """Wraps an ASGI app: `app = dashlight.watch(app)`. An app that is watched already is returned as it is.

    What it returns is a DashlightMiddleware, which has the attributes of *app* and keeps its type for type checkers.

    Raises:
        TypeError: *app* is a WSGI app, a service of BentoML or anything else that is no ASGI app.
    """
    return app if isinstance(app, DashlightMiddleware) else cast("App", DashlightMiddleware(app))


async def _unwatched(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> Any:
    """Passes through what is not watched, out of the context of another request if it began in one."""
    token = begin_anew()
    try:
        return await app(scope, receive, send)
    finally:
        if token is not None:
            detach(token)


async def _living(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> Any:
    """Passes the lifespan through: starts the Monitor with it, and sends what is left before it says that it is over."""

    async def receive_startup() -> Message:
        message = await receive()
        if message["type"] == "lifespan.startup":
            process.start(app)
            await process.settle()
        return message

    async def send_flushed(message: Message) -> None:
        if message["type"] in {"lifespan.shutdown.complete", "lifespan.shutdown.failed"}:
            await process.flush_aside()
        elif message["type"] == "lifespan.startup.complete" and process.refusal is not None:
            message = {"type": "lifespan.startup.failed", "message": process.refusal}
        await send(message)

    return await app(scope, receive_startup, send_flushed)


def _check(app: Any) -> None:
    """Raises TypeError, which says what to write, where *app* cannot be called as ASGI apps are."""
    kind = cast("type[object]", app if inspect.isclass(app) else type(app))
    if any(map(_is_bentoml_service, kind.__mro__)):
        if hasattr(app, "all_services"):
            line = "dashlight_bentoml.watch({name}), or @dashlight_bentoml.watch above @bentoml.service"
        else:  # legacy
            line = "{name}.add_asgi_middleware(dashlight.DashlightMiddleware)"
        raise _refusal(app, "a service of BentoML", line)
    if not callable(app):
        raise _refusal(app, f"{kind.__name__}, which cannot be called")
    try:
        signature = inspect.signature(app)
    except (TypeError, ValueError):
        return
    is_asgi = _takes(signature, 3) or _takes(signature, 1)
    if "start_response" in signature.parameters or (_takes(signature, 2) and not is_asgi):
        line = "dashlight.watch(a2wsgi.WSGIMiddleware({name})), which an ASGI server such as uvicorn serves"
        raise _refusal(app, "one that takes two arguments, as WSGI apps do", line)
    if not is_asgi:
        line = "dashlight.watch({name}())" if _takes(signature, 0) else ""
        raise _refusal(app, f"one that takes {signature}", line)


def _is_bentoml_service(kind: type) -> bool:
    return kind.__name__ == "Service" and kind.__module__.partition(".")[0] in {"bentoml", "_bentoml_sdk"}


def _refusal(app: Any, found: str, line: str = "") -> TypeError:
    name = getattr(app, "name", None) or getattr(app, "__name__", None) or type(app).__name__
    advice = f"; write {line.format(name=name)}" if line else ""
    return TypeError(
        f"dashlight.watch({name}): expected an ASGI app, which takes (scope, receive, send), but found {found}{advice}"
    )


def _single_callable(app: Any) -> ASGIApp:
    """*app* as ASGI 3; an ASGI 2 app, which takes the scope alone and returns a coroutine function, is adapted."""
    if _takes_scope_alone(app):

        async def adapted(scope: Scope, receive: Receive, send: Send) -> Any:
            return await app(scope)(receive, send)

        return adapted
    return app  # type: ignore[no-any-return]


def _takes_scope_alone(app: Any) -> bool:
    if inspect.isclass(app):
        # A class may be an ASGI 3 app whose instances are awaited, as Starlette's endpoints are.
        return not hasattr(app, "__await__")
    try:
        signature = inspect.signature(app)
    except (TypeError, ValueError):
        return False
    return not _takes(signature, 3) and _takes(signature, 1) and not inspect.iscoroutinefunction(app)


def _takes(signature: inspect.Signature, count: int) -> bool:
    """Whether *count* positional arguments are neither too few nor too many."""
    try:
        signature.bind(*[None] * count)
    except TypeError:
        return False
    return True
