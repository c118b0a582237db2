"""Rules for Prometheus: promtool takes them, and they fire when they should and not otherwise."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from dashlight.cli.main import main
from dashlight.cli.rules import alert_rules, rules_file
from dashlight.metrics.instruments import INSTRUMENTS
from dashlight.metrics.prometheus_names import NamedInstrument, family_names

SERIES = """
rule_files: [rules.yml]
evaluation_interval: 1m
tests:
- interval: 1m
  input_series:
"""
HEALTHY = """
  - {series: 'dashlight_figures_made_at_seconds{job="app", instance="a"}', values: '0+60x60'}
  - {series: 'dashlight_workers{job="app", instance="a"}', values: '4x60'}
  - {series: 'dashlight_analysed_rate{job="app", instance="a"}', values: '1x60'}
  - {series: 'dashlight_dropped_total{job="app", instance="a", dashlight_signal="spans", dashlight_reason="outbox_full"}', values: '7x60'}
  - {series: 'dashlight_dropped_total{job="app", instance="a", dashlight_signal="metrics", dashlight_reason="replaced"}', values: '0+1x60'}
  - {series: 'dashlight_mistakes_total{job="app", instance="a", error_type="KeyError"}', values: '1x60'}
  - {series: 'dashlight_alert_in_force{job="app", instance="a", dashlight_alert_source="drift", dashlight_alert_state="firing"}', values: '0x60'}
  - {series: 'dashlight_alert_in_force{job="app", instance="a", dashlight_alert_source="drift", dashlight_alert_state="pending"}', values: '3x60'}
  - {series: 'up{job="app", instance="a"}', values: '1x60'}
"""


def promtool() -> str:
    found = shutil.which("promtool")
    if found is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("needs Debian's package prometheus")
    return found


def firing(directory: Path, series: str, *, at: str = "40m", job: str = "") -> set[str]:
    """The alerts that promtool says fire, of all there are, for what is scraped."""
    (directory / "rules.yml").write_text(rules_file(job=job))
    names = [rule.name for rule in alert_rules(job=job, pane_seconds=10.0)]
    expected = "".join(f"  - {{eval_time: {at}, alertname: {name}, exp_alerts: []}}\n" for name in names)
    (directory / "test.yml").write_text(f"{SERIES}{series}  alert_rule_test:\n{expected}")
    done = subprocess.run(
        [promtool(), "test", "rules", "test.yml"], cwd=directory, capture_output=True, text=True, check=False
    )
    said = done.stdout + done.stderr
    assert ("SUCCESS" in said) or ("FAILED" in said), said
    return set(re.findall(r"alertname: ?(\w+)", said))


def changed(old: str, new: str) -> str:
    assert old in HEALTHY
    return HEALTHY.replace(old, new)


@pytest.mark.parametrize("arguments", [[], ["--job", "shop"], ["--pane", "1h"]], ids=["all", "a job", "long panes"])
def test_promtool_takes_the_file(tmp_path: Path, arguments: list[str]) -> None:
    file = tmp_path / "rules.yml"

    assert main(["rules", "prometheus", "--output", str(file), *arguments]) == 0

    done = subprocess.run([promtool(), "check", "rules", str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_metric_in_the_rules_is_one_that_is_shown() -> None:
    shown = {
        f"{named.name}{'_total' * (instrument.kind == 'counter')}"
        for instrument, named in family_names(
            NamedInstrument(name, "counter" if known.kind == "counter" else "gauge", known.unit)
            for name, known in INSTRUMENTS.items()
        ).items()
    }
    text = "".join(rule.expression for rule in alert_rules(job="", pane_seconds=10.0))
    labels = {"dashlight_signal", "dashlight_reason", "dashlight_alert_source", "dashlight_alert_state"}

    named = set(re.findall(r"dashlight_\w+", text)) - labels

    assert named
    assert named <= shown


def test_of_a_machine_that_is_well_nothing_fires(tmp_path: Path) -> None:
    assert firing(tmp_path, HEALTHY) == set()


@pytest.mark.parametrize(
    ("series", "alerts"),
    [
        ("  - {series: 'up{job=\"app\", instance=\"a\"}', values: '1x60'}\n", {"DashlightAbsent"}),
        (changed("'0+60x60'", "'0+60x20 1200x40'"), {"DashlightStale"}),
        (changed("'0+60x60'", "'7200+60x60'"), {"DashlightStale"}),
        (
            HEALTHY.replace("x60", "x10 stale").replace("up{job=\"app\", instance=\"a\"}', values: '1x10 stale'", "up{job=\"app\", instance=\"a\"}', values: '1x10 0x50'"),
            {"DashlightAbsent", "DashlightUnscraped"},
        ),
        (changed("'7x60'", "'7x30 8x30'"), {"DashlightLosing"}),
        (changed("'7x60'", "'_x35 3x25'"), {"DashlightLosing"}),
        (changed("'1x60'}\n  - {series: 'dashlight_alert", "'1x35 2x25'}\n  - {series: 'dashlight_alert"), {"DashlightMistaken"}),
        (changed("'4x60'", "'4x20 3x40'"), {"DashlightWorkersMissing"}),
        (changed("dashlight_analysed_rate{job=\"app\", instance=\"a\"}', values: '1x60'", "dashlight_analysed_rate{job=\"app\", instance=\"a\"}', values: '0.05x60'"), {"DashlightAnalysesFew"}),
        (changed("'0x60'", "'0x39 1x20'"), {"DashlightAlert"}),
    ],
    ids=[
        "nobody shows figures",
        "the figures stand still",
        "the figures come from the future",
        "the machine is gone",
        "a loss more",
        "the first loss of all",
        "a mistake of ours",
        "a worker less",
        "little is analysed",
        "a model alarms",
    ],
)  # fmt: skip
def test_what_is_wrong_fires_and_nothing_else(tmp_path: Path, series: str, alerts: set[str]) -> None:
    assert firing(tmp_path, series) == alerts


def test_of_another_job_nothing_is_said(tmp_path: Path) -> None:
    others = changed("'0+60x60'", "'0+60x20 1200x40'").replace('job="app"', 'job="other"')

    assert firing(tmp_path, HEALTHY + others, job="app") == set()


def test_a_pane_is_not_stale_before_twelve_are_missing() -> None:
    stale = {pane: next(rule for rule in alert_rules(job="", pane_seconds=pane) if rule.name == "DashlightStale") for pane in (1.0, 60.0)}  # fmt: skip

    assert stale[1.0].expression.endswith("> 120")
    assert stale[60.0].expression.endswith("> 720")


@pytest.mark.parametrize(
    "arguments",
    [["--pane", "soon"], ["--pane", "0s"], ["--job", 'a"b'], ["--job", "a\\b"], ["--output", "/no/such/dir/rules.yml"]],
)
def test_options_that_cannot_be_used_are_one_line_and_status_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rules", "prometheus", *arguments]) == 2

    assert capsys.readouterr().err.startswith("dashlight rules: ")
