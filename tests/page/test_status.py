"""A machine at a moment, put together from its scores and its alerts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from dashlight.page.shape import Light, ShownStatus, ShownValue
from dashlight.page.status import Moment, status_of
from dashlight.page.versions import versions_of
from dashlight.page.view import view_of
from dashlight.records import Alert, Score, Slice, SliceCondition
from dashlight.watching.endpoint import Snapshot

NO_VERSIONS = versions_of((), at=120.0, pane_seconds=10.0)
MOMENT = Moment(at=120.0, pane_seconds=10.0, window_seconds=3600.0, workers=2)
Snapshots = list[tuple[str, Snapshot]]


def all_lights(status: ShownStatus) -> list[Light]:
    """Those of the machine, the first endpoint and its first model."""
    endpoint = status.endpoints[0]
    return [*status.lights, *endpoint.lights, *(endpoint.models[0].lights if endpoint.models else ())]


def lights_of(status: ShownStatus) -> dict[str, str]:
    """The state of each of them."""
    return {light.name: light.state for light in all_lights(status)}


def test_where_nothing_is_wrong_all_lights_are_green(snapshots: Snapshots) -> None:
    status = status_of(snapshots, [], MOMENT)

    assert status.state == "green"
    assert set(lights_of(status).values()) == {"green"}
    assert set(lights_of(status)) == {
        *("inputs", "predictions", "data_quality", "performance"),
        *("failures", "refusals", "latency", "traffic", "delivery"),
    }


def test_an_endpoint_shows_its_traffic(snapshots: Snapshots) -> None:
    (endpoint,) = status_of(snapshots, [], MOMENT).endpoints

    assert (endpoint.route, endpoint.exchanges, endpoint.throughput) == ("/predict", 1000, 12.5)
    assert endpoint.failure_rate == ShownValue(0.02, 0.01, 0.03, 1000)
    assert endpoint.latency_p99_seconds is not None
    assert endpoint.latency_p99_seconds.value == 0.05


def test_columns_are_ranked_by_what_moved_for_sure(snapshots: Snapshots) -> None:
    model = status_of(snapshots, [], MOMENT).endpoints[0].models[0]

    assert [column.name for column in model.columns] == ["age", "income", "score"]
    assert model.columns[0].psi == ShownValue(0.5, 0.4, 0.6, 500)
    assert model.columns[0].missing_rate == ShownValue(0.1, 0.1, 0.1, 500, 0.01)
    assert (model.columns[0].detectable_shift, model.columns[1].detectable_shift) == (0.08, None)
    assert model.column_count == 3


def test_performance_stands_beside_its_estimate_and_details_behind(snapshots: Snapshots) -> None:
    model = status_of(snapshots, [], MOMENT).endpoints[0].models[0]

    assert [measure.name for measure in model.performance] == ["accuracy", "recall[fraud]"]
    assert model.performance[0].realised == ShownValue(0.9, 0.88, 0.92, 300, 0.93)
    assert model.performance[0].estimated == ShownValue(0.91, 0.9, 0.92, 500)
    assert model.facts == {"estimated_accuracy_error": 0.01, "label_coverage": 0.4}


def test_segments_say_where_it_hurts_and_do_not_mix_with_the_whole(
    snapshots: Snapshots, alert: Callable[..., Alert]
) -> None:
    model = status_of(snapshots, [alert(segment="carrier=AA")], MOMENT).endpoints[0].models[0]

    first, second = model.segments
    assert (first.name, first.is_in_force, second.is_in_force) == ("carrier=AA", True, False)
    assert (second.column, second.value, second.rows, second.share) == ("carrier", "UA", 200, 0.35)
    assert second.failure_rate == ShownValue(0.3, 0.2, 0.4, 200)
    assert [measure.name for measure in second.performance] == ["accuracy"]
    assert (second.moved, second.psi) == ("age", ShownValue(0.7, 0.5, 0.9, 200))
    assert (model.rows, model.segment_count, model.columns[0].is_in_force) == (500, 2, False)


@pytest.mark.parametrize(
    ("others", "light"),
    [
        ({}, "inputs"),
        ({"role": "output"}, "predictions"),
        ({"column": None, "role": None, "key": "drift/risk/%2Fpredict/joint"}, "inputs"),
        ({"source": "break"}, "data_quality"),
        ({"source": "threshold", "key": "threshold///missing_rate%3E5%25/feature/age"}, "data_quality"),
        ({"source": "performance", "column": None, "role": None}, "performance"),
        *(
            ({"source": "traffic", "model": "", "version": "", "column": None, "role": None, "key": key}, light)
            for key, light in (
                ("traffic/%2Fpredict/error_rate", "failures"),
                ("traffic/%2Fpredict/new_failure/timeout", "failures"),
                ("traffic/%2Fpredict/refusal_kind/422", "refusals"),
                ("traffic/%2Fpredict/latency", "latency"),
                ("traffic/%2Fpredict/first_byte", "latency"),
                ("traffic/%2Fpredict/silence", "traffic"),
                ("traffic/%2Fpredict/throughput", "traffic"),
                ("traffic/%2Fpredict/undecodable_rate", "data_quality"),
            )
        ),
        *(
            ({"source": "threshold", "model": "", "version": "", "column": None, "role": None, "key": key}, light)
            for key, light in (
                ("threshold//%2Fpredict/failure_rate%5Btimeout%5D%3E2%25%20for%205m", "failures"),
                ("threshold//%2Fpredict/error_rate%3E2%25", "failures"),
                ("threshold//%2Fpredict/refusal_rate%3E2%25", "refusals"),
                ("threshold//%2Fpredict/latency_p99%3E300ms", "latency"),
                ("threshold//%2Fpredict/throughput%3C1", "traffic"),
                ("threshold//%2Fpredict/undecodable_rate%3E2%25", "data_quality"),
            )
        ),
    ],
)
def test_each_alert_turns_its_light(
    others: dict[str, Any], light: str, snapshots: Snapshots, alert: Callable[..., Alert]
) -> None:
    firing = status_of(snapshots, [alert(**others)], MOMENT)
    pending = status_of(snapshots, [alert(state="pending", **others)], MOMENT)

    assert firing.alerts[0].light == light
    assert [each.name for each in all_lights(firing) if each.state == "red"] == [light]
    assert [firing.state, pending.state] == ["red", "amber"]
    assert firing.endpoints[0].route == "/predict"


def test_a_limit_on_requests_in_flight_turns_a_light_of_the_machine(
    snapshots: Snapshots, alert: Callable[..., Alert]
) -> None:
    of_machine = {"endpoint": "", "model": "", "version": "", "column": None, "role": None}

    status = status_of(snapshots, [alert(source="threshold", key="threshold///in_flight%3E9", **of_machine)], MOMENT)

    assert {light.name: light.state for light in status.lights} == {"delivery": "green", "traffic": "red"}


@pytest.mark.parametrize(
    ("state", "scores", "words"),
    [
        ("learning", [("reference_learned", 0.4)], "its reference is being learned: 40 % of the rows are there"),
        (
            "not_enough_data",
            [("minimum_detectable_shift", 0.31)],
            "not enough data: the smallest shift visible now is 0.31 (Cohen's h)",
        ),
        ("not_enough_data", [], "not enough data: none is visible"),
        (None, [], "it is known by its labels alone"),
    ],
)
def test_what_is_not_known_is_grey_and_says_what_is_missing(
    state: Any, scores: list[tuple[str, float]], words: str, score: Callable[..., Score]
) -> None:
    told = [score(name, value) for name, value in scores]

    status = status_of([("/predict", Snapshot("risk", "3", told, state, is_unasked=state is None))], [], MOMENT)

    light = status.endpoints[0].models[0].lights[0]
    assert (light.name, light.state, light.words) == ("inputs", "grey", words)


def test_a_light_without_labels_is_grey(snapshots: Snapshots, score: Callable[..., Score]) -> None:
    unlabelled = Snapshot("risk", "3", [score("estimated_accuracy", 0.9)], "watching")

    lights = status_of([("/predict", unlabelled)], [], MOMENT).endpoints[0].models[0].lights

    assert [(light.state, light.words) for light in lights if light.name == "performance"] == [
        ("grey", "no labels so far: it is only estimated")
    ]


def test_an_alert_of_a_model_that_is_not_watched_yet_is_not_green(
    snapshots: Snapshots, alert: Callable[..., Alert]
) -> None:
    learning = [("/predict", Snapshot("risk", "3", [], "learning"))]

    status = status_of(learning, [alert(source="break")], MOMENT)

    assert lights_of(status)["data_quality"] == "red"


def test_what_is_owed_or_was_lost_of_late_is_amber_and_named(snapshots: Snapshots) -> None:
    moment = Moment(120.0, 10.0, 3600.0, owed={"webhook": 2, "log": 0}, lost={"events outbox_full": 1200})

    light = status_of(snapshots, [], moment).lights[0]

    assert light == Light("delivery", "amber", "2 alerts owed to webhook; 1,200 lost of late: events outbox_full")


def test_a_slice_goes_with_its_alert(snapshots: Snapshots, alert: Callable[..., Alert]) -> None:
    condition = SliceCondition("hour", "feature", "19 to 23")
    where = Slice("found", (condition,), rows=4000, share=0.1, rate=0.5, summary="; it is hour 19 to 23")

    (shown,) = status_of(snapshots, [alert(slice=where)], MOMENT).alerts

    assert shown.slice is not None
    assert [(each.column, each.bin) for each in shown.slice.conditions] == [("hour", "19 to 23")]
    assert (shown.slice.rate, shown.slice.usual_rate) == (0.5, None)
    assert shown.slice.summary == "it is hour 19 to 23"


def test_firing_alerts_come_first_and_the_origin_before_what_moved_with_it(alert: Callable[..., Alert]) -> None:
    alerts = [
        alert(key="drift/a", state="pending", at=130.0),
        alert(key="drift/b", place=2, at=120.0),
        alert(key="drift/c", place=1, at=110.0),
    ]

    status = status_of([], alerts, MOMENT)

    assert [each.key for each in status.alerts] == ["drift/c", "drift/b", "drift/a"]
    assert [each.route for each in status.endpoints] == ["/predict"]


def test_hostile_names_and_numbers_stay_on_one_line_of_valid_json(
    alert: Callable[..., Alert], score: Callable[..., Score]
) -> None:
    name = "\x1b[31m<script>\u202e\ud800" + "x" * 10_000
    scores = [
        score("psi", float("nan"), column=name, role="feature"),
        score("psi", float("inf"), column="b", role="feature", low=float("-inf")),
        score("accuracy", 0.5, low=float("-inf"), high=float("inf"), segment=f"{name}={name}"),
        score("accuracy", 0.5, low=float("-inf"), high=float("inf")),
    ]
    status = status_of(
        [(name, Snapshot(name, name, scores, "watching"))],
        [alert(endpoint=name, model=name, column=name, summary=name, score=float("nan"))],
        MOMENT,
    )

    body = view_of(status, NO_VERSIONS).status

    assert msgspec.json.decode(body, type=ShownStatus) == status
    assert len(body) < 8_000
    assert all(each.isprintable() for each in body.decode())
    assert status.endpoints[0].models[0].performance[0].realised == ShownValue(0.5, None, None, 500)


def test_many_columns_and_segments_stay_small(score: Callable[..., Score], alert: Callable[..., Alert]) -> None:
    scores = [
        score(statistic, 0.01234567 * place, column=f"column {place}", role="feature", reference=0.1)
        for place in range(500)
        for statistic in ("psi", "missing_rate", "minimum_detectable_shift", "ks", "js", "w1")
    ]
    scores += [score("failure_rate", 0.1, segment=f"origin={place}") for place in range(1000)]

    status = status_of([("/predict", Snapshot("m", "1", scores, "watching"))], [alert(column="column 3")] * 500, MOMENT)

    model = status.endpoints[0].models[0]
    assert (len(model.columns), model.column_count, model.columns[0].name) == (100, 500, "column 499")
    assert (len(model.segments), model.segment_count) == (256, 1000)
    assert (len(status.alerts), status.alert_count) == (200, 500)
    assert len(view_of(status, NO_VERSIONS).status) < 300_000
