"""Failures, slowness and what cannot be decoded: from counts to alerts, learning included."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dashlight.judge.evidence.evidence import Firing
from dashlight.judge.evidence.shift_watch import FiredShift, ShiftWatchState
from dashlight.judge.traffic.course import TrafficCourse, TrafficCourseState
from dashlight.judge.traffic.events import Quantity
from dashlight.judge.traffic.judge import Recent, TrafficJudge, TrafficJudgeState
from dashlight.records import Alert, Outcome
from dashlight.store.layout import Layout
from dashlight.window.outcome_panes import OutcomePanes
from dashlight.window.outcomes import OutcomeCounter, OutcomeCounts

LAYOUT: Layout[TrafficCourseState] = Layout("course", 1, TrafficCourseState)
QUIET: Mapping[str, float] = {"http_503": 0.005}


class Course:
    """An endpoint's traffic, its clock, and the changes of its alerts so far."""

    def __init__(self, seed: int = 1, rows: int = 5000) -> None:
        self.course = TrafficCourse(rows=rows, panes=259_200.0, share=0.1, tolerance=0.02, endpoint="/predict")
        self.outcomes, self.panes = OutcomeCounter(), OutcomePanes()
        self.rng = np.random.default_rng(seed)
        self.at = 0.0
        self.exchanges = 0
        self.changes: list[Alert] = []

    def serve(
        self,
        panes: int,
        *,
        rows: int = 100,
        failing: Mapping[str, float] = QUIET,
        seconds: float = 0.05,
        first_byte: float = 0.5,
        undecodable: float = 0.01,
    ) -> "Course":
        for _ in range(panes):
            self.at += 10.0
            durations = seconds * np.exp(self.rng.normal(0, 0.5, rows))
            kinds = self.rng.choice([*failing, ""], rows, p=[*failing.values(), 1 - sum(failing.values())])
            failures = [str(kind) for kind in kinds if kind]
            outcomes: list[Outcome] = ["ok"] * (rows - len(failures))
            outcomes += ["error"] * len(failures)
            self.outcomes.add(
                outcomes,
                duration_seconds=durations,
                first_byte_seconds=durations * first_byte,
                request_bytes=durations,
                response_bytes=durations,
            )
            self.outcomes.add_failures(failures)
            self.outcomes.add_analysed(rows, ["cut"] * int(self.rng.binomial(rows, undecodable)))
            self.exchanges += rows
            states = {alert.key: alert.state for alert in self.changes}
            pane = self.outcomes.close(self.at)
            self.panes.take(pane, self.at)
            for alert in self.course.update(pane, self.at, Recent(self.panes.since, traces)):
                if states.get(alert.key) != alert.state:
                    self.changes.append(alert)
        return self

    def restart(self) -> "Course":
        stopped = self.course
        self.course = Course(rows=5000).course
        self.course.restore(LAYOUT.thaw(written(stopped)))
        return self

    def fired(self) -> dict[str, Alert]:
        return {alert.key.split("/", 2)[2]: alert for alert in self.changes if alert.state == "firing"}


def written(course: TrafficCourse) -> bytes:
    return b"".join(LAYOUT.freeze(course.state))


def traces(quantity: Quantity, since_at: float) -> tuple[str, ...]:
    return (f"{quantity.name} after {since_at:.0f}",)


def test_how_far_learning_is_is_told() -> None:
    course = Course().serve(32, rows=50)

    (score,) = course.course.scores()

    assert (score.statistic, score.value, score.rows) == ("traffic_reference_learned", 0.32, 1600)
    learned, exchanges = course.serve(70).course.scores()
    assert (learned.statistic, learned.value) == ("traffic_reference_learned", 1.0)
    assert (exchanges.statistic, exchanges.value) == ("traffic_reference_exchanges", 5000.0)
    assert course.course.judge is not None


@pytest.mark.parametrize("rows", [1000, 5000, 20_000])
def test_traffic_that_goes_on_as_it_was_learned_does_not_alarm(rows: int) -> None:
    assert Course(seed=rows, rows=rows).serve(2000).changes == []


def test_a_rise_of_errors_fires_with_its_kinds_and_resolves_when_it_is_over() -> None:
    course = Course(seed=2).serve(200)

    course.serve(30, failing={"http_503": 0.01, "exception:KeyError": 0.07})

    alert = course.fired()["error_rate"]
    assert (alert.source, alert.endpoint, alert.key) == ("traffic", "/predict", "traffic/%2Fpredict/error_rate")
    assert alert.summary.startswith("error rate rose from 0.")
    assert ": exception:KeyError x " in alert.summary
    assert alert.exemplars == (f"error_rate after {alert.since_at:.0f}",)
    assert 1990.0 <= alert.since_at <= 2020.0
    assert 1950.0 <= alert.since_earliest_at <= 2000.0 <= alert.since_latest_at <= 2030.0
    (cause,) = alert.causes
    assert cause.reference == pytest.approx(0.005, abs=0.002)
    assert {bin_.label for bin_ in cause.bins} == {"http_503", "exception:KeyError"}
    assert course.fired()["new_failure"].summary.startswith(
        "error rate of kinds never seen in the reference rose from 0 %"
    )

    course.serve(60)

    assert [each.state for each in course.changes if each.key == alert.key] == ["firing", "resolved"]
    assert course.changes[-1].summary.startswith("back to what the reference allows; it was: ")


