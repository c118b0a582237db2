"""A real OpenTelemetry collector takes what Dashlight delivers, and hands on what we meant."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from dashlight.deliver.delivery import Delivery
from dashlight.deliver.encoding.events import alert_event, prediction_event
from dashlight.deliver.encoding.logs import LogEncoder
from dashlight.deliver.encoding.traces import SpanEncoder
from dashlight.deliver.outbox import Counts
from dashlight.deliver.transport.endpoints import Endpoint, event_endpoint, trace_endpoint
from dashlight.records import Alert, Cause, Exchange, Notice, OwnSpan

PATIENCE_SECONDS = 30.0
TRACE_ID, PARENT_ID = 0x0AF7651916CD43DD8448EB211C80319C, 0xB7AD6B7169203331


def exchange(marker: str, number: int) -> Exchange:
    return Exchange(
        id=uuid4().int, route="/predict/{name}", method="POST", path=f"/predict/{marker}", query=b"", scheme="http",
        server=("127.0.0.1", 8000), http_version="1.1", request_headers=(), response_headers=(), status=200, error="",
        outcome="ok", started_at=1_790_000_000.25, first_byte_seconds=0.1, duration_seconds=0.5, request_bytes=2,
        response_bytes=3, request_chunks=(b"{}",), response_chunks=(b"0.5",), trace_id=TRACE_ID, span_id=number + 1,
        trace_flags=1, own_span=OwnSpan(parent_id=PARENT_ID, parent_is_remote=True),
    )  # fmt: skip


def alert(marker: str) -> Alert:
    return Alert(
        key=marker, source="drift", model="fraud", version="3", endpoint="/predict/{name}", column="amount",
        role="feature", state="firing", summary="amount above 100: from 5% to 40%", at=1_790_000_000.5,
        since_at=1_789_999_000.0, rows=2000, score=0.8, causes=(Cause("above 100", 0.05, 0.4),),
    )  # fmt: skip


def notice(alert: Alert) -> Notice:
    return Notice(
        str(uuid4()), alert.key, "firing", alert.at, alert.since_at, alert.endpoint, "fraud", "3", alert.summary, (alert,), 1
    )  # fmt: skip


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_spans_and_events_pass_a_real_collector(rotel: str, collector: Any, compression: str) -> None:
    marker, resource = uuid4().hex, {"service.name": "fraud"}
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": rotel, "OTEL_EXPORTER_OTLP_COMPRESSION": compression}
    spans_to, events_to = trace_endpoint(environ), event_endpoint(environ)
    assert isinstance(spans_to, Endpoint)
    assert isinstance(events_to, Endpoint)
    span_encoder = SpanEncoder(resource, "dashlight", "0.1")
    delivery = Delivery(
        spans=(spans_to, span_encoder), events=(events_to, LogEncoder(resource, "dashlight", "0.1", epoch=1))
    )
    delivery.start()
    exchanges = [exchange(marker, number) for number in range(300)]

    delivery.send_spans([span_encoder.span(each, model="fraud", rows=1) for each in exchanges])
    for number, each in enumerate(exchanges[:20]):
        delivery.send_event(prediction_event(each, seq=number, model="fraud", inputs={"amount": [1.5, float("nan")]}))
    delivery.send_event(alert_event(notice(alert(marker))))
    delivery.flush(PATIENCE_SECONDS)
    delivery.close(PATIENCE_SECONDS)

    assert delivery.counts() == {"spans": Counts(300, delivered=300), "events": Counts(21, delivered=21)}
    spans, events = collector.wait_for("span", 300), collector.wait_for("event", 21)
    assert {span["attributes"]["url.path"] for span in spans} == {"/predict/{name}"}
    assert {int(span["span_id"], 16) for span in spans} == set(range(1, 301))
    assert {(span["name"], span["span_kind"], span["parent_span_id"]) for span in spans} == {
        ("POST /predict/{name}", "server", f"{PARENT_ID:016x}")
    }
    assert {(span["resource"]["service.name"], span["scope"]) for span in spans} == {("fraud", "dashlight")}
    predictions = {event["id"]: event for event in events if event["name"] == "dashlight.prediction"}
    assert {event["trace_id"] for event in predictions.values()} == {f"{TRACE_ID:032x}"}
    assert len(predictions) == 20
    [warning] = [event for event in events if event["name"] == "dashlight.alert"]
    assert (warning["severity"], warning["body"]) == (13, "amount above 100: from 5% to 40%")
    assert warning["attributes"]["dashlight.alert.key"] == marker
    assert warning["attributes"]["dashlight.alert.causes"] == [
        {"event": "above 100", "reference": 0.05, "current": 0.4, "bins": []}
    ]
