from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dashlight.deliver.encoding.span_attributes import (
    KNOWN_METHODS,
    has_failed,
    known_methods,
    shared_attributes,
    span_name,
)
from dashlight.records import Exchange


def described(exchange: Exchange) -> dict[str, object]:
    return shared_attributes(exchange, KNOWN_METHODS, model="", version="", rows=None)


@pytest.mark.parametrize(
    ("overrides", "name"),
    [
        ({}, "POST /predict/{name}"),
        ({"route": "unmatched"}, "POST"),
        ({"method": "BREW"}, "HTTP /predict/{name}"),
        ({"method": "BREW", "route": "unmatched"}, "HTTP"),
    ],
    ids=["matched", "unmatched", "unknown method", "neither"],
)
def test_a_span_is_named_by_method_and_route(
    exchange: Callable[..., Exchange], overrides: dict[str, Any], name: str
) -> None:
    assert span_name(exchange(**overrides), KNOWN_METHODS) == name


@pytest.mark.parametrize(
    ("overrides", "error_type"),
    [
        ({}, None),
        ({"status": 404}, None),
        ({"status": 500}, "500"),
        ({"status": 500, "error": "ValueError", "outcome": "error"}, "ValueError"),
        ({"status": 0, "error": "ValueError", "outcome": "error"}, "ValueError"),
        ({"status": 200, "error": "ValueError", "outcome": "error"}, "ValueError"),
        ({"status": 200, "error": "ClientDisconnect", "outcome": "client_disconnect"}, None),
        ({"status": 0, "error": "CancelledError", "outcome": "cancelled"}, None),
    ],
    ids=[
        "success",
        "mistake of the client",
        "500",
        "exception answered with 500",
        "exception before an answer",
        "exception after the start of the answer",
        "client gone",
        "cancelled",
    ],
)
def test_only_a_failure_of_the_server_has_an_error_type(
    exchange: Callable[..., Exchange], overrides: dict[str, Any], error_type: str | None
) -> None:
    found = exchange(**overrides)

    assert described(found).get("error.type") == error_type
    assert has_failed(found) == (error_type is not None)


def test_an_unknown_method_is_kept_beside(exchange: Callable[..., Exchange]) -> None:
    found = described(exchange(method="BREW"))

    assert (found["http.request.method"], found["http.request.method_original"]) == ("_OTHER", "BREW")


def test_what_is_not_known_is_left_out(exchange: Callable[..., Exchange]) -> None:
    found = described(exchange(route="unmatched", status=0, server=None, http_version=""))

    expected = {
        "http.request.method": "POST",
        "url.scheme": "http",
        "dashlight.outcome": "ok",
        "url.path": "/[redacted]",
    }
    assert found == expected


def test_a_unix_socket_has_no_port(exchange: Callable[..., Exchange]) -> None:
    found = described(exchange(server=("/run/app.sock", None)))

    assert found["server.address"] == "/run/app.sock"
    assert "server.port" not in found


def test_the_environment_may_name_the_known_methods() -> None:
    named = known_methods({"OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS": "GET, BREW"})

    assert sorted(named) == ["BREW", "GET"]
    assert known_methods({}) == KNOWN_METHODS
