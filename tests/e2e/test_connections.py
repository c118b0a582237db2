"""Requests of one connection, one after the other or pipelined: each has its own span, trace and place."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any
from urllib.parse import urlsplit

import pytest

# Below and above what makes a server stop reading for a while, 64 KiB.
SIZES = (1_000, 100_000, 3_000_000)
EACH = 4
"""Requests of a connection after the one with the large body."""


def request(body: bytes, name: str) -> bytes:
    head = (
        f"POST /{name} HTTP/1.1\r\nhost: test\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def padded(size: int) -> bytes:
    return json.dumps({"pad": "x" * size}).encode()


def read_answers(connection: socket.socket, count: int) -> None:
    seen = b""
    while seen.count(b'{"score":1}') < count:
        piece = connection.recv(65536)
        assert piece, seen
        seen += piece


def one_after_the_other(connection: socket.socket, requests: list[bytes]) -> None:
    for each in requests:
        connection.sendall(each)
        read_answers(connection, 1)


def pipelined(connection: socket.socket, requests: list[bytes]) -> None:
    connection.sendall(b"".join(requests))
    read_answers(connection, len(requests))


def predictions(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [each for each in items if each["name"] == "dashlight.prediction"]


def server_spans(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [each for each in items if each["span_kind"] == "server" and each["attributes"]["url.path"] != "/healthz"]


@pytest.mark.parametrize("traced_by", ["dashlight", "sdk", "app"])
@pytest.mark.parametrize("parser", ["h11", "httptools"])
@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_each_request_of_a_connection_has_a_trace_of_its_own(
    served: Callable[..., AbstractContextManager[str]], collector: Any, loop: str, parser: str, traced_by: str
) -> None:
    pytest.importorskip(loop)
    pytest.importorskip(parser)
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "DASHLIGHT_SAMPLE_RATE": "1", "TRACED_BY": traced_by}
    command = ["uvicorn", "connections:app", "--port", "{port}", "--loop", loop, "--http", parser]

    names: list[str] = []
    with served([*command, "--log-level", "warning"], {**environ, "DASHLIGHT_EXCLUDED_URLS": "/healthz$"}) as url:
        address = (urlsplit(url).hostname, urlsplit(url).port)
        for talk in (one_after_the_other, pipelined):
            for size in SIZES:
                bodies = [padded(size), *([b'{"age": 1}'] * EACH)]
                names += [name := f"{talk.__name__}/{size}"]
                with socket.create_connection(address, timeout=30) as connection:
                    talk(connection, [request(body, f"{name}/{place}") for place, body in enumerate(bodies)])

    wanted = len(names) * (1 + EACH)
    events = collector.wait_until("event", predictions, count=wanted)
    spans = collector.wait_until("span", server_spans, count=wanted)
    assert len(events) == len({event["trace_id"] for event in events}) == wanted
    assert len(spans) == len({span["trace_id"] for span in spans}) == wanted
    assert {span["parent_span_id"] for span in spans} == {""}
    assert {event["trace_id"] for event in events} == {span["trace_id"] for span in spans}
    if traced_by != "dashlight":
        scores = [each for each in collector.items("span") if each["name"] == "score"]
        parents = [each["parent_span_id"] for each in scores]
        assert len(set(parents)) == len(parents)
        assert {span["span_id"] for span in spans} <= set(parents)
