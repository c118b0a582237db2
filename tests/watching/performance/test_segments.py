"""The performance of the segments of a model, from labels as they come to scores and alerts, and over restarts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from dashlight.counting.policy import Policy
from dashlight.judge.columns.segmentation import segmentation_of
from dashlight.judge.performance.segments.coverage import predictions_by_segment
from dashlight.labels.news import LabelNews, ScoredWindow
from dashlight.labels.rows import Floats, LabelledRows, ModelKey, ScoredRows
from dashlight.records import Alert, Score
from dashlight.watching.performance.models import Performances
from dashlight.window.columns import Reference
from dashlight.window.performance_reference import PerformanceReference, ReferenceLoss
from dashlight.window.reference.build import build_reference_from_columns

HOUR = 3600.0
BEGAN_AT = 1_790_000_000.0 // 86_400 * 86_400
KEY: ModelKey = ("/predict", "risk", "1")
POLICY = Policy(labels=True, segments=("carrier",))
CARRIERS = ("UA", "AA", "DL", "WN")
EDGES = np.array([0.1, 0.2, 0.8, 0.9])


def outcomes(rng: np.random.Generator, count: int, rises: Floats) -> tuple[Floats, Floats]:
    """Scores of a model that is wrong with the probability that they tell, and labels, which it *rises* above for some."""
    wrong = rng.uniform(0.0, 0.2, count)
    scores = np.where(rng.random(count) < 0.5, wrong, 1 - wrong)
    labels = np.where(rng.random(count) < wrong + rises, scores < 0.5, scores >= 0.5)
    return scores, labels.astype(np.float64)


@pytest.fixture(scope="module")
def reference() -> Reference:
    rng = np.random.default_rng(3)
    carriers = [CARRIERS[n % 4] for n in range(8_000)]
    made = build_reference_from_columns({"carrier": carriers}, {}, rng=rng, created_at=0.0)
    assert made.sample is not None
    count = int(made.sample.shape[1])
    scores, labels = outcomes(rng, count, np.zeros(count, np.float64))
    bins = np.searchsorted(EDGES, scores, side="right")
    sums = np.bincount(bins, labels != (scores >= 0.5), minlength=5).astype(np.float64)
    loss = ReferenceLoss("error", 1.0, EDGES, np.bincount(bins, minlength=5), sums, sums)
    predictions = (scores >= 0.5).astype(np.int32)
    performance = PerformanceReference(
        "binary", ("no", "yes"), "y", "score", "", len(scores), scores, predictions, labels, (loss,)
    )
    return replace(made, performance=performance)


class Life:
    """Performances that read labels of segments hour by hour."""

    def __init__(self, reference: Reference, policy: Policy = POLICY) -> None:
        self.policy, self.reference = policy, reference
        segmentation = segmentation_of(reference, ("carrier",))
        self.names = segmentation.names[:4]  # after these `other`
        (column,) = segmentation.columns
        self.bins = np.array([int(np.flatnonzero(column.groups == value)[0]) for value in range(4)], np.uint8)
        self.performances = Performances(policy, lambda _: self.reference)
        self.hours = 0
        self.told: list[Alert] = []
        self.rng = np.random.default_rng(8)

    @property
    def at(self) -> float:
        return BEGAN_AT + self.hours * HOUR

    def rows(self, count: int, *, rise: float = 0.0, segment: int = 0) -> LabelledRows:
        segments: NDArray[np.uint8] = (np.arange(count) % 4).astype(np.uint8)
        scores, labels = outcomes(self.rng, count, np.where(segments == segment, rise, 0.0))
        return LabelledRows(
            model=KEY,
            task="binary",
            classes=("no", "yes"),
            predicted_at=np.full(count, self.at + HOUR * 0.8),
            labelled_at=np.full(count, self.at + HOUR * 0.9),
            scores=scores,
            predictions=(scores >= 0.5).astype(np.int32),
            labels=labels,
            steps=np.zeros(count, np.int32),
            is_implied=np.zeros(count, np.bool_),
            segments=segments[np.newaxis],
            segmented_by=("carrier",),
            reference=self.reference.version,
            sampled=np.arange(count),
            codes=self.bins[segments][np.newaxis],
            origins=np.frombuffer(self.rng.bytes(16 * count), "V16"),
        )

    def hour(self, *rows: LabelledRows, windows: tuple[ScoredWindow, ...] = ()) -> None:
        self.hours += 1
        news = LabelNews(self.performances.cursor + 1, rows, windows=windows)
        self.told += [alert for alert in self.performances.close_pane(news, self.at) if alert is not None]

    def restart(self, policy: Policy | None = None) -> None:
        states, state = dict(self.performances.model_states), self.performances.state
        self.performances = Performances(policy or self.policy, lambda _: self.reference)
        self.performances.restore(state)
        for key, each in states.items():
            self.performances.restore_model(key, each)

    def scores(self, segment: str) -> dict[str, Score]:
        return {each.statistic: each for each in self.performances.scores(KEY) if each.segment == segment}


def scored(life: Life, count: int, *, segmented_by: tuple[str, ...] = ("carrier",)) -> ScoredRows:
    rows = life.rows(count)
    return ScoredRows(
        KEY,
        "binary",
        ("no", "yes"),
        keys=np.frombuffer(life.rng.bytes(16 * count), "V16"),
        origins=np.frombuffer(life.rng.bytes(16 * count), "V16"),
        places=np.zeros(count, np.int32),
        predicted_at=rows.predicted_at,
        scores=rows.scores,
        predictions=rows.predictions,
        steps=rows.steps,
        segments=rows.segments,
        segmented_by=segmented_by,
        reference=life.reference.version,
    )


@pytest.mark.parametrize("restarts", [False, True], ids=["in one life", "restarted every hour"])
def test_a_fall_in_a_segment_alarms_and_ends(reference: Reference, *, restarts: bool) -> None:
    life = Life(reference)
    for hour in range(90):
        life.hour(life.rows(400, rise=0.25 if 30 <= hour < 50 else 0.0))
        if restarts:
            life.restart()

    of_segments = [(alert.segment, alert.state) for alert in life.told if alert.segment]
    assert {segment for segment, _ in of_segments} == {life.names[0]}
    assert (of_segments[0][1], of_segments[-1][1]) == ("firing", "resolved")


def test_each_segment_has_its_figures_and_those_of_the_reference(reference: Reference) -> None:
    life = Life(reference)
    life.hour(life.rows(2000, rise=0.3, segment=2))

    scores = [life.scores(name) for name in life.names]
    assert [each["labels"].value for each in scores] == [500.0] * 4
    assert scores[2]["accuracy"].value == pytest.approx(0.6, abs=0.07)
    assert scores[0]["accuracy"].value == pytest.approx(0.9, abs=0.05)
    assert scores[2]["accuracy"].reference == pytest.approx(0.9, abs=0.02)
    assert scores[0]["accuracy"].low < scores[0]["accuracy"].value < scores[0]["accuracy"].high
    assert {"roc_auc", "brier", "realised_loss"} <= scores[0].keys()
    assert "accuracy" not in {each.statistic for each in life.performances.scores(KEY) if each.segment == "other"}


def test_labels_leave_the_window_of_segments(reference: Reference) -> None:
    life = Life(reference)
    life.hour(life.rows(400))
    for _ in range(4):
        life.hour()

    assert "accuracy" not in life.scores(life.names[0])


def test_figures_of_segments_are_no_older_than_a_short_window(reference: Reference) -> None:
    life = Life(reference, replace(POLICY, window_seconds=10.0))

    for seconds, count in ((10.0, 400), (20.0, 800)):
        at = BEGAN_AT + seconds
        rows = replace(life.rows(count), predicted_at=np.full(count, at - 2.0), labelled_at=np.full(count, at - 1.0))
        news = LabelNews(life.performances.cursor + 1, (rows,))
        life.told += [alert for alert in life.performances.close_pane(news, at) if alert is not None]

    assert [life.scores(name)["labels"].value for name in life.names] == [200, 200, 200, 200]


def test_the_estimate_is_told_by_segment(reference: Reference) -> None:
    life = Life(reference)
    life.hour(life.rows(400))
    parts = [scored(life, 1000), scored(life, 100, segmented_by=("origin",)), scored(life, 100)]
    window = ScoredWindow(
        KEY, life.at, life.at + HOUR, [*parts[:2], replace(parts[2], reference="other")], is_day=False
    )

    life.hour(windows=(window,))

    for name in life.names:
        estimated = life.scores(name)["estimated_accuracy"]
        assert estimated.rows == 250
        assert estimated.low < 0.9 < estimated.high
    (elsewhere,) = [each for each in life.performances.scores(KEY) if each.statistic == "predictions_without_segment"]
    assert elsewhere.value == 200.0


def test_of_a_few_predictions_of_a_segment_nothing_is_estimated(reference: Reference) -> None:
    life = Life(reference)
    life.hour(life.rows(400))

    life.hour(windows=(ScoredWindow(KEY, life.at, life.at + HOUR, [scored(life, 100)], is_day=False),))

    assert "estimated_accuracy" not in life.scores(life.names[0])


def test_other_segments_leave_the_whole_as_it_is(reference: Reference) -> None:
    life = Life(reference)
    for _ in range(20):
        life.hour(life.rows(200))
    before = {each.statistic: each.value for each in life.performances.scores(KEY) if not each.segment}

    life.restart(replace(POLICY, segments=()))
    after = {each.statistic: each.value for each in life.performances.scores(KEY)}

    assert {name: value for name, value in before.items() if name != "labels_needed"} == {
        name: value for name, value in after.items() if name != "labels_needed"
    }
    assert not any(each.segment for each in life.performances.scores(KEY))


def test_segments_give_way_first_where_there_is_no_memory(reference: Reference) -> None:
    life = Life(reference, replace(POLICY, judging_bytes=4))
    life.hour(life.rows(400))
    life.hour(life.rows(400))

    assert KEY in life.performances.watches
    assert life.scores(life.names[0]) == {}


def test_an_alert_of_a_segment_ends_with_its_reference(reference: Reference) -> None:
    life = Life(reference)
    for _ in range(30):
        life.hour(life.rows(400, rise=0.4))
    assert any("realised/" in key for key in life.performances.in_force)

    ended = list(life.performances.replace_reference(life.at))

    assert any(alert.segment and alert.state == "resolved" for alert in ended)
    assert not any("realised/" in key for key in life.performances.in_force)


def test_rows_are_kept_for_the_search_of_a_slice(reference: Reference) -> None:
    life = Life(reference)
    for hour in range(10):
        life.hour(life.rows(100, rise=0.4 if hour >= 5 else 0.0))
    watch = life.performances.watches[KEY]

    found = watch.parts.slice_rows(BEGAN_AT + 5 * HOUR)
    of_reference = watch.parts.slice_reference()

    assert found.codes.shape == (1, 500)
    assert found.losses[found.codes[0] == life.bins[0]].mean() == pytest.approx(0.5, abs=0.15)
    assert found.losses[found.codes[0] != life.bins[0]].mean() == pytest.approx(0.1, abs=0.05)
    assert len(set(found.origins.tolist())) == 500
    assert of_reference is not None
    assert reference.sample is not None
    assert of_reference[0].shape == reference.sample.shape
    assert of_reference[1].mean() == pytest.approx(0.1, abs=0.01)


def test_without_a_reference_there_are_no_parts() -> None:
    performances = Performances(POLICY, lambda _: None)
    rows = LabelledRows(
        model=KEY,
        task="binary",
        classes=("no", "yes"),
        predicted_at=np.full(9, BEGAN_AT),
        labelled_at=np.full(9, BEGAN_AT),
        scores=np.full(9, 0.5),
        predictions=np.zeros(9, np.int32),
        labels=np.zeros(9),
        steps=np.zeros(9, np.int32),
        is_implied=np.zeros(9, np.bool_),
    )

    list(performances.close_pane(LabelNews(1, (rows,)), BEGAN_AT))

    parts = performances.watches[KEY].parts
    assert parts.slice_rows(0.0).codes.shape == (0, 0)
    assert (parts.slice_reference(), parts.scores(), parts.segments_bytes) == (None, [], 0)


def weighted(life: Life, labelled: LabelledRows, made: ScoredRows) -> None:
    life.hour(life.rows(40))  # from here on all labels are known
    begins = life.at
    made = replace(made, predicted_at=np.full(made.row_count, begins + 60.0))
    rows = replace(labelled, predicted_at=np.full(labelled.row_count, begins + 60.0))
    life.hour(rows)
    life.hour(windows=(ScoredWindow(KEY, begins, begins + HOUR, [made], is_day=False),))


def test_labels_that_depend_on_the_score_are_weighted_within_their_segment(reference: Reference) -> None:
    life = Life(reference)
    made = scored(life, 4000)
    labelled = life.rows(4000)
    # Right below .5, wrong above; of those below every tenth has a label, of those above all.
    labels = np.where(made.scores >= 0.5, 0.0, 0.0)
    kept = np.flatnonzero((made.scores >= 0.5) | (np.arange(4000) % 40 < 4))
    labelled = replace(
        labelled,
        scores=made.scores,
        predictions=made.predictions,
        labels=labels,
    )
    labelled = replace(
        labelled,
        **{
            name: getattr(labelled, name)[kept]
            for name in ("predicted_at", "labelled_at", "scores", "predictions", "labels", "steps", "is_implied")
        },
        segments=np.asarray(labelled.segments)[:, kept],
        sampled=None,
        codes=None,
        origins=None,
    )

    weighted(life, labelled, made)

    plain = float((labelled.labels == labelled.predictions).mean())
    found = life.scores(life.names[0])
    assert plain < 0.2
    assert found["accuracy_by_prediction_time"].value == pytest.approx(0.5, abs=0.08)
    assert found["label_coverage"].value == pytest.approx(0.55, abs=0.05)
    assert found["label_coverage"].rows == 1000


def test_where_some_scores_of_a_segment_have_no_labels_it_is_not_compared(reference: Reference) -> None:
    life = Life(reference)
    made, labelled = scored(life, 4000), life.rows(1000)

    weighted(life, replace(labelled, scores=np.full(1000, 0.05)), made)

    found = life.scores(life.names[0])
    assert "accuracy_by_prediction_time" not in found
    assert found["not_comparable_by_prediction_time"].value == 1.0
    assert found["label_coverage"].value == pytest.approx(0.25, abs=0.02)


def test_a_sample_of_the_predictions_stands_for_all(reference: Reference) -> None:
    life = Life(reference)
    segmentation = segmentation_of(reference, ("carrier",))
    made = scored(life, 400)

    assert predictions_by_segment([made], segmentation, total=None)[0].sum() == 100
    assert predictions_by_segment([made], segmentation, total=4000)[0].sum() == pytest.approx(1000, abs=6)
    assert predictions_by_segment([], segmentation, total=10).sum() == 0


def test_silence_that_is_no_label_yet_lets_segments_wait(reference: Reference) -> None:
    life = Life(reference, replace(POLICY, positive_within_seconds=2 * HOUR))

    life.hour(life.rows(400))
    life.hour(life.rows(400))

    assert "realised_loss" not in life.scores(life.names[0])
    assert life.scores(life.names[0])["accuracy"].rows == 100


def test_a_reference_without_labels_leaves_segments_to_be_learned(reference: Reference) -> None:
    life = Life(replace(reference, performance=None))
    life.hour(life.rows(400))

    accuracy = life.scores(life.names[0])["accuracy"]
    assert (accuracy.rows, accuracy.reference) == (100, None)
