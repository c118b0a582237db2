"""Predictions, alerts and scores -> events, as values."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from math import isfinite

import msgspec

from dashlight.deliver.encoding.identifiers import uuid_text
from dashlight.deliver.encoding.span_attributes import has_failed
from dashlight.records import Alert, Cause, Exchange, Notice, Score, WatchState

PREDICTION, ALERT, SCORES = "dashlight.prediction", "dashlight.alert", "dashlight.scores"
REPORT = "dashlight.delivery.report"
INFO, WARN, ERROR = 9, 13, 17
"""Severity numbers of OpenTelemetry's log data model."""
SEVERITY_TEXTS: Mapping[int, str] = {INFO: "INFO", WARN: "WARN", ERROR: "ERROR"}
_NOTHING: Mapping[str, object] = {}


# A msgspec structure for the reason that records.Exchange is one: it costs a tenth.
class Event(msgspec.Struct, frozen=True, gc=False):
    """Something to deliver: a sampled prediction, an alert or the scores of a moment."""

    name: str
    at: float
    id: str
    """UUIDv7: by it the receiver tells a repeated delivery."""
    seq: int | None
    """Number of the event in its process; a gap is a loss. None of an alert, which is owed until it arrives."""
    severity: int
    attributes: Mapping[str, object]
    """Of any depth; made plain and cut to size where they are encoded."""
    body: str = ""
    """One line for people, as a viewer of logs shows it: nothing of a payload."""
    trace_id: int = 0
    span_id: int = 0
    trace_flags: int = 0


def prediction_event(
    exchange: Exchange,
    *,
    seq: int,
    model: str = "",
    version: str = "",
    protocol: str = "",
    rows: int | None = None,
    inputs: Mapping[str, object] | None = None,
    outputs: Mapping[str, object] | None = None,
    undecoded: str = "",
    confessed: str = "",
    extra: Mapping[str, object] = _NOTHING,
) -> Event:
    """The event of a sampled exchange, with the ids of its span.

    *inputs* and *outputs* hold features and outputs by name, already redacted; None where payloads stay at home.
    *undecoded* is the reason for which nothing could be decoded, *confessed* the kind of an error that an answer
    holds although its status says nothing of it. *extra* are further attributes, of language models say.
    """
    failed = has_failed(exchange)
    error_type = (exchange.error or str(exchange.status)) if failed else confessed
    attributes = _known(
        {
            "dashlight.model.name": model,
            "dashlight.model.version": version,
            "dashlight.protocol": protocol,
            "dashlight.rows": rows,
            "dashlight.outcome": exchange.outcome,
            "dashlight.duration": exchange.duration_seconds,
            "dashlight.request.truncated": exchange.request_truncated or None,
            "dashlight.response.truncated": exchange.response_truncated or None,
            "dashlight.undecoded": undecoded,
            "dashlight.inputs": inputs,
            "dashlight.outputs": outputs,
            "http.request.method": exchange.method,
            "http.route": exchange.route,
            "http.response.status_code": exchange.status or None,
            "http.request.body.size": exchange.request_bytes,
            "http.response.body.size": exchange.response_bytes,
            "error.type": error_type,
            **extra,
        }
    )
    return Event(
        PREDICTION,
        at=exchange.started_at,
        id=uuid_text(exchange.id).decode(),
        seq=seq,
        severity=ERROR if failed or confessed else INFO,
        attributes=attributes,
        body=_line(exchange, error_type),
        trace_id=exchange.trace_id,
        span_id=exchange.span_id,
        trace_flags=exchange.trace_flags,
    )


def alert_event(notice: Notice, *, trace_url: str = "", details: bool = True) -> Event:
    """The event of a transition of an incident: what its likeliest origin is, and its members as data.

    *trace_url* is a template with `{trace_id}` in it, for links to the exemplars. Without *details* only the origin is told.
    """
    origin = notice.alerts[0]
    attributes = _known(
        {
            "dashlight.alert.key": origin.key,
            "dashlight.alert.state": "resolved" if notice.transition == "resolved" else "firing",
            "dashlight.alert.transition": notice.transition,
            "dashlight.alert.source": origin.source,
            "dashlight.alert.summary": notice.summary,
            "dashlight.alert.since": notice.since_at,
            "dashlight.alert.since_earliest": _finite(origin.since_earliest_at),
            "dashlight.alert.since_latest": _finite(origin.since_latest_at),
            "dashlight.alert.incident": notice.key,
            "dashlight.alert.count": notice.alert_count,
            "dashlight.alert.moved_with": list(origin.moved_with),
            "dashlight.alert.score": origin.score,
            "dashlight.alert.exemplars": list(origin.exemplars),
            "dashlight.alert.links": _links(origin, trace_url),
            "dashlight.column.name": _name(origin.column),
            "dashlight.column.role": origin.role,
            "dashlight.model.name": notice.model,
            "dashlight.model.version": notice.version,
            "dashlight.rows": origin.rows,
            "http.route": notice.endpoint,
            # Last: what is cut to size is cut from its end.
            "dashlight.alert.causes": [_cause(cause) for cause in origin.causes if details],
            "dashlight.alert.members": [_member(alert, trace_url) for alert in notice.alerts if details],
        }
    )
    return Event(
        ALERT,
        at=notice.at,
        id=notice.id,
        seq=None,
        severity=INFO if notice.transition == "resolved" else WARN,
        attributes=attributes,
        body=notice.summary,
    )


