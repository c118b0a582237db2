"""`dashlight rules`: rules for Prometheus that tell when Dashlight itself falls silent or loses something."""

import argparse
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dashlight import units
from dashlight.cli.subparsers import Subparsers

_STALE_PANES, _LEAST_STALE_SECONDS = 12, 120.0
_LABEL_VALUE = re.compile(r"[^\"\\\n]*")


@dataclass(frozen=True, slots=True)
class AlertRule:
    """One alert, as Prometheus evaluates it."""

    name: str
    expression: str
    hold: str
    """For how long it must be so."""
    severity: str
    summary: str
    description: str


def register(subparsers: Subparsers) -> None:
    """Adds the command `rules`."""
    parser = subparsers.add_parser(
        "rules",
        help="write rules for Prometheus",
        description="Write alerting rules for whoever scrapes the metrics of Dashlight: absent or stale figures, losses,"
        " missing workers, and the alerts of the models. Check them with `promtool check rules FILE`.",
    )
    parser.add_argument("system", choices=("prometheus",), help="for whom")
    parser.add_argument("--job", default="", help="only the figures of this job; unset: all")
    parser.add_argument(
        "--pane", default="10s", metavar="DURATION", help="DASHLIGHT_PANE of the apps that are scraped (%(default)s)"
    )
    parser.add_argument("--output", metavar="FILE", help="write to FILE instead of standard output")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Writes the rules; returns 0, or 2 where an option cannot be used or the file cannot be written."""
    try:
        pane_seconds = units.above_zero(units.seconds)(arguments.pane)
    except ValueError:
        return _refuse(f"--pane {arguments.pane!r}: expected a duration above zero, such as 10s")
    if not _LABEL_VALUE.fullmatch(arguments.job):
        return _refuse(f"--job {arguments.job!r}: expected a name without quotes and backslashes")
    text = rules_file(job=arguments.job, pane_seconds=pane_seconds)
    if not arguments.output:
        sys.stdout.write(text)
        return 0
    try:
        Path(arguments.output).write_text(text, encoding="utf-8")
    except OSError as error:
        return _refuse(f"{arguments.output}: {error.strerror}")
    return 0


def rules_file(*, job: str = "", pane_seconds: float = 10.0) -> str:
    """The file as Prometheus reads it, for figures of panes of *pane_seconds*; an empty *job* means every job."""
    lines = ["groups:", "  - name: dashlight", "    rules:"]
    for rule in alert_rules(job=job, pane_seconds=pane_seconds):
        lines += [
            f"      - alert: {rule.name}",
            f"        expr: {_quoted(rule.expression)}",
            f"        for: {rule.hold}",
            "        labels:",
            f"          severity: {rule.severity}",
            "        annotations:",
            f"          summary: {_quoted(rule.summary)}",
            f"          description: {_quoted(rule.description)}",
        ]
    return "\n".join([*lines, ""])


def alert_rules(*, job: str, pane_seconds: float) -> Iterator[AlertRule]:
    """Silence first, then what is lost, then what the models say."""
    chosen = f'job="{job}"' if job else ""
    of_job = f"{{{chosen}}}" if job else ""
    made_at = f"dashlight_figures_made_at_seconds{of_job}"
    stale_seconds = max(_LEAST_STALE_SECONDS, _STALE_PANES * pane_seconds)
    yield AlertRule(
        "DashlightAbsent",
        f"absent({made_at})",
        "5m",
        "critical",
        "No model is watched: nobody shows figures of Dashlight",
        "No target has dashlight_figures_made_at_seconds. Is DASHLIGHT_METRICS set, the token right, the app up?",
    )
    yield AlertRule(
        "DashlightUnscraped",
        f"up{of_job} == 0 and on (job, instance) last_over_time({made_at}[1d])",
        "5m",
        "critical",
        "{{ $labels.instance }} showed figures of Dashlight within a day and cannot be scraped",
        "Its models are not seen to be watched. Where the target is gone for good, take it out of the scrape config.",
    )
    yield AlertRule(
        "DashlightStale",
        f"abs(time() - {made_at}) > {stale_seconds:.0f}",
        "1m",
        "critical",
        "The figures of {{ $labels.instance }} are {{ $value | humanizeDuration }} away from now",
        "The app answers, but no pane has been judged since: the analysis stands still, or a clock is wrong. "
        "The log of the app says more; `dashlight check URL` asks it.",
    )
    for name, metric, labels, summary in (
        (
            "DashlightLosing",
            "dashlight_dropped_total",
            ("dashlight_signal", "dashlight_reason"),
            "{{ $labels.instance }} loses {{ $labels.dashlight_signal }}: {{ $labels.dashlight_reason }}",
        ),
        (
            "DashlightMistaken",
            "dashlight_mistakes_total",
            ("error_type",),
            "Mistakes of Dashlight's own in {{ $labels.instance }}: {{ $labels.error_type }}",
        ),
    ):
        # Newer metrics hold all that the replaced ones did.
        others = ['dashlight_reason!="replaced"'] if name == "DashlightLosing" else []
        selector = ",".join([*([chosen] if job else []), *others])
        series = f"{metric}{{{selector}}}" if selector else metric
        grouped = ", ".join(("job", "instance", *labels))
        # What is counted for the first time has no increase.
        since = f"increase({series}[10m]) > 0 or ({series} > 0 unless {series} offset 10m)"
        yield AlertRule(
            name,
            f"sum by ({grouped}) ({since})",
            "0m",
            "warning",
            summary,
            "{{ $value | humanize }} in the last ten minutes. The app is served as ever.",
        )
    workers = f"dashlight_workers{of_job}"
    yield AlertRule(
        "DashlightWorkersMissing",
        f"{workers} < max_over_time({workers}[1h])",
        "10m",
        "info",
        "{{ $labels.instance }} judges the rows of {{ $value }} workers, which is fewer than within the hour",
        "A worker ended, or stopped telling what it counts. After a server was made smaller this ends within an hour.",
    )
    analysed = f"avg_over_time(dashlight_analysed_rate{of_job}[15m])"
    yield AlertRule(
        "DashlightAnalysesFew",
        f"{analysed} < 0.1",
        "15m",
        "info",
        "{{ $labels.instance }} analyses {{ $value | humanizePercentage }} of its requests",
        "DASHLIGHT_CPU is used up. Errors and latency stay exact; drift is judged on a sample.",
    )
    firing = ",".join([*([chosen] if job else []), 'dashlight_alert_state="firing"'])
    yield AlertRule(
        "DashlightAlert",
        f"sum by (job, instance, dashlight_alert_source) (dashlight_alert_in_force{{{firing}}}) > 0",
        "0m",
        "warning",
        "{{ $value }} alerts of {{ $labels.dashlight_alert_source }} on {{ $labels.instance }}",
        "What changed, since when and together with what stands in the log and at the collector of the app.",
    )


def _quoted(text: str) -> str:
    """*text* as a YAML scalar in single quotes."""
    return "'" + text.replace("'", "''") + "'"


def _refuse(words: str) -> int:
    print(f"dashlight rules: {words}", file=sys.stderr)
    return 2