def test_one_kind_is_an_alert_of_its_own() -> None:
    quiet = {"http_503": 0.005, "http_500": 0.02}
    course = Course(seed=3).serve(200, failing=quiet)

    course.serve(40, failing={"http_503": 0.05, "http_500": 0.0})

    assert course.fired()["error_kind/http_503"].summary.startswith("error rate of http_503 rose from 0.")


def test_slowness_is_told_by_a_quantile_of_the_reference() -> None:
    course = Course(seed=4).serve(200)

    course.serve(20, seconds=0.1, first_byte=0.25)

    assert set(course.fired()) == {"latency"}
    alert = course.fired()["latency"]
    assert alert.summary.startswith("latency above ")
    assert " of the reference) rose from " in alert.summary
    assert alert.score > 0.14


def test_a_first_byte_that_comes_late_is_told_apart_from_the_whole() -> None:
    course = Course(seed=5).serve(200)

    course.serve(20, first_byte=0.99)

    assert set(course.fired()) == {"first_byte"}
    assert course.fired()["first_byte"].summary.startswith("time to first byte above ")


def test_what_cannot_be_decoded_any_more_fires() -> None:
    course = Course(seed=6).serve(200)

    course.serve(20, undecodable=0.1)

    assert course.fired()["undecodable_rate"].summary.startswith("undecodable share rose from ")
    assert ": cut x " in course.fired()["undecodable_rate"].summary


def test_what_becomes_better_does_not_alarm() -> None:
    course = Course(seed=7).serve(200, failing={"http_503": 0.1}, undecodable=0.3)

    course.serve(200, failing={}, seconds=0.01, undecodable=0.0)

    assert course.changes == []


def test_panes_without_exchanges_change_nothing() -> None:
    course = Course(seed=8).serve(200).serve(20, failing={"http_503": 0.1})
    before = list(course.changes)

    course.serve(500, rows=0)

    assert course.changes == before


def test_an_incident_while_learning_is_not_learned() -> None:
    course = Course(seed=9).serve(32).serve(32, failing={"http_503": 0.3})

    assert course.course.was_unsteady
    assert {score.statistic for score in course.course.scores()} == {
        "traffic_reference_learned",
        "traffic_reference_unsteady",
        "traffic_reference_failing",
    }

    course.serve(200)

    assert course.course.judge is not None
    assert course.course.judge.reference.total.error_rate < 0.02
    assert [score.statistic for score in course.course.scores()] == LEARNED


LEARNED = ["traffic_reference_learned", "traffic_reference_exchanges"]


@pytest.mark.parametrize("step", [3, 16, 31, 40, 60, 62])
def test_an_outage_that_begins_anywhere_while_learning_is_not_learned(step: int) -> None:
    course = Course(seed=step, rows=6400).serve(step).serve(64 - step, failing={"http_503": 0.15})

    assert course.course.judge is None

    course.serve(200)

    assert course.course.judge is not None
    assert course.course.judge.reference.total.error_rate < 0.02


def test_what_fails_from_the_first_exchange_is_never_learned_and_that_is_told() -> None:
    course = Course(seed=21).serve(400, failing={"http_503": 0.3})

    assert course.course.judge is None
    told = {score.statistic: score.value for score in course.course.scores()}
    assert told["traffic_reference_failing"] == 1.0
    assert told["traffic_reference_learned"] < 1.0

    course.serve(200)

    assert course.course.judge is not None
    assert [score.statistic for score in course.course.scores()] == LEARNED


def test_an_outage_that_comes_and_goes_while_learning_is_not_learned() -> None:
    course = Course(seed=22, rows=6400).serve(25).serve(10, failing={"http_503": 0.4}).serve(29)

    assert course.course.judge is None

    course.serve(80)

    assert course.course.judge is not None
    assert course.course.judge.reference.total.error_rate < 0.02


def test_what_keeps_changing_is_learned_in_the_end_and_that_is_told() -> None:
    course = Course(seed=10, rows=192_000)
    pane = 0
    while course.course.judge is None:
        pane += 1
        course.serve(1, rows=3000, seconds=0.05 * 1.01**pane)

    assert pane == 256
    assert [score.statistic for score in course.course.scores()][2:] == ["traffic_reference_unsteady"]


