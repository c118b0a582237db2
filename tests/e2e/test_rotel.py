"""A real OpenTelemetry collector takes what Dashlight delivers, and hands on what we meant."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from dashlight.deliver.delivery import Delivery
from dashlight.deliver.endpoints import Endpoint, event_endpoint, trace_endpoint
from dashlight.deliver.events import alert_event, prediction_event
from dashlight.deliver.logs import LogEncoder
from dashlight.deliver.outbox import Counts
from dashlight.deliver.traces import SpanEncoder
from dashlight.records import Alert, Cause, Exchange, OwnSpan

PATIENCE_SECONDS = 30.0
TRACE_ID, PARENT_ID = 0x0AF7651916CD43DD8448EB211C80319C, 0xB7AD6B7169203331


def program() -> Path:
    """The program in the package rotel."""
    spec = find_spec("rotel")
    found = Path(spec.origin).parent / "rotel-agent" if spec is not None and spec.origin else None
    if found is not None and found.exists():
        return found
    if os.environ.get("CI"):
        pytest.fail("the package rotel is missing, and with it the proof against a real collector")
    pytest.skip("needs a real collector: pip install rotel")


def free_ports(count: int) -> list[int]:
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def is_listening(port: int) -> bool:
    try:
        with closing(socket.create_connection(("127.0.0.1", port), 1.0)):
            return True
    except OSError:
        return False


def until(is_there: Callable[[], bool]) -> bool:
    """Whether it is there, at the latest when patience ends."""
    end_at = time.monotonic() + PATIENCE_SECONDS
    while not (found := is_there()) and time.monotonic() < end_at:
        time.sleep(0.02)
    return found


@pytest.fixture
def rotel(collector: Any, tmp_path: Path) -> Iterator[str]:
    """The base address of a running rotel that forwards everything to our own collector."""
    http, grpc = free_ports(2)
    log = tmp_path / "rotel.log"
    command = [
        str(program()), "start", "--otlp-http-endpoint", f"127.0.0.1:{http}", "--otlp-grpc-endpoint", f"127.0.0.1:{grpc}",
        "--exporter", "otlp", "--otlp-exporter-endpoint", collector.url, "--otlp-exporter-protocol", "http",
        "--batch-timeout", "100ms",
    ]  # fmt: skip
    with log.open("wb") as output:
        child = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        assert until(lambda: child.poll() is not None or is_listening(http))
        assert child.poll() is None, log.read_text()
        yield f"http://127.0.0.1:{http}"
    finally:
        child.terminate()
        child.wait(PATIENCE_SECONDS)


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
        since_at=1_789_999_000.0, rows=2000, score=0.8, causes=[Cause("above 100", 0.05, 0.4)],
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
    delivery.send_event(alert_event(alert(marker), identifier=uuid4().int, seq=20, trace_url=""))
    delivery.flush(PATIENCE_SECONDS)
    delivery.close(PATIENCE_SECONDS)

    assert delivery.counts() == {"spans": Counts(300, 300), "events": Counts(21, 21)}
    spans, events = collector.wait_for("span", 300), collector.wait_for("event", 21)
    assert {span["attributes"]["url.path"] for span in spans} == {f"/predict/{marker}"}
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
