"""Who tells OpenTelemetry: in a process of its own, since a MeterProvider is configured once for all."""

from __future__ import annotations

import json
import subprocess
import sys

PREAMBLE = """
import json
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from dashlight.metrics.report import MetricReport
from dashlight.metrics.figures import Figure, Figures

def figures(at):
    return Figures(at, 1.0, (Figure("dashlight.requests", "counter", "", "", 7, {}),), ())

reader, sent, latest = InMemoryMetricReader(), [], [None]

def report_to(send):
    return MetricReport(lambda: latest[0], version="0.1", send=send, interval_seconds=60.0)

def tell(report, *moments):
    for at in moments:
        latest[0] = None if at is None else figures(at)
        report.tell()

pushing = report_to(lambda each: sent.append(each.at))
"""


def said(script: str) -> object:
    """What a process prints last, as JSON."""
    found = subprocess.run(
        [sys.executable, "-W", "error", "-c", PREAMBLE + script], check=False, capture_output=True, text=True
    )
    assert found.returncode == 0, found.stderr
    return json.loads(found.stdout.splitlines()[-1])


def test_without_a_provider_figures_are_pushed_now_and_at_the_end() -> None:
    found = said("""
tell(pushing, 100, 110, 160, 170)
pushing.finish()
print(json.dumps([pushing.is_wanted(), sent]))
""")

    assert found == [True, [100, 160, 170]]


def test_with_a_provider_nothing_is_pushed() -> None:
    found = said("""
metrics.set_meter_provider(MeterProvider([reader]))
tell(pushing, 100, 160)
pushing.finish()
print(json.dumps([pushing.is_wanted(), sent, reader.get_metrics_data() is not None]))
""")

    assert found == [True, [], True]


def test_a_provider_that_comes_later_takes_over() -> None:
    found = said("""
tell(pushing, 100, 110)
metrics.set_meter_provider(MeterProvider([reader]))
tell(pushing, 120)
pushing.finish()
print(json.dumps(sent))
""")

    assert found == [100]


def test_who_does_not_judge_any_more_says_nothing() -> None:
    found = said("""
tell(pushing, 100, 110, None)
pushing.finish()
print(json.dumps(sent))
""")

    assert found == [100]


def test_where_nobody_listens_figures_are_not_wanted() -> None:
    found = said("""
nowhere = report_to(None)
tell(nowhere, 100, None)
nowhere.finish()
before = nowhere.is_wanted()
metrics.set_meter_provider(MeterProvider([reader]))
print(json.dumps([before, nowhere.is_wanted()]))
""")

    assert found == [False, True]
