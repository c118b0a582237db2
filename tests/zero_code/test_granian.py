from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from dashlight.runtime.process import process
from dashlight.zero_code.granian import patch, patch_rsgi, patch_wsgi

Copy = Callable[[str], ModuleType]


async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@pytest.mark.usefixtures("fresh_process")
def test_requests_and_the_lifespan_of_an_asgi_app_are_watched(own_copy: Copy) -> None:
    module: Any = own_copy("granian.asgi")
    patch(module)
    begun: list[bool] = []

    class Protocol:
        """One connection, as granian's workers hand it over."""

        async def receive(self) -> Any:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(self, message: Any) -> None:
            pass

    async def serve() -> None:
        lifespan = module.LifespanProtocol(app)
        await lifespan.startup()
        begun.append(process.monitor is not None)
        ready = module._callback_wrapper(app, {}, lifespan.state, None)
        scope = {"type": "http", "method": "GET", "path": "/p", "headers": []}
        await ready(scope, Protocol())

    asyncio.run(serve())

    assert begun == [True]
    assert process.monitor is not None
    assert process.monitor.capture.inbox.ended_count == 1


def test_an_rsgi_app_is_served_unwatched(own_copy: Copy, caplog: pytest.LogCaptureFixture) -> None:
    module: Any = own_copy("granian.rsgi")
    patch_rsgi(module)

    with caplog.at_level(logging.WARNING):
        ready = module._callback_wrapper(app)

    assert ready is app
    assert [record.getMessage() for record in caplog.records] == [
        "monitoring is off: granian serves a RSGI app, and Dashlight watches ASGI apps"
    ]


def test_a_wsgi_app_is_served_unwatched(own_copy: Copy) -> None:
    module: Any = own_copy("granian.wsgi")
    patch_wsgi(module)

    assert callable(module._callback_wrapper(app, {}, None))
