from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList
from opentelemetry.proto.logs.v1.logs_pb2 import SEVERITY_NUMBER_WARN, LogRecord, ResourceLogs, ScopeLogs
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
    Summary,
    SummaryDataPoint,
)
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

from dashlight.collector.otlp_schema import LOGS, METRICS, TRACES, Field, Schema, read_message
from dashlight.deliver.encoding.protobuf import length_delimited
from dashlight.deliver.encoding.wire import WireError

ATTRIBUTES = [
    KeyValue(key="text", value=AnyValue(string_value="naïve")),
    KeyValue(key="flag", value=AnyValue(bool_value=True)),
    KeyValue(key="fraction", value=AnyValue(double_value=0.25)),
    KeyValue(
        key="list",
        value=AnyValue(array_value=ArrayValue(values=[AnyValue(string_value="a"), AnyValue(double_value=-1.5)])),
    ),
    KeyValue(
        key="map",
        value=AnyValue(kvlist_value=KeyValueList(values=[KeyValue(key="inner", value=AnyValue(string_value="b"))])),
    ),
]
RESOURCE = Resource(attributes=ATTRIBUTES[:1])
SCOPE = InstrumentationScope(name="dashlight", version="0.1")
MOMENT = 1_790_000_000_250_000_000

SPAN = Span(
    trace_id=bytes(range(16)),
    span_id=bytes(range(8)),
    parent_span_id=bytes(range(1, 9)),
    trace_state="a=1",
    name="GET /",
    kind=Span.SPAN_KIND_SERVER,
    start_time_unix_nano=MOMENT,
    end_time_unix_nano=MOMENT + 5,
    attributes=ATTRIBUTES,
    events=[Span.Event(name="cache", time_unix_nano=MOMENT, attributes=ATTRIBUTES[:1])],
    links=[Span.Link(trace_id=bytes(16), span_id=bytes(8), trace_state="b=2", attributes=ATTRIBUTES[:1], flags=256)],
    status=Status(code=Status.STATUS_CODE_ERROR, message="no"),
    flags=257,
)
RECORD = LogRecord(
    time_unix_nano=MOMENT,
    observed_time_unix_nano=MOMENT + 1,
    severity_number=SEVERITY_NUMBER_WARN,
    severity_text="WARN",
    body=AnyValue(string_value="said"),
    attributes=ATTRIBUTES,
    flags=1,
    trace_id=bytes(range(16)),
    span_id=bytes(range(8)),
    event_name="dashlight.alert",
)
TRACE_REQUEST = ExportTraceServiceRequest(
    resource_spans=[ResourceSpans(resource=RESOURCE, scope_spans=[ScopeSpans(scope=SCOPE, spans=[SPAN, SPAN])])]
)
LOG_REQUEST = ExportLogsServiceRequest(
    resource_logs=[ResourceLogs(resource=RESOURCE, scope_logs=[ScopeLogs(scope=SCOPE, log_records=[RECORD])])]
)
METRIC_REQUEST = ExportMetricsServiceRequest(
    resource_metrics=[
        ResourceMetrics(
            resource=RESOURCE,
            scope_metrics=[
                ScopeMetrics(
                    scope=SCOPE,
                    metrics=[
                        Metric(name="g", gauge=Gauge(data_points=[NumberDataPoint(as_double=0.5)])),
                        Metric(name="s", unit="By", sum=Sum(data_points=[NumberDataPoint(time_unix_nano=MOMENT)])),
                        Metric(
                            name="h",
                            histogram=Histogram(
                                data_points=[
                                    HistogramDataPoint(
                                        count=3,
                                        sum=4.5,
                                        bucket_counts=[1, 2],
                                        explicit_bounds=[0.5],
                                        attributes=ATTRIBUTES[:1],
                                    )
                                ]
                            ),
                        ),
                        Metric(name="q", summary=Summary(data_points=[SummaryDataPoint(count=1, sum=2.0)])),
                    ],
                )
            ],
        )
    ]
)


def plain(value: Any) -> Any:
    """The official JSON form with ids in hexadecimal, and with numbers as numbers."""
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items() if key != "aggregationTemporality"}
    if isinstance(value, list):
        return [plain(each) for each in value]
    return int(value) if isinstance(value, str) and value.isdecimal() else value


