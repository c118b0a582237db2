"""Server-sent events of V2 responses: the client gets them as they are, and their tensors are handed over."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest

from dashlight import DashlightMiddleware
from dashlight.runtime.assembly import assemble
from dashlight.runtime.process import process
from dashlight.testing import MemoryExporter
from dashlight_mlserver.grpc_streams import MOST_MESSAGES
from dashlight_mlserver.rest_streams import rows_of_events, watched_events

PATIENCE_SECONDS = 20.0
ASKED = {"inputs": [{"name": "rooms", "datatype": "FP64", "shape": [2, 1], "data": [1, 2]}]}


def event(*prices: float, shape: list[int] | None = None, data: object = None) -> bytes:
    output = {
        "name": "price", "datatype": "FP64", "shape": shape or [len(prices)], "data": list(prices) if data is None else data,
    }  # fmt: skip
    return b"data: " + json.dumps({"model_version": "3", "outputs": [output]}, separators=(",", ":")).encode() + b"\n\n"


async def endpoint(raw_request: Any, events: list[bytes], model_name: str = "prices") -> Any:
    """As MLServer's: an answer whose body is an iterator."""

    async def body() -> AsyncIterator[bytes]:
        for each in events:
            yield each

    return SimpleNamespace(body_iterator=body())


def test_the_rows_of_all_events_are_handed_over_and_the_client_gets_every_byte(
    fresh_process: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"COLLECTOR": "http://collector", "SAMPLE_RATE": "1", "PAYLOADS": "features"}.items():
        monkeypatch.setenv(f"DASHLIGHT_{name}", value)
    exporter = MemoryExporter()
    monitor = process.monitor = assemble(os.environ, None, connect=exporter.connect)
    assert monitor is not None
    assert monitor.ready.wait(PATIENCE_SECONDS)
    events, sent = [event(1.5), event(2.5)], []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        answer = await watched_events(endpoint)(
            raw_request=SimpleNamespace(scope=dict(scope)), events=events, model_name="prices"
        )
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
        async for each in answer.body_iterator:
            await send({"type": "http.response.body", "body": each, "more_body": True})
        await send({"type": "http.response.body"})

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": json.dumps(ASKED).encode()}

    async def send(message: Any) -> None:
        sent.append(message.get("body", b""))

    scope = {
        "type": "http", "method": "POST", "path": "/v2/models/prices/infer_stream", "query_string": b"",
        "headers": [(b"content-type", b"application/json")],
    }  # fmt: skip
    asyncio.run(DashlightMiddleware(app)(scope, receive, send))
    assert monitor.flush(PATIENCE_SECONDS) == 0

    (prediction,) = [each["attributes"] for each in exporter.events("dashlight.prediction")]
    assert b"".join(sent) == b"".join(events)
    assert (prediction["dashlight.inputs"], prediction["dashlight.outputs"]) == (
        {"rooms": [1, 2]},
        {"price": [1.5, 2.5]},
    )
    assert (prediction["dashlight.model.name"], prediction["dashlight.model.version"]) == ("prices", "3")


def test_an_answer_that_is_no_stream_is_left_alone() -> None:
    async def refuse(raw_request: Any) -> str:
        return "no"

    async def answer() -> tuple[str, str]:
        watched = watched_events(refuse)
        return await watched(raw_request=SimpleNamespace(scope={})), await watched(None)

    assert asyncio.run(answer()) == ("no", "no")


@pytest.mark.parametrize(
    "broken", [b"", b"data: [DONE]\n\n", b'data: {"error":"x"}\n\n', b'data: {"outputs":[{}]}\n\n', b"data: 1"]
)
def test_an_event_of_another_kind_has_no_rows(broken: bytes) -> None:
    assert list(rows_of_events([broken, event(1.5)])) == [{"price": 1.5}]


def test_nested_elements_are_those_of_the_shape() -> None:
    found = rows_of_events([event(shape=[2, 2], data=[[1.0, 2.0], [3.0, 4.0]])])

    assert list(found) == [{"price": [1.0, 2.0]}, {"price": [3.0, 4.0]}]
    assert found.nbytes > 0


@pytest.mark.parametrize("count", [0, MOST_MESSAGES + 3], ids=["no events", "more than are kept"])
def test_a_stream_that_is_not_watched_passes_whole(count: int) -> None:
    events = [event(1.0)] * count

    async def read() -> list[bytes]:
        answer = await watched_events(endpoint)(raw_request=SimpleNamespace(scope={}), events=events)
        return [each async for each in answer.body_iterator]

    assert asyncio.run(read()) == events
