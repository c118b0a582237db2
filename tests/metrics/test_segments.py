"""Figures of segments: only where they are asked for, few, and never in the place of those of all rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from dashlight.metrics.figures import Figures
from dashlight.metrics.segments import MOST_SEGMENT_SERIES, segment_figures
from dashlight.metrics.totals import MOST_SERIES, Totals
from dashlight.records import Score, WatchState


@dataclass(frozen=True)
class Shown:
    """Scores of a moment."""

    scores: Sequence[Score]
    model: str = "fraud"
    version: str = "3"
    state: WatchState | None = "watching"
    is_unasked: bool = False


def score(statistic: str, value: float, segment: str = "carrier=UA", rows: int = 200, **others: Any) -> Score:
    told: dict[str, Any] = {"column": None, "role": None, "low": 0.0, "high": 1.0, **others}
    return Score(statistic=statistic, value=value, rows=rows, segment=segment, **told)


OF_ALL = [score("accuracy", 0.9, "", 1000), score("psi", 0.1, "", 1000, column="age", role="feature")]
OF_SEGMENTS = [
    score("rows", 5000, rows=5000),
    score("failure_rate", 0.3, rows=200),
    score("refusal_rate", 0.05, rows=200),
    score("accuracy", 0.7, rows=80),
    score("accuracy[fraud]", 0.7),
    score("psi", 0.7, column="age", role="feature"),
    score("missing_rate", 0.7, column="age", role="feature"),
    score("js", 0.7, column="only in a segment", role="feature"),
]


def figures(scores: Sequence[Score], *, has_segments: bool) -> Figures:
    snapshots = [("/predict", Shown(scores))]
    return Totals(started_at=0.0).figures(at=1.0, snapshots=snapshots, alerts=(), gauges={}, has_segments=has_segments)


def test_where_they_are_not_asked_for_segments_change_no_metric() -> None:
    assert figures([*OF_ALL, *OF_SEGMENTS], has_segments=False) == figures(OF_ALL, has_segments=False)


def test_what_is_of_all_rows_stays_as_it_is_where_they_are() -> None:
    of_all, both = figures(OF_ALL, has_segments=True), figures([*OF_ALL, *OF_SEGMENTS], has_segments=True)

    added = [each for each in both.figures if each not in of_all.figures]
    assert {each.name.rpartition(".")[0] for each in added} == {"dashlight.segment"}
    assert len(added) == len(both.figures) - len(of_all.figures) == 6


def test_a_segment_has_its_rows_failures_refusals_and_performance() -> None:
    found, skipped_count = segment_figures([("/predict", Shown(OF_SEGMENTS))])

    assert skipped_count == 0
    assert {each.name.removeprefix("dashlight.segment."): each.value for each in found} == {
        "rows": 5000,
        "failure_rate": 0.3,
        "failures": 60,
        "refusal_rate": 0.05,
        "refusals": 10,
        "score": 0.7,
    }
    assert found[-1].attributes == {
        "http.route": "/predict",
        "dashlight.model.name": "fraud",
        "dashlight.model.version": "3",
        "dashlight.segment.column": "carrier",
        "dashlight.segment.value": "UA",
        "dashlight.statistic": "accuracy",
    }


@pytest.mark.parametrize(
    ("segment", "column", "value"),
    [("a=b=c", "a", "b=c"), ("carrier=", "carrier", '""'), ("größe=\x1b[31m", "größe", "?[31m~9ba5f27d")],
)
def test_names_of_segments_are_labels(segment: str, column: str, value: str) -> None:
    (found,), _ = segment_figures([("/predict", Shown([score("rows", 1, segment)]))])

    assert found.attributes["dashlight.segment.column"] == column
    assert found.attributes["dashlight.segment.value"] == value


def test_columns_and_values_of_a_model_are_bounded_and_what_is_left_out_is_counted() -> None:
    names = [f"column {column}={value}" for column in range(10) for value in range(40)]

    found, skipped_count = segment_figures([("/predict", Shown([score("rows", 1, name) for name in names]))])

    assert (len(found), skipped_count) == (8 * 32, 400 - 8 * 32)


def test_all_models_together_are_bounded_and_rows_come_first() -> None:
    one = Shown([score(name, 0.5, f"a={value}") for value in range(32) for name in ("failure_rate", "rows")])

    found, skipped_count = segment_figures([(f"/{route}", one) for route in range(20)])

    assert (len(found), skipped_count) == (MOST_SEGMENT_SERIES, 20 * 32 * 3 - MOST_SEGMENT_SERIES)
    assert {each.name for each in found} == {"dashlight.segment.rows"}


def test_beside_many_columns_segments_have_their_place() -> None:
    columns = [
        score(name, 0.1, "", column=str(place), role="feature")
        for place in range(500)
        for name in ("psi", "js", "ks", "w1", "missing_rate", "unseen_rate", "type_error_rate", "out_of_range_rate")
    ]

    found = figures([*columns, *OF_SEGMENTS], has_segments=True).figures

    assert sum("segment" in each.name for each in found) == 6
    assert len(found) <= MOST_SERIES


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_is_not_known_is_not_there(value: float) -> None:
    assert segment_figures([("/predict", Shown([score("accuracy", value)]))]) == ([], 0)
