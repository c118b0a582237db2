"""Requests that a collector receives -> items in plain words: spans, events and metrics."""

import base64
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, TypeAlias, cast

import msgspec

from dashlight.collector import otlp_schema
from dashlight.deliver.encoding.wire import WireError

Signal: TypeAlias = Literal["traces", "logs", "metrics"]
Item: TypeAlias = dict[str, Any]
"""`kind` is `span`, `event` or `metric`; ids in hexadecimal, moments in seconds, attributes as they are."""

_SCHEMAS = {"traces": otlp_schema.TRACES, "logs": otlp_schema.LOGS, "metrics": otlp_schema.METRICS}
# An integer, since dividing by 1e9 would round the number of nanoseconds to a double first.
_NANOSECONDS = 10**9
_SPAN_KINDS = ("unspecified", "internal", "server", "client", "producer", "consumer")
_STATUSES = ("unset", "ok", "error")
_METRIC_TYPES = {
    "gauge": "gauge",
    "sum": "sum",
    "histogram": "histogram",
    "exponentialHistogram": "exponential_histogram",
    "summary": "summary",
}


class ReceivedError(ValueError):
    """A request that is not what it claims to be."""


def items_of_protobuf(signal: Signal, body: bytes) -> list[Item]:
    """The items of an OTLP request in protobuf.

    Raises:
        ReceivedError: not such a request.
    """
    try:
        return _items(signal, otlp_schema.read_message(body, _SCHEMAS[signal]))
    except WireError as error:
        raise ReceivedError(f"not OTLP {signal} in protobuf: {error}") from error


