from __future__ import annotations

import ssl
from typing import Any

import httpcore
import pytest

from dashlight.deliver.transport.deadline import DeadlineBackend, DeadlineStream, RefusedAddressError, checked_peer
from dashlight.testing import FakeClock


class Wire(httpcore.NetworkStream):
    """A connection that takes its time and notes how much it was given."""

    def __init__(self, clock: FakeClock, address: str = "10.0.0.1") -> None:
        self.clock = clock
        self.address = address
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
        return (self.address, 80) if info == "server_addr" else None

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


@pytest.mark.parametrize("address", ["169.254.169.254", "fd00:ec2::254", "fe80::1"])
def test_a_name_that_leads_to_the_metadata_service_is_not_spoken_to(clock: FakeClock, address: str) -> None:
    wire = Wire(clock, address)

    with pytest.raises(RefusedAddressError, match="refused to send to"):
        checked_peer(wire)
    assert wire.closed


def test_any_other_address_is_spoken_to(wire: Wire) -> None:
    assert checked_peer(wire) is wire
    assert not wire.closed
