"""What Dashlight serves below DASHLIGHT_PATH: its routes, behind the token. Loads Starlette."""

from __future__ import annotations

import logging
from collections.abc import Callable

from starlette.responses import PlainTextResponse
from starlette.routing import Router

from dashlight.errors import MissingExtraError
from dashlight.metrics.figures import Figures
from dashlight.serving.access import Access
from dashlight.serving.door import ALWAYS
from dashlight.serving.later import later
from dashlight.serving.metrics import metrics_route
from dashlight.types import Message, Receive, Scope, Send

logger = logging.getLogger(__name__)


class ServedApp:
    """Every route of Dashlight, for whoever has access. A mistake of ours costs the answer alone."""

    def __init__(self, access: Access, figures: Callable[[], Figures | None]) -> None:
        """*figures* may read files: it is called on a thread; None: there are none yet."""
        self._access = access
        self._router = Router(
            [metrics_route(figures)],
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
        app = self._router if self._access.allows(scope["headers"]) else self._refusal
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