def items_of_json(signal: Signal, body: bytes) -> list[Item]:
    """The items of an OTLP request in JSON.

    Raises:
        ReceivedError: not such a request.
    """
    try:
        return _items(signal, msgspec.json.decode(body, type=dict[str, Any]))
    except (msgspec.DecodeError, ValueError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise ReceivedError(f"not OTLP {signal} in JSON: {error}") from error


def items_of_lines(body: bytes) -> list[Item]:
    """The events of a body of JSON lines; each line is an event in whatever fields it has.

    Raises:
        ReceivedError: a line that is no JSON object.
    """
    try:
        lines = [msgspec.json.decode(line, type=dict[str, Any]) for line in body.splitlines() if line.strip()]
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise ReceivedError(f"not lines of JSON objects: {error}") from error
    return [{**line, "kind": "event"} for line in lines]


def items_of_cloud_events(body: bytes) -> list[Item]:
    """The events of a batch of CloudEvents: what ours hold is told as of lines of JSON, others stand in `data`.

    Raises:
        ReceivedError: no array of CloudEvents.
    """
    try:
        batch = msgspec.json.decode(body, type=list[_CloudEvent])
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise ReceivedError(f"not a batch of CloudEvents: {error}") from error
    return [_from_cloud_event(each) for each in batch]


class _CloudEvent(msgspec.Struct):
    """What is read of one."""

    specversion: str
    id: str
    source: str
    type: str
    time: datetime | None = None
    traceparent: str = ""
    data: object = None


def _from_cloud_event(event: _CloudEvent) -> Item:
    ours = event.type.removeprefix("io.").removesuffix(".v1")
    data = event.data
    is_ours = ours.startswith("dashlight.") and isinstance(event.data, dict)
    _, trace_id, span_id, *_ = [*event.traceparent.split("-"), "", "", ""]
    held: Item = cast("Item", data) if is_ours else {"data": data}
    return {
        **held,
        "kind": "event",
        "name": ours if is_ours else event.type,
        "id": event.id,
        "source": event.source,
        "at": None if event.time is None else event.time.timestamp(),
        "trace_id": trace_id,
        "span_id": span_id,
    }


def _items(signal: Signal, request: Mapping[str, Any]) -> list[Item]:
    """Items in scopes in resources, each with what it came in."""
    kind = {"traces": "Spans", "logs": "Logs", "metrics": "Metrics"}[signal]
    found: list[Item] = []
    for of_resource in request.get(f"resource{kind}", ()):
        resource = _attributes(of_resource.get("resource", {}))
        for of_scope in of_resource.get(f"scope{kind}", ()):
            scope = of_scope.get("scope", {})
            came_in = {"resource": resource, "scope": scope.get("name", ""), "scope_version": scope.get("version", "")}
            if signal == "traces":
                found += (_span(span) | came_in for span in of_scope.get("spans", ()))
            elif signal == "logs":
                found += (_event(record) | came_in for record in of_scope.get("logRecords", ()))
            else:
                found += (point | came_in for metric in of_scope.get("metrics", ()) for point in _points(metric))
    return found


def _span(span: Mapping[str, Any]) -> Item:
    started, ended = int(span.get("startTimeUnixNano", 0)), int(span.get("endTimeUnixNano", 0))
    status = span.get("status", {})
    return {
        "kind": "span",
        "name": span.get("name", ""),
        "trace_id": span.get("traceId", ""),
        "span_id": span.get("spanId", ""),
        "parent_span_id": span.get("parentSpanId", ""),
        "trace_state": span.get("traceState", ""),
        "span_kind": _word(_SPAN_KINDS, span.get("kind", 0)),
        "started_at": started / _NANOSECONDS,
        "duration_seconds": (ended - started) / _NANOSECONDS,
        "status": _word(_STATUSES, status.get("code", 0)),
        "status_message": status.get("message", ""),
        "attributes": _attributes(span),
        "events": [
            {"name": event.get("name", ""), "at": _moment(event, "timeUnixNano"), "attributes": _attributes(event)}
            for event in span.get("events", ())
        ],
        "links": [
            {"trace_id": link.get("traceId", ""), "span_id": link.get("spanId", ""), "attributes": _attributes(link)}
            for link in span.get("links", ())
        ],
    }


def _event(record: Mapping[str, Any]) -> Item:
    attributes = _attributes(record)
    return {
        "kind": "event",
        "name": record.get("eventName", ""),
        "id": attributes.get("dashlight.event.id", ""),
        "at": _moment(record, "timeUnixNano"),
        "observed_at": _moment(record, "observedTimeUnixNano"),
        "severity": int(record.get("severityNumber", 0)),
        "body": _any_value(record.get("body", {})),
        "trace_id": record.get("traceId", ""),
        "span_id": record.get("spanId", ""),
        "attributes": attributes,
    }


def _points(metric: Mapping[str, Any]) -> Iterator[Item]:
    for field, word in _METRIC_TYPES.items():
        for point in metric.get(field, {}).get("dataPoints", ()):
            item: Item = {
                "kind": "metric",
                "name": metric.get("name", ""),
                "unit": metric.get("unit", ""),
                "type": word,
                "at": _moment(point, "timeUnixNano"),
                "attributes": _attributes(point),
            }
            if word in {"gauge", "sum"}:
                item["value"] = int(point["asInt"]) if "asInt" in point else float(point.get("asDouble", 0.0))
            else:
                item["count"], item["sum"] = int(point.get("count", 0)), float(point.get("sum", 0.0))
            if word == "histogram":
                item["bucket_counts"] = [int(count) for count in point.get("bucketCounts", ())]
                item["explicit_bounds"] = [float(bound) for bound in point.get("explicitBounds", ())]
            yield item


def _attributes(holder: Mapping[str, Any]) -> dict[str, Any]:
    return {pair.get("key", ""): _any_value(pair.get("value", {})) for pair in holder.get("attributes", ())}


def _any_value(value: Mapping[str, Any]) -> Any:
    """The value that an AnyValue holds; None where it holds none."""
    for kind, content in value.items():
        if kind == "arrayValue":
            return [_any_value(each) for each in content.get("values", ())]
        if kind == "kvlistValue":
            return {pair.get("key", ""): _any_value(pair.get("value", {})) for pair in content.get("values", ())}
        if kind == "intValue":
            return int(content)
        if kind == "bytesValue":
            return base64.b64encode(content).decode() if isinstance(content, bytes) else content
        return content
    return None


def _moment(holder: Mapping[str, Any], field: str) -> float:
    return int(holder.get(field, 0)) / _NANOSECONDS


def _word(words: Sequence[str], number: Any) -> str:
    return words[int(number)] if 0 <= int(number) < len(words) else str(number)
