"""Delivery against collectors that misbehave, over real connections."""

from __future__ import annotations

import gzip
import logging
import shutil
import socket
import ssl
import subprocess
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpcore
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsPartialSuccess,
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)

from dashlight.deliver.delivery import Delivery
from dashlight.deliver.encoding.events import ALERT, PREDICTION, Event
from dashlight.deliver.encoding.logs import LogEncoder
from dashlight.deliver.outbox import Counts
from dashlight.deliver.transport.answer import CollectorAnswer
from dashlight.deliver.transport.endpoints import Endpoint
from dashlight.deliver.transport.http import HttpSender

PATIENCE_SECONDS = 30.0
Behave = Callable[["_Handler", bytes], None]


@dataclass
class Request:
    """What arrived."""

    path: str
    headers: dict[str, str]
    body: bytes


class Collector(ThreadingHTTPServer):
    """Behaves as told, one behaviour a request, the last for ever."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.behaviours: list[Behave] = [answer(200)]
        self.requests: list[Request] = []
        self.connections: set[Any] = set()
        self.lock = threading.Lock()
        self.over = threading.Event()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,))
        self._thread.start()

    @property
    def url(self) -> str:
        """Where events go."""
        return f"http://127.0.0.1:{self.server_port}/v1/logs"

    def stop(self) -> None:
        """Ends it, and whatever it still holds up."""
        self.over.set()
        self.shutdown()
        self._thread.join()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing: cut connections are what this is for."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        with self.server.lock:
            self.server.requests.append(Request(self.path, headers, body))
            self.server.connections.add(self.client_address)
            behaviours = self.server.behaviours
            behave = behaviours.pop(0) if len(behaviours) > 1 else behaviours[0]
        behave(self, body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that http.server gives it
        """Says nothing."""


def answer(status: int, body: bytes = b"", **headers: str) -> Behave:
    """Answers properly."""

    def behave(handler: _Handler, _body: bytes) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return behave


def say(*pieces: bytes, pause_seconds: float = 0.0) -> Behave:
    """Says these bytes, one after the other, and hangs up."""

    def behave(handler: _Handler, _body: bytes) -> None:
        handler.close_connection = True
        for piece in pieces:
            handler.wfile.write(piece)
            handler.wfile.flush()
            if handler.server.over.wait(pause_seconds):
                return

    return behave


def keep_waiting(handler: _Handler, _body: bytes) -> None:
    """Says nothing for as long as the test lasts."""
    handler.server.over.wait()


def refuse_poison(handler: _Handler, body: bytes) -> None:
    """Answers 400 where an event is called evil."""
    answer(400 if b"evil" in body else 200)(handler, body)


def refuse_many(handler: _Handler, body: bytes) -> None:
    """Answers 413 to more than two events."""
    answer(413 if len(events_in(body)) > 2 else 200)(handler, body)


@pytest.fixture
def collector() -> Iterator[Collector]:
    running = Collector()
    yield running
    running.stop()


@pytest.fixture
def sender() -> Iterator[Callable[..., HttpSender]]:
    """Opens ways to an endpoint, and closes them with the test."""
    opened: list[HttpSender] = []

    def open_sender(url: str, **how: Any) -> HttpSender:
        opened.append(HttpSender(Endpoint(url, **how)))
        return opened[-1]

    yield open_sender
    for each in opened:
        each.close()


def send(sender: HttpSender, body: bytes = b"body") -> CollectorAnswer:
    return sender(body, content_type="text/plain", key="key-1")


def test_a_request_says_what_it_is(collector: Collector, sender: Any) -> None:
    found = send(sender(f"{collector.url}?token=t", headers={"api-key": "k"}))

    [request] = collector.requests
    assert found == CollectorAnswer(200)
    assert (request.path, request.body) == ("/v1/logs?token=t", b"body")
    assert request.headers["host"] == f"127.0.0.1:{collector.server_port}"
    assert request.headers["user-agent"].startswith("dashlight/")
    assert {
        name: request.headers[name] for name in ("api-key", "content-type", "idempotency-key", "accept-encoding")
    } == {
        "api-key": "k",
        "content-type": "text/plain",
        "idempotency-key": "key-1",
        "accept-encoding": "identity",
    }
    assert "content-encoding" not in request.headers


@pytest.mark.parametrize(
    ("compression", "undo"), [("gzip", gzip.decompress), ("deflate", zlib.decompress)], ids=["gzip", "deflate"]
)
def test_only_what_is_large_is_compressed(
    collector: Collector, sender: Any, compression: str, undo: Callable[[bytes], bytes]
) -> None:
    way = sender(collector.url, compression=compression)
    send(way, b"x" * 1024)
    send(way, b"x" * 1025)

    small, large = collector.requests
    assert (small.body, "content-encoding" in small.headers) == (b"x" * 1024, False)
    assert (undo(large.body), large.headers["content-encoding"]) == (b"x" * 1025, compression)


def test_one_connection_serves_many_requests(collector: Collector, sender: Any) -> None:
    way = sender(collector.url)
    for _ in range(3):
        send(way, b"x" * 300_000)

    assert [len(request.body) for request in collector.requests] == [300_000] * 3
    assert len(collector.connections) == 1


def test_the_answer_is_told_with_its_retry_after(collector: Collector, sender: Any) -> None:
    collector.behaviours = [answer(429, b"slow down", Retry_After="7")]

    assert send(sender(collector.url)) == CollectorAnswer(429, retry_after="7", body=b"slow down")


def test_a_redirect_is_not_followed(collector: Collector, sender: Any) -> None:
    collector.behaviours = [answer(307, Location="http://169.254.169.254/")]

    assert send(sender(collector.url)).status == 307
    assert len(collector.requests) == 1


def test_a_proxy_of_the_environment_is_not_used(
    collector: Collector, sender: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")

    assert send(sender(collector.url)).status == 200


def test_of_what_httpcore_logs_the_app_sees_its_own_lines_alone(
    collector: Collector, delivery: Delivery, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    delivery.send_event(event("e1"))
    counts = settled(delivery)
    ours = [line for line in caplog.records if line.name.startswith("httpcore")]
    with httpcore.ConnectionPool() as pool:
        theirs = pool.request("POST", collector.url, content=b"theirs").status
    delivery.close(PATIENCE_SECONDS)

    assert (counts, theirs) == (Counts(offered=1, delivered=1), 200)
    assert ours == []
    heard = [line for line in caplog.records if line.name.startswith("httpcore")]
    assert {line.name for line in heard} == {"httpcore.connection", "httpcore.http11"}
    assert {line.threadName for line in heard} == {"MainThread"}
    assert logging.getLogger("httpcore.http11").level == logging.NOTSET


def test_of_a_long_answer_nothing_is_kept(collector: Collector, sender: Any) -> None:
    collector.behaviours = [answer(200, b"x" * 1_000_000), answer(200, b"short")]
    way = sender(collector.url)

    assert [send(way).body, send(way).body] == [b"", b"short"]


def test_a_compressed_answer_is_not_looked_into(collector: Collector, sender: Any) -> None:
    collector.behaviours = [answer(200, gzip.compress(bytes(10_000_000)), Content_Encoding="gzip")]

    assert send(sender(collector.url)) == CollectorAnswer(200)


@pytest.mark.parametrize(
    ("behave", "failure"),
    [
        (say(), "cut"),
        (say(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf"), "cut"),
        (say(b"\x00\x01nonsense\r\n\r\n"), "cut"),
        (keep_waiting, "timeout"),
    ],
    ids=["hung up", "cut in the middle", "nonsense", "silence"],
)
def test_what_is_no_answer_has_a_reason(collector: Collector, sender: Any, behave: Behave, failure: str) -> None:
    collector.behaviours = [behave]

    assert send(sender(collector.url, timeout_seconds=0.5)).failure == failure


@pytest.mark.parametrize(
    "pieces",
    [
        [b"HTTP/1.1 200 OK\r\n", *[b"X-Drip: 1\r\n"] * 1000],
        [b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", *[b"x"] * 1000],
    ],
    ids=["header", "body"],
)
def test_an_answer_that_drips_ends_with_the_attempt(collector: Collector, sender: Any, pieces: list[bytes]) -> None:
    collector.behaviours = [say(*pieces, pause_seconds=0.05)]
    began = time.monotonic()

    found = send(sender(collector.url, timeout_seconds=0.5))

    assert found.failure == "timeout"
    assert time.monotonic() - began < 5.0


def test_a_request_that_nobody_reads_ends_with_the_attempt(sender: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        way = sender(f"http://127.0.0.1:{listener.getsockname()[1]}", timeout_seconds=0.5)
        began = time.monotonic()

        found = send(way, bytes(50_000_000))

    assert found.failure == "timeout"
    assert time.monotonic() - began < 5.0


def test_nobody_there_is_unreachable(sender: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    assert send(sender(f"http://127.0.0.1:{port}")).failure == "unreachable"


def test_an_attempt_without_time_does_not_even_connect(collector: Collector, sender: Any) -> None:
    assert send(sender(collector.url, timeout_seconds=0.0)).failure == "timeout"
    assert collector.requests == []


def test_a_header_that_cannot_be_sent_is_a_matter_of_settings(collector: Collector, sender: Any) -> None:
    found = send(sender(collector.url, headers={"a": "b\nc"}))

    assert found.failure == "setting"


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """(certificate, key) of 127.0.0.1, signed by itself."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs the openssl command to make a certificate")
    made, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(made)],
        check=True, capture_output=True,
    )  # fmt: skip
    return made, key


