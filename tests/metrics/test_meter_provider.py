"""Figures through a MeterProvider of the real SDK, each in a process of its own where the global one is meant."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

PREAMBLE = """
import json, os, sys
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from dashlight.metrics.meter_provider import MeterReport, configured_provider
from dashlight.metrics.figures import Figure, Figures, HistogramFigure

def figures(value, *others):
    requests = Figure("dashlight.requests", "counter", "{request}", "Requests", value, {"http.route": "/p"})
    workers = Figure("dashlight.workers", "updowncounter", "{worker}", "Workers", 4, {})
    drift = Figure("dashlight.column.drift", "gauge", "", "Distance", 0.25, {"dashlight.column.name": "age"})
    duration = HistogramFigure("dashlight.request.duration", "s", "Time", (0.5, 1.0), (3, 2, 1), 4.5, {})
    return Figures(2.0, 1.0, (requests, workers, drift, *others), (duration,))

def collected():
    data = reader.get_metrics_data()
    if data is None:
        return {}
    return {
        metric.name: [
            [dict(point.attributes), point.value, metric.unit, getattr(metric.data, "is_monotonic", None)]
            for point in metric.data.data_points
        ]
        for resource in data.resource_metrics for scope in resource.scope_metrics for metric in scope.metrics
    }

reader = InMemoryMetricReader()
latest = [figures(7)]
report = MeterReport(lambda: latest[0], version="0.1")
"""


def said(script: str) -> object:
    """What a process prints last, as JSON."""
    found = subprocess.run(
        [sys.executable, "-W", "error", "-c", PREAMBLE + script], check=False, capture_output=True, text=True
    )
    assert found.returncode == 0, found.stderr
    assert found.stderr == ""
    return json.loads(found.stdout.splitlines()[-1])


def test_the_hosts_provider_is_given_every_kind_of_figure() -> None:
    found = said("""
metrics.set_meter_provider(MeterProvider([reader]))
assert report.look_around()
print(json.dumps(collected()))
""")

    assert found == {
        "dashlight.requests": [[{"http.route": "/p"}, 7, "{request}", True]],
        "dashlight.workers": [[{}, 4, "{worker}", False]],
        "dashlight.column.drift": [[{"dashlight.column.name": "age"}, 0.25, "", None]],
        "dashlight.request.duration.count": [[{}, 6, "{request}", True]],
        "dashlight.request.duration.sum": [[{}, 4.5, "s", True]],
        "dashlight.request.duration.bucket": [
            [{"le": "0.5"}, 3, "{request}", True],
            [{"le": "1.0"}, 5, "{request}", True],
            [{"le": "+Inf"}, 6, "{request}", True],
        ],
    }


def test_each_collection_sees_the_latest_figures() -> None:
    found = said("""
metrics.set_meter_provider(MeterProvider([reader]))
report.look_around()
first = collected()["dashlight.requests"]
latest[0] = figures(9)
print(json.dumps([first[0][1], collected()["dashlight.requests"][0][1]]))
""")

    assert found == [7, 9]


def test_a_provider_that_comes_later_is_found() -> None:
    found = said("""
before = report.look_around()
metrics.set_meter_provider(MeterProvider([reader]))
print(json.dumps([before, report.look_around(), sorted(collected())[-1]]))
""")

    assert found == [False, True, "dashlight.workers"]


def test_instruments_for_new_names_are_made_when_they_appear() -> None:
    found = said("""
metrics.set_meter_provider(MeterProvider([reader]))
report.look_around()
latest[0] = figures(9, Figure("dashlight.errors", "counter", "{request}", "Errors", 1, {}))
report.look_around()
report.look_around()
print(json.dumps(collected()["dashlight.errors"]))
""")

    assert found == [[{}, 1, "{request}", True]]


def test_what_another_process_reports_is_not_reported_here() -> None:
    found = said("""
metrics.set_meter_provider(MeterProvider([reader]))
report.look_around()
before = len(collected())
latest[0] = None
print(json.dumps([before, report.look_around(), collected()]))
""")

    assert found == [6, True, {}]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_does_not_report_what_its_parent_counted() -> None:
    found = said("""
metrics.set_meter_provider(MeterProvider([reader]))
report.look_around()
read, write = os.pipe()
child = os.fork()
if child == 0:
    os.write(write, json.dumps(collected()).encode())
    os._exit(0)
os.waitpid(child, 0)
print(json.dumps([json.loads(os.read(read, 65536)), len(collected())]))
""")

    assert found == [{}, 6]


@pytest.mark.parametrize(
    "provider", ["metrics.get_meter_provider()", "metrics.NoOpMeterProvider()"], ids=["none", "one that does nothing"]
)
def test_a_provider_that_goes_nowhere_is_none(provider: str) -> None:
    found = said(f"""
provider = {provider}
if "NoOp" in type(provider).__name__:
    metrics.set_meter_provider(provider)
print(json.dumps([configured_provider() is None, report.look_around()]))
""")

    assert found == [True, False]


def test_a_provider_that_refuses_an_instrument_costs_that_one_alone() -> None:
    found = said("""
import logging
logging.disable()
class Picky(MeterProvider):
    def get_meter(self, *arguments, **others):
        meter = super().get_meter(*arguments, **others)
        refused = meter.create_observable_gauge
        def refuse(name, *arguments, **others):
            raise ValueError(name)
        meter.create_observable_gauge = refuse
        return meter
metrics.set_meter_provider(Picky([reader]))
report.look_around()
print(json.dumps(sorted(collected())))
""")

    assert isinstance(found, list)
    assert "dashlight.column.drift" not in found
    assert "dashlight.requests" in found
