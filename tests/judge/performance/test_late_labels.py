"""Labels that are late and not of all: weighted, compared at equal age, of positives alone, or not compared."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
import pytest

from dashlight.judge.performance.coverage import (
    at_equal_age,
    coverage_by_age,
    label_coverage,
    predictions_by_score,
    settled_until,
)
from dashlight.judge.performance.displayed import displayed, is_only_positive
from dashlight.judge.performance.measures import measures
from dashlight.judge.performance.weighting import is_biased, missing_words, weighted_measures
from dashlight.labels.rows import LabelledRows
from dashlight.labels.store import WaitingCounts
from dashlight.window.performance.classified import Classified
from dashlight.window.performance.counts import PerformanceCounts, counted
from dashlight.window.performance.course import PerformanceCourse
from dashlight.window.performance.strata import STRATA, strata_of

Rows = Callable[..., LabelledRows]
sk: Any = import_module("sklearn.metrics")
"""It has no types."""
DAY, HOUR = 86400.0, 3600.0
START = 20_000 * DAY


_EXACT: dict[str, tuple[Callable[[Any, Any], float], bool]] = {
    "accuracy": (sk.accuracy_score, False),
    "precision": (sk.precision_score, False),
    "recall": (sk.recall_score, False),
    "f1": (sk.f1_score, False),
    "brier": (sk.brier_score_loss, True),
    "log_loss": (sk.log_loss, True),
    "roc_auc": (sk.roc_auc_score, True),
    "average_precision": (sk.average_precision_score, True),
}
"""scikit-learn's, and whether it is of the scores."""


def drawn(rng: np.random.Generator, count: int) -> tuple[Any, Any, Any]:
    """Scores, labels and predictions of a model that is good at low scores and bad at high ones."""
    scores = rng.random(count)
    chance = np.where(scores < 0.5, 0.02, 0.6)
    return scores, (rng.random(count) < chance).astype(int), (scores >= 0.5).astype(int)


def by_score(scores: Any) -> Any:
    return np.bincount(strata_of(scores), minlength=STRATA).astype(np.int64)


def classified(counts: PerformanceCounts) -> Classified:
    assert counts.classified is not None
    return counts.classified


