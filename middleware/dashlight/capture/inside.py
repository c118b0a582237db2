"""Whether the app inside traces itself, so that a span of ours would be a second one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class Inside:
    """What an instance of the middleware knows of the app that it wraps: whether that traces itself."""

    __slots__ = ("_app", "_provider", "_traces_itself")

    def __init__(self, app: object) -> None:
        self._app = app
        self._provider: object = None
        self._traces_itself = False

    def traces_itself(self, provider: object) -> bool:
        """The verdict under *provider*: looked for once, then remembered."""
        if provider is not self._provider:
            self._provider = provider
            self._traces_itself = traces_itself(self._app)
        return self._traces_itself

    def learn(self) -> None:
        """Notes that it does, whatever it looked like from outside."""
        self._traces_itself = True

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        """As that of Opened."""
        return str, ("watched",)


def traces_itself(app: object) -> bool:
    """Whether an OpenTelemetry middleware or FastAPI's own tracing stands anywhere inside *app*."""
    seen: set[int] = set()
    layer: object | None = app
    while layer is not None and id(layer) not in seen:
        seen.add(id(layer))
        if type(layer).__name__ == "OpenTelemetryMiddleware" or _is_instrumented(layer):
            return True
        layer = _next_layer(layer)
    return False


def _is_instrumented(layer: object) -> bool:
    """Marks of contrib's FastAPI and Starlette instrumentors, of a listed middleware, and of FastAPI from 0.165 on."""
    if getattr(layer, "_is_instrumented_by_opentelemetry", False):
        return True
    listed: Sequence[Any] = getattr(layer, "user_middleware", ())
    if any(getattr(getattr(entry, "cls", None), "__name__", "") == "OpenTelemetryMiddleware" for entry in listed):
        return True
    # FastAPI traces as soon as a provider is configured, unless told otherwise.
    telemetry: Mapping[str, Any] = getattr(layer, "_telemetry", {})
    return hasattr(layer, "_native_telemetry") and bool(telemetry.get("tracing"))


def _next_layer(layer: object) -> object | None:
    for name in ("middleware_stack", "app"):
        inner: object = getattr(layer, name, None)
        if callable(inner):
            return inner
    return None
