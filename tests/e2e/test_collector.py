"""What the development collector takes and what it refuses, over real connections."""

from __future__ import annotations

import gzip
import http.client
import io
import json
import socket
import threading
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from dashlight.cli.collect import ItemWriter, as_json
from dashlight.collector.server import MOST_BODY_BYTES, Collector
from dashlight.deliver.encoding.wire import fields

PROTOBUF, JSON, LINES = "application/x-protobuf", "application/json", "application/x-ndjson"
TRACES = ExportTraceServiceRequest(
    resource_spans=[ResourceSpans(scope_spans=[ScopeSpans(spans=[Span(name="GET /")])])]
).SerializeToString()
LOGS = ExportLogsServiceRequest(
    resource_logs=[ResourceLogs(scope_logs=[ScopeLogs(log_records=[LogRecord(event_name="said")])])]
).SerializeToString()


class Running:
    """A collector in a thread, and what it was given."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.screen = io.StringIO()
        self.writer = ItemWriter(show=as_json, screen=self.screen)
        self.server = Collector(host, 0, self.writer)
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self._thread.start()

    @property
    def items(self) -> list[dict[str, Any]]:
        """What was kept."""
        return [json.loads(line) for line in self.screen.getvalue().splitlines()]

    def post(
        self, path: str, body: Any, headers: Mapping[str, str], **how: Any
    ) -> tuple[int, bytes, http.client.HTTPMessage]:
        """Status, body and headers of the answer to one request."""
        connection = http.client.HTTPConnection(self.server.server_name, self.server.server_port, timeout=20)
        try:
            connection.request("POST", path, body, dict(headers), **how)
            answer = connection.getresponse()
            return answer.status, answer.read(), answer.headers
        finally:
            connection.close()

    def stop(self) -> None:
        """Ends it."""
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()


@pytest.fixture
def running() -> Iterator[Running]:
    collector = Running()
    yield collector
    collector.stop()


CODINGS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "plain": ("", bytes),
    "identity": ("identity", bytes),
    "gzip": ("gzip", gzip.compress),
    "deflate": ("Deflate", zlib.compress),
    "gzip in two members": ("gzip", lambda body: gzip.compress(body[:5]) + gzip.compress(body[5:])),
}


@pytest.mark.parametrize(("coding", "encode"), CODINGS.values(), ids=CODINGS.keys())
def test_otlp_is_taken_in_every_usual_coding(running: Running, coding: str, encode: Callable[[bytes], bytes]) -> None:
    headers = {"Content-Type": PROTOBUF, **({"Content-Encoding": coding} if coding else {})}

    status, body, answered = running.post("/v1/traces", encode(TRACES), headers)

    assert (status, answered["Content-Type"]) == (200, PROTOBUF)
    assert not ExportTraceServiceResponse.FromString(body).HasField("partial_success")
    assert [item["name"] for item in running.items] == ["GET /"]


def test_chunks_are_put_together(running: Running) -> None:
    pieces = iter([TRACES[:3], TRACES[3:]])

    status, _, _ = running.post("/v1/traces", pieces, {"Content-Type": PROTOBUF}, encode_chunked=True)

    assert (status, len(running.items)) == (200, 1)


def test_logs_and_a_base_path_and_a_query_are_understood(running: Running) -> None:
    status, _, _ = running.post("/otlp/v1/logs/?key=1", LOGS, {"Content-Type": PROTOBUF})

    assert status == 200
    assert [(item["kind"], item["name"]) for item in running.items] == [("event", "said")]


def test_json_is_answered_in_json(running: Running) -> None:
    body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [{"name": "GET /"}]}]}]})

    status, said, answered = running.post("/v1/traces", body, {"Content-Type": f"{JSON}; charset=utf-8"})

    assert (status, said, answered["Content-Type"]) == (200, b"{}", JSON)
    assert [item["name"] for item in running.items] == ["GET /"]


def test_lines_of_json_come_to_any_path(running: Running) -> None:
    status, _, _ = running.post("/anywhere", b'{"name": "a"}\n{"name": "b"}\n', {"Content-Type": LINES})

    assert status == 200
    assert [item["name"] for item in running.items] == ["a", "b"]


def test_a_connection_is_kept_for_the_next_request(running: Running) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", running.server.server_port, timeout=20)
    for _ in range(2):
        connection.request("POST", "/v1/traces", TRACES, {"Content-Type": PROTOBUF})
        connection.getresponse().read()
        kept = connection.sock
    connection.close()

    assert kept is not None
    assert len(running.items) == 2


REFUSED: dict[str, tuple[str, bytes, dict[str, str], int]] = {
    "garbage": ("/v1/traces", b"garbage", {"Content-Type": PROTOBUF}, 400),
    "no JSON": ("/v1/traces", b"garbage", {"Content-Type": JSON}, 400),
    "no lines": ("/", b"garbage", {"Content-Type": LINES}, 400),
    "text": ("/v1/traces", b"garbage", {"Content-Type": "text/plain"}, 415),
    "another path": ("/v2/traces", TRACES, {"Content-Type": PROTOBUF}, 404),
    "another coding": ("/v1/traces", TRACES, {"Content-Type": PROTOBUF, "Content-Encoding": "zstd"}, 415),
    "no gzip": ("/v1/traces", TRACES, {"Content-Type": PROTOBUF, "Content-Encoding": "gzip"}, 400),
    "half a gzip": (
        "/v1/traces",
        gzip.compress(TRACES)[:-9],
        {"Content-Type": PROTOBUF, "Content-Encoding": "gzip"},
        400,
    ),
    "a bomb": (
        "/v1/traces",
        gzip.compress(bytes(MOST_BODY_BYTES + 1), 1),
        {"Content-Type": PROTOBUF, "Content-Encoding": "gzip"},
        413,
    ),
    "too large": ("/v1/traces", b"", {"Content-Type": PROTOBUF, "Content-Length": str(MOST_BODY_BYTES + 1)}, 413),
    "a length that is no number": ("/v1/traces", b"", {"Content-Type": PROTOBUF, "Content-Length": "-5"}, 411),
}


@pytest.mark.parametrize(("path", "body", "headers", "expected"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_refused_is_answered_and_counted(
    running: Running, path: str, body: bytes, headers: dict[str, str], expected: int
) -> None:
    status, said, _ = running.post(path, body, headers)

    assert status == expected
    assert running.items == []
    assert running.writer.tally().endswith("refused 1 requests")
    # google.rpc.Status: a code and a message for people.
    if headers["Content-Type"] == PROTOBUF:
        assert dict(fields(said)).keys() == {1, 2}
    else:
        assert json.loads(said).keys() == {"code", "message"}


def said_to(running: Running, *pieces: bytes) -> bytes:
    """What it answers to bytes written by hand."""
    with socket.create_connection(("127.0.0.1", running.server.server_port), timeout=20) as connection:
        for piece in pieces:
            connection.sendall(piece)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


HEAD = b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\n"


@pytest.mark.parametrize(
    ("pieces", "status"),
    [
        ([HEAD, b"Content-Length: 50\r\n\r\n", b"half"], b"400"),
        ([HEAD, b"Transfer-Encoding: chunked\r\n\r\n", b"zz\r\n"], b"400"),
        ([HEAD, b"Transfer-Encoding: chunked\r\n\r\n", b"-5\r\n"], b"413"),
        ([HEAD, b"Transfer-Encoding: chunked\r\n\r\n", b"ffffffff\r\n"], b"413"),
        ([HEAD, b"Transfer-Encoding: chunked\r\n\r\n", b"0\r\nTrailer: x\r\n\r\n"], b"200"),
        ([HEAD, b"\r\n"], b"411"),
    ],
    ids=["half a body", "no chunk", "a negative chunk", "a huge chunk", "trailers", "no length"],
)
def test_odd_requests_are_answered(running: Running, pieces: list[bytes], status: bytes) -> None:
    assert said_to(running, *pieces).startswith(b"HTTP/1.1 " + status)


def test_what_cannot_be_kept_is_to_be_sent_again(running: Running) -> None:
    running.screen.close()

    status, said, _ = running.post("/v1/traces", TRACES, {"Content-Type": PROTOBUF})

    assert status == 503
    assert dict(fields(said))[1] == 14


def test_a_conversation_that_breaks_off_is_counted(running: Running, capfd: pytest.CaptureFixture[str]) -> None:
    running.server.handle_error(None, None)

    assert running.writer.tally().endswith("refused 1 requests")
    assert capfd.readouterr().err == ""


def test_it_listens_on_ipv6_too() -> None:
    try:
        collector = Running("::1")
    except OSError as error:
        pytest.skip(f"no IPv6 on this machine: {error}")
    try:
        assert collector.server.url == f"http://[::1]:{collector.server.server_port}"
        assert collector.post("/v1/traces", TRACES, {"Content-Type": PROTOBUF})[0] == 200
    finally:
        collector.stop()
