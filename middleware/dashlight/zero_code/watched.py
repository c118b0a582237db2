"""What becomes of an app that a server has loaded: watched once, or left as it is."""

from __future__ import annotations

import logging
import os
from collections.abc import Generator
from contextlib import contextmanager

import dashlight
from dashlight.errors import traced
from dashlight.units import flag

WATCHED = "dashlight_watched"
"""Attribute by which an app says that it is watched within, where nobody can see it from outside."""

_MOST_LAYERS = 20

logger = logging.getLogger(__name__)
_said: set[str] = set()


def watched(app: object) -> object:
    """*app*, watched; as it is where it is watched already, or where DASHLIGHT_ENABLED says no. Raises nothing."""
    with unharmed():
        if _is_enabled() and not is_watched(app):
            # The names of `dashlight` load what they need when they are asked for.
            return dashlight.watch(app)
    return app


@contextmanager
def unharmed() -> Generator[None, None, None]:
    """Keeps a mistake of ours, or a server that is no longer as it was, from the app; the log says what it was."""
    try:
        yield
    except Exception as error:
        logger.error("monitoring is off: the app could not be watched: %s", traced(error))  # noqa: TRY400 - no message


def is_watched(app: object) -> bool:
    """Whether a DashlightMiddleware is to be seen around *app*, among its middleware, or below other layers."""
    layer: object | None = app
    for _ in range(_MOST_LAYERS):
        if isinstance(layer, dashlight.DashlightMiddleware) or getattr(layer, WATCHED, None) is True:
            return True
        listed: object = getattr(layer, "user_middleware", None)
        if isinstance(listed, list | tuple) and any(map(_is_ours, listed)):  # pyright: ignore[reportUnknownArgumentType]  # a list of whatever
            return True
        layer = getattr(layer, "app", None)
        if not callable(layer):
            break
    return False


def say_not_asgi(server: str, interface: str) -> None:
    """Says once in the log that *server* serves something that cannot be watched."""
    if server not in _said and _is_enabled():
        _said.add(server)
        logger.warning("monitoring is off: %s serves a %s app, and Dashlight watches ASGI apps", server, interface)


def _is_ours(entry: object) -> bool:
    """Of Starlette's list of middleware, which holds a class and its arguments each."""
    kind: object = getattr(entry, "cls", None)
    return isinstance(kind, type) and issubclass(kind, dashlight.DashlightMiddleware)


def _is_enabled() -> bool:
    """Read here as well as in Settings: what is not wrapped at all needs no Monitor that says no."""
    try:
        return flag(os.environ.get("DASHLIGHT_ENABLED") or "true")
    except ValueError:
        return True  # the Monitor says what is wrong with it
