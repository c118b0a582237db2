"""A machine at a moment, put together from its scores and its alerts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from dashlight.metrics.gauges import ShownScores
from dashlight.metrics.instruments import label
from dashlight.page.alerts import shown_alerts
from dashlight.page.columns import ColumnPlace, shown_columns
from dashlight.page.lights import endpoint_lights, machine_lights, model_lights, worst
from dashlight.page.measures import facts_of, measures_of
from dashlight.page.segments import shown_segments
from dashlight.page.shape import VERSION, Light, ShownEndpoint, ShownModel, ShownStatus
from dashlight.page.values import rounded, value_of
from dashlight.records import Alert, Score

MOST_ENDPOINTS: Final = 64
MOST_MODELS: Final = 32
"""Of an endpoint."""
_NOTHING: Final[Mapping[str, int]] = {}


@dataclass(frozen=True, slots=True)
class Moment:
    """What the scores and alerts of a moment do not say of it."""

    at: float
    pane_seconds: float
    window_seconds: float
    workers: int = 1
    analysed_rate: float = 1.0
    owed: Mapping[str, int] = field(default_factory=lambda: _NOTHING)
    """Alerts that each route has not answered for."""
    lost: Mapping[str, int] = field(default_factory=lambda: _NOTHING)
    """What was lost of late, by signal and reason."""


def status_of(snapshots: Iterable[tuple[str, ShownScores]], alerts: Sequence[Alert], moment: Moment) -> ShownStatus:
    """What is shown of *snapshots*, which come with their endpoint, and of the *alerts* in force."""
    own: dict[str, ShownScores] = {}
    models: dict[str, list[ShownScores]] = {}
    for route, snapshot in snapshots:
        models.setdefault(route, [])
        if snapshot.model or snapshot.state is not None or snapshot.is_unasked:
            models[route].append(snapshot)
        else:
            own[route] = snapshot
    for alert in alerts:
        if alert.endpoint:
            models.setdefault(alert.endpoint, [])
    endpoints = [
        _endpoint(route, own.get(route), models[route], [alert for alert in alerts if alert.endpoint == route])
        for route in models
    ]
    endpoints.sort(key=lambda each: (not _is_alarmed(each), -each.exchanges))
    lights = machine_lights([each for each in alerts if not each.endpoint], owed=moment.owed, lost=moment.lost)
    return ShownStatus(
        version=VERSION,
        at=moment.at,
        pane_seconds=moment.pane_seconds,
        window_seconds=moment.window_seconds,
        workers=moment.workers,
        analysed_rate=moment.analysed_rate,
        state=worst([*lights, *(light for each in endpoints for light in _all_lights(each))]),
        lights=lights,
        alerts=shown_alerts(alerts),
        alert_count=len(alerts),
        endpoints=endpoints[:MOST_ENDPOINTS],
        endpoint_count=len(endpoints),
    )


def _endpoint(
    route: str, snapshot: ShownScores | None, models: Sequence[ShownScores], alerts: Sequence[Alert]
) -> ShownEndpoint:
    scores: dict[str, Score] = {}
    if snapshot is not None:
        scores = {score.statistic: score for score in snapshot.scores if score.column is None and not score.segment}
    throughput = scores.get("throughput")
    known = {(each.model, each.version) for each in models}
    # What is about a model that is not shown is still about the endpoint.
    of_endpoint = [alert for alert in alerts if (alert.model, alert.version) not in known or not alert.model]
    return ShownEndpoint(
        route=label(route),
        exchanges=max((score.rows for score in scores.values()), default=0),
        throughput=None if throughput is None else rounded(throughput.value),
        failure_rate=value_of(scores.get("error_rate")),
        refusal_rate=value_of(scores.get("refusal_rate")),
        latency_p50_seconds=value_of(scores.get("latency_p50")),
        latency_p99_seconds=value_of(scores.get("latency_p99")),
        lights=endpoint_lights(of_endpoint, scores),
        models=[
            _model(each, [alert for alert in alerts if (alert.model, alert.version) == (each.model, each.version)])
            for each in models[:MOST_MODELS]
        ],
    )


def _model(snapshot: ShownScores, alerts: Sequence[Alert]) -> ShownModel:
    scores = [score for score in snapshot.scores if not score.segment]
    whole = [score for score in scores if score.column is None]
    performance = measures_of(whole)
    of_columns = [score for score in scores if score.column is not None]
    # Labels come later, and may be of more rows than the window has.
    rows = max((score.rows for score in of_columns or scores), default=0)
    about: set[ColumnPlace] = {
        (alert.role, alert.column) for alert in alerts if alert.column is not None and not alert.segment
    }
    columns, column_count = shown_columns(of_columns, about)
    segments, segment_count = shown_segments(
        snapshot.scores, {alert.segment for alert in alerts if alert.segment}, rows=rows
    )
    return ShownModel(
        name=label(snapshot.model),
        version=label(snapshot.version),
        state=snapshot.state,
        rows=rows,
        lights=model_lights(alerts, scores, snapshot.state, performance),
        performance=performance,
        facts=facts_of(whole),
        columns=columns,
        column_count=column_count,
        segments=segments,
        segment_count=segment_count,
    )


def _all_lights(endpoint: ShownEndpoint) -> list[Light]:
    return [*endpoint.lights, *(light for model in endpoint.models for light in model.lights)]


def _is_alarmed(endpoint: ShownEndpoint) -> bool:
    return worst(_all_lights(endpoint)) in {"red", "amber"}
