"""Columns within segments: which alert, in which words, beside which other; and a judge that is stopped and goes on."""

from collections.abc import Callable, Collection, Mapping
from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from dashlight.judge.alerts import alert_key
from dashlight.judge.columns.segmentation import segmentation_of
from dashlight.judge.segments.drift import MOST_SCORED, SegmentDrift, SegmentDriftState
from dashlight.judge.segments.references import counted, segment_references
from dashlight.records import Alert
from dashlight.window.bins import Binner
from dashlight.window.columns import Reference
from dashlight.window.panes import Panes
from dashlight.window.reference.build import build_reference_from_columns
from dashlight.window.reference.steps import finished
from dashlight.window.tables import Column, table_of_columns

CARRIERS = ["AA", "DL", "UA", "WN"]
PANE_ROWS = 400
SEGMENT = "carrier=UA"
Shift = Callable[[NDArray[np.str_]], NDArray[np.float64]]


def of_ua(size: float) -> Shift:
    return lambda carriers: np.where(carriers == "UA", size, 0.0)


def of_all(size: float) -> Shift:
    return lambda carriers: np.full(len(carriers), size)


UNMOVED = of_all(0.0)


def rows_of(rng: np.random.Generator, count: int, shift: Shift = UNMOVED) -> dict[str, Column]:
    carriers = rng.choice(CARRIERS, count)
    return {
        "carrier": carriers.tolist(),
        "distance": rng.standard_normal(count) + shift(carriers),
        "delay": rng.standard_normal(count),
    }


@pytest.fixture(scope="module")
def reference() -> Reference:
    rng = np.random.default_rng(41)
    made = build_reference_from_columns(rows_of(rng, 8000), {}, rng=rng, created_at=0.0)
    return replace(made, columns=tuple(replace(column, shown=True) for column in made.columns))


class Stream:
    """Panes of rows, judged by segment."""

    def __init__(self, reference: Reference, *, importance: Mapping[str, float] | None = None) -> None:
        self.reference, self.importance = reference, importance or {}
        self.segmentation = segmentation_of(reference, ["carrier"])
        self.binner, self.whole, self.pane = Binner(reference.columns), Panes(len(reference.columns)), 0
        self.drift = self.fresh()
        self.told: Collection[str] = ()

    def fresh(self) -> SegmentDrift:
        references = finished(segment_references(self.reference, self.segmentation, self.reference.columns))
        drift = SegmentDrift(
            references,
            self.segmentation.names,
            panes=259_200.0,
            tolerance=0.02,
            share=0.05,
            importance=self.importance,
            model="late",
            endpoint="/predict",
        )
        finished(drift.set_up())
        return drift

    def step(self, rows: Mapping[str, Column]) -> list[Alert]:
        codes = self.binner.codes(table_of_columns(rows))
        segments = self.segmentation.codes(codes)[0]
        counts = np.stack([counted(codes[:, segments == number]) for number in range(self.segmentation.count)])
        self.pane += 1
        self.whole.add(self.binner.count(codes))
        self.whole.close(10.0 * self.pane)
        came = np.ones(len(self.reference.columns), np.int64)
        return finished(self.drift.update(counts, 10.0 * self.pane, self.window, told=self.told, came=came))

    def window(self, panes: int) -> tuple[NDArray[np.int64], int]:
        return (found := self.whole.window(panes)).counts, found.panes

    def run(self, rng: np.random.Generator, panes: int, shift: Shift = UNMOVED) -> list[Alert]:
        return [alert for _ in range(panes) for alert in self.step(rows_of(rng, PANE_ROWS, shift))]


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(42)


@pytest.fixture
def stream(reference: Reference) -> Stream:
    return Stream(reference)


def test_a_shift_in_one_segment_is_told_with_the_segment_and_how_all_others_do(
    stream: Stream, rng: np.random.Generator
) -> None:
    before = stream.run(rng, 10)
    alerts = stream.run(rng, 10, of_ua(1.0))

    assert before == []
    assert {(alert.segment, alert.column) for alert in alerts} == {(SEGMENT, "distance")}
    assert alerts[-1].state == "firing"
    assert alerts[-1].key == alert_key("drift", "late", "/predict", "feature", "distance", SEGMENT)
    assert alerts[-1].summary.startswith("carrier=UA: ")
    assert alerts[-1].summary.endswith("; all other rows are as before")
    assert stream.drift.in_force == {alerts[-1].key}


def test_where_all_others_moved_as_well_it_is_said_from_what_to_what(stream: Stream, rng: np.random.Generator) -> None:
    alerts = stream.run(rng, 20, of_all(1.0))

    assert len({alert.segment for alert in alerts}) == len(CARRIERS)
    assert all("; all others moved as well, from " in alert.summary for alert in alerts if alert.state == "firing")


def test_a_shift_of_all_rows_is_told_of_no_segment(stream: Stream, rng: np.random.Generator) -> None:
    stream.told = [alert_key("drift", "late", "/predict", "feature", "distance")]

    assert stream.run(rng, 20, of_all(1.0)) == []
    assert not stream.drift.in_force


