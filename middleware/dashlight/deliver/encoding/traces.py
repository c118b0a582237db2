"""Exchanges -> OTLP spans as bytes: what does not vary is encoded once and kept.

Field for field what the exporter of the OpenTelemetry SDK sends for the same span; where it leaves out what the
protocol has room for (the trace flags of a span, the trace state of a link), so do we.
"""

import struct
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TypeVar

from dashlight.deliver.encoding import envelope
from dashlight.deliver.encoding.identifiers import uuid_text
from dashlight.deliver.encoding.plain import Budget, plain_text
from dashlight.deliver.encoding.protobuf import (
    attribute,
    fixed32_field,
    fixed64_field,
    key_value,
    length_delimited,
    varint_field,
)
from dashlight.deliver.encoding.span_attributes import (
    KNOWN_METHODS,
    client_attributes,
    has_failed,
    shared_attributes,
    span_name,
)
from dashlight.deliver.encoding.span_limits import within
from dashlight.deliver.encoding.varint import varint
from dashlight.records import Exchange, OwnSpan, SpanLimits

Key = TypeVar("Key")

_ATTRIBUTES = 9
_KIND_SERVER = varint_field(6, number=2)
_STATUS_ERROR = 2
_HAS_IS_REMOTE, _IS_REMOTE = 0x100, 0x200
_FLAGS_LOCAL = fixed32_field(16, number=_HAS_IS_REMOTE)
_FLAGS_REMOTE = fixed32_field(16, number=_HAS_IS_REMOTE | _IS_REMOTE)
_EVENT_ID = key_value(_ATTRIBUTES, "dashlight.event.id", value="-" * 36)[:-36]
_TRUNCATED = key_value(_ATTRIBUTES, "dashlight.request.truncated", value=True)
# Start and end: two fields of type fixed64, tags and all.
_MOMENTS = struct.Struct("<BQBQ").pack
_NOTHING: Mapping[str, object] = {}
_USUAL_LIMITS = SpanLimits()
_MOST_OF_OURS = 32
"""Attributes that we write by ourselves are fewer, texts among them that have a length of their own."""
# Of each cache; a client that asks for ever new paths fills one, and it starts again empty.
MOST_KEPT = 4096
# Most spans are shorter than this.
_FRAMES = tuple(b"\x12" + varint(size) for size in range(1024))


