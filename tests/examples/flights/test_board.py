from collections.abc import Callable
from dataclasses import replace

import pytest
from examples.flights.arrivals import AlertReport
from examples.flights.board import Board, failures, lights_of, month, subject
from examples.flights.faults import Fault
from examples.flights.figures import Pulse
from examples.flights.performance import ShownFigures

MakeAlert = Callable[..., AlertReport]
PARTS = ("held-out", "03", "04", "05", "06", "07", "08")
WORSE = "performance//%2Fpredict/realised"
PARTED = "performance//%2Fpredict/parted"


@pytest.fixture
def board() -> Board:
    """Ten seconds a part: March begins at 10, April at 20, ... August at 60."""
    made = Board()
    for place, part in enumerate(PARTS):
        made.take_report(Pulse(part, place * 10.0, 0, 0, 0.0, 0.0, None))
    return made


@pytest.fixture
def worse(alert: MakeAlert) -> AlertReport:
    """What labels tell in July: the model is worse than it was."""
    told = alert(source="performance", column="", summary="accuracy fell from 78 % to 70 %", at=51.0)
    return replace(told, key=WORSE)


def test_a_run_in_which_temp_fires_in_may_and_performance_in_july_has_not_failed(
    board: Board, alert: MakeAlert, worse: AlertReport
) -> None:
    board.take_alert(alert(at=35.0))
    board.take_alert(worse)

    assert failures(board, "none") == []


def test_an_alert_in_the_held_out_part_is_a_failure(board: Board, alert: MakeAlert, worse: AlertReport) -> None:
    board.take_alert(worse)
    board.take_alert(alert(at=35.0))
    board.take_alert(alert(column="dewp", at=5.0, summary="dewp rose"))

    assert failures(board, "none") == ["dewp fired in the held-out part: dewp rose"]


def test_a_pane_that_ends_in_march_belongs_to_march(board: Board, alert: MakeAlert) -> None:
    board.take_alert(alert(at=10.3))

    assert [part for part, _ in board.changes] == ["03"]


def test_an_alert_before_the_replay_is_a_false_one_too(alert: MakeAlert) -> None:
    board = Board()
    board.take_alert(alert(at=0.0))

    assert [part for part, _ in board.changes] == ["held-out"]


def test_a_temp_that_fires_in_june_only_is_a_failure(board: Board, alert: MakeAlert, worse: AlertReport) -> None:
    board.take_alert(worse)
    board.take_alert(alert(at=45.0))

    assert failures(board, "none") == ["temp had not fired by the end of May, when it is 28 F warmer than in training"]


@pytest.mark.parametrize(
    ("fault", "change"),
    [
        ("celsius", {"column": "dewp"}),
        ("nulls", {"column": "humid", "summary": "humid null rose from 0 % to 40 %"}),
        ("errors", {"column": "", "source": "threshold", "summary": "error_rate 20 % above 5 %: KeyError 20 %"}),
        (
            "united",
            {"column": "humid", "summary": "null rose to 13 %; it is origin=EWR and carrier=UA (13 % of the rows)"},
        ),
    ],
)
def test_a_fault_that_was_reported_in_its_month_is_no_failure(
    board: Board, alert: MakeAlert, worse: AlertReport, fault: Fault, change: dict[str, str]
) -> None:
    board.take_alert(worse)
    board.take_alert(alert(column="temp", at=35.0))
    board.take_alert(alert(**change, at=15.0))

    assert failures(board, fault) == []


@pytest.mark.parametrize(
    ("fault", "change"),
    [
        ("celsius", {"column": "dewp", "at": 25.0}),
        ("celsius", {"column": "humid"}),
        ("nulls", {"column": "humid", "summary": "humid above 90 rose from 1 % to 40 %"}),
        ("errors", {"column": "", "source": "threshold", "summary": "error_rate 20 % above 5 %"}),
        ("united", {"column": "humid", "summary": "null rose to 13 %; it is carrier=UA (19 % of the rows)"}),
        ("errors", {"column": "dest", "summary": "KeyError", "state": "resolved"}),
    ],
    ids=["late", "another column", "not of nulls", "kind not named", "place not named", "never fired"],
)
def test_a_fault_that_was_not_reported_is_a_failure(
    board: Board, alert: MakeAlert, worse: AlertReport, fault: Fault, change: dict[str, str]
) -> None:
    board.take_alert(worse)
    board.take_alert(alert(column="temp", at=35.0))
    board.take_alert(alert(**{"at": 15.0, **change}))

    assert failures(board, fault) == [f"the fault {fault!r} of March was not reported in that month"]


