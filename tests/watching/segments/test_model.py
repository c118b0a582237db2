"""The segments of a model under watch, from rows of traffic to alerts, scores and a state that outlives the process."""

from __future__ import annotations

import logging
from copy import deepcopy
from dataclasses import replace
from itertools import count

import numpy as np
import pytest

from dashlight.counting.model import ModelPane
from dashlight.counting.policy import Policy
from dashlight.counting.references import References
from dashlight.counting.rows import RowCounter
from dashlight.judge.columns.segmentation import segmentation_of
from dashlight.records import Alert, Prediction, Score, Table
from dashlight.store.layout import Layout
from dashlight.store.learned import LearnedReferences
from dashlight.watching.memory import WatchRoom
from dashlight.watching.model import ModelWatch
from dashlight.watching.segments.state import SegmentsState
from dashlight.watching.segments.watch import SEGMENT_BYTES
from dashlight.window.bins import Binner
from dashlight.window.columns import Reference
from dashlight.window.histogram import LATENCY
from dashlight.window.parts.segments import SegmentPane
from dashlight.window.reference.build import build_reference_from_columns
from dashlight.window.reference.steps import finished
from dashlight.window.tables import Column, table_of_columns

KEY = ("/predict", "late", "1")
CARRIERS = ["AA", "DL", "UA", "WN"]
SEGMENT = "carrier=UA"
ROWS = 400
"""Of each pane."""
PLENTY = 1 << 40


def rows_of(rng: np.random.Generator, rows: int, *, ua: float = 0.0, everyone: float = 0.0) -> dict[str, Column]:
    carriers = rng.choice(CARRIERS, rows)
    moved = everyone + np.where(carriers == "UA", ua, 0.0)
    return {"carrier": carriers.tolist(), "distance": rng.standard_normal(rows) + moved, "delay": rng.random(rows)}


@pytest.fixture(scope="module")
def reference() -> Reference:
    rng = np.random.default_rng(51)
    made = build_reference_from_columns(rows_of(rng, 8000), {}, rng=rng, created_at=0.0)
    return replace(made, columns=tuple(replace(column, shown=True) for column in made.columns))


class Watched:
    """A model under watch whose every row is an exchange, of which some fail."""

    def __init__(
        self, reference: Reference, *, segments: tuple[str, ...] = ("carrier",), bytes_: int = PLENTY, rows: int = 2000
    ) -> None:
        self.reference = reference
        self.policy = Policy(segments=segments, reference_rows=rows)
        self.room = WatchRoom(judging_bytes=bytes_, counting_bytes=PLENTY, learning_bytes=PLENTY)
        self.watch = ModelWatch(
            KEY, self.policy, References(LearnedReferences(None), reference), place=1, room=self.room
        )
        self.counter = RowCounter(reference, self.policy)
        self.segmentation = segmentation_of(reference, ["carrier"])
        self.binner = Binner(reference.columns)
        self.rng, self.number = np.random.default_rng(52), count(1)

    def serve(
        self,
        panes: int = 1,
        *,
        ua: float = 0.0,
        everyone: float = 0.0,
        failing: float = 0.01,
        failing_ua: float | None = None,
        told: tuple[str, ...] = (),
    ) -> list[Alert]:
        found: list[Alert] = []
        for _ in range(panes):
            rows = rows_of(self.rng, ROWS, ua=ua, everyone=everyone)
            pane = self.counted(rows, failing, failing if failing_ua is None else failing_ua)
            found += filter(None, self.watch.close_pane(pane, 10.0 * next(self.number), told))
        return found

    def counted(self, rows: dict[str, Column], failing: float, failing_ua: float) -> ModelPane:
        table = table_of_columns(rows)
        nothing = Table(0, (), np.empty((0, 0)), (), (), np.empty(0, np.intp))
        self.counter.add(Prediction("/predict", "late", "1", "plain", table, nothing), np.zeros(ROWS, "V16"))
        pane = self.counter.close()
        assert pane is not None
        codes = self.binner.codes(table)
        segments = self.segmentation.codes(codes)[0]
        number = self.segmentation.count
        exchanges = np.bincount(segments, minlength=number)[:number].astype(np.int64)
        shares = np.where(np.array(self.segmentation.names) == SEGMENT, failing_ua, failing)
        failed = self.rng.binomial(exchanges, shares).astype(np.int64)
        durations = np.zeros((number, LATENCY.bins), np.int64)
        durations[:, 100] = exchanges - failed
        counts = np.stack([self.binner.count(codes[:, segments == each]) for each in range(number)])
        by_segment = SegmentPane.of(
            self.reference.version,
            rows=counts,
            exchanges=exchanges,
            failed=failed,
            refused=np.zeros(number, np.int64),
            durations=durations,
        )
        return ModelPane((pane,), segments=by_segment)

    def scores(self, segment: str = SEGMENT) -> dict[tuple[str | None, str], Score]:
        found = self.watch.segments.scores(100)
        return {(score.column, score.statistic): score for score in found if score.segment == segment}