class SpanEncoder:
    """Writes spans, and the requests that carry them. For one thread at a time."""

    content_type = envelope.CONTENT_TYPE
    speaks_otlp = True

    def __init__(
        self,
        resource: Mapping[str, object],
        scope_name: str,
        scope_version: str,
        *,
        known_methods: frozenset[str] = KNOWN_METHODS,
        limits: SpanLimits = _USUAL_LIMITS,
    ) -> None:
        self.envelope = envelope.Envelope(resource, scope_name, scope_version)
        self._known_methods = known_methods
        self._limits = limits
        self._fits = limits.attributes >= _MOST_OF_OURS and limits.value_length is None
        self._shared: dict[tuple[object, ...], bytes] = {}
        self._paths: dict[str, bytes] = {}
        self._clients: dict[tuple[bytes, str], bytes] = {}
        self._request_sizes: dict[int, bytes] = {}
        self._response_sizes: dict[int, bytes] = {}

    def span(
        self,
        exchange: Exchange,
        *,
        model: str = "",
        version: str = "",
        rows: int | None = None,
        confessed: str = "",
        extra: Mapping[str, object] = _NOTHING,
    ) -> bytes:
        """The span that Dashlight opened for *exchange*, ready for `request`.

        About two microseconds where the application set nothing on it, because it is put together here, from bytes
        made before; every call more would cost a tenth.

        *model*, *version*, *rows*, *confessed* (the kind of an error inside an answer whose status says nothing of it)
        and the attributes in *extra* are what decoding made known. What the application set wins over all of it.

        Raises:
            ValueError: the exchange has no span of ours.
        """
        own = exchange.own_span
        if own is None:
            raise ValueError("the span of this exchange is not Dashlight's to send")
        host = agent = b""
        for header, text in exchange.request_headers:
            if header == b"host":
                host = text
            elif header == b"user-agent":
                agent = text
        if extra or not self._fits or own.is_described:
            found = self._attributes(exchange, model=model, version=version, rows=rows, confessed=confessed)
            known = {**found, **client_attributes(exchange, agent), **extra}
            shared = self._described(exchange, own, known, has_failed=has_failed(exchange) or bool(confessed))
            path = client = event_id = request_size = response_size = truncated = b""
        else:
            key = (
                exchange.route,
                exchange.method,
                exchange.status,
                host or exchange.server,
                exchange.scheme,
                exchange.http_version,
                exchange.outcome,
                exchange.error,
                model,
                version,
                rows,
                confessed,
            )
            shared = self._shared.get(key, b"")
            if not shared:
                found = self._attributes(exchange, model=model, version=version, rows=rows, confessed=confessed)
                shared = self._share(key, exchange, found, has_failed=has_failed(exchange) or bool(confessed))
            path = self._paths.get(exchange.path) or self._path(exchange.path)
            whose = agent, exchange.client_address
            client = (self._clients.get(whose) or self._client(exchange, agent)) if any(whose) else b""
            event_id = _EVENT_ID + uuid_text(exchange.id)
            sent, answered = exchange.request_bytes, exchange.response_bytes
            request_size = self._request_sizes.get(sent) or _size(self._request_sizes, "request", sent)
            response_size = self._response_sizes.get(answered) or _size(self._response_sizes, "response", answered)
            chunks = exchange.request_chunks
            is_whole = len(chunks) == 1 and len(chunks[0]) == sent
            truncated = b"" if is_whole or not exchange.request_truncated else _TRUNCATED
        # A double of today's size tells quarters of a microsecond apart, and no nanoseconds.
        started_at = round(exchange.started_at * 1e6) * 1000
        content = b"".join(
            (
                b"\x0a\x10",
                exchange.trace_id.to_bytes(16, "big"),
                b"\x12\x08",
                exchange.span_id.to_bytes(8, "big"),
                _MOMENTS(0x39, started_at, 0x41, started_at + int(exchange.duration_seconds * 1e9)),
                _ancestry(own) if own.parent_id else _FLAGS_LOCAL,
                shared,
                path,
                client,
                event_id,
                request_size,
                response_size,
                truncated,
            )
        )
        size = len(content)
        return (_FRAMES[size] if size < 1024 else b"\x12" + varint(size)) + content

    def request(self, spans: Sequence[bytes]) -> bytes:
        """The ExportTraceServiceRequest that carries *spans*."""
        return self.envelope.around(spans)

    def rejected_count(self, answer: bytes) -> int:
        """Spans that the collector says it did not take."""
        return envelope.rejected_count(answer)

    def _path(self, path: str) -> bytes:
        return _keep(self._paths, path, _attribute("url.path", path))

    def _client(self, exchange: Exchange, agent: bytes) -> bytes:
        found = client_attributes(exchange, agent)
        written = b"".join(_attribute(name, value) for name, value in found.items())
        return _keep(self._clients, (agent, exchange.client_address), written)

    def _attributes(
        self, exchange: Exchange, *, model: str, version: str, rows: int | None, confessed: str
    ) -> dict[str, object]:
        return shared_attributes(
            exchange, self._known_methods, model=model, version=version, rows=rows, confessed=confessed
        )

    def _share(
        self, key: tuple[object, ...], exchange: Exchange, found: Mapping[str, object], *, has_failed: bool
    ) -> bytes:
        """What exchanges of one *key* have in common: name, kind, status and most attributes."""
        written = (
            _name(span_name(exchange, self._known_methods)),
            _KIND_SERVER,
            *(_attribute(name, value) for name, value in found.items()),
            _status(_STATUS_ERROR if has_failed else 0, ""),
        )
        return _keep(self._shared, key, b"".join(written))

    def _described(self, exchange: Exchange, own: OwnSpan, known: Mapping[str, object], *, has_failed: bool) -> bytes:
        """Everything but ids and moments, of a span on which somebody set something."""
        found: dict[str, object] = {
            **known,
            "url.path": exchange.path,
            "dashlight.event.id": uuid_text(exchange.id).decode(),
            "http.request.body.size": exchange.request_bytes,
            "http.response.body.size": exchange.response_bytes,
        }
        if exchange.request_truncated:
            found["dashlight.request.truncated"] = True
        found.update(own.attributes)
        budget = Budget()
        limits = self._limits
        kept, dropped_count = within(found, limits.attributes, limits.value_length)
        status = own.status_code or (_STATUS_ERROR if has_failed else 0)
        written = (
            _name(span_name(exchange, self._known_methods) if own.name is None else own.name),
            _KIND_SERVER,
            _attributes(_ATTRIBUTES, kept, budget),
            _dropped(10, dropped_count + own.dropped_attributes),
            *(_event(*event, limits=limits, budget=budget) for event in own.events),
            _dropped(12, own.dropped_events),
            *(_link(*link, limits=limits, budget=budget) for link in own.links),
            _dropped(14, own.dropped_links),
            _status(status, own.status_description),
        )
        return b"".join(written)


