"""Exchanges: a request and its answer, as bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import msgspec

Outcome: TypeAlias = Literal["ok", "refused", "error", "client_disconnect", "cancelled"]
"""What became of an exchange; `refused`: the answer was that the request could not be used, with one of REFUSED."""
Headers: TypeAlias = Sequence[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class OwnSpan:
    """What is known of the span that Dashlight itself opened for an exchange.

    *name*, *attributes*, *events*, *status_code* and *status_description* are what the application
    set on it through the OpenTelemetry API; they win over what Dashlight writes.
    """

    parent_id: int = 0
    trace_state: str = ""
    parent_is_remote: bool = False
    name: str | None = None
    attributes: Mapping[str, object] = field(default_factory=dict[str, object])
    events: Sequence[tuple[str, int, Mapping[str, object]]] = ()
    links: Sequence[tuple[int, int, int, str, Mapping[str, object]]] = ()
    status_code: int = 0
    status_description: str = ""
    dropped_attributes: int = 0  # for which there was no room within the limits; likewise the two that follow
    dropped_events: int = 0
    dropped_links: int = 0

    @property
    def is_described(self) -> bool:
        """Whether the application set anything on it."""
        return bool(self.attributes or self.events or self.links or self.status_code) or self.name is not None


@dataclass(frozen=True, slots=True)
class HandedOver:
    """What an adapter says that an exchange asked and answered: the values themselves, as it had them.

    *inputs* or *outputs* is None where the body of the request or of the answer is to be read.
    """

    inputs: object = None
    outputs: object = None
    model: str = ""
    version: str = ""
    failure: str = ""
    """What went wrong although the status does not say so, or empty."""


# A msgspec structure because it is made on the request path, where a frozen dataclass of this
# many fields costs two microseconds and this one a quarter of one.
class Exchange(msgspec.Struct, frozen=True, gc=False):
    """One request and its response, as bytes, with the readings of the clocks."""

    id: int
    """128 bits of a UUIDv7: the prediction id."""
    route: str  # its template, or `unmatched`
    method: str
    path: str
    query: bytes
    scheme: str
    server: tuple[str, int | None] | None
    http_version: str
    request_headers: Headers
    """Of the fixed list only, names in lower case."""
    response_headers: Headers
    status: int
    """0 where no response was started."""
    error: str
    """Type of the exception that left the application, or empty."""
    outcome: Outcome
    started_at: float
    first_byte_seconds: float | None
    """To the first non-empty piece of the body."""
    duration_seconds: float
    """To the last message of the body."""
    request_bytes: int
    """Size seen of the request body, kept or not."""
    response_bytes: int
    request_chunks: Sequence[bytes]
    """The pieces that were kept, up to DASHLIGHT_MAX_BODY."""
    response_chunks: Sequence[bytes]
    trace_id: int  # 0 where there is none
    span_id: int
    trace_flags: int
    own_span: OwnSpan | None
    """None where the span is the app's, or not sampled."""
    handed: HandedOver | None = None
    """What an adapter knows of it; it goes before what its bytes say."""
    client_address: str = ""
    """Empty unless DASHLIGHT_CLIENT_ADDRESS asks for it."""
    is_bodiless: bool = False
    """Whether there was no room for its bodies: it counts, and nothing of it can be decoded."""

    @property
    def kept_bytes(self) -> int:
        """Size of what was kept of both bodies."""
        return sum(map(len, self.request_chunks)) + sum(map(len, self.response_chunks))

    @property
    def request_body(self) -> bytes:
        """What was kept of the request body."""
        return b"".join(self.request_chunks)

    @property
    def response_body(self) -> bytes:
        """What was kept of the response body."""
        return b"".join(self.response_chunks)

    @property
    def request_truncated(self) -> bool:
        """Whether the request body was longer than what was kept."""
        return sum(map(len, self.request_chunks)) < self.request_bytes

    @property
    def response_truncated(self) -> bool:
        """Whether the response body was longer than what was kept."""
        return sum(map(len, self.response_chunks)) < self.response_bytes