@pytest.mark.parametrize("seed", [1, 2])
def test_where_low_scores_get_labels_the_plain_figure_is_off_and_the_weighted_within_its_interval(
    labelled: Rows, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    held, runs = dict.fromkeys(_EXACT, 0), 150
    for _ in range(runs):
        scores, labels, predictions = drawn(rng, 10_000)
        got = rng.random(10_000) < np.where(scores < 0.5, 0.5, 0.08)
        counts = counted(labelled("binary", labels[got], scores[got], predictions[got]))
        plain = {each.name: each.value for each in measures(counts)}
        shown = displayed(counts, by_score(scores))
        assert shown.is_weighted
        assert abs(plain["accuracy"] - sk.accuracy_score(labels, predictions)) > 0.1
        found = {each.name: each for each in shown.measures}
        assert "f1_macro" not in found
        for name, (measure, of_scores) in _EXACT.items():
            truth = measure(labels, scores if of_scores else predictions)
            held[name] += found[name].low <= truth <= found[name].high

    assert {name: count / runs for name, count in held.items() if count < 0.9 * runs} == {}


def test_scores_without_labels_are_not_comparable(labelled: Rows) -> None:
    scores, labels, predictions = drawn(np.random.default_rng(1), 5_000)
    got = scores < 0.5
    counts = counted(labelled("binary", labels[got], scores[got], predictions[got]))

    shown = displayed(counts, by_score(scores))

    assert shown.measures == ()
    assert shown.words == (
        "not comparable: predictions but no labels at scores 0.5 to 0.6, 0.6 to 0.7, 0.7 to 0.8, 0.8 to 0.9, 0.9 to 1.0",
    )


def test_a_few_rows_without_labels_widen_the_interval_by_whatever_they_are(labelled: Rows) -> None:
    rng = np.random.default_rng(2)
    scores = np.concatenate([rng.random(9_700) * 0.5, np.full(300, 0.95)])
    labels = (rng.random(10_000) < 0.1).astype(int)
    got = (scores < 0.5) & (rng.random(10_000) < 0.5)
    counts = counted(labelled("binary", labels[got], scores[got], np.zeros(got.sum(), int)))

    weighted = weighted_measures(classified(counts), by_score(scores))

    (accuracy, brier) = weighted.measures
    assert (accuracy.name, brier.name, weighted.not_comparable) == ("accuracy", "brier", (9,))
    assert weighted.unknown_share == pytest.approx(0.03)
    assert accuracy.high - accuracy.low > 0.03
    assert missing_words(weighted) == "not comparable: predictions but no labels at scores 0.9 to 1.0"
    assert displayed(counts, by_score(scores)).is_weighted


def test_a_label_speaks_for_no_more_than_its_share_of_predictions(labelled: Rows) -> None:
    scores = np.repeat([0.15, 0.95], 5_000)
    got = np.zeros(10_000, bool)
    got[:2_000] = got[-1] = True
    counts = counted(labelled("binary", np.zeros(2_001), scores[got], np.zeros(2_001, int)))

    weighted = weighted_measures(classified(counts), by_score(scores))

    assert not weighted.is_comparable
    assert weighted.measures == ()
    assert missing_words(weighted) == "not comparable: too few labels for some scores"


def test_labels_that_come_to_all_alike_are_shown_as_they_are(labelled: Rows) -> None:
    rng = np.random.default_rng(3)
    scores, labels, predictions = drawn(rng, 20_000)
    got = rng.random(20_000) < 0.3
    counts = counted(labelled("binary", labels[got], scores[got], predictions[got]))

    shown = displayed(counts, by_score(scores), reference=counts)

    assert (shown.is_weighted, shown.words) == (False, ())
    assert shown.measures == measures(counts, reference=counts)


def test_bias_is_seldom_seen_where_there_is_none(labelled: Rows) -> None:
    rng = np.random.default_rng(4)
    seen = 0
    for _ in range(300):
        scores, labels, predictions = drawn(rng, 500)
        got = rng.random(500) < 0.2
        counts = counted(labelled("binary", labels[got], scores[got], predictions[got]))
        seen += is_biased(classified(counts), by_score(scores))

    assert seen <= 2


def test_of_many_classes_accuracy_and_losses_are_weighted(labelled: Rows) -> None:
    rng = np.random.default_rng(5)
    told = rng.dirichlet([0.4, 0.4, 0.4], 30_000).astype(np.float32)
    labels = np.where(rng.random(30_000) < 0.3, rng.integers(0, 3, 30_000), told.argmax(axis=1))
    labels = np.where(told.max(axis=1) > 0.8, rng.integers(0, 3, 30_000), labels)
    top = told.max(axis=1).astype(float)
    got = rng.random(30_000) < np.where(top > 0.8, 0.05, 0.5)
    counts = counted(
        labelled(
            "multiclass", labels[got], top[got], told.argmax(axis=1)[got], classes=tuple("abc"), probabilities=told[got]
        )
    )

    shown = displayed(counts, by_score(top))

    found = {each.name: each for each in shown.measures}
    accuracy = (labels == told.argmax(axis=1)).mean()
    brier = ((told - np.eye(3)[labels]) ** 2).sum(axis=1).mean()
    assert set(found) == {"accuracy", "brier", "log_loss", "ece"}
    assert found["accuracy"].low <= accuracy <= found["accuracy"].high
    assert found["brier"].low <= brier <= found["brier"].high
    assert abs(measures(counts)[0].value - accuracy) > 0.1


def test_probabilities_without_a_predicted_class_have_losses_and_no_accuracy(labelled: Rows) -> None:
    told = np.tile(np.array([[0.7, 0.2, 0.1]], np.float32), (50, 1))
    counts = counted(labelled("multiclass", [2.0] * 50, [0.7] * 50, None, classes=tuple("abc"), probabilities=told))

    (brier, log_loss) = weighted_measures(classified(counts), by_score(np.full(80, 0.7))).measures

    assert (brier.name, log_loss.name) == ("brier", "log_loss")
    assert brier.low <= 0.7**2 + 0.2**2 + 0.9**2 <= brier.high + 1e-6


def test_of_many_classes_a_few_unknown_rows_leave_accuracy_alone(labelled: Rows) -> None:
    told = np.tile(np.array([[0.75, 0.15, 0.1]], np.float32), (50, 1))
    counts = counted(
        labelled("multiclass", [0.0] * 50, [0.75] * 50, [0] * 50, classes=tuple("abc"), probabilities=told)
    )

    weighted = weighted_measures(classified(counts), by_score(np.r_[np.full(98, 0.75), 0.95, 0.95]))

    (accuracy,) = weighted.measures
    assert (accuracy.name, weighted.not_comparable, weighted.unknown_share) == ("accuracy", (9,), 0.02)


def test_where_all_have_labels_nobody_is_chosen(labelled: Rows) -> None:
    counts = counted(labelled("binary", [1, 0], [0.2, 0.8], [0, 1]))

    assert not is_biased(classified(counts), by_score(np.array([0.2, 0.8])))


def test_tasks_without_scores_are_shown_as_they_are(labelled: Rows) -> None:
    counts = counted(labelled("regression", [1.0, 2.0], [1.5, 2.5]))

    shown = displayed(counts, np.zeros(STRATA, np.int64))

    assert shown.measures == measures(counts)


def test_no_label_at_all_shows_nothing(labelled: Rows) -> None:
    counts = counted(labelled("binary", [], [], []))

    assert displayed(counts, by_score(np.array([0.5]))).measures == ()
    assert displayed(counts, np.zeros(STRATA, np.int64)).measures == ()


def test_classes_without_scores_are_one_cell(labelled: Rows) -> None:
    counts = counted(labelled("binary", [1, 0, 1], None, [1, 0, 0]))

    shown = displayed(counts, np.array([0] * 10 + [300]))

    assert shown.measures == measures(counts)


@pytest.fixture
def chargebacks(labelled: Rows) -> Callable[..., PerformanceCounts]:
    """Payments of which only those that were charged back got a label; *silence* makes the others negative."""

    def made(*, silence: bool, seed: int = 1) -> PerformanceCounts:
        rng = np.random.default_rng(seed)
        scores = rng.beta(1, 20, 20_000)
        labels = (rng.random(20_000) < scores).astype(int)
        got = np.ones(20_000, bool) if silence else labels == 1
        return counted(
            labelled("binary", labels[got], scores[got], (scores[got] > 0.1).astype(int), is_implied=labels[got] == 0)
        )

    return made


def test_labels_of_positives_alone_are_told_and_no_accuracy(chargebacks: Callable[..., PerformanceCounts]) -> None:
    counts = chargebacks(silence=False)

    shown = displayed(counts, by_score(np.full(20_000, 0.05)))

    assert is_only_positive(counts)
    assert shown.measures == ()
    assert "positives alone" in shown.words[0]
    assert "old enough" in shown.words[1]


def test_of_positives_alone_recall_is_told_where_the_window_is_over(
    chargebacks: Callable[..., PerformanceCounts],
) -> None:
    counts = chargebacks(silence=False)

    shown = displayed(counts, by_score(np.full(20_000, 0.05)), settled=counts)

    assert [each.name for each in shown.measures] == ["recall"]
    assert "DASHLIGHT_POSITIVE_WITHIN" in shown.words[1]


def test_against_implied_negatives_all_is_told(chargebacks: Callable[..., PerformanceCounts]) -> None:
    settled = chargebacks(silence=True)

    shown = displayed(settled, by_score(np.full(20_000, 0.05)), settled=settled)

    assert shown.measures == measures(settled)
    assert "silence was taken" in shown.words[1]


@pytest.mark.parametrize(
    ("labels", "scores", "predictions"),
    [
        (np.ones(500), np.full(500, 0.999), np.ones(500)),
        (np.ones(29), np.full(29, 0.1), np.zeros(29)),
        (np.r_[np.ones(500), 0], np.full(501, 0.1), np.zeros(501)),
        (np.ones(500), None, np.ones(500)),
    ],
    ids=["as the scores say", "too few", "one negative", "as predicted"],
)
def test_positives_that_may_be_all_there_are_raise_no_doubt(
    labelled: Rows, labels: Any, scores: Any, predictions: Any
) -> None:
    assert not is_only_positive(counted(labelled("binary", labels, scores, predictions)))


def test_without_scores_the_predictions_let_expect_negatives(labelled: Rows) -> None:
    assert is_only_positive(counted(labelled("binary", np.ones(100), None, np.r_[np.zeros(50), np.ones(50)])))


def test_positives_that_settle_first_do_not_differ_at_equal_age(labelled: Rows) -> None:
    rng = np.random.default_rng(6)
    course, now = PerformanceCourse(90 * DAY), START + 60 * DAY
    predicted_at = START + rng.random(60_000) * 60 * DAY
    labels = rng.random(60_000) < 0.3
    delays = np.where(labels, rng.exponential(DAY, 60_000), rng.exponential(15 * DAY, 60_000))
    came = predicted_at + delays <= now
    course.add(
        labelled(
            "binary", labels[came], np.full(came.sum(), 0.3), np.zeros(came.sum(), int),
            predicted_at=predicted_at[came], labelled_at=(predicted_at + delays)[came],
        ),
        now,
    )  # fmt: skip
    old, young = (START, START + 10 * DAY), (START + 45 * DAY, START + 55 * DAY)

    plain = [measures(course.by_prediction(*each) or counted(labelled("binary", [])))[0].value for each in (old, young)]
    equal = at_equal_age(course, [old, young], now)

    assert plain[0] - plain[1] > 0.1
    assert equal is not None
    assert equal.age_seconds == 3 * DAY
    old_accuracy, young_accuracy = (measures(each)[0] for each in equal.cohorts)
    assert old_accuracy.low <= young_accuracy.high
    assert young_accuracy.low <= old_accuracy.high


def test_a_cohort_that_is_too_young_is_not_compared(labelled: Rows) -> None:
    course = PerformanceCourse(90 * DAY)

    assert at_equal_age(course, [(START, START + DAY)], START + DAY + 60) is None
    assert at_equal_age(course, [(START, START + DAY)], START + 3 * DAY) is None


@pytest.fixture
def waiting() -> WaitingCounts:
    return WaitingCounts(
        predicted_at=START - np.array([0.5, 2, 2, 200, 5000]) * HOUR,
        score_bins=np.array([0, 3, -1, 9, 12], np.int32),
        predictions=np.array([10, 20, 5, 40, 2]),
        labelled=np.array([0, 5, 0, 40, 1]),
    )


def test_coverage_is_told_by_age(waiting: WaitingCounts) -> None:
    found = coverage_by_age(waiting, START)

    assert [(each.most_age_seconds, each.predictions, each.labelled) for each in found] == [
        (HOUR, 10, 0),
        (6 * HOUR, 25, 5),
        (30 * DAY, 40, 40),
        (np.inf, 2, 1),
    ]
    assert found[1].low < found[1].share == 0.2 < found[1].high


def test_coverage_of_some_time(waiting: WaitingCounts) -> None:
    assert label_coverage(waiting) == (77, 46)
    assert label_coverage(waiting, since_at=START - 3 * HOUR, until_at=START - HOUR) == (25, 5)


def test_predictions_are_told_by_tenth_of_the_score(waiting: WaitingCounts) -> None:
    found = predictions_by_score(waiting, since_at=START - 300 * HOUR)

    assert found.tolist() == [10, 0, 0, 20, 0, 0, 0, 0, 0, 40, 5]
    assert predictions_by_score(waiting)[10] == 7


def test_predictions_settle_when_labels_no_longer_come() -> None:
    assert settled_until(START + 100.0, 2 * DAY) == START - 2 * DAY
