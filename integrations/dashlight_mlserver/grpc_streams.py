"""A stream of requests and responses over gRPC, watched as one exchange."""

from __future__ import annotations

import functools
from asyncio import CancelledError
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import suppress
from typing import Any, Final, cast

from dashlight import hand_over, note_loss
from dashlight_mlserver.grpc_calls import STREAM, UNWATCHED, exchange, send_failure, send_start
from dashlight_mlserver.tensors import rows_of

MOST_MESSAGES: Final = 1000
"""Of each side: what is kept of a stream until it has ended."""


def watched_stream(stream: Callable[..., AsyncIterator[Any]]) -> Callable[..., AsyncIterator[Any]]:
    """MLServer's ModelStreamInfer, watched."""

    @functools.wraps(stream)
    async def stream_watched(servicer: Any, requests: AsyncIterator[Any], context: Any) -> AsyncIterator[Any]:
        call = _StreamCall(context)
        try:
            async for response in stream(servicer, call.noting(requests), context):
                call.note(response)
                yield response
        except Exception as error:
            call.fail(error)
            raise
        except BaseException:
            # The client has gone: the task is cancelled, or the generator closed.
            call.fail(CancelledError())
            raise
        call.end()

    return stream_watched


class _Turn:
    """Awaited by the app inside the middleware until the stream has moved on."""

    def __await__(self) -> Generator[None, None, None]:
        yield


class _StreamCall:
    """The exchange of one stream.

    Its coroutine is no task but goes on a step when the stream does, within the stream's own context: so the spans of
    the model come below the one of the exchange, and nothing is left to wait for.
    """

    def __init__(self, context: Any) -> None:
        self._requests: list[Any] = []
        self._responses: list[Any] = []
        self._failure: BaseException | None = None
        self._has_ended = False
        self._steps: Generator[None, None, None] | None = None
        try:
            self._steps = cast("Generator[None, None, None]", exchange(self, STREAM, context).__await__())
        except Exception:
            note_loss(UNWATCHED)
        self._step()

    async def answer(self, scope: dict[str, Any], send: Any) -> None:
        """Follows the stream."""
        while not self._responses and not self._has_ended:
            await _Turn()
        if self._responses:
            await send_start(send, 200)
            # Not empty: it marks the moment of the first response.
            await send({"type": "http.response.body", "body": b"\n", "more_body": True})
        while not self._has_ended:
            await _Turn()
        self._hand_over(scope)
        if self._failure is not None:
            if self._responses or not isinstance(self._failure, Exception):
                raise self._failure
            await send_failure(send, self._failure)
            return
        if not self._responses:
            await send_start(send, 200)
        await send({"type": "http.response.body"})

    async def noting(self, requests: AsyncIterator[Any]) -> AsyncIterator[Any]:
        """The requests, as they are; the first ones are kept."""
        async for request in requests:
            if len(self._requests) < MOST_MESSAGES:
                self._requests.append(request)
            yield request

    def note(self, response: Any) -> None:
        """A response is about to leave."""
        if len(self._responses) < MOST_MESSAGES:
            self._responses.append(response)
        if len(self._responses) == 1:
            self._step()

    def fail(self, error: BaseException) -> None:
        """The stream has ended with *error*."""
        reason = error.__context__
        self._failure = reason if self._responses and isinstance(reason, Exception) else error
        self.end()

    def end(self) -> None:
        """The stream has ended."""
        self._has_ended = True
        self._step()

    def _step(self) -> None:
        # The middleware raises what its app raises, which the stream raises itself.
        with suppress(Exception, CancelledError):
            if self._steps is not None:
                self._steps.send(None)

    def _hand_over(self, scope: dict[str, Any]) -> None:
        if not self._requests:
            return
        first = self._requests[0]
        asked = rows_of([(each.inputs, each.raw_input_contents) for each in self._requests])
        answered = rows_of([(each.outputs, each.raw_output_contents) for each in self._responses], asked)
        version = self._responses[-1].model_version if self._responses else first.model_version
        hand_over(scope, inputs=asked, outputs=answered, model=first.model_name, version=version)
