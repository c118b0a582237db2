"""What stands around the APIs of a service: Dashlight's middleware, and what it has to know of BentoML."""

from __future__ import annotations

import os
from asyncio import CancelledError
from typing import Any

from dashlight import DashlightMiddleware, name_application
from dashlight_bentoml.call import KEY, SILENT, Call, Fate, current
from dashlight_bentoml.foreign import Message, Receive, Scope, Send, Service, bento_of, path_of
from dashlight_bentoml.outermost import FATE, install
from dashlight_bentoml.spans import join_spans

_ASKING = ("/status", "/get", "/cancel")
_WORKING = ("/submit", "/retry")
"""What BentoML serves below a task: the one asks how it is, the other sets it to work."""


class ServiceMiddleware(DashlightMiddleware):
    """Watches the requests of one service; the first of its middleware, so that it sees what the others make of them."""

    def __init__(self, app: Any, service: Service) -> None:
        super().__init__(_overtaken(app))
        bento, version, is_shared = bento_of(service)
        # The application's own word goes first: it is in the settings, and nothing is handed over then.
        self._model = "" if os.environ.get("DASHLIGHT_MODEL") else service.name if is_shared or not bento else bento
        self._version = "" if os.environ.get("DASHLIGHT_MODEL_VERSION") else version
        paths = {name: path_of(service, method) for name, method in service.apis.items()}
        self._tasks = {
            path + suffix: path for name, path in paths.items() if service.apis[name].is_task for suffix in _WORKING
        }
        self._asking = {path + suffix for path in self._tasks.values() for suffix in _ASKING}
        self._paths = frozenset(paths.values())
        self._bare = app
        self._settled = False
        name_application(f"bentoml {bento} {service.name}".replace("  ", " "), service=service.name)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> Any:
        """Serves one connection."""
        if scope["type"] == "http":
            return await self._answer(scope, receive, send)
        if scope["type"] != "lifespan":
            return await super().__call__(scope, receive, send)

        async def send_settled(message: Message) -> None:
            if message["type"] == "lifespan.startup.complete":
                self._settle(scope)
            await send(message)

        return await super().__call__(scope, receive, send_settled)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> Any:
        before, path = current.get(), scope["path"]
        if not self._settled:
            # Without a lifespan: not for this request, but for those after it.
            self._settle(scope)
        if before is not None and (before.is_open or before is SILENT):
            # One API calling another through BentoML's client: the exchange is that of the first.
            return await self._within(SILENT, before, self._bare(scope, receive, send))
        fate: Fate | None = scope.get(FATE)
        if fate is not None:
            fate.reached = True
        if path in self._asking:
            return await self._bare(scope, receive, send)
        call = Call(scope, fate, model=self._model, version=self._version, is_task=path in self._tasks)
        scope[KEY] = call
        if call.is_task:
            return await self._work(call, scope, receive, send)
        return await self._within(call, before, super().__call__(scope, receive, send))

    async def _work(self, call: Call, scope: Scope, receive: Receive, send: Send) -> Any:
        """A task is one exchange, from its submission to the end of its work, which comes after the answer."""
        status = 0

        def send_noted(message: Message) -> Any:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            return send(message)

        try:
            return await self._within(call, None, self._bare(scope, receive, send_noted))
        finally:
            call.conclude(self._tasks[scope["path"]], status or 500)

    async def _within(self, call: Call, before: Call | None, serving: Any) -> Any:
        current.set(call)
        try:
            return await serving
        finally:
            call.is_open = False
            # Not by a token: a request that is given up may end in another context.
            current.set(before)

    def _settle(self, scope: Scope) -> None:
        """What can be seen only when the app stands, with all that BentoML has put around it."""
        self._settled = True
        app = scope.get("app")
        if app is not None:
            install(app, self._paths | self._tasks.keys())
            join_spans(app)


def _overtaken(app: Any) -> Any:
    """*app*, which tells its call when it is cancelled because the client has had its answer already."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await app(scope, receive, send)
        except CancelledError:
            call = scope.get(KEY)
            if isinstance(call, Call):
                call.overtake()
            raise

    return serve
