"""The HTTP side of the development collector: OTLP and lines of JSON."""

import socketserver
import zlib
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import AF_INET, AF_INET6
from typing import Any, Protocol, cast

import msgspec

from dashlight.collector.received import (
    Item,
    ReceivedError,
    Signal,
    items_of_cloud_events,
    items_of_json,
    items_of_lines,
    items_of_protobuf,
)
from dashlight.deliver.encoding.protobuf import length_delimited, varint_field

MOST_BODY_BYTES = 16 * 2**20
"""Of a request, before and after its coding is undone."""

PROTOBUF, JSON, LINES = "application/x-protobuf", "application/json", "application/x-ndjson"
CLOUD_EVENTS = "application/cloudevents-batch+json"
_SIGNALS: dict[str, Signal] = {"/v1/traces": "traces", "/v1/logs": "logs", "/v1/metrics": "metrics"}
_WINDOW_BITS = {"gzip": 31, "x-gzip": 31, "deflate": 15}
_IDLE_SECONDS = 120
_LONGEST_LINE = 1024
# google.rpc.Code, which the answer to a refused OTLP request bears.
_CODES = {503: 14}
_INVALID_ARGUMENT = 3


class ItemSink(Protocol):
    """Takes the items that arrive."""

    def put(self, items: Sequence[Item], /) -> None:
        """Keeps items; raises OSError or ValueError where it cannot."""
        ...

    def refuse(self) -> None:
        """Counts a request that was refused."""
        ...


class Refusal(Exception):  # noqa: N818 - an answer, not an error
    """A request that is answered with *status*, and why."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Collector(ThreadingHTTPServer):
    """Listens at once; serves in `serve_forever`."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, host: str, port: int, sink: ItemSink) -> None:
        self.sink = sink
        self.address_family = AF_INET6 if ":" in host else AF_INET
        super().__init__((host, port), _Handler)

    def server_bind(self) -> None:
        """Binds without asking the resolver for the name of the host, which can take seconds."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    @property
    def url(self) -> str:
        """Where it listens."""
        host = f"[{self.server_name}]" if ":" in self.server_name else self.server_name
        return f"http://{host}:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - the signature of socketserver
        """Counts a conversation that broke off, instead of printing a traceback."""
        self.sink.refuse()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "dashlight", ""
    timeout = _IDLE_SECONDS

    @property
    def _sink(self) -> ItemSink:
        return cast("Collector", self.server).sink

    def do_POST(self) -> None:
        """Takes one request and answers as OTLP wants it."""
        content_type = self.headers.get_content_type()
        try:
            items = self._items(content_type, _decoded(self._body(), self.headers.get("content-encoding", "")))
            self._sink.put(items)
        except Refusal as refusal:
            self._refuse(refusal.status, str(refusal), content_type)
        except ReceivedError as error:
            self._refuse(400, str(error), content_type)
        except (OSError, ValueError) as error:
            self._refuse(503, f"cannot be kept: {type(error).__name__}", content_type)
        else:
            # An empty ExportServiceResponse: everything was taken.
            self._answer(200, b"{}" if content_type == JSON else b"", content_type)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that http.server gives it
        """Says nothing: items are shown, requests are not."""

    def _items(self, content_type: str, body: bytes) -> list[Item]:
        if content_type == LINES:
            return items_of_lines(body)
        if content_type == CLOUD_EVENTS:
            return items_of_cloud_events(body)
        path = self.path.partition("?")[0].rstrip("/")
        for ending, signal in _SIGNALS.items():
            if path.endswith(ending):
                if content_type == PROTOBUF:
                    return items_of_protobuf(signal, body)
                if content_type == JSON:
                    return items_of_json(signal, body)
                raise Refusal(415, f"expected {PROTOBUF}, {JSON}, {LINES} or {CLOUD_EVENTS}")
        raise Refusal(404, f"expected one of {', '.join(_SIGNALS)}")

    def _body(self) -> bytes:
        """The body as it came over the wire, in pieces or whole."""
        if self.headers.get("transfer-encoding", "").lower() == "chunked":
            return self._chunks()
        length = self.headers.get("content-length", "")
        if not length.isdecimal():
            raise Refusal(411, "expected a Content-Length or chunks")
        return self._piece(int(length), 0)

    def _chunks(self) -> bytes:
        body = bytearray()
        while size := self._chunk_size():
            body += self._piece(size, len(body))
            self.rfile.readline(_LONGEST_LINE)
        while self.rfile.readline(_LONGEST_LINE).strip():
            pass
        return bytes(body)

    def _chunk_size(self) -> int:
        line = self.rfile.readline(_LONGEST_LINE).partition(b";")[0].strip()
        try:
            return int(line, 16)
        except ValueError:
            raise Refusal(400, "no chunk where one should begin") from None

    def _piece(self, size: int, before: int) -> bytes:
        if size < 0 or before + size > MOST_BODY_BYTES:
            raise Refusal(413, f"more than {MOST_BODY_BYTES} bytes")
        piece = self.rfile.read(size)
        if len(piece) < size:
            raise Refusal(400, "cut short")
        return piece

    def _refuse(self, status: int, reason: str, content_type: str) -> None:
        self._sink.refuse()
        # What is left of the body is not read, so the connection cannot be used again.
        self.close_connection = True
        code = _CODES.get(status, _INVALID_ARGUMENT)
        if content_type == PROTOBUF:
            body = varint_field(1, number=code) + length_delimited(2, reason.encode())
        else:
            body, content_type = msgspec.json.encode({"code": code, "message": reason}), JSON
        self._answer(status, body, content_type)

    def _answer(self, status: int, body: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)


def _decoded(body: bytes, codings: str) -> bytes:
    """*body* without its coding, gzip or deflate.

    Raises:
        Refusal: another coding, damaged, or too large once undone.
    """
    coding = codings.strip().lower()
    if coding in {"", "identity"}:
        return body
    if coding not in _WINDOW_BITS:
        raise Refusal(415, "expected gzip, deflate or no coding")
    found = bytearray()
    try:
        # A gzip file may be several, one after the other.
        while body:
            member = zlib.decompressobj(_WINDOW_BITS[coding])
            found += member.decompress(body, MOST_BODY_BYTES + 1 - len(found))
            if len(found) > MOST_BODY_BYTES:
                raise Refusal(413, f"more than {MOST_BODY_BYTES} bytes once its coding is undone")
            if not member.eof:
                raise Refusal(400, f"{coding} cut short")
            body = member.unused_data
    except zlib.error:
        raise Refusal(400, f"not {coding}") from None
    return bytes(found)