@pytest.fixture
def secure(collector: Collector, certificate: tuple[Path, Path]) -> Collector:
    """The collector behind TLS, which also asks for the client's certificate and takes none but its own."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    context.load_verify_locations(certificate[0])
    context.verify_mode = ssl.CERT_OPTIONAL
    collector.socket = context.wrap_socket(collector.socket, server_side=True, do_handshake_on_connect=False)
    return collector


def secure_url(collector: Collector) -> str:
    return collector.url.replace("http://", "https://")


def test_a_collector_is_believed_by_the_certificate_that_is_named(
    secure: Collector, sender: Any, certificate: tuple[Path, Path]
) -> None:
    made, key = map(str, certificate)
    way = sender(secure_url(secure), certificate=made, client_certificate=made, client_key=key)

    assert send(way) == CollectorAnswer(200)


def test_a_collector_that_cannot_be_believed_gets_nothing(secure: Collector, sender: Any) -> None:
    assert send(sender(secure_url(secure))).failure == "tls"
    assert secure.requests == []


@pytest.mark.parametrize(
    ("said", "failure"), [(b"HTTP/1.1 400 Bad Request\r\n\r\n", "tls"), (b"", "unreachable")], ids=["plain", "nothing"]
)
def test_a_collector_without_tls_is_a_matter_of_trust_unless_it_hangs_up(
    sender: Any, said: bytes, failure: str
) -> None:
    def say_and_hang_up() -> None:
        with listener.accept()[0] as connection:
            connection.recv(65536)
            connection.sendall(said)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=say_and_hang_up)
        thread.start()
        found = send(sender(f"https://127.0.0.1:{listener.getsockname()[1]}"))
        thread.join()

    assert found.failure == failure


def event(body: str, name: str = PREDICTION) -> Event:
    return Event(name, at=1.0, id="id", seq=1, severity=9, attributes={}, body=body)


def events_in(body: bytes) -> list[str]:
    """The bodies of the events in a request."""
    request = ExportLogsServiceRequest.FromString(body)
    return [record.body.string_value for record in request.resource_logs[0].scope_logs[0].log_records]


def settled(delivery: Delivery) -> Counts:
    """The counts once everything has ended, at the latest when patience ends."""
    delivery.flush(PATIENCE_SECONDS)
    return delivery.counts()["events"]


@pytest.fixture
def delivery(collector: Collector) -> Iterator[Delivery]:
    encoder = LogEncoder({}, "dashlight", "0.1", epoch=1)
    made = Delivery(events=(Endpoint(collector.url, timeout_seconds=1.0), encoder), jitter=lambda: 0.01)
    made.start()
    yield made
    made.close(0.0)


def test_events_arrive_with_a_key_that_stays_over_retries(collector: Collector, delivery: Delivery) -> None:
    collector.behaviours = [answer(503), say(), answer(429, Retry_After="0"), answer(200)]
    delivery.send_event(event("e1"))

    assert settled(delivery) == Counts(offered=1, delivered=1)
    assert [events_in(request.body) for request in collector.requests] == [["e1"]] * 4
    assert len({request.headers["idempotency-key"] for request in collector.requests}) == 1


def test_the_poisoned_event_costs_itself_alone(collector: Collector, delivery: Delivery) -> None:
    collector.behaviours = [refuse_poison]
    for number in range(20):
        delivery.send_event(event("evil" if number == 7 else f"e{number}"))

    assert settled(delivery) == Counts(offered=20, delivered=19, rejected=1)


def test_batches_shrink_until_they_fit(collector: Collector, delivery: Delivery) -> None:
    collector.behaviours = [refuse_many]
    for number in range(9):
        delivery.send_event(event(f"e{number}"))

    assert settled(delivery) == Counts(offered=9, delivered=9)
    taken = [words for words in (events_in(request.body) for request in collector.requests) if len(words) <= 2]
    assert sorted(word for words in taken for word in words) == [f"e{number}" for number in range(9)]


def test_what_the_collector_takes_in_part_is_counted(collector: Collector, delivery: Delivery) -> None:
    partial = ExportLogsServiceResponse(partial_success=ExportLogsPartialSuccess(rejected_log_records=1))
    collector.behaviours = [answer(200, partial.SerializeToString())]
    delivery.send_event(event("a"))

    assert settled(delivery) == Counts(offered=1, rejected=1)


@pytest.mark.parametrize("status", [401, 404], ids=["unauthorised", "not found"])
def test_a_collector_that_refuses_us_is_told_to_the_operator(
    collector: Collector, delivery: Delivery, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    caplog.set_level(logging.INFO, "dashlight")
    collector.behaviours = [answer(status), answer(200)]
    delivery.send_event(event("a", ALERT))
    progress = delivery._threads["events"].progress
    with progress:
        progress.wait_for(lambda: bool(caplog.messages), PATIENCE_SECONDS)

    # The hurry of a flush is a probe.
    assert settled(delivery) == Counts(offered=1, delivered=1)
    assert [line.levelname for line in caplog.records] == ["ERROR", "INFO"]


def test_the_end_waits_no_longer_than_it_may_for_a_collector_that_hangs(collector: Collector) -> None:
    collector.behaviours = [keep_waiting]
    slow = Delivery(events=(Endpoint(collector.url), LogEncoder({}, "dashlight", "0.1", epoch=1)))
    slow.start()
    slow.send_event(event("a", ALERT))
    began = time.monotonic()

    slow.close(0.3)

    assert time.monotonic() - began < 3.0
    assert slow.counts()["events"] == Counts(offered=1, dropped={"shutdown": 1})
