"""Figures equal scikit-learn's, from merged counts too; what cannot be said is left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from dashlight.judge.performance.classes import calibration
from dashlight.judge.performance.measure import Measure
from dashlight.judge.performance.measures import measures
from dashlight.labels.rows import LabelledRows
from dashlight.window.performance.counts import PerformanceCounts, chosen_rows, counted, counts_of_reference
from dashlight.window.performance_reference import PerformanceReference

Rows = Callable[..., LabelledRows]
sk: Any = import_module("sklearn.metrics")
"""It has no types."""


def merged(rows: LabelledRows, parts: int, seed: int = 0) -> PerformanceCounts:
    """Counted in that many panes of random rows."""
    owner = np.random.default_rng(seed).integers(0, parts, rows.row_count)
    total = counted(chosen_rows(rows, owner == 0))
    for part in range(1, parts):
        total = total + counted(chosen_rows(rows, owner == part))
    return total


def values(counts: PerformanceCounts) -> Mapping[str, float]:
    return {each.name: each.value for each in measures(counts)}


def scores_of(kind: str, labels: NDArray[np.int64], rng: np.random.Generator) -> Any:
    count = len(labels)
    smooth: NDArray[np.float64] = np.where(labels == 1, rng.beta(3, 2, count), rng.beta(2, 3, count))
    if kind == "smooth":
        return smooth
    if kind == "ties":
        return np.round(smooth, 1)
    if kind == "one score":
        return np.full(count, 0.3)
    if kind == "alike":
        return 0.5 + 1e-6 * rng.normal(labels * 0.5, 1.0)
    if kind == "alike and a few apart":
        spread = rng.random(count) < 0.3
        return np.where(spread, rng.random(count), 0.031 + 1e-6 * rng.normal(labels * 0.7, 1.0))
    if kind == "tiny":
        return 10 ** -(8 + 3 * rng.random(count) - labels)
    if kind == "saturated":
        logits: Any = 30 * rng.normal(labels - 0.5, 1.0)
        return np.clip(1 / (1 + np.exp(-logits)), 0, 1)
    raise ValueError(kind)


@pytest.mark.parametrize("rate", [0.5, 0.002], ids=["even", "rare"])
@pytest.mark.parametrize("kind", ["smooth", "ties", "one score", "alike", "alike and a few apart", "tiny", "saturated"])
def test_measures_of_two_classes_equal_scikit_learn_after_merging(labelled: Rows, kind: str, rate: float) -> None:
    rng = np.random.default_rng(11)
    labels = (rng.random(40_000) < rate).astype(int)
    scores = scores_of(kind, labels, rng)
    predictions = (scores >= np.median(scores)).astype(int)

    found = values(merged(labelled("binary", labels, scores, predictions), 40))

    exact = {
        "accuracy": sk.accuracy_score(labels, predictions),
        "precision": sk.precision_score(labels, predictions),
        "recall": sk.recall_score(labels, predictions),
        "f1": sk.f1_score(labels, predictions),
        "f1_macro": sk.f1_score(labels, predictions, average="macro"),
        "f1_weighted": sk.f1_score(labels, predictions, average="weighted"),
        "brier": sk.brier_score_loss(labels, scores),
        "log_loss": sk.log_loss(labels, scores),
        "precision[no]": sk.precision_score(labels, predictions, pos_label=0, zero_division=0),
        "recall[no]": sk.recall_score(labels, predictions, pos_label=0),
    }
    assert {name: found[name] for name in exact if name in found} == pytest.approx(
        {name: value for name, value in exact.items() if name in found}, rel=1e-9
    )
    assert set(exact) - set(found) <= {"precision[no]"}
    assert found["roc_auc"] == pytest.approx(sk.roc_auc_score(labels, scores), abs=0.002)
    assert found["average_precision"] == pytest.approx(sk.average_precision_score(labels, scores), abs=0.005)


@pytest.mark.parametrize("seed", [21, 22])
def test_average_precision_of_joined_cells_is_within_its_bound(labelled: Rows, seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels = (rng.random(60_000) < 0.02).astype(int)
    scores = scores_of("smooth", labels, rng)

    found = values(merged(labelled("binary", labels, scores, labels), 300))

    assert found["average_precision"] == pytest.approx(sk.average_precision_score(labels, scores), abs=0.005)
    assert found["roc_auc"] == pytest.approx(sk.roc_auc_score(labels, scores), abs=0.0005)


def test_measures_of_many_classes_equal_scikit_learn_after_merging(labelled: Rows) -> None:
    rng = np.random.default_rng(5)
    labels = rng.integers(0, 5, 20_000)
    told = rng.dirichlet(np.ones(5), 20_000) + 0.6 * np.eye(5)[labels]
    told = (told / told.sum(axis=1, keepdims=True)).astype(np.float32)
    predictions = told.argmax(axis=1)
    rows = labelled("multiclass", labels, told.max(axis=1), predictions, classes=tuple("abcde"), probabilities=told)

    found = values(merged(rows, 10))

    exact = {
        "accuracy": sk.accuracy_score(labels, predictions),
        "precision": sk.precision_score(labels, predictions, average="macro"),
        "recall": sk.recall_score(labels, predictions, average="macro"),
        "f1": sk.f1_score(labels, predictions, average="macro"),
        "precision_weighted": sk.precision_score(labels, predictions, average="weighted"),
        "recall_weighted": sk.recall_score(labels, predictions, average="weighted"),
        "f1_weighted": sk.f1_score(labels, predictions, average="weighted"),
        "recall[c]": sk.recall_score(labels, predictions, average=None)[2],
    }
    assert {name: found[name] for name in exact} == pytest.approx(exact, rel=1e-9)
    assert found["log_loss"] == pytest.approx(
        sk.log_loss(labels, told.astype(float) / told.sum(axis=1, dtype=float)[:, None]), rel=1e-5
    )
    assert found["brier"] == pytest.approx(((told - np.eye(5)[labels]) ** 2).sum(axis=1).mean(), rel=1e-6)
    rest = np.mean([sk.roc_auc_score(labels == k, told[:, k]) for k in range(5)])
    assert found["roc_auc_ovr"] == pytest.approx(rest, abs=0.002)


def test_measures_of_numbers_equal_scikit_learn_after_merging(labelled: Rows) -> None:
    rng = np.random.default_rng(7)
    truth = 1e6 + rng.normal(0, 3, 30_000)
    truth[:50] = 0.0
    foretold = truth + rng.standard_t(4, 30_000)

    found = values(merged(labelled("regression", truth, foretold), 30))

    exact = {
        "mae": sk.mean_absolute_error(truth, foretold),
        "rmse": sk.root_mean_squared_error(truth, foretold),
        "mape": sk.mean_absolute_percentage_error(truth, foretold),
        "r2": sk.r2_score(truth, foretold),
        "bias": (foretold - truth).mean(),
    }
    assert {name: found[name] for name in exact} == pytest.approx(exact, rel=1e-8)
    for quantile in (0.5, 0.9, 0.95, 0.99):
        expected = np.quantile(np.abs(foretold - truth), quantile)
        assert found[f"error_quantile[{quantile}]"] == pytest.approx(expected, rel=0.011)
    for quantile in (0.05, 0.95):
        expected = np.quantile(foretold - truth, quantile)
        assert found[f"residual_quantile[{quantile}]"] == pytest.approx(expected, rel=0.011)


def test_a_figure_that_is_no_number_is_left_out(labelled: Rows) -> None:
    found = values(counted(labelled("regression", [0.0, 1e-160], [1e69, 1e69])))

    assert "r2" not in found
    assert found["mae"] == 1e69


def test_labels_far_from_zero_cancel_nothing(labelled: Rows) -> None:
    rng = np.random.default_rng(8)
    truth = 1e9 + rng.normal(0, 1e-2, 5_000)
    foretold = truth + rng.normal(0, 3e-3, 5_000)

    found = values(merged(labelled("regression", truth, foretold), 7))

    assert found["r2"] == pytest.approx(sk.r2_score(truth, foretold), rel=1e-6)


def test_a_forecast_is_measured_step_by_step(labelled: Rows) -> None:
    steps = np.array([1, 1, 2, 70, 90], np.int32)
    rows = labelled("regression", [1.0, 2.0, 3.0, 4.0, 5.0], [1.5, 2.0, 1.0, 4.0, 7.0], steps=steps)

    found = values(merged(rows, 2))

    assert found["mae[step 1]"] == 0.25
    assert found["bias[step 2]"] == -2
    assert found["rmse[steps beyond 64]"] == pytest.approx(2**0.5)
    assert "mae[step 3]" not in found


def test_measures_of_a_ranking_equal_scikit_learn(labelled: Rows) -> None:
    places = np.array([0, 1, 2, 2, 5, 11, 0, 20])
    relevant = (places[:, None] == np.arange(1, 21)).astype(int)
    shown = np.tile(np.arange(20, 0, -1.0), (8, 1))

    found = values(merged(labelled("ranking", places), 3))

    assert (found["ctr"], found["hit_rate@1"], found["hit_rate@5"]) == (6 / 8, 1 / 8, 4 / 8)
    assert found["mrr"] == pytest.approx(np.mean([0, 1, 1 / 2, 1 / 2, 1 / 5, 1 / 11, 0, 1 / 20]))
    for k in (1, 3, 5, 10, 20):
        assert found[f"ndcg@{k}"] == pytest.approx(sk.ndcg_score(relevant, shown, k=k))


def test_grades_have_a_mean_and_the_share_of_each(labelled: Rows) -> None:
    found = values(merged(labelled("text", [1, 1, 0, 1, 0.5]), 2))

    assert found["mean_grade"] == pytest.approx(0.7)
    assert found["grade_share[1]"] == 0.6
    assert found["grade_share[0.5]"] == 0.2


def test_of_too_many_grades_only_the_mean_is_told(labelled: Rows) -> None:
    found = values(merged(labelled("text", np.arange(100)), 5))

    assert list(found) == ["mean_grade"]
    assert found["mean_grade"] == 49.5


AWKWARD = st.sampled_from([0.0, 1.0, 0.5, np.nan, np.inf, -np.inf, -1.0, 7.0, 1e300, 5e-324])


@settings(max_examples=60, deadline=None)
@given(
    arrays(np.float64, st.shared(st.integers(0, 12), key="n"), elements=AWKWARD),
    arrays(np.float64, st.shared(st.integers(0, 12), key="n"), elements=AWKWARD),
    arrays(np.int32, st.shared(st.integers(0, 12), key="n"), elements=st.integers(-1, 40)),
    st.sampled_from(
        [
            ("binary", 2),
            ("binary", 0),
            ("multiclass", 2),
            ("multiclass", 40),
            ("regression", 0),
            ("ranking", 0),
            ("text", 0),
        ]
    ),
)
def test_no_rows_break_anything(labels: Any, scores: Any, predictions: Any, task: tuple[Any, int]) -> None:
    count, classes = len(labels), tuple(map(str, range(task[1])))
    rows = LabelledRows(
        ("", "", ""), task[0], classes, np.zeros(count), np.ones(count), scores, predictions, labels,
        np.zeros(count, np.int32), np.zeros(count, np.bool_),
    )  # fmt: skip

    counts = counted(rows)
    found = measures(counts + counts, reference=counts)

    assert all(np.isfinite(each.value) and each.low <= each.value <= each.high for each in found)
    assert counts.rows + counts.left_out == count
    (counts + counts).checked()


@pytest.mark.parametrize("label", [0, 1])
def test_of_one_class_only_there_is_no_area_and_no_crash(labelled: Rows, label: int) -> None:
    found = values(counted(labelled("binary", [label] * 5, [0.2, 0.4, 0.6, 0.8, 0.9], [0, 0, 1, 1, 1])))

    assert "roc_auc" not in found
    assert ("recall" in found, "average_precision" in found) == (label == 1, label == 1)
    assert found["accuracy"] == (0.6 if label else 0.4)


def test_rows_without_a_score_or_a_prediction_count_where_they_can(labelled: Rows) -> None:
    counts = counted(labelled("binary", [1, 0, 1, np.nan], [np.nan, 0.2, 0.9, 0.5], [1, -1, 1, 1]))

    found = {each.name: each for each in measures(counts)}
    assert (counts.rows, counts.left_out) == (3, 1)
    assert (found["accuracy"].value, found["accuracy"].rows) == (1.0, 2)
    assert found["brier"].rows == 2


def test_scores_that_are_no_probabilities_have_an_area_and_no_loss(labelled: Rows) -> None:
    found = values(counted(labelled("binary", [0, 1, 1, 0], [-3.0, 2.0, 0.5, 1.0], [0, 1, 1, 1])))

    assert found["roc_auc"] == 0.75
    assert not {"brier", "log_loss", "ece"} & set(found)


def test_each_measure_stands_beside_that_of_the_reference(labelled: Rows) -> None:
    reference = PerformanceReference(
        task="binary", classes=("no", "yes"), label="y", score="s", prediction="p", rows=4,
        scores=np.array([0.1, 0.9, 0.2, 0.8, 0.7]), predictions=np.array([0, 1, 0, 1, 1], np.int32),
        labels=np.array([0, 1, 1, 1, np.nan]), losses=(),
    )  # fmt: skip

    found = measures(counted(labelled("binary", [0, 1], [0.9, 0.8], [1, 1])), reference=counts_of_reference(reference))

    told = {each.name: each.reference for each in found}
    assert told["accuracy"] == 0.75
    assert told["roc_auc"] == 1.0
    assert told["recall[yes]"] == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("classes", "words"),
    [
        (("no", "yes"), ("no", "yes")),
        (("Anna Schmidt", "yes"), ("class #1", "class #2")),
        (("no", "a@b.example"), ("class #1", "class #2")),
    ],
    ids=["plain", "a person", "an address"],
)
def test_classes_that_may_be_somebody_are_told_by_number(
    labelled: Rows, classes: tuple[str, ...], words: tuple[str, ...]
) -> None:
    found = values(counted(labelled("binary", [0, 1], [0.2, 0.8], [0, 1], classes=classes)))

    assert [name for name in found if name.startswith("recall[")] == [f"recall[{word}]" for word in words]


def test_a_rare_class_is_told_by_number(labelled: Rows) -> None:
    labels = np.array([0] * 300 + [1])

    found = values(counted(labelled("multiclass", labels, None, labels, classes=("a", "b"))))

    assert {"recall[a]", "recall[class #2]"} <= set(found)


def test_the_calibration_curve_says_what_was_foretold_and_what_came(labelled: Rows) -> None:
    counts = counted(labelled("binary", [1, 0, 1, 1], [0.31, 0.39, 0.95, 1.0], [0, 0, 1, 1]))

    assert counts.classified is not None
    bins = calibration(counts.classified)

    assert [(each.low, each.rows, each.positive_share) for each in bins] == [(0.3, 2, 0.5), (0.9, 2, 1.0)]
    assert bins[0].mean_score == pytest.approx(0.35)
    assert values(counts)["ece"] == pytest.approx((abs(0.7 - 1) + abs(1.95 - 2)) / 4)


def coverage(
    draw: Callable[[np.random.Generator], LabelledRows], truth: Mapping[str, float], seed: int
) -> Mapping[str, float]:
    rng = np.random.default_rng(seed)
    held = dict.fromkeys(truth, 0)
    for _ in range(400):
        found: dict[str, Measure] = {each.name: each for each in measures(counted(draw(rng)))}
        for name, value in truth.items():
            held[name] += found[name].low <= value <= found[name].high
    return {name: count / 400 for name, count in held.items()}


@pytest.mark.parametrize("seed", [1, 2])
def test_intervals_of_two_hundred_rows_of_two_classes_hold_the_truth(labelled: Rows, seed: int) -> None:
    def draw(rng: np.random.Generator, count: int = 200) -> LabelledRows:
        scores = rng.beta(1.5, 2.5, count)
        labels = (rng.random(count) < scores).astype(int)
        return labelled("binary", labels, scores, (scores >= 0.5).astype(int))

    names = (
        "accuracy",
        "precision",
        "recall",
        "f1",
        "f1_macro",
        "f1_weighted",
        "roc_auc",
        "brier",
        "log_loss",
        "average_precision",
    )
    truth = values(counted(draw(np.random.default_rng(99), 1_000_000)))

    held = coverage(draw, {name: truth[name] for name in names}, seed)

    assert {name: share for name, share in held.items() if share < 0.92} == {}


@pytest.mark.parametrize("seed", [1, 2])
def test_intervals_of_two_hundred_numbers_hold_the_truth(labelled: Rows, seed: int) -> None:
    def draw(rng: np.random.Generator, count: int = 200) -> LabelledRows:
        truth = rng.normal(10, 2, count)
        return labelled("regression", truth, truth + rng.normal(0.3, 1, count))

    names = (
        "mae",
        "rmse",
        "bias",
        "r2",
        "mape",
        "error_quantile[0.5]",
        "error_quantile[0.9]",
        "residual_quantile[0.05]",
    )
    truth = values(counted(draw(np.random.default_rng(99), 1_000_000)))

    held = coverage(draw, {name: truth[name] for name in names}, seed)

    assert {name: share for name, share in held.items() if share < 0.92} == {}
