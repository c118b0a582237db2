"""hypercorn, on asyncio, uvloop and trio alike."""

from __future__ import annotations

from functools import wraps
from typing import Any

from dashlight.zero_code.termination import flush_at_termination
from dashlight.zero_code.watched import say_not_asgi, unharmed, watched


def patch(module: Any) -> None:
    """Has the app that `hypercorn.utils.wrap_app` makes ready watched, if it took it for an ASGI app."""
    flush_at_termination()
    wrap_app, asgi = module.wrap_app, module.ASGIWrapper

    @wraps(wrap_app)
    def wrap_watched(*arguments: Any, **named: Any) -> Any:
        ready = wrap_app(*arguments, **named)
        with unharmed():
            if isinstance(ready, asgi):
                ready.app = watched(ready.app)
            else:
                say_not_asgi("hypercorn", "WSGI")
        return ready

    module.wrap_app = wrap_watched
