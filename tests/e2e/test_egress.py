"""DASHLIGHT_CA and DASHLIGHT_PROXY over real connections: a collector with a certificate of its own, and a proxy."""

from __future__ import annotations

import base64
import select
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from dashlight.deliver.transport.answer import CollectorAnswer
from dashlight.deliver.transport.egress import Egress, egress_of
from dashlight.deliver.transport.endpoints import Endpoint
from dashlight.deliver.transport.http import HttpSender

NAME = "alerts.test"
"""A host that no resolver knows, but the proxy does."""


class Serving(ThreadingHTTPServer):
    """Runs on a thread of its own, and keeps what arrived."""

    daemon_threads = True

    def __init__(self, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.seen: list[tuple[str, str, str]] = []
        """Method, target and credentials for a proxy of each request."""
        self.leads_to = 0
        """The port to which the proxy takes NAME."""
        self.refuses_with = 0
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,))
        self._thread.start()

    def stop(self) -> None:
        """Ends it."""
        self.shutdown()
        self._thread.join()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing: cut connections are what this is for."""


class Target(BaseHTTPRequestHandler):
    """Takes everything."""

    protocol_version = "HTTP/1.1"
    server: Serving

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.server.seen.append(("POST", self.path, self.headers.get("proxy-authorization", "")))
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that http.server gives it
        """Says nothing."""


class Proxy(Target):
    """Takes requests for anybody as its own, and opens tunnels that all lead to one port."""

    def do_CONNECT(self) -> None:
        self.server.seen.append(("CONNECT", self.path, self.headers.get("proxy-authorization", "")))
        if self.server.refuses_with:
            self.send_error(self.server.refuses_with)
            return
        with socket.create_connection(("127.0.0.1", self.server.leads_to)) as there:
            self.send_response(200)
            self.end_headers()
            here = self.connection
            while readable := select.select([here, there], [], [], 10)[0]:
                for side in readable:
                    piece = side.recv(65536)
                    if not piece:
                        return
                    (there if side is here else here).sendall(piece)


@pytest.fixture
def target() -> Iterator[Serving]:
    running = Serving(Target)
    yield running
    running.stop()


@pytest.fixture
def proxy(target: Serving) -> Iterator[Serving]:
    running = Serving(Proxy)
    running.leads_to = target.server_port
    yield running
    running.stop()


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """(certificate, key) of 127.0.0.1 and NAME, signed by itself."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs the openssl command to make a certificate")
    made, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", f"/CN={NAME}", "-addext", f"subjectAltName=IP:127.0.0.1,DNS:{NAME}", "-keyout", str(key), "-out", str(made)],
        check=True, capture_output=True,
    )  # fmt: skip
    return made, key


@pytest.fixture
def secure(target: Serving, certificate: tuple[Path, Path]) -> Serving:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    target.socket = context.wrap_socket(target.socket, server_side=True, do_handshake_on_connect=False)
    return target


def posted(url: str, egress: Egress, **how: Any) -> CollectorAnswer:
    sender = HttpSender(Endpoint(url, egress=egress, **how))
    try:
        return sender(b"{}", content_type="application/json", key="key-1")
    finally:
        sender.close()


def through(proxy: Serving, **environ: str) -> Egress:
    return egress_of(environ, authorities="", proxy=f"http://user:pass%40word@127.0.0.1:{proxy.server_port}")


CREDENTIALS = "Basic " + base64.b64encode(b"user:pass@word").decode()


def test_a_certificate_is_believed_by_the_authority_of_the_setting_alone(
    secure: Serving, certificate: tuple[Path, Path]
) -> None:
    url = f"https://127.0.0.1:{secure.server_port}/"

    assert posted(url, Egress()).failure == "tls"
    assert posted(url, egress_of({}, authorities=str(certificate[0]), proxy="")) == CollectorAnswer(204)


def test_the_authority_is_believed_beside_the_one_of_the_endpoint(
    secure: Serving, certificate: tuple[Path, Path], tmp_path: Path
) -> None:
    other = tmp_path / "other.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=other", "-keyout", str(tmp_path / "k"), "-out", str(other)],
        check=True, capture_output=True,
    )  # fmt: skip
    url, ours = f"https://127.0.0.1:{secure.server_port}/", Egress(authorities=str(certificate[0]))

    assert posted(url, Egress(), certificate=str(other)).failure == "tls"
    assert posted(url, ours, certificate=str(other)) == CollectorAnswer(204)


def test_tls_goes_through_a_tunnel_to_a_name_that_only_the_proxy_knows(
    secure: Serving, proxy: Serving, certificate: tuple[Path, Path]
) -> None:
    egress = egress_of(
        {}, authorities=str(certificate[0]), proxy=f"http://user:pass%40word@127.0.0.1:{proxy.server_port}"
    )

    assert posted(f"https://{NAME}/hook", egress) == CollectorAnswer(204)
    assert proxy.seen == [("CONNECT", f"{NAME}:443", CREDENTIALS)]
    assert secure.seen == [("POST", "/hook", "")]


def test_what_is_not_encrypted_is_handed_to_the_proxy(proxy: Serving) -> None:
    assert posted(f"http://{NAME}:81/hook", through(proxy)) == CollectorAnswer(204)
    assert proxy.seen == [("POST", f"http://{NAME}:81/hook", CREDENTIALS)]


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_is_never_asked_for_a_metadata_address(proxy: Serving, scheme: str) -> None:
    # Written as no check of the settings knows it, so that the resolver alone tells what it is.
    answer = posted(f"{scheme}://0251.0376.0251.0376/latest", through(proxy))

    assert answer.failure == "refused address"
    assert proxy.seen == []


def test_a_host_of_no_proxy_is_reached_directly(target: Serving, proxy: Serving) -> None:
    egress = through(proxy, NO_PROXY="10.0.0.1, 127.0.0.1")

    assert posted(f"http://127.0.0.1:{target.server_port}/hook", egress) == CollectorAnswer(204)
    assert (len(proxy.seen), len(target.seen)) == (0, 1)


def test_a_proxy_that_refuses_is_a_failure_to_try_again(proxy: Serving) -> None:
    proxy.refuses_with = 403

    assert posted(f"https://{NAME}/hook", through(proxy)) == CollectorAnswer(failure="cut", detail="ProxyError")


def test_a_proxy_that_is_away_is_unreachable() -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        egress = egress_of({}, authorities="", proxy=f"http://127.0.0.1:{reserved.getsockname()[1]}")

        assert urlsplit(egress.proxy).hostname == "127.0.0.1"
        assert posted("https://127.0.0.1/", egress).failure == "unreachable"
