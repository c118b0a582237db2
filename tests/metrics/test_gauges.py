"""Scores, states and alerts as figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from dashlight.metrics.figures import Figure
from dashlight.metrics.gauges import (
    MOST_COLUMNS,
    alert_figures,
    column_figures,
    machine_figures,
    model_figures,
    owed_figures,
)
from dashlight.records import Alert, Score, WatchState


@dataclass(frozen=True)
class Shown:
    """Scores of a moment."""

    model: str = "fraud"
    version: str = "3"
    scores: Sequence[Score] = ()
    state: WatchState | None = "watching"
    is_unasked: bool = False


@dataclass
class Values:
    """Figures by name and attributes."""

    figures: list[Figure] = field(default_factory=list)

    def of(self, name: str) -> list[tuple[dict[str, str], float]]:
        return [(each.attributes, each.value) for each in self.figures if each.name == name]


def score(statistic: str, value: float = 0.5, column: str | None = "age", **others: Any) -> Score:
    return Score(column, "feature" if column else None, statistic, value, 0.0, 1.0, **{"rows": 700, **others})


def alert(source: Any, state: Any) -> Alert:
    return Alert("k", source, "fraud", "3", "/p", None, None, state, "moved", 2.0, 1.0, 100, 0.5)


def test_the_host_is_shown_as_far_as_it_is_known() -> None:
    found = Values(list(machine_figures({"workers": 4.0, "analysed_rate": 0.5, "else": 1.0})))

    assert [(each.name, each.kind, each.value) for each in found.figures] == [
        ("dashlight.workers", "updowncounter", 4),
        ("dashlight.analysed_rate", "gauge", 0.5),
    ]


def test_a_gauge_that_is_no_number_is_not_shown() -> None:
    assert list(machine_figures({"analysed_rate": float("nan")})) == []


def test_alerts_in_force_are_counted_by_source_and_state() -> None:
    alerts = [alert("drift", "firing"), alert("drift", "firing"), alert("traffic", "pending")]

    found = {
        (attributes["dashlight.alert.source"], attributes["dashlight.alert.state"]): value
        for attributes, value in Values(list(alert_figures(alerts))).of("dashlight.alert.in_force")
    }

    assert {key: value for key, value in found.items() if value} == {("drift", "firing"): 2, ("traffic", "pending"): 1}


def test_what_is_owed_is_told_of_each_route() -> None:
    found = Values(list(owed_figures({"collector": 3, "webhook": 0}))).of("dashlight.alert.owed")

    assert [(attributes["dashlight.alert.route"], value) for attributes, value in found] == [
        ("collector", 3),
        ("webhook", 0),
    ]


def test_every_source_of_alerts_is_there_before_the_first_alert() -> None:
    sources = {each.attributes["dashlight.alert.source"] for each in alert_figures([])}

    assert sources == {"drift", "performance", "traffic", "break", "threshold"}


@pytest.mark.parametrize("state", ["learning", "not_enough_data", "watching"])
def test_a_model_is_in_one_state(state: WatchState) -> None:
    found = Values(list(model_figures([("/p", Shown(state=state))]))).of("dashlight.model.state")

    assert {attributes["dashlight.model.state"]: value for attributes, value in found} == {
        "learning": int(state == "learning"),
        "not_enough_data": int(state == "not_enough_data"),
        "watching": int(state == "watching"),
    }


def test_a_model_says_from_how_many_rows_its_scores_are() -> None:
    shown = Shown(scores=[score("psi", rows=700), score("psi", column="zip", rows=699)])

    assert Values(list(model_figures([("/p", shown)]))).of("dashlight.model.rows") == [
        ({"http.route": "/p", "dashlight.model.name": "fraud", "dashlight.model.version": "3"}, 700)
    ]


def test_scores_of_a_model_and_of_an_endpoint_are_told_apart() -> None:
    of_model = Shown(scores=[score("reference_learned", 0.25, None)], state="learning")
    of_endpoint = Shown("", "", [score("silence_hours_known", 0.75, None)], None)

    found = Values(list(model_figures([("/p", of_endpoint), ("/p", of_model)])))

    assert found.of("dashlight.endpoint.score") == [
        ({"http.route": "/p", "dashlight.statistic": "silence_hours_known"}, 0.75)
    ]
    [(attributes, value)] = found.of("dashlight.model.score")
    assert (attributes["dashlight.statistic"], value) == ("reference_learned", 0.25)


def test_a_model_without_a_name_is_still_a_model() -> None:
    shown = Shown("", "", [score("reference_learned", 0.25, None)], "learning")

    found = Values(list(model_figures([("/p", shown)])))

    assert len(found.of("dashlight.model.score")) == 1
    assert found.of("dashlight.model.state")[0][0]["dashlight.model.name"] == ""


def test_a_model_without_a_name_that_is_known_by_its_labels_alone_is_still_a_model() -> None:
    accuracy = Score(None, None, "accuracy", 0.84, 0.8, 0.88, rows=200, reference=0.86)
    shown = Shown("", "", [accuracy], None, is_unasked=True)

    found = Values(list(model_figures([("/p", shown)])))

    [(attributes, _)] = found.of("dashlight.model.score")
    assert attributes == {
        "http.route": "/p", "dashlight.model.name": "", "dashlight.model.version": "", "dashlight.statistic": "accuracy",
    }  # fmt: skip
    assert [value for _, value in found.of("dashlight.model.score.bound")] == [0.8, 0.88, 0.86]


@pytest.mark.parametrize("statistic", ["error_rate[http_503]", "latency_p99", "throughput", "undecodable_count[json]"])
def test_what_counters_say_already_is_not_said_twice(statistic: str) -> None:
    shown = Shown("", "", [score(statistic, 0.5, None)], None)

    assert list(model_figures([("/p", shown)])) == []


def test_a_distance_names_its_statistic_and_a_rate_has_a_name_of_its_own() -> None:
    shown = Shown(scores=[score("psi", 0.3), score("missing_rate", 0.1), score("minimum_detectable_shift", 0.05)])

    figures, skipped_count = column_figures([("/p", shown)])

    told = {"http.route": "/p", "dashlight.model.name": "fraud", "dashlight.model.version": "3"}
    told |= {"dashlight.column.name": "age", "dashlight.column.role": "feature"}
    found = Values(figures)
    assert found.of("dashlight.column.drift") == [({**told, "dashlight.statistic": "psi"}, 0.3)]
    assert found.of("dashlight.column.missing_rate") == [(told, 0.1)]
    assert found.of("dashlight.column.score") == [({**told, "dashlight.statistic": "minimum_detectable_shift"}, 0.05)]
    assert skipped_count == 0


def test_the_first_statistic_of_all_columns_comes_before_the_next_of_any() -> None:
    shown = Shown(
        scores=[score(name, column=column) for column in ("a", "b") for name in ("w1", "missing_rate", "psi")]
    )

    figures, _ = column_figures([("/p", shown)])

    assert [each.attributes["dashlight.column.name"] + each.name[16:] for each in figures] == [
        "a.drift", "b.drift", "a.missing_rate", "b.missing_rate", "a.drift", "b.drift",
    ]  # fmt: skip


def test_columns_beyond_the_bound_are_counted_not_shown() -> None:
    scores = [score(name, column=f"c{place}") for place in range(MOST_COLUMNS + 3) for name in ("psi", "js")]

    figures, skipped_count = column_figures([("/p", Shown(scores=scores))])

    assert len(figures) == 2 * MOST_COLUMNS
    assert skipped_count == 6


def test_a_score_that_is_no_number_is_not_shown() -> None:
    scores = [score("psi", float("nan")), score("js", float("inf")), score("psi", float("nan"), None)]

    assert column_figures([("/p", Shown(scores=scores))]) == ([], 0)
    assert Values(list(model_figures([("/p", Shown(scores=scores))]))).of("dashlight.model.score") == []


def test_a_column_without_a_name_is_shown_in_quotes() -> None:
    figures, _ = column_figures([("/p", Shown(scores=[score("psi", column="")]))])

    assert [each.attributes["dashlight.column.name"] for each in figures] == ['""']


def test_scores_of_a_model_have_their_intervals_and_details_have_none() -> None:
    scores = [
        Score(None, None, "accuracy", 0.9, 0.8, 0.95, 100, 0.91),
        Score(None, None, "recall", 0.5, 0.4, 0.6, 100),
        Score(None, None, "f1_macro", 0.5, 0.4, 0.6, 100, 0.5),
        Score(None, None, "precision[yes]", 0.5, 0.4, 0.6, 100, 0.5),
        Score(None, None, "accuracy_by_prediction_time", 0.5, 0.4, 0.6, 100, 0.5),
        Score(None, None, "labels", 100, 100, 100, 100),
        Score("age", "feature", "psi", 0.1, 0.0, 0.2, 100),
    ]

    figures = list(model_figures([("/predict", Shown("risk", "1", scores, "watching"))]))

    bounds = {
        (each.attributes["dashlight.statistic"], each.attributes["dashlight.bound"]): each.value
        for each in figures
        if each.name == "dashlight.model.score.bound"
    }
    assert bounds == {
        ("accuracy", "low"): 0.8,
        ("accuracy", "high"): 0.95,
        ("accuracy", "reference"): 0.91,
        ("recall", "low"): 0.4,
        ("recall", "high"): 0.6,
    }


def test_what_is_of_a_segment_is_no_figure_of_all_rows() -> None:
    shown = Shown(scores=[score("psi", segment="carrier=UA"), score("rows", column=None, segment="carrier=UA")])

    figures = list(model_figures([("/p", shown)])) + column_figures([("/p", shown)])[0]

    assert not [each for each in figures if "score" in each.name or "column" in each.name]
