"""A gRPC call, watched as the POST that it is on the wire: what it returns and raises stays the same."""

from __future__ import annotations

import functools
import json
from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol

from dashlight import DashlightMiddleware, hand_over, note_loss
from dashlight_mlserver.tensors import rows_of

_SERVICE: Final = "/inference.GRPCInferenceService"
_CALL: Final = "dashlight_mlserver.call"
"""Key in the scope of a call, for the app inside the middleware."""
UNWATCHED: Final = "grpc_call_not_watched"
"""Why a call is missing among the exchanges: a mistake of ours, or a message of a make that we do not know."""


class Call(Protocol):
    """A call on its way, as the app inside the middleware knows it."""

    async def answer(self, scope: dict[str, Any], send: Any) -> None:
        """Does what there is to do, and says in HTTP's words how it ended."""


class _Route:
    """What a router would have left in the scope: the path has no variable part."""

    def __init__(self, path: str) -> None:
        self.path = path


_UNARY, STREAM = _Route(f"{_SERVICE}/ModelInfer"), _Route(f"{_SERVICE}/ModelStreamInfer")


def watched_infer(infer: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """MLServer's ModelInfer, watched."""

    @functools.wraps(infer)
    async def infer_watched(servicer: Any, request: Any, context: Any) -> Any:
        call = _UnaryCall(functools.partial(infer, servicer, request, context), request)
        # What leaves the app inside may be the reason of the error, which is not what gRPC has to get.
        try:
            await exchange(call, _UNARY, context)
        except Exception:
            if call.error is None:
                note_loss(UNWATCHED)
        if call.error is not None:
            raise call.error
        # A request that is none of V2's is the servicer's to refuse.
        return call.response if call.has_answered else await infer(servicer, request, context)

    return infer_watched


def exchange(call: Call, route: _Route, context: Any) -> Awaitable[None]:
    """*call* below the middleware, as a request to *route* with the metadata of *context*."""
    headers = [
        (key.encode(), value.encode()) for key, value in context.invocation_metadata() or () if isinstance(value, str)
    ]
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "2",
        "method": "POST",
        "scheme": "http",
        "path": route.path,
        "query_string": b"",
        "headers": headers,
        "route": route,
        _CALL: call,
    }
    return _middleware(scope, _nobody, _nobody)


async def send_failure(send: Any, error: Exception) -> None:
    """MLServer's own errors as its REST server answers them; any other is raised, as it leaves the REST app.

    The error that ends a call says nothing by itself: it was raised while the model's own was being handled.
    """
    reason = error.__context__ if isinstance(error.__context__, Exception) else error
    status = getattr(reason, "status_code", None)
    if not isinstance(status, int):
        raise reason
    await send_start(send, status)
    await send({"type": "http.response.body", "body": json.dumps({"error": str(reason)}).encode()})


async def send_start(send: Any, status: int) -> None:
    """The head of an answer."""
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"application/json")]})


class _UnaryCall:
    """One request and its response."""

    __slots__ = ("_infer", "_request", "error", "has_answered", "response")

    def __init__(self, infer: Callable[[], Awaitable[Any]], request: Any) -> None:
        self._infer = infer
        self._request = request
        self.response: Any = None
        self.has_answered = False
        self.error: Exception | None = None

    async def answer(self, scope: dict[str, Any], send: Any) -> None:
        """Runs the call."""
        request = self._request
        asked = rows_of([(request.inputs, request.raw_input_contents)])
        hand_over(scope, inputs=asked, model=request.model_name, version=request.model_version)
        try:
            self.response = await self._infer()
            self.has_answered = True
        except Exception as error:
            self.error = error
        # Not while the error is being handled: it would become the context of its own reason.
        if self.error is not None:
            await send_failure(send, self.error)
            return
        response = self.response
        answered = rows_of([(response.outputs, response.raw_output_contents)], asked)
        hand_over(scope, outputs=answered, version=response.model_version)
        await send_start(send, 200)
        await send({"type": "http.response.body"})


async def _answer(scope: Any, _receive: Any, send: Any) -> None:
    await scope[_CALL].answer(scope, send)


async def _nobody(*_message: object) -> Any:
    """Stands for receive and send: gRPC has both the request and the client."""


_middleware: Final = DashlightMiddleware(_answer)
