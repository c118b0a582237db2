"""Whether the model became worse in a segment, by the labels that came."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from dashlight.judge.alerts import AlertWriter
from dashlight.judge.performance.realised import RealisedWatch
from dashlight.judge.performance.segments.losses import SegmentedLosses, SegmentedLossesState
from dashlight.judge.performance.segments.usual import usual_by_segment
from dashlight.labels.rows import Floats, LabelledRows
from dashlight.records import Alert
from dashlight.store.layout import Layout
from dashlight.window.columns import Reference
from dashlight.window.parts.segments import NO_SEGMENT, Segmentation
from dashlight.window.performance.counts import chosen_rows

MakeReference = Callable[..., Reference]
MakeRows = Callable[..., LabelledRows]
HOUR = 3600.0
START = 1_790_000_000.0 // HOUR * HOUR
WRITER = AlertWriter("performance", "risk", "1", "/predict")
LAYOUT: Layout[SegmentedLossesState] = Layout("segments", 1, SegmentedLossesState)
BUDGET: dict[str, Any] = {"writer": WRITER, "panes": 259_200.0, "share": 0.05, "pane_seconds": 10.0}


@dataclass
class Watches:
    """All rows, and each segment."""

    whole: RealisedWatch
    segments: SegmentedLosses
    make_rows: MakeRows

    def run(self, rng: np.random.Generator, hours: range, risks: Floats, rows: int = 400) -> list[Alert]:
        """The news of segments over some hours."""
        told: list[Alert] = []
        for hour in hours:
            at = START + HOUR * (hour + 1)
            told += self.take(self.make_rows(rng, np.arange(rows) % 5, at=at, risks=risks), at)
        return told

    def take(self, rows: LabelledRows | None, at: float) -> list[Alert]:
        self.whole.take(rows, at)
        return [alert for alert in self.segments.take(rows, at) if alert is not None]


def watches(reference: Reference | None, segmentation: Segmentation, make_rows: MakeRows) -> Watches:
    known = None if reference is None else reference.performance
    usual = (None,) * segmentation.count if reference is None else usual_by_segment(reference, segmentation)
    whole = RealisedWatch(known, **BUDGET)
    return Watches(whole, SegmentedLosses(known, usual, segmentation, whole, **BUDGET), make_rows)


@pytest.fixture
def model(
    make_reference: MakeReference, members: NDArray[np.int64], segmentation: Segmentation, make_rows: MakeRows
) -> Callable[[], Watches]:
    reference = make_reference(members)
    return lambda: watches(reference, segmentation, make_rows)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


NOTHING = np.zeros(5)


def only(segment: int, rise: float) -> Floats:
    return np.where(np.arange(5) == segment, rise, 0.0)


def test_a_fall_in_one_segment_is_told_with_how_the_rest_does(
    model: Callable[[], Watches], rng: np.random.Generator
) -> None:
    watching = model()

    quiet = watching.run(rng, range(48), NOTHING)
    told = watching.run(rng, range(48, 78), only(0, 0.15))

    first = told[0]
    assert quiet == []
    assert {alert.segment for alert in told} == {"carrier=UA"}
    assert first.key == "performance/risk/%2Fpredict/realised/carrier%3DUA"
    assert first.state == "firing"
    assert first.summary.startswith("carrier=UA: accuracy fell from ")
    assert f", of {first.rows:,} labels; all other rows are as before (90 %)" in first.summary
    assert first.since_earliest_at <= START + 48 * HOUR <= first.since_latest_at


def test_it_resolves_when_the_segment_is_back(model: Callable[[], Watches], rng: np.random.Generator) -> None:
    watching = model()

    watching.run(rng, range(30), NOTHING)
    watching.run(rng, range(30, 60), only(1, 0.25))
    told = watching.run(rng, range(60, 120), NOTHING)

    assert [(alert.state, alert.segment) for alert in told if alert.state != "firing"] == [("resolved", "carrier=AA")]
    assert list(watching.segments.alerts) == []


def test_a_fall_everywhere_is_told_once_of_all_rows(model: Callable[[], Watches], rng: np.random.Generator) -> None:
    watching = model()

    watching.run(rng, range(30), NOTHING)
    told = watching.run(rng, range(30, 90), np.full(5, 0.1))

    assert watching.whole.watch is not None
    assert watching.whole.watch.is_firing
    assert told == []


def test_a_segment_that_fell_further_than_all_rows_is_told_beside_these(
    model: Callable[[], Watches], rng: np.random.Generator
) -> None:
    watching = model()

    watching.run(rng, range(30), NOTHING)
    told = watching.run(rng, range(30, 90), 0.08 + only(2, 0.4))

    assert {alert.segment for alert in told} == {"carrier=DL"}
    assert "; of all other rows accuracy fell from 9" in told[-1].summary
    assert told[-1].summary.endswith(" too")


@pytest.mark.parametrize("is_cut", [False, True], ids=["in one life", "restarted"])
def test_when_the_alert_of_all_rows_ends_no_segment_begins(
    model: Callable[[], Watches], rng: np.random.Generator, *, is_cut: bool
) -> None:
    watching = model()
    watching.run(rng, range(30), NOTHING)
    told = watching.run(rng, range(30, 90), np.full(5, 0.1))
    assert watching.whole.watch is not None
    assert watching.whole.watch.is_firing
    if is_cut:
        whole, segments = watching.whole.state, watching.segments.state
        watching = model()
        watching.whole.restore(whole)
        watching.segments.restore(segments)

    told += watching.run(rng, range(90, 240), NOTHING)

    assert watching.whole.watch is not None
    assert not watching.whole.watch.is_firing
    assert told == []


def test_of_a_segment_that_outlasts_the_alert_of_all_rows_no_rest_is_told_that_was_forgotten(
    model: Callable[[], Watches], rng: np.random.Generator
) -> None:
    watching = model()
    watching.run(rng, range(30), NOTHING)
    watching.run(rng, range(30, 90), 0.08 + only(2, 0.4))

    told = watching.run(rng, range(90, 500), only(2, 0.08))

    assert watching.whole.watch is not None
    assert not watching.whole.watch.is_firing
    assert {alert.segment for alert in told} == {"carrier=DL"}
    assert "all other rows" not in told[-1].summary


def test_where_nothing_falls_nothing_is_told(model: Callable[[], Watches]) -> None:
    told = [model().run(np.random.default_rng(100 + seed), range(120), NOTHING, rows=100) for seed in range(5)]

    assert told == [[]] * 5


def test_figures_of_each_segment_are_told(model: Callable[[], Watches], rng: np.random.Generator) -> None:
    watching = model()

    watching.run(rng, range(40), only(3, 0.05))

    losses = {each.segment: each for each in watching.segments.scores() if each.statistic == "realised_loss"}
    assert list(losses) == ["carrier=UA", "carrier=AA", "carrier=DL", "carrier=WN", "carrier=B6"]
    assert losses["carrier=UA"].low < 0.1 < losses["carrier=UA"].high
    assert losses["carrier=WN"].value > 0.12
    assert {each.segment for each in watching.segments.scores() if each.statistic == "labels_needed"} == set(losses)


@pytest.mark.parametrize(
    "other",
    [{"reference": "s"}, {"segmented_by": ("origin",)}, {"segments": None}, {"segments": np.zeros((2, 50), np.uint8)}],
    ids=["another reference", "other columns", "a sealed id", "more columns"],
)
def test_rows_whose_segments_nobody_knows_are_counted(
    model: Callable[[], Watches], make_rows: MakeRows, rng: np.random.Generator, other: dict[str, Any]
) -> None:
    watching = model()

    watching.take(replace(make_rows(rng, np.arange(50) % 5), **other), START)

    assert watching.segments.unattributed == 50
    (score,) = watching.segments.scores()
    assert (score.statistic, score.value, score.segment) == ("labels_without_segment", 50.0, "")


def test_rows_in_no_segment_count_for_none(
    model: Callable[[], Watches], make_rows: MakeRows, rng: np.random.Generator
) -> None:
    watching = model()

    told = watching.take(
        replace(make_rows(rng, np.zeros(50, np.int64)), segments=np.full((1, 50), NO_SEGMENT, np.uint8)), START
    )

    assert (told, watching.segments.unattributed, watching.segments.scores()) == ([], 0, [])


def test_without_a_reference_each_segment_learns_from_its_first_labels(
    segmentation: Segmentation, make_rows: MakeRows, rng: np.random.Generator
) -> None:
    watching = watches(None, segmentation, make_rows)

    watching.run(rng, range(60), NOTHING, rows=500)
    told = watching.run(rng, range(60, 110), only(0, 0.3), rows=500)

    assert {alert.segment for alert in told} == {"carrier=UA"}
    assert ", learned from its first " in told[0].summary
    assert "all other rows are as before" in told[0].summary


def test_nothing_is_said_of_the_rest_where_all_rows_are_still_learned(
    segmentation: Segmentation, make_reference: MakeReference, members: NDArray[np.int64], make_rows: MakeRows
) -> None:
    reference, rng = make_reference(members), np.random.default_rng(9)
    whole = RealisedWatch(None, **BUDGET)
    usual = usual_by_segment(reference, segmentation)
    watching = Watches(whole, SegmentedLosses(reference.performance, usual, segmentation, whole, **BUDGET), make_rows)

    told = watching.run(rng, range(20), only(0, 0.4), rows=100)

    assert told[0].summary.endswith(" labels")


def test_nothing_is_said_of_a_rest_of_a_few_rows(
    model: Callable[[], Watches], make_rows: MakeRows, rng: np.random.Generator
) -> None:
    watching, told = model(), list[Alert]()

    for hour in range(60):
        at, fell = START + HOUR * (hour + 1), hour >= 30
        segments = np.zeros(8, np.int64) if fell else np.arange(400) % 5
        rows = make_rows(rng, segments, at=at, risks=only(0, 0.7) if fell else NOTHING)
        told += [alert for alert in watching.segments.take(rows, at) if alert is not None]  # all rows: not judged here
        if not fell:
            watching.whole.take(rows, at)

    assert told[0].summary.endswith(" labels")


def test_silence_lets_rows_wait(model: Callable[[], Watches]) -> None:
    watching = model()

    watching.segments.know_silence(START)

    assert watching.take(None, START) == []


@pytest.mark.parametrize("cut", [10, 52, 70])
def test_it_goes_on_where_it_was_cut(model: Callable[[], Watches], cut: int) -> None:
    def told(*, is_cut: bool) -> Sequence[Alert]:
        rng, watching, found = np.random.default_rng(11), model(), list[Alert]()
        for hour in range(80):
            if is_cut and hour == cut:
                after = model()
                after.segments.restore(LAYOUT.thaw(b"".join(LAYOUT.freeze(watching.segments.state))))
                after.whole.restore(watching.whole.state)
                watching = after
            found += watching.run(rng, range(hour, hour + 1), only(0, 0.2) if hour >= 40 else NOTHING)
        return found

    assert str(told(is_cut=True)) == str(told(is_cut=False))


def test_other_segments_begin_anew(
    model: Callable[[], Watches], make_reference: MakeReference, segmentation: Segmentation, make_rows: MakeRows
) -> None:
    watching = model()
    watching.run(np.random.default_rng(3), range(5), NOTHING)
    column = replace(segmentation.columns[0], values=("A", "B", "C", "D", "E"))
    other = watches(make_reference(np.arange(5000) % 5), replace(segmentation, columns=(column,)), make_rows)

    other.segments.restore(watching.segments.state)

    assert other.segments.scores() == []


def test_a_state_of_other_judges_is_refused(model: Callable[[], Watches]) -> None:
    watching = model()
    state = watching.segments.state

    with pytest.raises(ValueError, match="other segments"):
        watching.segments.restore(replace(state, judges=state.judges[1:]))
    with pytest.raises(ValueError, match="no segment"):
        watching.segments.restore(replace(state, unattributed=-1))


def test_alerts_in_force_end_for_a_reason(model: Callable[[], Watches], rng: np.random.Generator) -> None:
    watching = model()
    watching.run(rng, range(40), only(0, 0.3))

    ended = list(watching.segments.end(START + 41 * HOUR, "the reference was replaced"))

    assert [(alert.state, alert.segment) for alert in ended] == [("resolved", "carrier=UA")]
    assert ended[0].summary.startswith("the reference was replaced; it was: carrier=UA: accuracy fell")


def test_a_fall_takes_few_labels_more_than_of_a_model_of_its_own(
    model: Callable[[], Watches], make_reference: MakeReference, make_rows: MakeRows
) -> None:
    took: list[tuple[int, int]] = []
    for seed in range(300, 307):
        rng, watching = np.random.default_rng(seed), model()
        alone = RealisedWatch(make_reference(np.zeros(1000, np.int64), seed=seed).performance, **BUDGET)
        first: dict[str, int] = {}
        for hour in range(24, 120):
            at = START + HOUR * (hour + 1)
            rows = make_rows(rng, np.arange(100) % 5, at=at, risks=only(0, 0.15) if hour >= 48 else NOTHING)
            if any(alert.segment == "carrier=UA" for alert in watching.take(rows, at)):
                first.setdefault("segment", hour - 47)
            if alone.take(chosen_rows(rows, np.arange(100) % 5 == 0), at):
                first.setdefault("alone", hour - 47)
            if len(first) == 2:
                break
        took.append((first.get("segment", 999), first.get("alone", 999)))

    segment, alone_too = np.median(np.array(took), axis=0)
    assert segment <= 1.6 * alone_too
