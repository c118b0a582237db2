"""A stream of responses over REST: server-sent events, each a V2 response, handed over as the rows of one exchange."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from typing import Any, Final, cast

from dashlight import hand_over
from dashlight_mlserver.grpc_streams import MOST_MESSAGES
from dashlight_mlserver.tensors import Rows, rows_of

_PREFIX: Final = b"data: "
_VERSION: Final = re.compile(rb'"model_version":"([^"\\]{1,256})"')


def watched_events(infer_stream: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """MLServer's endpoint of streams, whose answers are handed over at their end."""

    @functools.wraps(infer_stream)
    async def infer_stream_watched(*arguments: Any, **named: Any) -> Any:
        response = await infer_stream(*arguments, **named)
        # FastAPI passes all by name: the parameters of the endpoint are what it reads the request for.
        request = named.get("raw_request")
        if request is not None and hasattr(response, "body_iterator"):
            response.body_iterator = _noted(response.body_iterator, request.scope, named.get("model_name", ""))
        return response

    return infer_stream_watched


async def _noted(events: AsyncIterator[bytes], scope: dict[str, Any], model: str) -> AsyncIterator[bytes]:
    kept: list[bytes] = []
    async for event in events:
        if len(kept) < MOST_MESSAGES:
            kept.append(event)
        yield event
    # Now, before the message that ends the answer.
    version = _VERSION.search(kept[0]) if kept else None
    hand_over(scope, outputs=rows_of_events(kept), model=model, version=version[1].decode() if version else "")


def rows_of_events(events: Sequence[bytes]) -> Rows:
    """Rows of the output tensors in *events*, in their order; an event that is none of V2's has none."""

    def read() -> list[dict[str, object]]:
        return list(rows_of([(list(_tensors(event)), ()) for event in events]))

    return Rows(read, sum(map(len, events)))


class _Tensor:
    """A tensor of JSON, as the messages of gRPC have them."""

    def __init__(self, entry: dict[str, Any]) -> None:
        self.name = str(entry["name"])
        self.datatype = str(entry["datatype"])
        self.shape = [int(size) for size in entry["shape"]]
        self.contents = self
        self._data = list(_flat(entry["data"]))

    def ListFields(self) -> list[tuple[str, list[object]]]:  # noqa: N802 - the name that protobuf gives it
        """The one field, by protobuf's name for it."""
        return [("data", self._data)]


def _tensors(event: bytes) -> Iterator[_Tensor]:
    try:
        for entry in json.loads(event.removeprefix(_PREFIX))["outputs"]:
            yield _Tensor(entry)
    except (ValueError, KeyError, TypeError):
        return


def _flat(data: object) -> Iterator[object]:
    if isinstance(data, list):
        for each in cast("list[object]", data):
            yield from _flat(each)
    else:
        yield data
