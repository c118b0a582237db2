"""Posts batches to one endpoint. Loads httpcore, so that the delivery thread alone may load this.

httpcore, and not the httpx.Client above it, because that one writes every URL, query and all, to the log of the app.
"""

import socket
import ssl
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from time import monotonic as monotonic_clock
from urllib.parse import urlsplit

import httpcore

from dashlight.deliver.transport.answer import CollectorAnswer, Failure
from dashlight.deliver.transport.deadline import DeadlineBackend, RefusedAddressError
from dashlight.deliver.transport.endpoints import ATTEMPT_SECONDS, Compression, Endpoint
from dashlight.deliver.transport.silence import silenced
from dashlight.units import small_file
from dashlight.version import __version__

_CONNECT_SECONDS, _WRITE_SECONDS, _READ_SECONDS = 2.0, 5.0, 10.0
_MOST_ANSWER_BYTES = 64 * 1024
# Below this a coding costs more than it saves.
_COMPRESS_ABOVE_BYTES = 1024
_WINDOW_BITS = {"gzip": 31, "deflate": 15}
# Shorter than most collectors keep an idle connection, so that it is seldom cut just as it is used again.
_KEEPALIVE_SECONDS = 30.0
_NO_SUCH_NAME = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)})
_MOST_CERTIFICATE_BYTES = 2**24
# The other side hung up in the middle: no matter of trust.
_TLS_CUT = (ssl.SSLEOFError, ssl.SSLZeroReturnError)


class HttpSender:
    """A kept-alive connection to one endpoint: no redirects, no proxy but that of its `Egress`, nothing from the environment.

    Where a proxy leads is its affair; where the name of the endpoint leads is looked up here before it is asked. An attempt ends within the endpoint's timeout, and of an answer above 64 KiB nothing is kept.

    Raises:
        OSError: a certificate of the endpoint, or of those to trust, cannot be read, or is none.
    """

    def __init__(self, endpoint: Endpoint, *, monotonic: Callable[[], float] = monotonic_clock) -> None:
        parts = urlsplit(endpoint.url)
        self._endpoint = endpoint
        self._monotonic = monotonic
        self._host = parts.netloc
        self._backend = DeadlineBackend(monotonic)
        self._target = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        self._is_proxied = endpoint.egress.proxies(self._target[0])
        trust = _trust(endpoint) if parts.scheme == "https" else None
        self._pool = _proxied(endpoint, trust, self._backend) if self._is_proxied else _direct(trust, self._backend)
        # Whoever asks for a longer timeout than ours has a collector that takes long to answer.
        patience = endpoint.timeout_seconds if endpoint.timeout_seconds > ATTEMPT_SECONDS else _READ_SECONDS
        self._timeouts = {"connect": _CONNECT_SECONDS, "write": _WRITE_SECONDS, "read": patience}

    def __call__(self, body: bytes, *, content_type: str, key: str) -> CollectorAnswer:
        """Posts *body*, compressed if the endpoint wants that and it is worth it."""
        headers = {"content-type": content_type, "idempotency-key": key}
        coding = self._endpoint.compression if len(body) > _COMPRESS_ABOVE_BYTES else "none"
        if coding != "none":
            headers["content-encoding"] = coding
        return self._asked("POST", _compressed(body, coding), headers)

    def reach(self) -> CollectorAnswer:
        """Asks what the endpoint allows, which changes nothing there: any status says that there is a way, and trust."""
        return self._asked("OPTIONS", b"", {})

    def get(self, *, most_bytes: int) -> CollectorAnswer:
        """What the endpoint shows; of an answer above *most_bytes* nothing is kept."""
        return self._asked("GET", b"", {}, most_bytes=most_bytes)

    def _asked(
        self, method: str, body: bytes, own: Mapping[str, str], *, most_bytes: int = _MOST_ANSWER_BYTES
    ) -> CollectorAnswer:
        headers = dict(self._endpoint.headers)
        headers |= {
            "host": self._host,
            "user-agent": headers.get("user-agent", f"dashlight/{__version__}"),
            "accept-encoding": "identity",
            **own,
        }
        try:
            encoded = [(name.encode(), text.encode("latin-1")) for name, text in headers.items()]
            with silenced():
                return self._answer(method, body, encoded, most_bytes)
        except RefusedAddressError as refused:
            return CollectorAnswer(failure="refused address", detail=str(refused))
        except Exception as failure:
            return CollectorAnswer(failure=cause_of(failure), detail=type(failure).__name__)

    def close(self) -> None:
        """Closes the connection."""
        with silenced():
            self._pool.close()

    def _answer(self, method: str, body: bytes, headers: list[tuple[bytes, bytes]], most_bytes: int) -> CollectorAnswer:
        self._backend.deadline_at = self._monotonic() + self._endpoint.timeout_seconds
        if self._is_proxied:
            self._backend.check_target(*self._target)
        extensions = {"timeout": self._timeouts}
        url = self._endpoint.url
        with self._pool.stream(method, url, headers=headers, content=body, extensions=extensions) as got:
            said = {name.lower(): value for name, value in got.headers}
            return CollectorAnswer(
                status=got.status,
                retry_after=said.get(b"retry-after", b"").decode("latin-1"),
                # A coding that was not asked for is not undone: who knows how large it grows.
                body=b"" if said.get(b"content-encoding") else _read(got, most_bytes),
            )


