"""Predictions, alerts and scores -> events, as values."""

from collections.abc import Mapping, Sequence
from math import isfinite

import msgspec

from dashlight.deliver.encoding.identifiers import uuid_text
from dashlight.deliver.encoding.span_attributes import has_failed
from dashlight.records import Alert, Cause, Exchange, Score, WatchState

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
    seq: int
    """Number of the event in its process; a gap is a loss."""
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


def alert_event(alert: Alert, *, identifier: int, seq: int, trace_url: str = "") -> Event:
    """The event of an alert's change of state.

    *identifier* is a new UUIDv7. *trace_url* is a template with `{trace_id}` in it, for links to the exemplars.
    """
    attributes = _known(
        {
            "dashlight.alert.key": alert.key,
            "dashlight.alert.state": alert.state,
            "dashlight.alert.source": alert.source,
            "dashlight.alert.summary": alert.summary,
            "dashlight.alert.since": alert.since_at,
            "dashlight.alert.since_earliest": _finite(alert.since_earliest_at),
            "dashlight.alert.since_latest": _finite(alert.since_latest_at),
            "dashlight.alert.incident": alert.incident,
            "dashlight.alert.place": alert.place or None,
            "dashlight.alert.moved_with": list(alert.moved_with),
            "dashlight.alert.score": alert.score,
            "dashlight.alert.causes": [_cause(cause) for cause in alert.causes],
            "dashlight.alert.exemplars": list(alert.exemplars),
            "dashlight.alert.links": [trace_url.replace("{trace_id}", each) for each in alert.exemplars if trace_url],
            "dashlight.column.name": _name(alert.column),
            "dashlight.column.role": alert.role,
            "dashlight.model.name": alert.model,
            "dashlight.model.version": alert.version,
            "dashlight.rows": alert.rows,
            "http.route": alert.endpoint,
        }
    )
    return Event(
        ALERT,
        at=alert.at,
        id=uuid_text(identifier).decode(),
        seq=seq,
        severity=WARN if alert.state == "firing" else INFO,
        attributes=attributes,
        body=alert.summary,
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
    ended = f"{exchange.status or 'no answer'}" + (
        f" {error_type}" if error_type not in {"", str(exchange.status)} else ""
    )
    return f"{exchange.method} {exchange.route} {ended} ({exchange.outcome}) in {exchange.duration_seconds:.3g} s"


def own_attributes(event: Event, *, epoch: int) -> dict[str, object]:
    """By what a receiver tells events apart and sees gaps; *epoch* numbers the runs of a process, say by its start."""
    return {"dashlight.event.id": event.id, "dashlight.event.seq": event.seq, "dashlight.event.epoch": epoch}


def _known(attributes: Mapping[str, object]) -> dict[str, object]:
    """Without those of which nothing is known."""
    # Of most the truth alone tells, which is quick.
    return {name: value for name, value in attributes.items() if value or (value is not None and value not in ("", []))}


def _finite(number: float) -> float | None:
    return number if isfinite(number) else None


def _cause(cause: Cause) -> dict[str, object]:
    bins = [{"label": each.label, "reference": each.reference, "current": each.current} for each in cause.bins]
    return {"event": cause.event, "reference": cause.reference, "current": cause.current, "bins": bins}


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
    }