@pytest.mark.parametrize(
    ("change", "lights"),
    [
        ({}, ["inputs"]),
        ({"causes": ("null",)}, ["inputs", "data quality"]),
        ({"role": "output", "column": "probability"}, ["predictions"]),
        ({"source": "threshold", "column": "", "summary": "error_rate 9 % above 5 %"}, ["errors"]),
        ({"source": "threshold", "column": "", "summary": "latency_p99 0.9 s above 0.5 s"}, ["latency"]),
        ({"source": "traffic", "column": "", "summary": "latency above 30 ms rose from 1 % to 7 %"}, ["latency"]),
        ({"source": "traffic", "column": "", "summary": "time to first byte above 30 ms rose"}, ["latency"]),
        ({"source": "traffic", "column": "", "summary": "error rate rose; with it moved latency"}, ["errors"]),
        ({"source": "drift", "column": "", "summary": "error_rate rose"}, ["errors"]),
        ({"source": "performance", "column": "", "summary": "accuracy fell"}, ["performance"]),
    ],
)
def test_an_alert_lights_what_it_is_about(alert: MakeAlert, change: dict[str, str], lights: list[str]) -> None:
    assert lights_of(alert(**change)) == lights


def test_a_light_is_red_while_firing_and_green_again(board: Board, alert: MakeAlert) -> None:
    seen: list[str] = []
    for state in ("firing", "firing", "resolved", "resolved"):
        board.take_alert(alert(state=state, at=35.0))
        seen.append(board.lights()["inputs"])

    assert seen == ["red", "red", "green", "green"]
    assert [each.state for _, each in board.changes] == ["firing", "resolved"]


def test_one_that_fires_in_another_incident_has_fired_again(board: Board, alert: MakeAlert) -> None:
    for incident in ("one", "one", "another"):
        board.take_alert(replace(alert(at=35.0), incident=incident))

    assert [each.incident for _, each in board.changes] == ["one", "another"]


def test_parts_have_the_names_of_months() -> None:
    assert [month(part) for part in ("held-out", "03", "12")] == ["held-out", "March", "December"]


def test_labels_that_part_from_the_estimate_have_a_light_of_their_own(worse: AlertReport) -> None:
    assert lights_of(worse) == ["performance"]
    assert lights_of(replace(worse, key=PARTED)) == ["world"]


@pytest.mark.parametrize(("at", "is_failure"), [(45.0, False), (59.0, False), (61.0, True)])
def test_performance_has_to_fire_by_the_end_of_july(
    board: Board, alert: MakeAlert, worse: AlertReport, at: float, *, is_failure: bool
) -> None:
    board.take_alert(alert(at=35.0))
    board.take_alert(replace(worse, at=at, key=PARTED))

    assert any("performance nor world" in sentence for sentence in failures(board, "none")) == is_failure


@pytest.mark.parametrize(("fault", "is_failure"), [("none", True), ("celsius", False)])
def test_performance_is_quiet_in_march_unless_something_is_broken_there(
    board: Board, alert: MakeAlert, worse: AlertReport, fault: Fault, *, is_failure: bool
) -> None:
    board.take_alert(alert(at=15.0))
    board.take_alert(replace(worse, at=15.0))

    assert any("fired in March" in sentence for sentence in failures(board, fault)) == is_failure


def test_labels_are_of_the_month_before_and_estimates_of_this_one(board: Board) -> None:
    values = {"accuracy": (0.7, 10), "estimated_accuracy": (0.8, 10)}
    board.take_figures(ShownFigures(21.0, values))

    assert board.performance["03"].realised["accuracy"].value == 0.7
    assert board.performance["04"].estimated["accuracy"].value == 0.8


@pytest.mark.parametrize(
    "summary",
    [
        "carrier=B6: latency above 0.37 ms rose from 5 % to 28 % of exchanges",
        "carrier=B6: back to what the reference allows; it was: carrier=B6: latency above 0.37 ms rose",
    ],
    ids=["firing", "resolved"],
)
def test_latency_of_a_segment_lights_latency(alert: MakeAlert, summary: str) -> None:
    told = replace(alert(source="traffic", column="", summary=summary), segment="carrier=B6")

    assert lights_of(told) == ["latency"]


def test_an_alert_of_a_segment_says_of_which(alert: MakeAlert) -> None:
    assert subject(replace(alert(), segment="origin=LGA")) == "temp (origin=LGA)"
    assert subject(alert()) == "temp"
