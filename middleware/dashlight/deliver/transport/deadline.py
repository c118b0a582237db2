"""Connections whose every step ends by one moment, however slowly the other side drips.

httpcore bounds each read and write, not their sum: a collector that sends one byte of a header in nine seconds would
keep the delivery thread for hours.
"""

import ipaddress
import ssl
from collections.abc import Callable, Iterable
from typing import Any

import httpcore

from dashlight.deliver.transport.urls import is_metadata_address

_WRITE_BYTES = 64 * 1024


class RefusedAddressError(Exception):
    """The name of the host leads to an address at which credentials of the machine are kept."""


class DeadlineBackend(httpcore.SyncBackend):
    """Opens connections that give up at `deadline_at`, a moment of the clock *monotonic* that its owner moves on."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self.deadline_at = 0.0
        self._monotonic = monotonic

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
        """Opens a connection, unless it leads to the metadata service of a cloud."""
        left = self.left_seconds(timeout, httpcore.ConnectTimeout)
        stream = super().connect_tcp(host, port, left, local_address, socket_options)
        return DeadlineStream(checked_peer(stream), self)


def checked_peer(stream: httpcore.NetworkStream) -> httpcore.NetworkStream:
    """*stream*, unless it leads to the metadata service of a cloud.

    Raises:
        RefusedAddressError: it does; it is closed then.
    """
    address = stream.get_extra_info("server_addr")[0]
    if is_metadata_address(ipaddress.ip_address(address)):
        stream.close()
        raise RefusedAddressError(f"refused to send to {address}")
    return stream


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
