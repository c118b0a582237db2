"""Around everything: sees what BentoML answers by itself, before our middleware or instead of it."""

from __future__ import annotations

from collections.abc import Collection
from time import perf_counter
from typing import Any

from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext

from dashlight import note_loss, record
from dashlight_bentoml.call import Fate, current
from dashlight_bentoml.foreign import Message, Receive, Scope, Send, factory_of
from dashlight_bentoml.refusals import watch_endpoints

FATE = "dashlight.bentoml.fate"
"""Key of the Fate in the scope of a request."""


class Outermost:
    """Notes how each request to one of *paths* ends for its client, and counts those that never reach our middleware.

    Not by a processor of BentoML's spans, which would be less: a sampler of the user's may drop most of these, and
    theirs do not tell sizes.
    """

    def __init__(self, app: Any, paths: Collection[str]) -> None:
        self._app = app
        self._paths = paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> Any:
        """Serves one connection."""
        if scope["type"] != "http" or scope["path"] not in self._paths or current.get() is not None:
            return await self._app(scope, receive, send)
        fate, began = Fate(), perf_counter()
        scope[FATE] = fate

        def send_noted(message: Message) -> Any:
            if message["type"] == "http.response.start":
                fate.status = message["status"]
                if not fate.reached:
                    _record(scope, fate.status, perf_counter() - began)
            return send(message)

        return await self._app(scope, receive, send_noted)


def install(app: Any, paths: Collection[str]) -> None:
    """Puts an Outermost around *app*, Starlette's, and has its endpoints tell what they refuse; once."""
    try:
        if not isinstance(app.middleware_stack, Outermost):
            app.middleware_stack = Outermost(app.middleware_stack, frozenset(paths))
            watch_endpoints(factory_of(app))
    except Exception as error:  # another version of BentoML, which has it otherwise
        note_loss(type(error).__name__)


def _record(scope: Scope, status: int, duration_seconds: float) -> None:
    """Counts a request that was turned away, with the ids of BentoML's span of it."""
    # What is current is the span of this message, below that of the request.
    above = getattr(trace.get_current_span(), "parent", None)
    # Its path is one of the service's, although nobody has routed it.
    turned_away = {"path_template": scope["path"], **scope}
    if isinstance(above, SpanContext):
        with trace.use_span(NonRecordingSpan(above)):
            record(turned_away, status=status, duration_seconds=duration_seconds)
    else:
        record(turned_away, status=status, duration_seconds=duration_seconds)