@pytest.fixture
def watched(reference: Reference) -> Watched:
    return Watched(reference)


def of_segments(alerts: list[Alert]) -> list[Alert]:
    return [alert for alert in alerts if alert.segment]


def test_a_shift_in_one_segment_is_an_alert_of_that_segment(watched: Watched) -> None:
    watched.serve(5)
    alerts = of_segments(watched.serve(10, ua=0.8))

    assert {(alert.segment, alert.column, alert.source) for alert in alerts} == {(SEGMENT, "distance", "drift")}
    assert {alert.key for alert in alerts} <= set(watched.watch.in_force)


def test_a_shift_of_all_rows_is_one_alert(watched: Watched) -> None:
    watched.serve(5)
    alerts = watched.serve(15, everyone=0.6)

    assert {alert.column for alert in alerts if alert.source == "drift"} >= {"distance"}
    assert of_segments(alerts) == []


def test_failures_of_one_segment_are_an_alert_of_it(watched: Watched) -> None:
    watched.serve(80)
    alerts = of_segments(watched.serve(20, failing_ua=0.2))

    assert {(alert.segment, alert.source, alert.model) for alert in alerts} == {(SEGMENT, "traffic", "late")}
    assert "carrier=UA: error rate rose from " in alerts[-1].summary
    assert alerts[-1].summary.endswith("; all other exchanges are as before")


def test_failures_everywhere_are_told_of_no_segment_beside_the_alert_of_the_endpoint(watched: Watched) -> None:
    watched.serve(80)

    assert of_segments(watched.serve(20, failing=0.2, told=("error_rate",))) == []


def test_failures_that_end_are_told_as_over(watched: Watched) -> None:
    watched.serve(80)
    watched.serve(20, failing_ua=0.2)
    alerts = of_segments(watched.serve(60))

    assert alerts[-1].state == "resolved"
    assert alerts[-1].summary.startswith(
        "carrier=UA: back to what the reference allows; it was: carrier=UA: error rate"
    )


def test_a_segment_has_scores_of_its_own(watched: Watched) -> None:
    watched.serve(20, failing_ua=0.1)

    scores = watched.scores()

    assert scores[None, "rows"].value == pytest.approx(2000, rel=0.1)
    assert scores[None, "traffic_share"].value == pytest.approx(0.25, abs=0.03)
    assert scores[None, "failure_rate"].value == pytest.approx(0.1, abs=0.03)
    assert scores[None, "refusal_rate"].value == 0.0
    assert scores[None, "latency_p50"].value == pytest.approx(LATENCY.middle(100))
    assert scores[None, "is_judged"].value == 1.0
    assert ("distance", "psi") in scores


def test_the_scores_of_all_rows_hold_none_of_a_segment(watched: Watched) -> None:
    watched.serve(3)

    assert not [score for score in watched.watch.scores(10) if score.segment]


def test_without_a_sample_of_rows_traffic_alone_is_judged_and_that_is_told(
    reference: Reference, caplog: pytest.LogCaptureFixture
) -> None:
    watched = Watched(replace(reference, sample=None))

    with caplog.at_level(logging.INFO):
        alerts = of_segments(watched.serve(20, ua=1.0))

    assert alerts == []
    assert watched.scores()[None, "is_judged"].value == 0.0
    assert watched.scores()[None, "rows"].value > 0
    assert caplog.text.count("the reference has no sample of rows: drift is not judged by segment") == 1