def scores_event(
    scores: Sequence[Score],
    *,
    at: float,
    identifier: int,
    seq: int,
    endpoint: str,
    model: str = "",
    version: str = "",
    state: WatchState | None = None,
) -> Event:
    """The event that holds all scores of one endpoint at the moment *at*; *identifier* is a new UUIDv7.

    *state* says of a model whether it is watched, or why not yet.
    """
    attributes = _known(
        {
            "dashlight.model.state": state,
            "dashlight.model.name": model,
            "dashlight.model.version": version,
            "dashlight.scores": [_score(score) for score in scores],
            "http.route": endpoint,
        }
    )
    return Event(
        SCORES,
        at=at,
        id=uuid_text(identifier).decode(),
        seq=seq,
        severity=INFO,
        attributes=attributes,
        body=f"{len(scores)} scores of {' '.join(filter(None, (endpoint, model, version)))}{f': {state}' if state else ''}",
    )


def report_event(
    counts: Sequence[Mapping[str, object]], *, since_at: float, at: float, identifier: int, seq: int
) -> Event:
    """The event that says what became of what was to be delivered from *since_at* to *at*; *identifier* is a new UUIDv7.

    *counts* have `signal`, `outcome`, `reason` (empty where the outcome says it all) and `count`.
    """
    lost = [each for each in counts if each["outcome"] in {"dropped", "rejected"} and each["reason"] != "replaced"]
    told = ", ".join(f"{each['count']} {each['signal']} {each['reason'] or each['outcome']}" for each in lost)
    return Event(
        REPORT,
        at=at,
        id=uuid_text(identifier).decode(),
        seq=seq,
        severity=WARN if lost else INFO,
        attributes={"dashlight.delivery.since": since_at, "dashlight.delivery.counts": list(counts)},
        body=f"lost in {at - since_at:.0f} s: {told}" if lost else f"nothing lost in {at - since_at:.0f} s",
    )


def _line(exchange: Exchange, error_type: str) -> str:
    """What an access log would say, by the route."""
    ended = _ended(exchange.method, exchange.route, exchange.status, error_type, exchange.outcome)
    return f"{ended} in {exchange.duration_seconds:.3g} s"


@lru_cache(maxsize=256)
def _ended(method: str, route: str, status: int, error_type: str, outcome: str) -> str:
    told = f" {error_type}" if error_type not in {"", str(status)} else ""
    return f"{method} {route} {status or 'no answer'}{told} ({outcome})"


def own_attributes(event: Event, *, epoch: int) -> dict[str, object]:
    """By what a receiver tells events apart and sees gaps; *epoch* numbers the runs of a process, say by its start."""
    numbered = {} if event.seq is None else {"dashlight.event.seq": event.seq}
    return {"dashlight.event.id": event.id, **numbered, "dashlight.event.epoch": epoch}


def _known(attributes: Mapping[str, object]) -> dict[str, object]:
    """Without those of which nothing is known."""
    # Of most the truth alone tells, which is quick.
    return {name: value for name, value in attributes.items() if value or (value is not None and value not in ("", []))}


def _finite(number: float) -> float | None:
    return number if isfinite(number) else None


def _cause(cause: Cause) -> dict[str, object]:
    bins = [{"label": each.label, "reference": each.reference, "current": each.current} for each in cause.bins]
    return {"event": cause.event, "reference": cause.reference, "current": cause.current, "bins": bins}


def _links(alert: Alert, trace_url: str) -> list[str]:
    return [trace_url.replace("{trace_id}", each) for each in alert.exemplars if trace_url]


def _member(alert: Alert, trace_url: str) -> dict[str, object]:
    """One alert of an incident, under the names of `alert_event` without their first parts."""
    return _known(
        {
            "key": alert.key,
            "state": alert.state,
            "source": alert.source,
            "summary": alert.summary,
            "column": _name(alert.column),
            "role": alert.role,
            "model": alert.model,
            "version": alert.version,
            "at": alert.at,
            "since": alert.since_at,
            "since_earliest": _finite(alert.since_earliest_at),
            "since_latest": _finite(alert.since_latest_at),
            "place": alert.place or None,
            "score": alert.score,
            "rows": alert.rows,
            "causes": [_cause(cause) for cause in alert.causes],
            "exemplars": list(alert.exemplars),
            "links": _links(alert, trace_url),
        }
    )


def _name(column: str | None) -> str | None:
    """The name of a *column* as it is shown: in quotes where it is empty."""
    return '""' if column == "" else column


def _score(score: Score) -> dict[str, object]:
    return {
        "column": _name(score.column),
        "role": score.role,
        "statistic": score.statistic,
        "value": score.value,
        "low": score.low,
        "high": score.high,
        "rows": score.rows,
        "reference": score.reference,
        **({"segment": score.segment} if score.segment else {}),
    }
