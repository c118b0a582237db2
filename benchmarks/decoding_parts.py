"""What an exchange is made of, before it is one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from dashlight.records import Exchange

_AS_JSON: Mapping[str, str] = MappingProxyType({"content-type": "application/json"})
_SHOWN_BYTES = 200


@dataclass(frozen=True, slots=True)
class Parts:
    """The two bodies of an exchange, where they went, and the headers that matter."""

    path: str
    request: bytes
    response: bytes
    headers: Mapping[str, str] = field(default_factory=lambda: _AS_JSON)
    answer_headers: Mapping[str, str] = field(default_factory=lambda: _AS_JSON)
    method: str = "POST"
    query: bytes = b""

    def __repr__(self) -> str:
        """Where it went, and how its bodies begin: they may be long."""
        asked, answered = self.request[:_SHOWN_BYTES], self.response[:_SHOWN_BYTES]
        return f"Parts({self.path!r}, {asked!r} of {len(self.request)}, {answered!r} of {len(self.response)})"


def exchange_of(parts: Parts) -> Exchange:
    """The exchange as a server would have captured it."""
    return Exchange(
        id=7,
        route=parts.path,
        method=parts.method,
        path=parts.path,
        query=parts.query,
        scheme="http",
        server=("127.0.0.1", 8000),
        http_version="1.1",
        request_headers=_headers(parts.headers),
        response_headers=_headers(parts.answer_headers),
        status=200,
        error="",
        outcome="ok",
        started_at=1_700_000_000.0,
        first_byte_seconds=0.01,
        duration_seconds=0.02,
        request_bytes=len(parts.request),
        response_bytes=len(parts.response),
        request_chunks=(parts.request,) if parts.request else (),
        response_chunks=(parts.response,) if parts.response else (),
        trace_id=1,
        span_id=1,
        trace_flags=1,
        own_span=None,
    )


def _headers(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in headers.items()]