def test_segments_of_few_rows_are_told_once_and_an_empty_rest_is_not(
    reference: Reference, caplog: pytest.LogCaptureFixture
) -> None:
    assert reference.sample is not None
    place = next(place for place, column in enumerate(reference.columns) if column.name == "carrier")
    codes = reference.sample[place]
    kept = np.ones(codes.size, np.bool_)
    kept[np.flatnonzero(codes == codes[0])[100:]] = False
    watched = Watched(replace(reference, sample=reference.sample[:, kept]))

    with caplog.at_level(logging.INFO):
        watched.serve(3)

    (line,) = [each.getMessage() for each in caplog.records if "fewer than 200 rows" in each.getMessage()]
    assert "carrier=" in line
    assert "carrier=other" not in line


def test_nobody_named_segments(reference: Reference) -> None:
    watched = Watched(reference, segments=())

    assert of_segments(watched.serve(15, ua=1.0)) == []
    assert watched.watch.segments.scores(10) == []
    assert list(watched.watch.segments.states) == []


def test_a_pane_of_other_segments_is_refused(watched: Watched) -> None:
    watched.serve(2)
    counted = watched.counted(rows_of(watched.rng, ROWS), 0.0, 0.0)
    assert counted.segments is not None
    other = replace(counted, segments=replace(counted.segments, reference="other"))

    list(watched.watch.close_pane(other, 1000.0))

    assert ("refused_pane_count[segments]", 1.0) in [
        (score.statistic, score.value) for score in watched.watch.segments.scores(1)
    ]


def test_segments_give_way_where_a_model_needs_the_memory(
    reference: Reference, caplog: pytest.LogCaptureFixture
) -> None:
    watched = Watched(reference, bytes_=12_000_000)
    watched.serve(15, ua=1.0)
    begun = set(watched.watch.in_force)

    watched.room.asked(("/other", "late", "1"), 10)
    for number in range(200):
        if not watched.room.has_segments(KEY):
            break
        watched.room.take((f"/other{number}", "late", "1"), reference, is_own=False)
    alerts = watched.serve(1, ua=1.0)

    assert begun
    assert {alert.key for alert in alerts if alert.state == "resolved"} == {key for key in begun if "carrier" in key}
    assert caplog.text.count("segments gave way") == 1
    assert watched.watch.segments.scores(10) == []


def test_within_little_memory_the_first_columns_are_judged(
    reference: Reference, caplog: pytest.LogCaptureFixture
) -> None:
    watched = Watched(reference, bytes_=2_000_000 + 5 * SEGMENT_BYTES)
    watched.serve(2)

    assert "within segments there is memory for" in caplog.text or "no memory for segments" in caplog.text


def test_a_watch_goes_on_where_another_was_stopped(watched: Watched, reference: Reference) -> None:
    watched.serve(80)
    watched.serve(10, ua=0.8, failing_ua=0.2)
    other = Watched(reference)
    state = watched.watch.state
    finished(other.watch.restore(state))
    # Written before the next pane changes them.
    for version, comparison in deepcopy(watched.watch.comparison_states).items():
        other.watch.restore_comparison(version, comparison)
    layout: Layout[SegmentsState] = Layout("segments", 1, SegmentsState)
    for version, segments in watched.watch.segments.states:
        other.watch.segments.restore(version, layout.thaw(b"".join(layout.freeze(segments))))
    other.rng, other.number = np.random.default_rng(53), count(1000)
    watched.rng, watched.number = np.random.default_rng(53), count(1000)

    assert set(other.watch.in_force) == set(watched.watch.in_force)
    assert repr(of_segments(other.serve(30))) == repr(of_segments(watched.serve(30)))


def test_segments_of_other_columns_begin_anew(watched: Watched, reference: Reference) -> None:
    watched.serve(15, ua=1.0)
    other = Watched(reference, segments=("delay",))
    finished(other.watch.restore(watched.watch.state))
    (version, state) = next(iter(watched.watch.segments.states))

    other.watch.segments.restore(version, state)

    assert not set(other.watch.segments.in_force)


def test_a_state_that_does_not_fit_is_refused_and_segments_begin_anew(watched: Watched) -> None:
    watched.serve(15, ua=1.0)
    (version, state) = next(iter(watched.watch.segments.states))

    with pytest.raises(ValueError, match="segments"):
        watched.watch.segments.restore(version, replace(state, drift=None))

    assert not set(watched.watch.segments.in_force)
    assert of_segments(watched.serve(10, ua=1.0))
