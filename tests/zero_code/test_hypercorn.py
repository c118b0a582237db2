from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from dashlight import DashlightMiddleware
from dashlight.zero_code.hypercorn import patch


async def app(scope: Any, receive: Any, send: Any) -> None:
    pass


def old(environ: Any, start_response: Any) -> list[bytes]:
    return []


def test_an_asgi_app_is_watched_and_a_wsgi_app_is_not(own_copy: Callable[[str], ModuleType]) -> None:
    module: Any = own_copy("hypercorn.utils")
    patch(module)

    new_served, old_served = module.wrap_app(app, 1024, None), module.wrap_app(old, 1024, mode=None)

    assert isinstance(new_served.app, DashlightMiddleware)
    assert new_served.app.app is app
    assert old_served.app is old