def _read(answer: httpcore.Response, most_bytes: int) -> bytes:
    """The body of *answer*, nothing where it is too long."""
    body = b""
    for piece in answer.iter_stream():
        body += piece
        if len(body) > most_bytes:
            return b""
    return body


def _compressed(body: bytes, coding: Compression) -> bytes:
    return body if coding == "none" else zlib.compress(body, 1, _WINDOW_BITS[coding])


def _direct(trust: ssl.SSLContext | None, backend: DeadlineBackend) -> httpcore.ConnectionPool:
    return httpcore.ConnectionPool(
        ssl_context=trust, max_connections=1, keepalive_expiry=_KEEPALIVE_SECONDS, network_backend=backend
    )


def _proxied(endpoint: Endpoint, trust: ssl.SSLContext | None, backend: DeadlineBackend) -> httpcore.HTTPProxy:
    egress = endpoint.egress
    credentials = egress.proxy_credentials
    return httpcore.HTTPProxy(
        egress.proxy,
        proxy_auth=None if credentials is None else (credentials[0].encode(), credentials[1].encode()),
        ssl_context=trust,
        # A proxy has no business with the certificate that is to be shown to the endpoint.
        proxy_ssl_context=_usual_trust(egress.authorities) if egress.proxy.startswith("https") else None,
        max_connections=1,
        keepalive_expiry=_KEEPALIVE_SECONDS,
        network_backend=backend,
    )


def _usual_trust(authorities: str) -> ssl.SSLContext:
    """The usual authorities, and those of the file *authorities* where there is one."""
    context = httpcore.default_ssl_context()
    if authorities:
        context.load_verify_locations(cafile=authorities)
    return context


def _trust(endpoint: Endpoint) -> ssl.SSLContext:
    """Whom to believe, and the certificate to show."""
    for path in filter(None, (endpoint.certificate, endpoint.client_certificate, endpoint.client_key)):
        small_file(Path(path), most_bytes=_MOST_CERTIFICATE_BYTES)
    if endpoint.certificate:
        context = ssl.create_default_context(cafile=endpoint.certificate)
        if endpoint.egress.authorities:
            context.load_verify_locations(cafile=endpoint.egress.authorities)
    else:
        context = _usual_trust(endpoint.egress.authorities)
    if endpoint.client_certificate:
        context.load_cert_chain(endpoint.client_certificate, endpoint.client_key or None)
    return context


def cause_of(failure: BaseException) -> Failure:
    """What lies below an exception, in one of our words."""
    causes = list(_chain(failure))
    if any(isinstance(each, socket.gaierror) and each.errno in _NO_SUCH_NAME for each in causes):
        return "name"
    if any(isinstance(each, httpcore.LocalProtocolError) for each in causes):
        return "setting"
    if any(isinstance(each, httpcore.TimeoutException) for each in causes):
        return "timeout"
    if any(isinstance(each, ssl.SSLError) and not isinstance(each, _TLS_CUT) for each in causes):
        return "tls"
    return "unreachable" if any(isinstance(each, httpcore.ConnectError) for each in causes) else "cut"


def _chain(failure: BaseException | None) -> Iterator[BaseException]:
    while failure is not None:
        yield failure
        failure = failure.__cause__ or failure.__context__
