"""The messages of OTLP that a collector receives, by field number, and a reader that follows these tables.

What it gives has the shape of OTLP in JSON, so that both encodings are read alike from there on.

Source: https://github.com/open-telemetry/opentelemetry-proto
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from dashlight.deliver.encoding.wire import WireError, fields, read_varint

Scalar: TypeAlias = Literal["text", "hex", "bytes", "int", "number", "bool", "double", "sfixed64"]
_MOST_DEPTH = 100


@dataclass(frozen=True, slots=True)
class Field:
    """A field by its name in JSON; *of* is a scalar type or the table of a message."""

    name: str
    of: "Scalar | Mapping[int, Field]"
    repeated: bool = False


Schema: TypeAlias = Mapping[int, Field]


def read_message(message: bytes, schema: Schema, *, depth: int = 0) -> dict[str, Any]:
    """The fields of *message* that *schema* knows, by name; unknown ones are passed over.

    Raises:
        WireError: no such message, or nested absurdly deep.
    """
    if depth > _MOST_DEPTH:
        raise WireError("nested too deep")
    found: dict[str, Any] = {}
    for number, raw in fields(message):
        field = schema.get(number)
        if field is None:
            continue
        if not field.repeated:
            found[field.name] = _value(raw, field.of, depth)
        elif isinstance(field.of, str) and isinstance(raw, bytes) and field.of not in {"text", "bytes", "hex"}:
            found.setdefault(field.name, []).extend(_packed(raw, field.of))
        else:
            found.setdefault(field.name, []).append(_value(raw, field.of, depth))
    return found


def _value(raw: int | bytes, of: "Scalar | Schema", depth: int) -> Any:
    if isinstance(raw, bytes):
        if not isinstance(of, str):
            return read_message(raw, of, depth=depth + 1)
        if of == "text":
            return raw.decode(errors="replace")
        if of == "hex":
            return raw.hex()
        if of == "bytes":
            return raw
    elif isinstance(of, str):
        if of == "number":
            return raw
        if of in {"int", "sfixed64"}:
            return raw - 2**64 if raw >= 2**63 else raw
        if of == "bool":
            return bool(raw)
        if of == "double":
            return struct.unpack("<d", raw.to_bytes(8, "little"))[0]
    raise WireError(f"no {of if isinstance(of, str) else 'message'}")


def _packed(raw: bytes, of: Scalar) -> list[Any]:
    """Numbers of a repeated field that stand together."""
    if of == "int":
        numbers: list[Any] = []
        at = 0
        while at < len(raw):
            number, at = read_varint(raw, at)
            numbers.append(_value(number, of, 0))
        return numbers
    if len(raw) % 8:
        raise WireError("packed numbers cut short")
    return [_value(int.from_bytes(raw[at : at + 8], "little"), of, 0) for at in range(0, len(raw), 8)]


_ANY_VALUE: dict[int, Field] = {}
_KEY_VALUE: Schema = {1: Field("key", "text"), 2: Field("value", _ANY_VALUE)}
_ANY_VALUE.update(
    {
        1: Field("stringValue", "text"),
        2: Field("boolValue", "bool"),
        3: Field("intValue", "int"),
        4: Field("doubleValue", "double"),
        5: Field("arrayValue", {1: Field("values", _ANY_VALUE, repeated=True)}),
        6: Field("kvlistValue", {1: Field("values", _KEY_VALUE, repeated=True)}),
        7: Field("bytesValue", "bytes"),
    }
)


def _attributes(number: int) -> Schema:
    return {number: Field("attributes", _KEY_VALUE, repeated=True)}


def _request(kind: str, items: str, item: Schema) -> Schema:
    """The request that carries items in scopes in resources."""
    scope: Schema = {1: Field("name", "text"), 2: Field("version", "text"), **_attributes(3)}
    of_scope: Schema = {1: Field("scope", scope), 2: Field(items, item, repeated=True)}
    of_resource: Schema = {1: Field("resource", _attributes(1)), 2: Field(f"scope{kind}", of_scope, repeated=True)}
    return {1: Field(f"resource{kind}", of_resource, repeated=True)}


_EVENT: Schema = {1: Field("timeUnixNano", "number"), 2: Field("name", "text"), **_attributes(3)}
_LINK: Schema = {
    1: Field("traceId", "hex"),
    2: Field("spanId", "hex"),
    3: Field("traceState", "text"),
    **_attributes(4),
    6: Field("flags", "number"),
}
_SPAN: Schema = {
    1: Field("traceId", "hex"),
    2: Field("spanId", "hex"),
    3: Field("traceState", "text"),
    4: Field("parentSpanId", "hex"),
    5: Field("name", "text"),
    6: Field("kind", "int"),
    7: Field("startTimeUnixNano", "number"),
    8: Field("endTimeUnixNano", "number"),
    **_attributes(9),
    11: Field("events", _EVENT, repeated=True),
    13: Field("links", _LINK, repeated=True),
    15: Field("status", {2: Field("message", "text"), 3: Field("code", "int")}),
    16: Field("flags", "number"),
}
_LOG_RECORD: Schema = {
    1: Field("timeUnixNano", "number"),
    2: Field("severityNumber", "int"),
    3: Field("severityText", "text"),
    5: Field("body", _ANY_VALUE),
    **_attributes(6),
    8: Field("flags", "number"),
    9: Field("traceId", "hex"),
    10: Field("spanId", "hex"),
    11: Field("observedTimeUnixNano", "number"),
    12: Field("eventName", "text"),
}
_NUMBER_POINT: Schema = {
    **_attributes(7),
    3: Field("timeUnixNano", "number"),
    4: Field("asDouble", "double"),
    6: Field("asInt", "sfixed64"),
}
_HISTOGRAM_POINT: Schema = {
    **_attributes(9),
    3: Field("timeUnixNano", "number"),
    4: Field("count", "number"),
    5: Field("sum", "double"),
    6: Field("bucketCounts", "number", repeated=True),
    7: Field("explicitBounds", "double", repeated=True),
}
_EXPONENTIAL_POINT: Schema = {
    **_attributes(1),
    3: Field("timeUnixNano", "number"),
    4: Field("count", "number"),
    5: Field("sum", "double"),
}
_SUMMARY_POINT: Schema = {
    **_attributes(7),
    3: Field("timeUnixNano", "number"),
    4: Field("count", "number"),
    5: Field("sum", "double"),
}


def _points(point: Schema) -> Schema:
    return {1: Field("dataPoints", point, repeated=True)}


_METRIC: Schema = {
    1: Field("name", "text"),
    3: Field("unit", "text"),
    5: Field("gauge", _points(_NUMBER_POINT)),
    7: Field("sum", _points(_NUMBER_POINT)),
    9: Field("histogram", _points(_HISTOGRAM_POINT)),
    10: Field("exponentialHistogram", _points(_EXPONENTIAL_POINT)),
    11: Field("summary", _points(_SUMMARY_POINT)),
}

TRACES: Schema = _request("Spans", "spans", _SPAN)
LOGS: Schema = _request("Logs", "logRecords", _LOG_RECORD)
METRICS: Schema = _request("Metrics", "metrics", _METRIC)
