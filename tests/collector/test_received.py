from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
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

from dashlight.collector.received import ReceivedError, items_of_json, items_of_lines, items_of_protobuf
from dashlight.deliver.encoding.events import alert_event
from dashlight.deliver.encoding.logs import LogEncoder
from dashlight.deliver.encoding.ndjson import NdjsonEncoder
from dashlight.deliver.encoding.traces import SpanEncoder
from dashlight.records import Alert, Exchange, Notice, OwnSpan

RESOURCE = {"service.name": "fraud"}
CAME_IN = {"resource": RESOURCE, "scope": "dashlight", "scope_version": "0.1"}
EVENT_ID = "01901234-5678-7abc-8def-0123456789ab"
ALERT = Alert(
    key="k",
    source="threshold",
    model="fraud",
    version="",
    endpoint="/predict",
    column=None,
    role=None,
    state="firing",
    summary="error rate above 2%",
    at=1_790_000_000.5,
    since_at=1_789_999_000.0,
    rows=10,
    score=0.03,
)
NOTICE = Notice(
    id=EVENT_ID,
    key="k",
    transition="firing",
    at=1_790_000_000.5,
    since_at=1_789_999_000.0,
    endpoint="/predict",
    model="fraud",
    version="",
    summary=ALERT.summary,
    alerts=(ALERT,),
    alert_count=1,
)


def test_a_span_is_told_in_plain_words(exchange: Callable[..., Exchange]) -> None:
    own = OwnSpan(
        parent_id=0x99,
        trace_state="a=1",
        attributes={"tags": ["x", 1, None]},
        events=[("cache", 1_790_000_000_000_000_000, {"hit": False})],
        links=[(5, 6, 0, "", {"why": "batch"})],
        status_code=2,
        status_description="no model",
    )
    encoder = SpanEncoder(RESOURCE, "dashlight", "0.1")

    [item] = items_of_protobuf("traces", encoder.request([encoder.span(exchange(own_span=own))]))

    attributes = item.pop("attributes")
    assert item == {
        "kind": "span",
        "name": "POST /predict/{name}",
        "trace_id": "abcdef0123456789abcdef0123456789",
        "span_id": "1122334455667788",
        "parent_span_id": "0000000000000099",
        "trace_state": "a=1",
        "span_kind": "server",
        "started_at": 1_790_000_000.25,
        "duration_seconds": 0.5,
        "status": "error",
        "status_message": "no model",
        "events": [{"name": "cache", "at": 1_790_000_000.0, "attributes": {"hit": False}}],
        "links": [{"trace_id": f"{5:032x}", "span_id": f"{6:016x}", "attributes": {"why": "batch"}}],
        **CAME_IN,
    }
    assert attributes["tags"] == ["x", 1, None]
    assert attributes["http.response.body.size"] == 20_000


def test_an_event_is_told_in_plain_words() -> None:
    encoder = LogEncoder(RESOURCE, "dashlight", "0.1", epoch=99)
    event = alert_event(NOTICE)

    [item] = items_of_protobuf("logs", encoder.request([encoder.event(event, observed_at=1_790_000_001.5)]))

    attributes = item.pop("attributes")
    assert item == {
        "kind": "event",
        "name": "dashlight.alert",
        "id": EVENT_ID,
        "at": 1_790_000_000.5,
        "observed_at": 1_790_000_001.5,
        "severity": 13,
        "body": "error rate above 2%",
        "trace_id": "",
        "span_id": "",
        **CAME_IN,
    }
    assert attributes["dashlight.alert.score"] == 0.03


def test_lines_of_json_are_events_as_they_stand() -> None:
    encoder = NdjsonEncoder(RESOURCE, epoch=99)
    event = alert_event(NOTICE)

    items = items_of_lines(encoder.event(event, observed_at=1.0) + b'\n{"mine": 1, "kind": "other"}\n')

    assert [items[0][name] for name in ("kind", "name", "id", "severity", "resource")] == [
        "event",
        "dashlight.alert",
        EVENT_ID,
        13,
        RESOURCE,
    ]
    assert items[1] == {"mine": 1, "kind": "event"}


def metrics(*wanted: Metric) -> bytes:
    resource = Resource(attributes=[KeyValue(key="service.name", value=AnyValue(string_value="fraud"))])
    scope = InstrumentationScope(name="dashlight", version="0.1")
    of_scope = ScopeMetrics(scope=scope, metrics=wanted)
    request = ExportMetricsServiceRequest(
        resource_metrics=[ResourceMetrics(resource=resource, scope_metrics=[of_scope])]
    )
    return bytes(request.SerializeToString())


