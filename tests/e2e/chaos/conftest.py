"""A collector that misbehaves on purpose, and how long these tests take: seconds, or with CHAOS=long as long as it takes."""

from __future__ import annotations

import gzip
import json
import os
import random
import shutil
import ssl
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

POISON = "evil"
"""An event with this in its body is refused while the collector is choosy."""


@dataclass
class Storms:
    """What a collector does wrong, request by request; from the end of its list on it is well."""

    coming: list[str] = field(default_factory=list[str])
    """Names of misbehaviours, in the order in which they come."""
    is_away: bool = False
    """Whether it refuses everything until told otherwise."""
    taken: Counter[str] = field(default_factory=Counter[str])
    """How often each event arrived, by its id, whatever the sender was told of it."""
    keys: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    """The idempotency keys with which each event arrived."""
    predictions: set[str] = field(default_factory=set[str])
    """The ids of those among them that tell of an exchange."""
    request_count: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def next(self) -> str:
        """What to do with the request that came just now."""
        with self.lock:
            self.request_count += 1
            if self.is_away:
                return "503"
            return self.coming.pop(0) if self.coming else "well"

    def take(self, events: list[dict[str, Any]], key: str) -> None:
        """Keeps events."""
        with self.lock:
            for event in events:
                self.taken[event["id"]] += 1
                self.keys.setdefault(event["id"], set()).add(key)
                if event["name"] == "dashlight.prediction":
                    self.predictions.add(event["id"])


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    storms: Storms

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing: cut connections are what this is for."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:
        storms = self.server.storms
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        events = [json.loads(line) for line in body.splitlines()]
        what, key = storms.next(), self.headers["idempotency-key"]
        if what == "well":
            storms.take(events, key)
            self._answer(200)
        elif what == "429":
            self._answer(429, retry_after="0")
        elif what == "503 until a date":
            self._answer(503, retry_after=formatdate(time.time() + 0.2, usegmt=True))
        elif what == "redirect":
            self._answer(302, location="http://127.0.0.1:9/elsewhere")
        elif what == "too large":
            self._answer(413) if len(events) > 1 else self._take(events, key)
        elif what == "poison":
            poisoned = any(POISON in event["body"] for event in events)
            self._answer(400) if poisoned else self._take(events, key)
        elif what == "hang":
            time.sleep(20.0)
            self._cut()
        elif what == "slow":
            time.sleep(1.0)
            self._take(events, key)
        elif what == "taken, and cut":
            # The worst: the sender has to send it again.
            storms.take(events, key)
            self._cut()
        elif what == "taken, and half an answer":
            storms.take(events, key)
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
            self._cut()
        elif what == "nonsense":
            self.wfile.write(b"\x00\xff nonsense\r\n\r\n")
            self._cut()
        elif what == "cut":
            self._cut()
        else:
            self._answer(int(what))

    def _take(self, events: list[dict[str, Any]], key: str) -> None:
        self.server.storms.take(events, key)
        self._answer(200)

    def _answer(self, status: int, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _cut(self) -> None:
        self.close_connection = True
        self.wfile.flush()
        self.connection.close()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that http.server gives it
        """Says nothing."""


@dataclass
class Misbehaving:
    """A running collector for lines of JSON."""

    url: str
    storms: Storms


@pytest.fixture
def misbehaving() -> Iterator[Callable[..., Misbehaving]]:
    """Starts collectors that misbehave; with a certificate and its key, behind TLS."""
    servers: list[tuple[_Server, threading.Thread]] = []

    def start(storms: Storms | None = None, *, certificate: tuple[Path, Path] | None = None) -> Misbehaving:
        server = _Server(("127.0.0.1", 0), _Handler)
        server.storms = storms or Storms()
        scheme = "http"
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
            scheme = "https"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        servers.append((server, thread))
        return Misbehaving(f"{scheme}://127.0.0.1:{server.server_port}/events", server.storms)

    yield start
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def storms() -> Storms:
    """No storm yet."""
    return Storms()


@pytest.fixture
def wrong_certificate(tmp_path: Path) -> tuple[Path, Path]:
    """(certificate, key) that nobody vouches for."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs the openssl command to make a certificate")
    made, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(made)],
        check=True, capture_output=True,
    )  # fmt: skip
    return made, key


@pytest.fixture(scope="session")
def length() -> str:
    """`short`, or `long` by `make chaos`."""
    return os.environ.get("CHAOS", "short")


@pytest.fixture
def rng() -> random.Random:
    """A storm that can be repeated."""
    return random.Random(13)
