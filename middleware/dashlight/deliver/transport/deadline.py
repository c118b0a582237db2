"""Connections whose every step ends by one moment, however slowly the other side drips.

httpcore bounds each read and write, not their sum: a collector that sends one byte of a header in nine seconds would
keep the delivery thread for hours.
"""

import ipaddress
import socket
import ssl
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

import httpcore

from dashlight.deliver.transport.urls import is_metadata_address

Resolve: TypeAlias = Callable[[str, int], Sequence[str]]
"""(host, port) -> its addresses."""

_WRITE_BYTES = 64 * 1024


class RefusedAddressError(Exception):
    """A name leads to nothing but addresses at which clouds keep the credentials of a machine."""


def resolved(host: str, port: int) -> Sequence[str]:
    """The addresses of *host*, in the order in which the resolver prefers them.

    Raises:
        httpcore.ConnectError: there is no such name, or no resolver.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise httpcore.ConnectError(str(error)) from error
    return list(dict.fromkeys(str(place[0]) for *_, place in found))


class DeadlineBackend(httpcore.SyncBackend):
    """Opens connections that give up at `deadline_at`, a moment of the clock *monotonic* that its owner moves on.

    It resolves a name itself, and connects to the very addresses that it has checked.
    """

    def __init__(self, monotonic: Callable[[], float], *, resolve: Resolve = resolved) -> None:
        self.deadline_at = 0.0
        self._monotonic = monotonic
        self._resolve = resolve

    def left_seconds(self, limit: float | None, error: type[httpcore.TimeoutException]) -> float:
        """The smaller of *limit* and the time left; *error* where none is left."""
        left = self.deadline_at - self._monotonic()
        if left <= 0:
            raise error("the attempt has used up its time")
        return left if limit is None else min(limit, left)

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Opens a connection to the first address of *host* that answers, the metadata services of clouds left out.

        Raises:
            RefusedAddressError: no other address is left.
        """
        self.left_seconds(timeout, httpcore.ConnectTimeout)
        failure: Exception | None = None
        for address in _allowed(host, self._resolve(host, port)):
            left = self.left_seconds(timeout, httpcore.ConnectTimeout)
            try:
                return DeadlineStream(super().connect_tcp(address, port, left, local_address, socket_options), self)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure or httpcore.ConnectError(f"{host} has no address")

    def check_target(self, host: str, port: int) -> None:
        """Looks where *host* leads before a proxy is asked to go there; a name that only the proxy knows passes.

        Raises:
            RefusedAddressError: one of its addresses is a metadata service: which of them the proxy takes, nobody knows.
        """
        try:
            addresses = self._resolve(host, port)
        except httpcore.ConnectError:
            return
        for address in addresses:
            _allowed(host, [address])


def _allowed(host: str, addresses: Sequence[str]) -> Sequence[str]:
    allowed = [each for each in addresses if not is_metadata_address(ipaddress.ip_address(each))]
    if addresses and not allowed:
        raise RefusedAddressError(f"{host} leads to {addresses[0]}, where clouds keep the credentials of a machine")
    return allowed


class DeadlineStream(httpcore.NetworkStream):
    """A connection that gives up at the deadline of its backend."""

    def __init__(self, inner: httpcore.NetworkStream, backend: DeadlineBackend) -> None:
        self._inner = inner
        self._backend = backend

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Reads, within the time that is left."""
        return self._inner.read(max_bytes, self._backend.left_seconds(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Writes piece by piece, within the time that is left."""
        for start in range(0, len(buffer), _WRITE_BYTES):
            left = self._backend.left_seconds(timeout, httpcore.WriteTimeout)
            self._inner.write(buffer[start : start + _WRITE_BYTES], left)

    def close(self) -> None:
        """Closes the connection."""
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """The same connection with TLS around it, within the time that is left."""
        left = self._backend.left_seconds(timeout, httpcore.ConnectTimeout)
        return DeadlineStream(self._inner.start_tls(ssl_context, server_hostname, left), self._backend)

    def get_extra_info(self, info: str) -> Any:
        """What the connection says of itself."""
        return self._inner.get_extra_info(info)
