from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import httpcore
import pytest

from dashlight.deliver.transport.answer import CollectorAnswer
from dashlight.deliver.transport.endpoints import Endpoint
from dashlight.deliver.transport.http import HttpSender, cause_of


def caused(failure: Exception, *causes: Exception) -> Exception:
    """*failure* as it is raised from the first cause, that one from the second, and so on."""
    failure.__cause__ = caused(*causes) if causes else None
    return failure


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (caused(httpcore.ConnectError(), socket.gaierror(socket.EAI_NONAME, "no such host")), "name"),
        (caused(httpcore.ConnectError(), socket.gaierror(socket.EAI_AGAIN, "try again")), "unreachable"),
        (caused(httpcore.ConnectError(), ConnectionRefusedError()), "unreachable"),
        (caused(httpcore.ConnectError(), ssl.SSLCertVerificationError("expired")), "tls"),
        (caused(httpcore.ConnectError(), ssl.SSLEOFError("hung up")), "unreachable"),
        (caused(httpcore.ReadError(), ssl.SSLError("certificate required")), "tls"),
        (caused(httpcore.ReadError(), ssl.SSLZeroReturnError("closed")), "cut"),
        (caused(httpcore.ConnectTimeout(), TimeoutError()), "timeout"),
        (httpcore.ReadTimeout(), "timeout"),
        (httpcore.RemoteProtocolError("nonsense"), "cut"),
        (httpcore.LocalProtocolError("illegal header"), "setting"),
        (ValueError("a mistake of ours"), "cut"),
    ],
    ids=[
        "no such name",
        "resolver away",
        "nobody there",
        "no trust",
        "cut in the handshake",
        "our certificate refused",
        "closed by TLS",
        "no way there",
        "no answer",
        "nonsense",
        "illegal header",
        "anything else",
    ],
)
def test_a_failure_is_told_by_what_lies_below_it(failure: Exception, reason: str) -> None:
    assert cause_of(failure) == reason


def test_the_context_of_a_failure_counts_where_no_cause_is_given() -> None:
    failure = ValueError()
    failure.__context__ = httpcore.ReadTimeout()

    assert cause_of(failure) == "timeout"


@contextmanager
def opened(endpoint: Endpoint) -> Iterator[HttpSender]:
    sender = HttpSender(endpoint)
    yield sender
    sender.close()


@pytest.mark.parametrize(("timeout_seconds", "patience"), [(15.0, 10.0), (5.0, 10.0), (40.0, 40.0)])
def test_a_longer_timeout_is_patience_with_the_answer(timeout_seconds: float, patience: float) -> None:
    with opened(Endpoint("http://127.0.0.1", timeout_seconds=timeout_seconds)) as sender:
        assert sender._timeouts == {"connect": 2.0, "write": 5.0, "read": patience}


def test_a_certificate_that_is_not_there_is_told_at_once() -> None:
    with pytest.raises(FileNotFoundError):
        HttpSender(Endpoint("https://127.0.0.1", certificate="/no/such/file.pem"))


def test_an_address_that_is_refused_is_told_in_words() -> None:
    # Written as no check of the settings knows it, so that the resolver alone tells what it is.
    with opened(Endpoint("http://0251.0376.0251.0376/latest")) as sender:
        found = sender(b"{}", content_type="application/json", key="k")

    assert found == CollectorAnswer(
        failure="refused address",
        detail="0251.0376.0251.0376 leads to 169.254.169.254, where clouds keep the credentials of a machine",
    )
