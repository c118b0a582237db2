"""`dashlight check`: whether the settings are right, where everything goes, and whether it gets there."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

import msgspec

from dashlight.cli.checks.disk import clock_findings, state_findings
from dashlight.cli.checks.label_store import store_findings
from dashlight.cli.checks.observation import Observation
from dashlight.cli.checks.reach import Reachable, reach_findings
from dashlight.cli.checks.running import Asked, running_findings, tokens_of
from dashlight.cli.checks.sample import SAMPLE_ANSWER, SAMPLE_PATH, SAMPLE_REQUEST, SampleRun, sample_run
from dashlight.cli.checks.trial import sent_findings
from dashlight.cli.subparsers import Subparsers
from dashlight.deliver.encoding.ndjson import json_value
from dashlight.errors import DashlightError, ReferenceDataError, SettingsError
from dashlight.judge.columns.segmentation import segmentation_of, segments_missed
from dashlight.judge.words import printable
from dashlight.runtime.assembly.requested import Requested, requested, told_unknown
from dashlight.store.reference_file import ReferenceFile

_WELL, _TROUBLE, _MISUSED = 0, 1, 2
_SENDS = ("usual", "pagerduty", "command")
_OF_OTLP = ("events and alerts", "spans", "metrics")


def register(subparsers: Subparsers) -> None:
    """Adds the command `check`."""
    parser = subparsers.add_parser(
        "check",
        help="check settings and destinations, without serving",
        description="Read the settings as the app would, make everything without serving, and tell what is set, where it"
        " goes, whether that can be reached, what would leave for a sample request, and what is wrong or unusual. With URL:"
        " ask a running app, too. Exit status: 0 well, 1 something is wrong or unusual, 2 wrong usage.",
    )
    parser.add_argument(
        "url", nargs="?", default="", metavar="URL", help="of a running app with DASHLIGHT_METRICS=true"
    )
    parser.add_argument(
        "--send",
        nargs="?",
        const="usual",
        action="append",
        choices=_SENDS,
        default=[],
        metavar="WHAT",
        help="send a test, marked as such; `pagerduty` and `command` only where they are named here",
    )
    parser.add_argument("--sample", metavar="FILE", help="body of the sample request, in JSON")
    parser.add_argument("--answer", metavar="FILE", help="body of its answer, in JSON")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


@dataclass(slots=True)
class Report:
    """All that was found."""

    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What is set, by variable, without secrets."""
    leaves: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    """What would leave for the sample: where to, and what."""
    observations: list[Observation] = field(default_factory=list[Observation])
    is_read: bool = False
    """Whether the settings could be read: where they cannot, nothing is known of what is set and what leaves."""

    @property
    def status(self) -> int:
        """The exit status."""
        return _TROUBLE if any(each.is_trouble for each in self.observations) else _WELL


def run(arguments: argparse.Namespace) -> int:
    """Checks, prints the report, and returns its exit status."""
    try:
        request = Path(arguments.sample).read_bytes() if arguments.sample else SAMPLE_REQUEST
        answer = Path(arguments.answer).read_bytes() if arguments.answer else SAMPLE_ANSWER
    except OSError as error:
        print(f"dashlight check: {error.filename}: {error.strerror}", file=sys.stderr)
        return _MISUSED
    report = checked(os.environ, url=arguments.url, sends=arguments.send, request=request, answer=answer)
    sys.stdout.write(_as_json(report) if arguments.json else _as_text(report, request))
    return report.status


def checked(environ: Mapping[str, str], *, url: str, sends: list[str], request: bytes, answer: bytes) -> Report:
    """The report on *environ*; *url* is of a running app, empty: none; *sends* says what to send, empty: nothing."""
    report = Report()
    found = report.observations
    found += clock_findings()
    try:
        asked = requested(environ)
    except SettingsError as error:
        found += [Observation("wrong", "settings", mistake) for mistake in error.mistakes]
        found += [Observation("unusual", "settings", sentence) for sentence in told_unknown(environ)]
        return report
    report.is_read = True
    settings = asked.settings
    report.settings = settings.shown()
    found += _of_settings(asked)
    found += state_findings(settings.state_dir)
    found += _of_reference(settings.reference, settings.segments)
    sample = sample_run(asked, environ, request=request, answer=answer)
    if sample.refusal is not None and not isinstance(sample.refusal, ReferenceDataError):
        found.append(Observation("wrong", "settings", str(sample.refusal)))
    found += [Observation("unusual", "settings", sentence) for sentence in sample.warnings]
    report.leaves = list(_leaving(asked, sample))
    found += store_findings(settings.store if settings.labels else "", authorities=settings.ca)
    found += reach_findings([_destination(asked, kind) for kind in range(len(asked.destinations))])
    if sends:
        found += sent_findings(asked, sample, named=sends)
    if url:
        tokens = tokens_of(settings.token, settings.state_dir)
        try:
            found += running_findings(Asked(url, settings.path, tokens, settings.pane))
        except DashlightError as error:
            found.append(Observation("wrong", "running app", str(error)))
    return report


