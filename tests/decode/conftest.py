"""Exchanges as the tests of decode want them: what matters given, the rest made up."""

import json
from collections.abc import Callable, Mapping

import pytest

from dashlight.records import Exchange, Outcome


def _exchange(
    request: object = b"",
    response: object = b"",
    *,
    method: str = "POST",
    path: str = "/predict",
    route: str | None = None,
    query: bytes = b"",
    status: int = 200,
    outcome: Outcome = "ok",
    error: str = "",
    headers: Mapping[str, str] | None = None,
    answer_headers: Mapping[str, str] | None = None,
    missing_bytes: int = 0,
    missing_answer_bytes: int = 0,
) -> Exchange:
    """An exchange; bodies that are not bytes are sent as JSON."""
    asked = request if isinstance(request, bytes) else json.dumps(request).encode()
    answered = response if isinstance(response, bytes) else json.dumps(response).encode()
    as_json = {"content-type": "application/json"}
    return Exchange(
        id=7,
        route=path if route is None else route,
        method=method,
        path=path,
        query=query,
        scheme="http",
        server=("127.0.0.1", 80),
        http_version="1.1",
        request_headers=_headers(as_json if headers is None else headers),
        response_headers=_headers(as_json if answer_headers is None else answer_headers),
        status=status,
        error=error,
        outcome=outcome,
        started_at=1_700_000_000.0,
        first_byte_seconds=0.01,
        duration_seconds=0.02,
        request_bytes=len(asked) + missing_bytes,
        response_bytes=len(answered) + missing_answer_bytes,
        request_chunks=(asked,) if asked else (),
        response_chunks=(answered,) if answered else (),
        trace_id=0,
        span_id=0,
        trace_flags=0,
        own_span=None,
    )


def _headers(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in headers.items()]


@pytest.fixture(scope="session")
def exchange() -> Callable[..., Exchange]:
    """Makes exchanges."""
    return _exchange
