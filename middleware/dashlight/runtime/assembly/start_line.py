"""The one line that a server says when it is watched: what, against what, where everything goes, and what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from dashlight.deliver.transport.endpoints import Endpoint
from dashlight.judge.words import percent, printable
from dashlight.settings import Settings
from dashlight.store.labels.redis_link import shown_url
from dashlight.window.columns import Reference


@dataclass(frozen=True, slots=True)
class Start:
    """What is known once everything has been made."""

    settings: Settings
    served: str
    """What the process serves."""
    reference: Reference | None
    """Of the reference file."""
    learned_count: int
    """References that were learned before."""
    events_to: Endpoint | None
    spans_to: Endpoint | None
    metrics_to: Endpoint | None
    routes: Sequence[str]
    """Names of what else alerts go to."""
    heartbeats: Sequence[str]
    """Where heartbeats go."""
    directory: Path | None
    """Where the processes of the machine share; None: each is alone."""
    is_lasting: bool
    """Whether that is below DASHLIGHT_STATE_DIR."""


def start_line(start: Start) -> str:
    """All of it in one sentence."""
    settings = start.settings
    named = f" (model {printable(settings.model)})" if settings.model else ""
    alerts = ["this log", *([start.events_to.shown] if start.events_to else []), *start.routes]
    said = [
        _compared(start),
        *([f"segments: by {', '.join(map(printable, settings.segments))}"] if settings.segments else []),
        f"alerts: {', '.join(alerts)}",
        *([f"heartbeat: {', '.join(start.heartbeats)}"] if start.heartbeats else []),
        f"events: {_events(start)}",
        f"spans: {_spans(start)}",
        f"metrics: {_metrics(start)}",
        *([f"labels: {_labels(start)}"] if settings.labels else []),
        f"state: {settings.state_dir if start.is_lasting else 'none, and so nothing waits on disk'}",
    ]
    missing = missing_of(start)
    if missing:
        said.append(f"missing: {', '.join(missing)}")
    return f"watching {printable(start.served)}{named}: {'; '.join(said)}"


def missing_of(start: Start) -> list[str]:
    """What a watch of everything would have besides, in plain words."""
    settings = start.settings
    missing: list[str] = []
    if start.reference is None and not start.learned_count:
        missing.append("a reference (drift is judged once the first rows are learned)")
    if start.events_to is None and not start.routes:
        missing.append("anybody but this log to tell of alerts (DASHLIGHT_WEBHOOK or another way out)")
    if start.directory is None:
        missing.append("a directory to share (this process is alone)")
    if not start.is_lasting:
        unusable = "cannot be used" if settings.state_dir else "is not set"
        missing.append(f"what outlives the server (DASHLIGHT_STATE_DIR {unusable})")
    if settings.metrics and find_spec("prometheus_client") is None:
        missing.append("prometheus-client (pip install 'dashlight[prometheus]')")
    return missing


def _compared(start: Start) -> str:
    settings, reference = start.settings, start.reference
    if reference is not None:
        return f"compared with {settings.reference} ({len(reference.columns)} columns, {reference.rows:,} rows)"
    learning = f"each model's first {settings.reference_rows:,} rows are learned"
    return f"compared with {start.learned_count} learned before, else {learning}" if start.learned_count else learning


def _events(start: Start) -> str:
    if start.events_to is None:
        return "nowhere"
    settings = start.settings
    what = "without values" if settings.payloads == "off" else "with values"
    return f"{percent(settings.sample_rate)} of requests and what went wrong, {what}, to {start.events_to.shown}"


def _spans(start: Start) -> str:
    if start.settings.spans == "off":
        return "off"
    return start.spans_to.shown if start.spans_to is not None else "none of its own"


def _labels(start: Start) -> str:
    """Where predictions wait for them, and how long."""
    settings = start.settings
    if settings.store:
        return f"awaited in {shown_url(settings.store)}"
    if start.is_lasting:
        return f"awaited in {settings.state_dir}"
    return "awaited for as long as this server runs (DASHLIGHT_STATE_DIR is where they last)"


def _metrics(start: Start) -> str:
    served = [f"{start.settings.path}/metrics"] if start.settings.metrics else []
    pushed = [start.metrics_to.shown] if start.metrics_to is not None else []
    return " and ".join([*served, *pushed]) or "none"