MOMENT = 1_790_000_000_250_000_000
METRICS: Mapping[str, tuple[Metric, dict[str, Any]]] = {
    "gauge": (
        Metric(name="m", unit="1", gauge=Gauge(data_points=[NumberDataPoint(as_double=0.5, time_unix_nano=MOMENT)])),
        {"type": "gauge", "value": 0.5, "unit": "1", "at": 1_790_000_000.25},
    ),
    "sum": (
        Metric(name="m", sum=Sum(data_points=[NumberDataPoint(as_int=-3)])),
        {"type": "sum", "value": -3, "unit": "", "at": 0.0},
    ),
    "histogram": (
        Metric(
            name="m",
            histogram=Histogram(
                data_points=[HistogramDataPoint(count=3, sum=4.5, bucket_counts=[1, 2], explicit_bounds=[0.5])]
            ),
        ),
        {
            "type": "histogram",
            "count": 3,
            "sum": 4.5,
            "bucket_counts": [1, 2],
            "explicit_bounds": [0.5],
            "unit": "",
            "at": 0.0,
        },
    ),
    "summary": (
        Metric(name="m", summary=Summary(data_points=[SummaryDataPoint(count=1, sum=2.0)])),
        {"type": "summary", "count": 1, "sum": 2.0, "unit": "", "at": 0.0},
    ),
}


@pytest.mark.parametrize(("metric", "told"), METRICS.values(), ids=METRICS.keys())
def test_each_point_of_a_metric_is_an_item(metric: Metric, told: dict[str, Any]) -> None:
    items = items_of_protobuf("metrics", metrics(metric))

    assert items == [{"kind": "metric", "name": "m", "attributes": {}, **told, **CAME_IN}]


def test_json_is_read_like_protobuf() -> None:
    span = {
        "traceId": "0af7651916cd43dd8448eb211c80319c",
        "spanId": "b7ad6b7169203331",
        "name": "GET /",
        "kind": 2,
        "startTimeUnixNano": "1790000000250000000",
        "endTimeUnixNano": 1790000000750000000,
        "attributes": [
            {"key": "n", "value": {"intValue": "12"}},
            {"key": "b", "value": {"bytesValue": "/wA="}},
            {"key": "m", "value": {"kvlistValue": {"values": [{"key": "x", "value": {"doubleValue": 1.5}}]}}},
        ],
        "status": {"code": 1},
    }
    body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}).encode()

    [item] = items_of_json("traces", body)

    assert (item["trace_id"], item["span_kind"], item["status"]) == (
        "0af7651916cd43dd8448eb211c80319c",
        "server",
        "ok",
    )
    assert (item["started_at"], item["duration_seconds"]) == (1_790_000_000.25, 0.5)
    assert item["attributes"] == {"n": 12, "b": "/wA=", "m": {"x": 1.5}}
    assert (item["resource"], item["scope"]) == ({}, "")


def test_bytes_of_protobuf_are_told_in_base64(exchange: Callable[..., Exchange]) -> None:
    encoder = SpanEncoder(RESOURCE, "dashlight", "0.1")
    span = encoder.span(exchange(own_span=OwnSpan(attributes={"b": b"\xff\x00"})))

    [item] = items_of_protobuf("traces", encoder.request([span]))

    assert item["attributes"]["b"] == "/wA="


def test_an_unknown_number_for_a_word_is_told_as_it_is() -> None:
    body = b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"kind": 77, "status": {"code": -1}}]}]}]}'

    [item] = items_of_json("traces", body)

    assert (item["span_kind"], item["status"]) == ("77", "-1")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"resourceSpans": "x"}',
        b'{"resourceSpans": [1]}',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"startTimeUnixNano": "soon"}]}]}]}',
        b'{"a":' * 20_000,
    ],
    ids=["nothing", "a list", "text", "a number", "no moment", "deep"],
)
def test_what_is_no_otlp_in_json_is_refused(body: bytes) -> None:
    with pytest.raises(ReceivedError):
        items_of_json("traces", body)


def test_what_is_no_protobuf_is_refused() -> None:
    with pytest.raises(ReceivedError, match="not OTLP logs in protobuf"):
        items_of_protobuf("logs", b"garbage")


@pytest.mark.parametrize("body", [b"1\n", b"{}\nnonsense\n", b"[" * 20_000], ids=["a number", "nonsense", "deep"])
def test_lines_that_are_no_objects_are_refused(body: bytes) -> None:
    with pytest.raises(ReceivedError):
        items_of_lines(body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.sampled_from(
                ["resourceSpans", "scopeSpans", "spans", "attributes", "key", "value", "status", "intValue", "scope"]
            ),
            inner,
        )
    ),
)


@given(JSON)
def test_nothing_but_a_refusal_is_ever_raised(value: Any) -> None:
    with suppress(ReceivedError):
        items_of_json("traces", json.dumps({"resourceSpans": value}).encode())
