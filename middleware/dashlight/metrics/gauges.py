"""Figures that may fall: scores of columns, states of models, alerts in force, workers.

Made anew from the judges' snapshots each time; nothing is remembered. What only grows is in `totals`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol, get_args

from dashlight.metrics.figures import Figure
from dashlight.metrics.instruments import INSTRUMENTS, figure, label
from dashlight.records import Alert, AlertSource, Score, WatchState

MOST_COLUMNS = 256
"""Columns of a model whose scores are shown."""
SOURCES: tuple[AlertSource, ...] = get_args(AlertSource)
_STATES: tuple[WatchState, ...] = get_args(WatchState)
_DISTANCES = ("psi", "js", "ks", "w1")
_ORDER = ("psi", "missing_rate", "ks", "js", "w1", "type_error_rate", "unseen_rate", "out_of_range_rate")
"""What is shown first where there is no room for everything: of all columns, before the next of any."""
_COUNTED = ("error_rate", "refusal_rate", "latency_", "first_byte_", "throughput", "in_flight", "rows", "analysed_rate", "dropped_count", "undecodable_")  # fmt: skip
"""Scores of an endpoint that the counters say already."""
DETAILS = ("_macro", "_weighted", "_by_prediction_time")
"""End the names of scores of a model that are shown without their intervals."""
_HOST = ("workers", "in_flight", "analysed_rate")


class ShownScores(Protocol):
    """Scores of a moment, as `dashlight.watching.endpoint.Snapshot` has them: of an endpoint where *model* is empty."""

    @property
    def model(self) -> str:
        """Its name."""
        ...

    @property
    def version(self) -> str:
        """Of the model."""
        ...

    @property
    def scores(self) -> Sequence[Score]:
        """Of its columns, and of itself."""
        ...

    @property
    def state(self) -> WatchState | None:
        """Of the model; None of the endpoint itself."""
        ...

    @property
    def is_unasked(self) -> bool:
        """Whether it is of a model that is known by its labels alone, and so has no state."""
        ...


def machine_figures(gauges: Mapping[str, float]) -> Iterator[Figure]:
    """Figures of the machine as a whole: `workers`, `in_flight` and `analysed_rate`, those of them that are known."""
    for name in _HOST:
        if name in gauges and math.isfinite(gauges[name]):
            known = f"dashlight.{name}"
            counted = INSTRUMENTS[known].kind == "updowncounter"
            yield figure(known, round(gauges[name]) if counted else gauges[name])


def owed_figures(owed: Mapping[str, int]) -> Iterator[Figure]:
    """How many alerts each route has not answered for yet."""
    for route, count in owed.items():
        yield figure("dashlight.alert.owed", count, {"dashlight.alert.route": label(route)})


def alert_figures(alerts: Sequence[Alert]) -> Iterator[Figure]:
    """How many alerts are in force, by source and state; 0 where there are none."""
    found = Counter((alert.source, alert.state) for alert in alerts)
    for source in SOURCES:
        for state in ("pending", "firing"):
            count = found[source, state]
            told = {"dashlight.alert.source": source, "dashlight.alert.state": state}
            yield figure("dashlight.alert.in_force", count, told)


def model_figures(snapshots: Sequence[tuple[str, ShownScores]]) -> Iterator[Figure]:
    """States and scores by endpoint and model: states first, then what concerns a whole endpoint or model."""
    for endpoint, snapshot in snapshots:
        if snapshot.state is not None:
            told_of = named(endpoint, snapshot)
            for state in _STATES:
                value = int(state == snapshot.state)
                yield figure("dashlight.model.state", value, {**told_of, "dashlight.model.state": state})
            rows = max((score.rows for score in snapshot.scores if not score.segment), default=0)
            yield figure("dashlight.model.rows", rows, told_of)
    for endpoint, snapshot in snapshots:
        name = "dashlight.model.score" if _is_of_model(snapshot) else "dashlight.endpoint.score"
        for score in snapshot.scores:
            if score.column is None and _is_shown(score) and not score.statistic.startswith(_COUNTED):
                told = {**named(endpoint, snapshot), "dashlight.statistic": label(score.statistic)}
                yield figure(name, score.value, told)
    for endpoint, snapshot in snapshots:
        for score in snapshot.scores:
            if _is_of_model(snapshot):
                told = {**named(endpoint, snapshot), "dashlight.statistic": label(score.statistic)}
                for bound, at in _bounds(score):
                    yield figure("dashlight.model.score.bound", at, {**told, "dashlight.bound": bound})


def column_figures(snapshots: Sequence[tuple[str, ShownScores]]) -> tuple[list[Figure], int]:
    """The scores of columns, those of the first statistic of all columns first; and how many were left out.

    Scores that are no finite number are not there.
    """
    found: list[tuple[int, Figure]] = []
    skipped_count = 0
    for endpoint, snapshot in snapshots:
        told_of = named(endpoint, snapshot)
        columns: set[tuple[str | None, str | None]] = set()
        for score in snapshot.scores:
            if score.column is None or not _is_shown(score):
                continue
            column = score.role, score.column
            if column not in columns and len(columns) >= MOST_COLUMNS:
                skipped_count += 1
                continue
            columns.add(column)
            found.append((_rank(score.statistic), _column_figure(score, score.column, told_of)))
    found.sort(key=lambda ranked: ranked[0])
    return [each for _, each in found], skipped_count


def _bounds(score: Score) -> Iterator[tuple[str, float]]:
    """The interval of a score of a whole model, and its value in the reference; not of its details, which are many."""
    if score.column is not None or score.segment or score.low >= score.high or "[" in score.statistic:
        return
    if not score.statistic.endswith(DETAILS):
        known = (("low", score.low), ("high", score.high), ("reference", score.reference))
        yield from ((bound, value) for bound, value in known if value is not None and math.isfinite(value))


def _column_figure(score: Score, column: str, told_of: Mapping[str, str]) -> Figure:
    name = f"dashlight.column.{score.statistic}"
    told = {**told_of, "dashlight.column.name": label(column) or '""', "dashlight.column.role": score.role or ""}
    if name not in INSTRUMENTS:
        name = "dashlight.column.drift" if score.statistic in _DISTANCES else "dashlight.column.score"
        told["dashlight.statistic"] = label(score.statistic)
    return figure(name, score.value, told)


def _is_of_model(snapshot: ShownScores) -> bool:
    return bool(snapshot.model) or snapshot.state is not None or snapshot.is_unasked


def named(endpoint: str, snapshot: ShownScores) -> dict[str, str]:
    """The attributes that say of what the scores are."""
    if not _is_of_model(snapshot):
        return {"http.route": label(endpoint)}
    return {
        "http.route": label(endpoint),
        "dashlight.model.name": label(snapshot.model),
        "dashlight.model.version": label(snapshot.version),
    }


def _is_shown(score: Score) -> bool:
    """Whether it is a number of all rows: segments are figures of their own, where they are asked for."""
    return math.isfinite(score.value) and not score.segment


def _rank(statistic: str) -> int:
    return _ORDER.index(statistic) if statistic in _ORDER else len(_ORDER)