def official(message: Any) -> Any:
    found = plain(MessageToDict(message, use_integers_for_enums=True))
    for of_resource in found.get("resourceSpans", []) + found.get("resourceLogs", []):
        for of_scope in of_resource.get("scopeSpans", []) + of_resource.get("scopeLogs", []):
            for item in of_scope.get("spans", []) + of_scope.get("logRecords", []):
                _in_hexadecimal(item)
    return found


def _in_hexadecimal(item: dict[str, Any]) -> None:
    for name in ("traceId", "spanId", "parentSpanId"):
        if name in item:
            item[name] = {24: bytes(range(16)), 12: bytes(range(8))}[len(item[name])].hex()
    if "parentSpanId" in item:
        item["parentSpanId"] = bytes(range(1, 9)).hex()
    for link in item.get("links", []):
        link["traceId"], link["spanId"] = bytes(16).hex(), bytes(8).hex()


@pytest.mark.parametrize(
    ("message", "schema"),
    [(TRACE_REQUEST, TRACES), (LOG_REQUEST, LOGS), (METRIC_REQUEST, METRICS)],
    ids=["traces", "logs", "metrics"],
)
def test_a_request_reads_like_its_official_json(message: Any, schema: Schema) -> None:
    assert read_message(message.SerializeToString(), schema) == official(message)


@given(st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False), st.binary())
def test_numbers_and_bytes_are_read_as_they_were(whole: int, fraction: float, octets: bytes) -> None:
    sent = [AnyValue(int_value=whole), AnyValue(double_value=fraction), AnyValue(bytes_value=octets)]
    record = LogRecord(attributes=[KeyValue(key="k", value=value) for value in sent])
    request = ExportLogsServiceRequest(resource_logs=[ResourceLogs(scope_logs=[ScopeLogs(log_records=[record])])])

    found = read_message(request.SerializeToString(), LOGS)

    pairs = found["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0]["attributes"]
    assert [pair["value"] for pair in pairs] == [
        {"intValue": whole},
        {"doubleValue": fraction},
        {"bytesValue": octets},
    ]


def test_an_integer_point_keeps_its_sign() -> None:
    metric = Metric(name="g", gauge=Gauge(data_points=[NumberDataPoint(as_int=-3)]))
    request = ExportMetricsServiceRequest(
        resource_metrics=[ResourceMetrics(scope_metrics=[ScopeMetrics(metrics=[metric])])]
    )

    found = read_message(request.SerializeToString(), METRICS)

    [point] = found["resourceMetrics"][0]["scopeMetrics"][0]["metrics"][0]["gauge"]["dataPoints"]
    assert point == {"asInt": -3}


def test_packed_numbers_are_read_apart() -> None:
    schema = {1: Field("small", "int", repeated=True), 2: Field("large", "number", repeated=True)}

    found = read_message(bytes.fromhex("0a03ac0205") + bytes.fromhex("08071208") + bytes([9] + [0] * 7), schema)

    assert found == {"small": [300, 5, 7], "large": [9]}


@pytest.mark.parametrize(
    "message",
    ["0a0101", "0a80", "0805", "2d05000000"],
    ids=["a message that is none", "cut short", "a number for a message", "a field of a group"],
)
def test_what_is_no_request_is_refused_or_empty(message: str) -> None:
    found: dict[str, Any] = {}
    with suppress(WireError):
        found = read_message(bytes.fromhex(message), TRACES)

    assert found == {}


@pytest.mark.parametrize(
    ("message", "schema"),
    [
        ("0801", {1: Field("name", "text")}),
        ("0a0161", {1: Field("count", "number")}),
        ("0a0161", {1: Field("bounds", "double", repeated=True)}),
    ],
    ids=["a number for text", "text for a number", "packed numbers cut short"],
)
def test_a_value_of_another_type_is_refused(message: str, schema: Schema) -> None:
    with pytest.raises(WireError):
        read_message(bytes.fromhex(message), schema)


def test_absurd_nesting_is_refused() -> None:
    value = b""
    for _ in range(500):
        value = length_delimited(5, length_delimited(1, value))
    record = length_delimited(2, length_delimited(5, value))

    with pytest.raises(WireError, match="deep"):
        read_message(length_delimited(1, length_delimited(2, record)), LOGS)


@given(st.binary())
def test_nothing_but_a_wire_error_is_ever_raised(message: bytes) -> None:
    with suppress(WireError):
        read_message(message, TRACES)
