"""uvicorn, and what runs it within: LitServe, MLflow, KServe, FastAPI's command, gunicorn's uvicorn workers."""

from __future__ import annotations

from functools import wraps
from typing import Any

from dashlight.zero_code.termination import flush_at_termination
from dashlight.zero_code.watched import say_not_asgi, unharmed, watched

_OUTER = {"MessageLoggerMiddleware", "ProxyHeadersMiddleware"}


def patch(module: Any) -> None:
    """Has each app that `uvicorn.config.Config.load` loads watched.

    After the loading, because only then uvicorn has called factories and found out which interface the app has;
    within uvicorn's own middleware, which makes the client's address and scheme of proxy headers.
    """
    flush_at_termination()
    load = module.Config.load

    @wraps(load)
    def load_watched(config: Any, *arguments: Any, **named: Any) -> None:
        load(config, *arguments, **named)
        with unharmed():
            _watch(config)

    module.Config.load = load_watched


def _watch(config: Any) -> None:
    outer, app = None, config.loaded_app
    while type(app).__name__ in _OUTER and type(app).__module__.startswith("uvicorn."):
        outer, app = app, app.app
    if config.interface == "wsgi":
        say_not_asgi("uvicorn", "WSGI")
    elif outer is None:
        config.loaded_app = watched(app)
    else:
        outer.app = watched(app)
