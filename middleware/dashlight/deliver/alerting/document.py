"""A notice as JSON, for webhooks and commands: `docs/alerting.md` describes it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite
from typing import Literal, TypeAlias

from dashlight.deliver.encoding.ndjson import json_value
from dashlight.deliver.encoding.plain import Budget, Plain, plain
from dashlight.deliver.encoding.slices import slice_told, slice_values
from dashlight.records import Alert, Cause, Notice, Slice

VERSION = 1
"""Of the document; grows where something that a reader relies on goes or changes its meaning."""
MOST_TRACES = 5

AlertSeverity: TypeAlias = Literal["warning", "critical"]


@dataclass(frozen=True, slots=True)
class AlertContext:
    """What is told beside every notice."""

    service: str
    """`service.name` of the app."""
    instance: str
    """The machine's processes as one, the same after a restart: two machines may have an alert of one key."""
    trace_url: str = ""
    """Template of a link to a trace, with `{trace_id}` in it."""

    def links(self, notice: Notice) -> list[str]:
        """Links to traces that show it; their ids where there is no address for them."""
        ids = dict.fromkeys(each for alert in notice.alerts for each in alert.exemplars)
        return [self.link(each) for each in list(ids)[:MOST_TRACES]]

    def link(self, trace_id: str) -> str:
        """The address of a trace, or its id."""
        return self.trace_url.replace("{trace_id}", trace_id) if self.trace_url else trace_id


def severity(notice: Notice) -> AlertSeverity:
    """`critical` for the fixed limits that an operator set, `warning` for what the statistics found; never changes."""
    return "critical" if notice.alerts and notice.alerts[0].source == "threshold" else "warning"


def is_incident(notice: Notice) -> bool:
    """Whether it speaks for all alerts of an incident, not for one that belongs to none."""
    return not notice.alerts or notice.alerts[0].key != notice.key


def time_text(at: float) -> str:
    """The moment *at*, seconds since the epoch, as RFC 3339 in UTC, to the second; empty for what is no moment."""
    try:
        return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):
        return ""


def document(notice: Notice, context: AlertContext, *, reminder: int = 0) -> dict[str, Plain]:
    """All that is told of *notice*, in plain values; *reminder* counts from 1 how often it was repeated."""
    told: dict[str, object] = {
        "version": VERSION,
        "id": notice.id,
        "key": notice.key,
        "transition": notice.transition,
        "reminder": reminder,
        "at": notice.at,
        "since": notice.since_at,
        "severity": severity(notice),
        "service": context.service,
        "instance": context.instance,
        "model": notice.model,
        "model_version": notice.version,
        "endpoint": notice.endpoint,
        "summary": notice.summary,
        "traces": context.links(notice),
        "slice": _slice(slice_told(notice.alerts), context),
        "alert_count": notice.alert_count,
        "alerts": [_alert(each, context) for each in notice.alerts],
    }
    found = json_value(plain(told, Budget()))
    return found if isinstance(found, dict) else {}


def _alert(alert: Alert, context: AlertContext) -> dict[str, object]:
    return {
        "key": alert.key,
        "source": alert.source,
        "model": alert.model,
        "model_version": alert.version,
        "column": alert.column,
        "role": alert.role,
        "segment": alert.segment or None,
        "state": alert.state,
        "summary": alert.summary,
        "at": alert.at,
        "since": alert.since_at,
        "since_earliest": _finite(alert.since_earliest_at),
        "since_latest": _finite(alert.since_latest_at),
        "rows": alert.rows,
        "score": _finite(alert.score),
        "place": alert.place or None,
        "causes": [_cause(each) for each in alert.causes],
        "traces": [context.link(each) for each in alert.exemplars],
        "slice": _slice(alert.slice, context),
    }


def _slice(found: Slice | None, context: AlertContext) -> dict[str, object] | None:
    """Where it hurts, with links to traces; None where that was not searched."""
    if found is None:
        return None
    values = slice_values(found)
    values.pop("exemplars", None)
    return {**values, "traces": [context.link(each) for each in found.exemplars]}


def _cause(cause: Cause) -> dict[str, object]:
    bins = [{"label": each.label, "reference": each.reference, "current": each.current} for each in cause.bins]
    return {"event": cause.event, "reference": cause.reference, "current": cause.current, "bins": bins}


def _finite(number: float) -> float | None:
    return number if isfinite(number) else None
