"""A collector that costs nothing to those who are measured: reads what is posted, answers 200, counts when asked.

Runs in a process of its own. What is posted to `/NAME/v1/traces` is counted under NAME, so that every variant of a
benchmark has its own books. The spans are counted on `GET /counts` alone, between measurements.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import cast
from urllib.request import urlopen

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

_OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n"
_JSON = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{}"
_END = b"\r\n\r\n"


class _Books:
    """What has been posted: undecoded until somebody asks."""

    def __init__(self) -> None:
        self._posted: list[tuple[str, bytes, bool]] = []
        self._counts: defaultdict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))

    def post(self, path: str, body: bytes, *, gzipped: bool) -> None:
        self._posted.append((path, body, gzipped))

    def counts(self) -> Mapping[str, Mapping[str, float]]:
        for path, body, gzipped in self._posted:
            name, _, signal = path.strip("/").partition("/v1/")
            counts = self._counts[name]
            counts[f"{signal} posts"] += 1
            counts[f"{signal} bytes"] += len(body)
            plain = gzip.decompress(body) if gzipped else body
            counts[signal] += _records(signal, plain)
            if signal == "logs":
                counts.update(_own_scores(plain))
        self._posted.clear()
        return self._counts


def _records(signal: str, body: bytes) -> int:
    if signal == "traces":
        traces = ExportTraceServiceRequest.FromString(body)
        return sum(len(scope.spans) for each in traces.resource_spans for scope in each.scope_spans)
    if signal == "logs":
        logs = ExportLogsServiceRequest.FromString(body)
        return sum(len(scope.log_records) for each in logs.resource_logs for scope in each.scope_logs)
    return 1


def _own_scores(body: bytes) -> dict[str, float]:
    """The scores of an endpoint as a whole, which are those of no column: value and rows, by statistic."""
    found: dict[str, float] = {}
    logs = ExportLogsServiceRequest.FromString(body)
    for record in (record for each in logs.resource_logs for scope in each.scope_logs for record in scope.log_records):
        for attribute in record.attributes:
            if attribute.key == "dashlight.scores":
                for score in attribute.value.array_value.values:
                    facts = {fact.key: fact.value for fact in score.kvlist_value.values}
                    if "column" not in facts or not facts["column"].string_value:
                        statistic = facts["statistic"].string_value
                        found[f"value of {statistic}"] = _number(facts["value"])
                        found[f"rows of {statistic}"] = _number(facts["rows"])
    return found


def _number(value: AnyValue) -> float:
    return value.double_value or float(value.int_value)


class _Connection(asyncio.Protocol):
    """One keep-alive connection of HTTP/1.1, with bodies of known length."""

    def __init__(self, books: _Books) -> None:
        self._books = books
        self._received = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (head_end := self._received.find(_END)) >= 0:
            head = bytes(self._received[:head_end]).decode("latin-1").lower()
            headers = dict(line.split(": ", 1) for line in head.split("\r\n")[1:])
            body_end = head_end + len(_END) + int(headers.get("content-length", 0))
            if len(self._received) < body_end:
                return
            body = bytes(self._received[head_end + len(_END) : body_end])
            del self._received[:body_end]
            path = head.split(" ", 2)[1]
            if path == "/counts":
                counts = json.dumps(self._books.counts())
                self._transport.write(_JSON.format(len(counts), counts).encode())
            else:
                self._books.post(path, body, gzipped=headers.get("content-encoding") == "gzip")
                self._transport.write(_OK)


async def _serve() -> None:
    books = _Books()
    server = await asyncio.get_running_loop().create_server(lambda: _Connection(books), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextmanager
def running_sink() -> Iterator[str]:
    """The URL of a sink, in a process that ends with the context."""
    command = [sys.executable, "-m", "benchmarks.sink"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[1]) as child:
        try:
            if child.stdout is None:
                raise OSError("the sink has no output")
            yield f"http://127.0.0.1:{int(child.stdout.readline())}"
        finally:
            child.kill()


def counts_of(sink: str) -> Mapping[str, Mapping[str, float]]:
    """By variant: what has arrived until now."""
    with urlopen(f"{sink}/counts") as answer:
        return cast("Mapping[str, Mapping[str, float]]", json.load(answer))


if __name__ == "__main__":
    asyncio.run(_serve())