def _of_settings(asked: Requested) -> Iterator[Observation]:
    settings = asked.settings
    if not settings.enabled:
        yield Observation("unusual", "settings", "DASHLIGHT_ENABLED is false: nothing is watched")
    yield from (Observation("unusual", "settings", sentence) for sentence in asked.unusual)
    yield from (
        Observation("wrong", "settings", f"nothing is exported there: {sentence}") for sentence in asked.unspoken
    )
    if settings.metrics and find_spec("prometheus_client") is None:
        sentence = "prometheus-client is not installed: pip install 'dashlight[prometheus]'"
        yield Observation("wrong", "metrics", sentence)
    if not settings.metrics and asked.metrics_to is None:
        yield Observation(
            "missing", "metrics", "nobody sees figures: neither DASHLIGHT_METRICS nor an OTLP endpoint is set"
        )
    if asked.events_to is None and not _has_routes(asked):
        yield Observation(
            "missing",
            "alerts",
            "they stand in the log of the app alone: neither DASHLIGHT_WEBHOOK nor another way out is set",
        )
    if not asked.heartbeats:
        yield Observation(
            "missing", "heartbeat", "nobody notices by itself when this falls silent: DASHLIGHT_HEARTBEAT"
        )


def _has_routes(asked: Requested) -> bool:
    routes = asked.routes
    return routes is not None and any((routes.alertmanagers, routes.webhooks, routes.pagerduty, routes.command))


def _of_reference(path: str, segments: Sequence[str]) -> Iterator[Observation]:
    if not path:
        yield Observation("missing", "reference", "each model's first rows are learned: DASHLIGHT_REFERENCE is not set")
        return
    try:
        reference = ReferenceFile(Path(path)).read()
    except ReferenceDataError as error:
        yield Observation("wrong", "reference", str(error))
    else:
        sentence = f"{path}: {len(reference.columns)} columns of {reference.rows:,} rows, version {reference.version}"
        yield Observation("ok", "reference", sentence)
        if segments:
            segmentation = segmentation_of(reference, segments)
            missed = segments_missed(segmentation)
            counts = ", ".join(f"{len(each.values)} of {printable(each.name)}" for each in segmentation.columns)
            yield Observation("unusual" if missed else "ok", "segments", missed or counts)


def _destination(asked: Requested, place: int) -> Reachable:
    kind, endpoint = asked.destinations[place]
    is_otlp = kind in _OF_OTLP and (kind != _OF_OTLP[0] or asked.settings.collector_format == "otlp")
    return Reachable(kind, endpoint, speaks_otlp=is_otlp)


def _leaving(asked: Requested, sample: SampleRun) -> Iterator[dict[str, Any]]:
    kinds = {endpoint.url: kind for kind, endpoint in asked.destinations}
    for sent in sample.requests:
        kind = kinds.get(sent.endpoint.url, "events")
        yield {"kind": kind, "to": sent.endpoint.shown, "items": sent.items(kind)}


def _as_json(report: Report) -> str:
    whole = {
        "status": report.status,
        "settings": report.settings,
        "leaves": json_value(report.leaves),  # type: ignore[arg-type]
        "findings": [asdict(each) for each in report.observations],
    }
    return msgspec.json.format(msgspec.json.encode(whole)).decode() + "\n"


def _as_text(report: Report, request: bytes) -> str:
    lines = [*_told_settings(report, request), "findings"] if report.is_read else ["findings"]
    lines += [f"  {each.level:8} {each.subject}: {each.sentence}" for each in report.observations]
    troubles = sum(each.is_trouble for each in report.observations)
    lines += ["", f"{troubles} to look after" if troubles else "well"]
    return "\n".join(lines) + "\n"


def _told_settings(report: Report, request: bytes) -> list[str]:
    """What is set, and what would leave."""
    lines = ["settings"]
    lines += [f"  {name} = {_plain(value)}" for name, value in report.settings.items()]
    lines += [] if report.settings else ["  all as they are by default"]
    lines += ["", f"what would leave for POST {SAMPLE_PATH} {request[:200].decode(errors='replace')}"]
    for left in report.leaves:
        lines.append(f"  {left['kind']} to {left['to']}")
        for item in left["items"]:
            lines.append(f"    {item.get('name', item.get('type', ''))}")
            told = item.get("attributes", item.get("data", {}))
            lines += [f"      {name} = {value!r}" for name, value in told.items()]
    if not report.leaves:
        lines.append("  nothing")
    return [*lines, ""]


def _plain(value: Any) -> str:
    """*value* of a setting, several with commas between them, as in the variable."""
    if isinstance(value, bool):
        return str(value).lower()
    return ", ".join(map(repr, cast("tuple[object, ...]", value))) if isinstance(value, tuple) else repr(value)
