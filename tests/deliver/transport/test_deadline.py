from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from typing import Any

import httpcore
import pytest

from dashlight.deliver.transport.deadline import DeadlineBackend, DeadlineStream, RefusedAddressError, resolved
from dashlight.testing import FakeClock


class Wire(httpcore.NetworkStream):
    """A connection that takes its time and notes how much it was given."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.given: list[float | None] = []
        self.written: list[int] = []
        self.closed = False

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """A second for each byte."""
        self.given.append(timeout)
        self.clock.advance(1.0)
        return b"x"

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """A second for each call."""
        self.given.append(timeout)
        self.written.append(len(buffer))
        self.clock.advance(1.0)

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """Itself."""
        self.given.append(timeout)
        return self

    def get_extra_info(self, info: str) -> Any:
        """Where it leads."""
        return ("10.0.0.1", 80) if info == "server_addr" else None

    def close(self) -> None:
        """Notes it."""
        self.closed = True


@pytest.fixture
def wire(clock: FakeClock) -> Wire:
    return Wire(clock)


@pytest.fixture
def stream(wire: Wire, clock: FakeClock) -> DeadlineStream:
    backend = DeadlineBackend(clock.monotonic)
    backend.deadline_at = clock.at + 3.5
    return DeadlineStream(wire, backend)


def test_every_read_gets_less_until_no_time_is_left(stream: DeadlineStream, wire: Wire) -> None:
    for _ in range(4):
        stream.read(1, timeout=3.0)

    with pytest.raises(httpcore.ReadTimeout):
        stream.read(1, timeout=3.0)
    assert wire.given == [3.0, 2.5, 1.5, 0.5]


def test_without_a_limit_of_its_own_a_step_gets_what_is_left(stream: DeadlineStream, wire: Wire) -> None:
    stream.read(1)

    assert wire.given == [3.5]


def test_a_large_write_goes_out_in_pieces_and_ends_with_the_time(stream: DeadlineStream, wire: Wire) -> None:
    with pytest.raises(httpcore.WriteTimeout):
        stream.write(bytes(10 * 65536), timeout=5.0)

    assert wire.written == [65536] * 4


def test_a_handshake_is_within_the_time_and_so_is_what_follows(stream: DeadlineStream, wire: Wire) -> None:
    secure = stream.start_tls(ssl.create_default_context(), timeout=9.0)
    secure.read(1, timeout=9.0)

    assert wire.given == [3.5, 3.5]
    assert isinstance(secure, DeadlineStream)


def test_the_rest_is_the_connection_s_own(stream: DeadlineStream, wire: Wire) -> None:
    stream.close()

    assert stream.get_extra_info("server_addr") == ("10.0.0.1", 80)
    assert wire.closed


def test_without_time_no_connection_is_opened(clock: FakeClock) -> None:
    backend = DeadlineBackend(clock.monotonic)

    with pytest.raises(httpcore.ConnectTimeout):
        backend.connect_tcp("127.0.0.1", 9)


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "2852039166",
        "0xa9fea9fe",
        "0251.0376.0251.0376",
        "169.254.43518",
        "169.254.1.1",
        "::ffff:169.254.169.254",
        "fd00:ec2::254",
        "fe80::1",
    ],
)
def test_the_metadata_service_is_not_spoken_to_however_it_is_written(clock: FakeClock, host: str) -> None:
    backend = DeadlineBackend(clock.monotonic)
    backend.deadline_at = clock.at + 5.0

    with pytest.raises(RefusedAddressError, match="where clouds keep the credentials of a machine"):
        backend.connect_tcp(host, 80)


def test_a_name_that_leads_to_the_metadata_service_is_refused_in_one_sentence(clock: FakeClock) -> None:
    backend = DeadlineBackend(clock.monotonic, resolve=lambda host, port: ["169.254.169.254", "fe80::1"])
    backend.deadline_at = clock.at + 5.0

    with pytest.raises(RefusedAddressError) as refused:
        backend.connect_tcp("collector.example", 80)

    assert str(refused.value) == (
        "collector.example leads to 169.254.169.254, where clouds keep the credentials of a machine"
    )


@pytest.fixture
def port() -> Iterator[int]:
    """One of 127.0.0.1 at which somebody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_the_name_is_looked_up_once_and_what_was_checked_is_connected_to(clock: FakeClock, port: int) -> None:
    lookups: list[str] = []

    def resolve(host: str, _port: int) -> list[str]:
        lookups.append(host)
        return ["fe80::1", "127.0.0.2" if len(lookups) > 1 else "127.0.0.1"]

    backend = DeadlineBackend(clock.monotonic, resolve=resolve)
    backend.deadline_at = clock.at + 5.0

    stream = backend.connect_tcp("no-such-name.invalid", port)

    assert stream.get_extra_info("server_addr") == ("127.0.0.1", port)
    assert lookups == ["no-such-name.invalid"]
    stream.close()


def test_the_next_address_is_tried_where_nobody_answers(clock: FakeClock, port: int) -> None:
    backend = DeadlineBackend(clock.monotonic, resolve=lambda host, port: ["127.0.0.2", "127.0.0.1"])
    backend.deadline_at = clock.at + 5.0

    stream = backend.connect_tcp("collector.example", port)

    assert stream.get_extra_info("server_addr") == ("127.0.0.1", port)
    stream.close()


def test_the_last_address_tells_why_there_is_no_connection(clock: FakeClock, port: int) -> None:
    backend = DeadlineBackend(clock.monotonic, resolve=lambda host, port: ["127.0.0.2", "127.0.0.3"])
    backend.deadline_at = clock.at + 5.0

    with pytest.raises(httpcore.ConnectError, match="refused"):
        backend.connect_tcp("collector.example", port)


def test_a_name_without_addresses_is_nobody(clock: FakeClock) -> None:
    backend = DeadlineBackend(clock.monotonic, resolve=lambda host, port: [])
    backend.deadline_at = clock.at + 5.0

    with pytest.raises(httpcore.ConnectError, match=r"collector\.example has no address"):
        backend.connect_tcp("collector.example", 80)


def test_a_lookup_that_takes_too_long_leaves_no_time_to_connect(clock: FakeClock, port: int) -> None:
    def resolve(host: str, port: int) -> list[str]:
        clock.advance(6.0)
        return ["127.0.0.1"]

    backend = DeadlineBackend(clock.monotonic, resolve=resolve)
    backend.deadline_at = clock.at + 5.0

    with pytest.raises(httpcore.ConnectTimeout):
        backend.connect_tcp("collector.example", port)


def test_a_name_that_nobody_bears_is_told_as_the_resolver_tells_it() -> None:
    with pytest.raises(httpcore.ConnectError) as failed:
        resolved("no such name", 80)

    assert isinstance(failed.value.__cause__, socket.gaierror)
