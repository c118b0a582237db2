"""What Dashlight serves below DASHLIGHT_PATH: its routes, behind the token. Loads Starlette."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from starlette.responses import PlainTextResponse
from starlette.routing import Router

from dashlight.errors import MissingExtraError
from dashlight.metrics.figures import Figures
from dashlight.page.view import View
from dashlight.serving.access import Access
from dashlight.serving.api import api_routes
from dashlight.serving.door import ALWAYS
from dashlight.serving.labels import PATH as LABELS_PATH
from dashlight.serving.labels import Take, labels_route
from dashlight.serving.later import later
from dashlight.serving.metrics import metrics_route
from dashlight.types import Message, Receive, Scope, Send

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TakesLabels:
    """Where labels go that come over HTTP."""

    take: Take
    """Called on a thread, for it may wait for a disk; what it raises makes whoever sends labels come again."""
    access: Access
    """Who may send them."""
    now: Callable[[], float]
    """Seconds since the epoch."""


class ServedApp:
    """Every route of Dashlight, for whoever has access. A mistake of ours costs the answer alone."""

    def __init__(
        self,
        access: Access,
        figures: Callable[[], Figures | None] | None = None,
        labels: TakesLabels | None = None,
        view: Callable[[], View | None] | None = None,
    ) -> None:
        """Serves what is given.

        Args:
            access: Who may ask for anything but *labels*.
            figures: May read files: it is called on a thread; what it returns is None where there are none yet.
            labels: Where labels go, and who may send them.
            view: As *figures*: what is shown of the machine.
        """
        self._access = access
        self._labels_access = access if labels is None else labels.access
        self._router = Router(
            [
                *([] if figures is None else [metrics_route(figures)]),
                *([] if labels is None else [labels_route(labels.take, labels.now)]),
                *([] if view is None else api_routes(view)),
            ],
            redirect_slashes=False,
            default=PlainTextResponse("there is nothing here\n", 404),
        )
        self._refusal = PlainTextResponse("a token is wanted\n", 401, {"www-authenticate": "Bearer"})
        self._told = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request, whose path begins below DASHLIGHT_PATH."""
        started = False

        async def send_guarded(message: Message) -> None:
            nonlocal started
            started = True
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *ALWAYS]
            elif scope["method"] == "HEAD":
                message["body"] = b""
            await send(message)

        # Before anything else, so that who does not know the token learns nothing.
        access = self._labels_access if scope["path"] == LABELS_PATH else self._access
        app = self._router if access.allows(scope["headers"]) else self._refusal
        try:
            await app(scope, receive, send_guarded)
        except Exception as error:
            if started:
                raise
            await self._excuse(scope["path"].strip("/"), error)(scope, receive, send_guarded)

    def _excuse(self, what: str, error: Exception) -> PlainTextResponse:
        """The answer in place of *what*; logs the reason once."""
        if isinstance(error, MissingExtraError):
            self._tell_once(f"{what} cannot be served: {error}")
            return PlainTextResponse(f"{error}\n", 501)
        self._tell_once(f"{what} could not be served: {type(error).__name__}: {error}")
        return later("this cannot be answered now")

    def _tell_once(self, message: str) -> None:
        if message != self._told:
            self._told = message
            logger.error("%s", message)