def _keep(kept: dict[Key, bytes], key: Key, written: bytes) -> bytes:
    if len(kept) >= MOST_KEPT:
        kept.clear()
    kept[key] = written
    return written


def _size(kept: dict[int, bytes], part: str, size_bytes: int) -> bytes:
    return _keep(kept, size_bytes, _attribute(f"http.{part}.body.size", size_bytes))


def _attribute(name: str, value: object) -> bytes:
    return attribute(_ATTRIBUTES, name, value=value, budget=Budget())


def _attributes(field: int, values: Mapping[str, object], budget: Budget) -> bytes:
    """A repeated KeyValue; a value of no plain form costs that attribute alone, as in the SDK."""
    written: list[bytes] = []
    for name, value in values.items():
        with suppress(TypeError):
            written.append(attribute(field, name, value=value, budget=budget))
    return b"".join(written)


def _ancestry(own: OwnSpan) -> bytes:
    """Parent, trace state and flags of a span that has a parent."""
    parent = b"\x22\x08" + own.parent_id.to_bytes(8, "big")
    state = length_delimited(3, plain_text(own.trace_state, Budget()).encode()) if own.trace_state else b""
    return parent + state + (_FLAGS_REMOTE if own.parent_is_remote else _FLAGS_LOCAL)


def _name(name: str) -> bytes:
    return length_delimited(5, plain_text(name, Budget()).encode())


def _status(code: int, description: str) -> bytes:
    """Always there, if empty: the exporter of the SDK sends it always."""
    message = length_delimited(2, plain_text(description, Budget()).encode()) if description else b""
    return length_delimited(15, message + (varint_field(3, number=code) if code else b""))


def _event(
    name: str, at_nanoseconds: int, values: Mapping[str, object], *, limits: SpanLimits, budget: Budget
) -> bytes:
    kept, dropped_count = within(values, limits.event_attributes, limits.value_length)
    described = length_delimited(2, plain_text(name, budget).encode()) + _attributes(3, kept, budget)
    return length_delimited(11, fixed64_field(1, number=at_nanoseconds) + described + _dropped(4, dropped_count))


def _link(
    trace_id: int,
    span_id: int,
    flags: int,
    _state: str,
    values: Mapping[str, object],
    *,
    limits: SpanLimits,
    budget: Budget,
) -> bytes:
    """A link; *flags* with the bit 0x200 where the linked span is known to be of another process."""
    ids = length_delimited(1, trace_id.to_bytes(16, "big")) + length_delimited(2, span_id.to_bytes(8, "big"))
    kept, dropped_count = within(values, limits.link_attributes, limits.value_length)
    described = _attributes(4, kept, budget) + _dropped(5, dropped_count)
    return length_delimited(13, ids + described + fixed32_field(6, number=_HAS_IS_REMOTE | flags & _IS_REMOTE))


def _dropped(field: int, count: int) -> bytes:
    """How much of something was left out; nothing where all is there."""
    return varint_field(field, number=count) if count else b""