def test_a_segment_that_all_rows_are_in_is_no_news_beside_the_alert_of_all_rows(
    stream: Stream, rng: np.random.Generator
) -> None:
    stream.told = [alert_key("drift", "late", "/predict", "feature", "distance")]
    rows = [{**rows_of(rng, PANE_ROWS, of_all(1.5)), "carrier": ["UA"] * PANE_ROWS} for _ in range(20)]

    assert [alert for each in rows for alert in stream.step(each)] == []


def test_a_shift_of_all_rows_is_told_of_no_segment_when_it_is_over_either(
    stream: Stream, rng: np.random.Generator
) -> None:
    stream.told = [alert_key("drift", "late", "/predict", "feature", "distance")]
    during = stream.run(rng, 12, of_all(1.0))
    stream.told = ()  # known of more rows, it is over first

    assert during + stream.run(rng, 30, of_all(1.0)) + stream.run(rng, 40) == []
    assert not stream.drift.state.untold


def test_what_stays_of_a_shift_of_all_rows_is_told_of_its_segment(stream: Stream, rng: np.random.Generator) -> None:
    stream.told = [alert_key("drift", "late", "/predict", "feature", "distance")]
    during = stream.run(rng, 6, of_all(1.0))
    stream.told = ()

    after = stream.run(rng, 60, of_ua(1.0))

    assert during == []
    assert {alert.segment for alert in after} == {SEGMENT}


def test_what_was_no_news_is_none_where_another_goes_on(stream: Stream, rng: np.random.Generator) -> None:
    stream.told = [alert_key("drift", "late", "/predict", "feature", "distance")]
    stream.run(rng, 12, of_all(1.0))
    state, stream.told = deepcopy(stream.drift.state), ()
    stream.drift = stream.fresh()
    stream.drift.restore(state)

    assert len(state.untold) == len(CARRIERS)
    assert stream.run(rng, 40) == []


def test_a_segment_that_moved_much_further_is_told_beside_the_alert_of_all_rows(
    stream: Stream, rng: np.random.Generator
) -> None:
    stream.told = [alert_key("drift", "late", "/predict", "feature", "distance")]

    alerts = stream.run(rng, 20, lambda carriers: np.where(carriers == "UA", 1.5, 0.25))

    assert {alert.segment for alert in alerts} == {SEGMENT}


def test_the_segment_of_an_alert_that_is_over_is_told(stream: Stream, rng: np.random.Generator) -> None:
    stream.run(rng, 10, of_ua(1.0))
    alerts = stream.run(rng, 60)

    assert [alert.state for alert in alerts][-1] == "resolved"
    assert alerts[-1].segment == SEGMENT
    assert alerts[-1].summary.startswith("carrier=UA: distance is back inside its band; it was: ")
    assert not stream.drift.in_force


def test_a_column_of_no_importance_is_not_judged_within_segments(
    reference: Reference, rng: np.random.Generator
) -> None:
    assert Stream(reference, importance={"distance": 0.0}).run(rng, 15, of_ua(1.5)) == []


def test_the_columns_that_moved_most_are_scored(stream: Stream, rng: np.random.Generator) -> None:
    stream.run(rng, 10, of_ua(1.0))

    found = [score for score in stream.drift.scores(10) if score.segment == SEGMENT]

    moved = {score.column: score.value for score in found if score.statistic == "psi"}
    assert len(moved) <= MOST_SCORED
    assert moved["distance"] > 0.5
    assert moved["delay"] < 0.1


def test_what_is_withdrawn_is_over(stream: Stream, rng: np.random.Generator) -> None:
    stream.run(rng, 10, of_ua(1.0))

    (alert,) = stream.drift.withdraw(500.0, "no memory")

    assert (alert.state, alert.segment) == ("resolved", SEGMENT)
    assert not stream.drift.in_force


def test_a_judge_goes_on_where_another_was_stopped(
    stream: Stream, reference: Reference, rng: np.random.Generator
) -> None:
    other = Stream(reference)
    panes = [(of_all(0.0), 3), (of_ua(1.0), 9), (of_all(0.0), 30)]
    for shift, count in panes:
        for _ in range(count):
            rows = rows_of(rng, PANE_ROWS, shift)
            before = stream.step(rows)
            restored = other.fresh()
            restored.restore(deepcopy(other.drift.state))
            other.drift = restored
            assert other.step(rows) == before


def foreign_alert(state: SegmentDriftState) -> SegmentDriftState:
    return replace(state, in_force=tuple(replace(alert, key="drift/other") for alert in state.in_force))


def other_columns(state: SegmentDriftState) -> SegmentDriftState:
    return replace(state, judge=replace(state.judge, margins=state.judge.margins[1:]))


def other_panes(state: SegmentDriftState) -> SegmentDriftState:
    return replace(state, panes=Panes(3).state)


@pytest.mark.parametrize("change", [foreign_alert, other_columns, other_panes])
def test_a_state_of_other_segments_is_refused(
    stream: Stream, rng: np.random.Generator, change: Callable[[SegmentDriftState], SegmentDriftState]
) -> None:
    stream.run(rng, 10, of_ua(1.0))

    with pytest.raises(ValueError, match=r".+"):
        stream.fresh().restore(change(stream.drift.state))
