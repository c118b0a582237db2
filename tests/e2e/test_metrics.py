"""Metrics that Dashlight pushes pass a real OpenTelemetry collector, and reach the one for development."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from dashlight.deliver.delivery import Delivery
from dashlight.deliver.encoding.metrics import MetricEncoder
from dashlight.deliver.outbox import Counts
from dashlight.deliver.transport.endpoints import metric_endpoint
from dashlight.metrics.figures import Figure, Figures, HistogramFigure

PATIENCE_SECONDS = 30.0
FIGURES = Figures(
    1_790_000_010.5,
    1_790_000_000.0,
    (
        Figure(
            "dashlight.requests", "counter", "{request}", "Requests", 7, {"http.route": "/p", "dashlight.outcome": "ok"}
        ),
        Figure("dashlight.workers", "updowncounter", "{worker}", "Workers", 4, {}),
        Figure("dashlight.column.drift", "gauge", "", "Distance", 0.25, {"dashlight.column.name": "größe"}),
    ),
    (HistogramFigure("dashlight.request.duration", "s", "Time", (0.5, 1.0), (3, 2, 1), 4.5, {"http.route": "/p"}),),
)


def push(url: str, **environ: str) -> Counts:
    """What became of the figures when they were pushed there."""
    endpoint = metric_endpoint({"OTEL_EXPORTER_OTLP_ENDPOINT": url, **environ})
    assert endpoint is not None
    delivery = Delivery(metrics=(endpoint, MetricEncoder({"service.name": "fraud"}, "dashlight", "0.1")))
    delivery.start()
    delivery.send_metrics(FIGURES)
    delivery.close(PATIENCE_SECONDS)
    return delivery.counts()["metrics"]


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_metrics_pass_a_real_collector(rotel: str, collector: Any, compression: str) -> None:
    assert push(rotel, OTEL_EXPORTER_OTLP_COMPRESSION=compression) == Counts(1, delivered=1)

    found = {item["name"]: item for item in collector.wait_for("metric", 4)}

    requests, duration = found["dashlight.requests"], found["dashlight.request.duration"]
    assert (requests["type"], requests["value"], requests["unit"]) == ("sum", 7, "{request}")
    assert requests["attributes"] == {"http.route": "/p", "dashlight.outcome": "ok"}
    assert (found["dashlight.workers"]["type"], found["dashlight.workers"]["value"]) == ("sum", 4)
    drift = found["dashlight.column.drift"]
    assert (drift["type"], drift["value"]) == ("gauge", 0.25)
    assert drift["attributes"] == {"dashlight.column.name": "größe"}
    assert (duration["count"], duration["sum"], duration["unit"]) == (6, 4.5, "s")
    assert (duration["bucket_counts"], duration["explicit_bounds"]) == ([3, 2, 1], [0.5, 1.0])
    assert {item["resource"]["service.name"] for item in found.values()} == {"fraud"}
    assert {item["at"] for item in found.values()} == {1_790_000_010.5}


def test_the_collector_for_development_shows_metrics(tmp_path: Path) -> None:
    log = tmp_path / "shown"
    command = [sys.executable, "-m", "dashlight.cli.main", "collect", "--listen", "127.0.0.1:0"]
    with log.open("wb") as output:
        child = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
    try:
        end_at = time.monotonic() + PATIENCE_SECONDS
        while not (found := re.search(r"http://127\.0\.0\.1:\d+", log.read_text())) and time.monotonic() < end_at:
            time.sleep(0.02)
        assert found, log.read_text()
        counts = push(found[0])
    finally:
        child.terminate()
        child.wait(PATIENCE_SECONDS)

    assert counts == Counts(1, delivered=1)
    shown = log.read_text()
    assert "dashlight.requests{http.route=/p, dashlight.outcome=ok} 7 {request}" in shown
    assert "dashlight.request.duration{http.route=/p} 6 values, sum 4.5 s" in shown
    assert "4 metrics" in shown.splitlines()[-1]
