"""Exchanges of segments: what of their traffic is told, beside which alert of the endpoint, and what a state may hold."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace

import numpy as np
import pytest

from dashlight.judge.alerts import alert_key
from dashlight.judge.segments.traffic import SegmentTraffic, SegmentTrafficState
from dashlight.records import Alert
from dashlight.window.histogram import LATENCY
from dashlight.window.layout import BINS
from dashlight.window.parts.segments import NO_SEGMENT, Segmentation, SegmentColumn, SegmentPane
from dashlight.window.reference.steps import finished

COUNT = 4
EXCHANGES = 40
"""Of each segment in a pane."""
SEGMENT = "carrier=c2"


@dataclass(frozen=True)
class Change:
    """All but *everyone* is of the third segment alone."""

    failing: float = 0.01
    refused: float = 0.01
    slower: int = 0
    everyone: float = 0.01


USUAL = Change()


@pytest.fixture
def segmentation() -> Segmentation:
    groups = np.full(BINS, NO_SEGMENT, np.uint8)
    groups[4 : 4 + COUNT] = np.arange(COUNT)
    return Segmentation("r", (SegmentColumn("carrier", 0, groups, tuple(f"c{each}" for each in range(COUNT)), 0),))


class Served:
    """Panes of exchanges, judged by segment."""

    def __init__(self, segmentation: Segmentation) -> None:
        self.segmentation = segmentation
        self.traffic, self.pane, self.rng = self.fresh(), 0, np.random.default_rng(61)

    def fresh(self) -> SegmentTraffic:
        return SegmentTraffic(
            self.segmentation,
            rows=4000,
            panes=259_200.0,
            tolerance=0.02,
            share=0.01,
            model="late",
            version="1",
            endpoint="/predict",
        )

    def step(self, pane: SegmentPane, told: tuple[str, ...] = ()) -> list[Alert]:
        self.pane += 1
        return finished(self.traffic.update(pane, 10.0 * self.pane, told=told))

    def serve(self, panes: int = 1, change: Change = USUAL, told: tuple[str, ...] = ()) -> list[Alert]:
        return [alert for _ in range(panes) for alert in self.step(self.counted(change), told)]

    def counted(self, change: Change) -> SegmentPane:
        failing, refused, slower, everyone = change.failing, change.refused, change.slower, change.everyone
        is_it = np.arange(COUNT) == 2
        exchanges = np.full(COUNT, EXCHANGES, np.int64)
        failed = self.rng.binomial(exchanges, np.where(is_it, max(failing, everyone), everyone)).astype(np.int64)
        declined = self.rng.binomial(exchanges - failed, np.where(is_it, refused, 0.01)).astype(np.int64)
        durations = np.zeros((COUNT, LATENCY.bins), np.int64)
        answers: list[int] = (exchanges - failed - declined).tolist()
        for number, answered in enumerate(answers):
            bins = 90 + slower * is_it[number] + np.rint(5 * self.rng.standard_normal(answered)).astype(np.intp)
            durations[number] = np.bincount(bins, minlength=LATENCY.bins)
        rows = np.zeros((COUNT, 2, BINS), np.int64)
        rows[:, :, 4] = EXCHANGES
        return SegmentPane.of("r", rows=rows, exchanges=exchanges, failed=failed, refused=declined, durations=durations)


def nobody_but(number: int, pane: SegmentPane) -> SegmentPane:
    """*pane*, in which nobody but this segment was asked."""
    is_it = np.arange(COUNT) == number
    return SegmentPane.of(
        "r",
        rows=np.where(is_it[:, None, None], pane.rows, 0),
        exchanges=np.where(is_it, pane.exchanges, 0),
        failed=np.where(is_it, pane.failed, 0),
        refused=np.where(is_it, pane.refused, 0),
        durations=np.where(is_it[:, None], pane.durations, 0),
    )


@pytest.fixture
def served(segmentation: Segmentation) -> Served:
    return Served(segmentation)


@pytest.mark.parametrize(
    ("change", "quantity", "words"),
    [
        (Change(failing=0.2), "error_rate", "error rate rose from "),
        (Change(refused=0.3), "refusal_rate", "refusal rate rose from "),
        (Change(slower=12), "latency", "latency above "),
    ],
    ids=["failures", "refusals", "latency"],
)
def test_what_one_segment_has_more_of_is_one_alert_of_it(
    served: Served, change: Change, quantity: str, words: str
) -> None:
    before = served.serve(100)
    alerts = served.serve(20, change)

    assert before == []
    assert {alert.key for alert in alerts} == {alert_key("traffic", "/predict", "late", quantity, SEGMENT)}
    last = alerts[-1]
    assert (last.state, last.segment, last.model, last.version) == ("firing", SEGMENT, "late", "1")
    assert last.summary.startswith(f"{SEGMENT}: {words}")
    assert last.summary.endswith("; all other exchanges are as before")


def test_failures_of_all_are_told_from_what_to_what(served: Served) -> None:
    served.serve(100)
    alerts = served.serve(10, Change(everyone=0.2))

    assert {alert.segment for alert in alerts} == set(served.segmentation.names)
    assert "; all others moved as well, from " in alerts[-1].summary


@pytest.mark.parametrize("told", ["error_rate", "error_kind", "new_failure"])
def test_beside_the_alert_of_the_endpoint_a_segment_alike_is_no_news(served: Served, told: str) -> None:
    served.serve(100)

    assert served.serve(20, Change(everyone=0.2), (told,)) == []


def test_beside_the_alert_of_the_endpoint_a_segment_that_everybody_is_in_is_no_news(segmentation: Segmentation) -> None:
    served = Served(segmentation)

    def only_it(failing: float) -> SegmentPane:
        return nobody_but(2, served.counted(Change(failing=failing)))

    for _ in range(100):
        served.step(only_it(0.01))

    assert [alert for _ in range(20) for alert in served.step(only_it(0.3), ("error_rate",))] == []


def test_failures_of_all_are_told_of_no_segment_when_they_are_over_either(served: Served) -> None:
    served.serve(100)
    during = served.serve(12, Change(everyone=0.2), ("error_rate",))

    assert during + served.serve(30, Change(everyone=0.2)) + served.serve(60) == []
    assert not served.traffic.state.untold


def test_what_stays_of_failures_of_all_is_told_of_its_segment(served: Served) -> None:
    served.serve(100)
    during = served.serve(6, Change(everyone=0.2), ("error_rate",))

    after = served.serve(60, Change(failing=0.2))

    assert during == []
    assert {alert.segment for alert in after} == {SEGMENT}


def test_beside_the_alert_of_the_endpoint_a_segment_that_alone_fails_is_told(served: Served) -> None:
    served.serve(100)

    assert {alert.segment for alert in served.serve(20, Change(failing=0.3), ("error_rate",))} == {SEGMENT}


def test_a_judge_goes_on_where_another_was_stopped(served: Served, segmentation: Segmentation) -> None:
    other = Served(segmentation)
    changes = [(USUAL, 70), (Change(failing=0.2), 10), (USUAL, 40)]
    for change, panes in changes:
        for number in range(panes):
            pane = served.counted(change)
            before = served.step(pane)
            if number % 7 == 0:
                restored = other.fresh()
                restored.restore(deepcopy(other.traffic.state))
                other.traffic = restored
            assert repr(other.step(pane)) == repr(before)


def fewer(state: SegmentTrafficState) -> SegmentTrafficState:
    return replace(state, courses=state.courses[1:])


def foreign_alert(state: SegmentTrafficState) -> SegmentTrafficState:
    return replace(state, in_force=tuple(replace(alert, key="traffic/other") for alert in state.in_force))


def other_ring(state: SegmentTrafficState) -> SegmentTrafficState:
    return replace(state, ring=replace(state.ring, counts=state.ring.counts[1:]))


@pytest.mark.parametrize("change", [fewer, foreign_alert, other_ring])
def test_a_state_of_other_segments_is_refused(
    served: Served, change: Callable[[SegmentTrafficState], SegmentTrafficState]
) -> None:
    served.serve(80)
    served.serve(10, Change(failing=0.3))

    with pytest.raises(ValueError, match=r".+"):
        served.fresh().restore(change(deepcopy(served.traffic.state)))


def test_what_is_withdrawn_is_over(served: Served) -> None:
    served.serve(80)
    served.serve(10, Change(failing=0.3))

    (alert,) = served.traffic.withdraw(2000.0, "no memory")

    assert (alert.state, alert.segment) == ("resolved", SEGMENT)
    assert not served.traffic.in_force