def test_failures_that_keep_changing_are_given_four_times_as_long() -> None:
    course = Course(seed=10, rows=19_200)
    pane = 0
    while course.course.judge is None:
        pane += 1
        course.serve(1, rows=300, failing={"http_503": 0.01 if pane // 40 % 2 else 0.15})

    assert pane == 1024
    assert [score.statistic for score in course.course.scores()][2:] == ["traffic_reference_unsteady"]


def test_workers_together_are_judged_as_one() -> None:
    course = Course(seed=11).serve(70)
    judge = course.course.judge
    assert judge is not None
    panes: list[OutcomeCounts] = [course.panes.window(number) for number in (1, 2)]

    counts = [judge.events.count(pane) for pane in (*panes, course.panes.window(3))]

    assert (counts[1] - counts[0] >= 0).all()
    assert (counts[2] >= counts[1]).all()


def lived(cut_at: int | None = None) -> Course:
    """Learns; then new kinds of failure, slowness, and what cannot be read, one after another and together."""
    course = Course(seed=8)
    failing = {"http_503": 0.01, "exception:KeyError": 0.07}
    for pane in range(420):
        if pane == cut_at:
            course.restart()
        course.serve(
            1,
            failing=failing if 150 <= pane < 180 or 260 <= pane < 290 else QUIET,
            seconds=0.15 if 200 <= pane < 230 or 270 <= pane < 300 else 0.05,
            undecodable=0.3 if 270 <= pane < 320 else 0.01,
        )
    return course


WHOLE = lived()
"""Never stopped."""


@pytest.mark.parametrize(
    "cut_at", [50, 100, 149, 151, 152, 160, 179, 183, 190, 202, 215, 240, 262, 273, 285, 295, 310, 330]
)
def test_a_judge_that_is_restored_goes_on_bit_by_bit(cut_at: int) -> None:
    course = lived(cut_at)

    assert {"error_rate", "new_failure", "latency", "undecodable_rate"} <= set(WHOLE.fired())
    assert WHOLE.changes[-1].state == "resolved"
    assert str(course.changes) == str(WHOLE.changes)
    assert written(course.course) == written(WHOLE.course)


def judge_of(course: Course) -> TrafficJudge:
    judge = course.course.judge
    assert judge is not None
    return judge


def shift_of(watch: ShiftWatchState) -> FiredShift:
    assert watch.shift is not None
    return watch.shift


def fired_course() -> Course:
    return Course(seed=2).serve(150).serve(20, failing={"http_503": 0.01, "exception:KeyError": 0.07})


STATE = judge_of(fired_course()).state
(WATCH, *OTHERS) = STATE.watches
SHIFT = shift_of(WATCH)


def state_with(**fields: Any) -> TrafficJudgeState:
    return replace(STATE, watches=(replace(WATCH, **fields), *OTHERS))


def firing_of(*ups: int) -> Firing:
    return replace(SHIFT.firing, ups=np.array(ups, np.intp))


@pytest.mark.parametrize(
    "state",
    [
        replace(STATE, bank=replace(STATE.bank, margins=STATE.bank.margins[:, 1:])),
        replace(STATE, bank=replace(STATE.bank, margins=np.full_like(STATE.bank.margins, np.nan))),
        replace(STATE, ring=replace(STATE.ring, counts=STATE.ring.counts[1:])),
        replace(STATE, ring=replace(STATE.ring, closed=STATE.ring.closed + 1)),
        replace(STATE, ends=replace(STATE.ends, closed=STATE.ends.closed - 1)),
        replace(STATE, kinds=tuple(f"kind {number}" for number in range(40))),
        replace(STATE, reasons=tuple(f"reason {number}" for number in range(40))),
        replace(STATE, refusals=tuple(f"kind {number}" for number in range(40))),
        replace(STATE, watches=STATE.watches[1:]),
        replace(STATE, watches=(*STATE.watches, WATCH)),
        state_with(since=STATE.ends.closed),
        state_with(hysteresis=replace(WATCH.hysteresis, alert_state="inactive", fired_for=0)),
        state_with(shift=None),
        state_with(rows_to_evidence=math.nan),
        state_with(shift=replace(SHIFT, peak=SHIFT.peak[1:])),
        state_with(shift=replace(SHIFT, began=STATE.ends.closed)),
        *(state_with(shift=replace(SHIFT, firing=firing_of(*ups))) for ups in ((), (1,), (0, 0), (-1,), (10**6,))),
    ],
)
def test_a_state_to_which_no_panes_lead_is_refused(state: TrafficJudgeState) -> None:
    judge = judge_of(Course(seed=2).serve(150))

    with pytest.raises(ValueError, match=r"expected|panes|alert|detector|shift"):
        judge.restore(state)
