from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dashlight.judge.performance.estimates.estimate import PerformanceEstimate
from dashlight.judge.performance.estimates.estimator import Estimator
from dashlight.window.performance_reference import LossName, ReferenceLoss
from dashlight.window.reference.steps import finished

MakeRows = Callable[..., Any]


def values(estimate: PerformanceEstimate) -> dict[str, float]:
    return {each.name: each.value for each in estimate.measures}


def accuracy(rows: Any) -> float:
    return float((rows.predictions == rows.labels).mean())


def losses(name: LossName = "error") -> ReferenceLoss:
    return ReferenceLoss(name, 1.0, np.array([0.5]), np.array([10, 0]), np.array([2.0, 0.0]), np.array([2.0, 0.0]))


def test_the_estimate_of_the_reference_itself_is_its_own_performance(world: Any, make_rows: MakeRows) -> None:
    rows = make_rows()

    estimate = finished(Estimator(world.with_performance(rows)).estimate([world.window(rows)]))

    assert values(estimate)["accuracy"] == pytest.approx(accuracy(rows), abs=0.005)
    assert {each.method for each in estimate.measures} == {"cbpe"}
    assert estimate.reason is None
    assert estimate.outside_share == pytest.approx(0.0, abs=0.002)


def test_a_window_is_estimated_the_same_whole_and_in_parts(world: Any, make_rows: MakeRows) -> None:
    estimator, rows = Estimator(world.with_performance(make_rows()), adapts=True), make_rows(1000, seed=1)
    window = world.window(rows)
    halves = [
        replace(
            window,
            keys=window.keys[place],
            scores=window.scores[place],
            predictions=window.predictions[place],
            sampled=np.arange(500),
            codes=window.codes[:, place],
        )
        for place in (slice(500), slice(500, None))
    ]

    whole, parts = finished(estimator.estimate([window])), finished(estimator.estimate(halves))

    assert parts == whole


def test_where_the_inputs_moved_the_adapted_estimate_follows_and_the_plain_one_does_not(
    world: Any, make_rows: MakeRows
) -> None:
    reference = world.with_performance(make_rows())
    moved = make_rows(4000, seed=2, ulm=0.95)

    plain = finished(Estimator(reference).estimate([world.window(moved)]))
    adapted = finished(Estimator(reference, adapts=True).estimate([world.window(moved)]))

    assert abs(values(adapted)["accuracy"] - accuracy(moved)) < 0.5 * abs(values(plain)["accuracy"] - accuracy(moved))
    assert adapted.effective_share is not None
    assert adapted.effective_share < 0.8
    methods = {each.name: each.method for each in adapted.measures}
    assert methods == {
        **dict.fromkeys(("accuracy", "precision", "recall", "f1"), "adapted"),
        **dict.fromkeys(("roc_auc", "brier", "log_loss"), "cbpe"),
    }


def test_where_nothing_moved_the_adapted_estimate_is_the_plain_one(world: Any, make_rows: MakeRows) -> None:
    reference, window = world.with_performance(make_rows()), world.window(make_rows(4000, seed=3))

    plain = finished(Estimator(reference).estimate([window]))
    adapted = finished(Estimator(reference, adapts=True).estimate([window]))

    assert adapted.measures == plain.measures
    assert adapted.effective_share == pytest.approx(1.0, abs=0.05)


def test_outside_the_reference_there_is_no_estimate_and_it_says_where(world: Any, make_rows: MakeRows) -> None:
    window = world.window(make_rows(1000, seed=4, age=110.0))

    estimate = finished(Estimator(world.with_performance(make_rows())).estimate([window]))

    assert estimate.measures == ()
    assert estimate.reason == "outside_reference"
    assert estimate.outside_share is not None
    assert estimate.outside_share > 0.9
    assert estimate.outside_columns[0][0] == "age"
    assert "age 100%" in estimate.detail


def test_columns_that_do_not_count_are_nowhere_outside(world: Any, make_rows: MakeRows) -> None:
    window = world.window(make_rows(1000, seed=4, age=110.0))
    estimator = Estimator(world.with_performance(make_rows()), importance={"age": 0.0})

    estimate = finished(estimator.estimate([window]))

    assert estimate.reason is None
    assert estimate.outside_share == pytest.approx(0.0, abs=0.01)


def test_where_no_column_counts_nobody_can_say_what_lies_outside(world: Any, make_rows: MakeRows) -> None:
    estimator = Estimator(
        world.with_performance(make_rows()), importance=dict.fromkeys(("age", "income", "city"), 0.0), adapts=True
    )

    estimate = finished(estimator.estimate([world.window(make_rows(500, seed=5))]))

    assert estimate.reason is None
    assert estimate.outside_share is None


def test_bins_over_another_reference_are_not_looked_at(world: Any, make_rows: MakeRows) -> None:
    window = world.window(make_rows(1000, seed=4, age=110.0), reference="another")

    estimate = finished(Estimator(world.with_performance(make_rows())).estimate([window]))

    assert estimate.reason is None
    assert estimate.outside_share is None


@pytest.mark.parametrize(
    ("window", "known", "reason"),
    [
        ({}, None, "no_labels"),
        ({"task": "ranking"}, {}, "unknown_task"),
        ({}, {"task": "text"}, "unknown_task"),
        ({"classes": ("yes", "no")}, {}, "other_classes"),
        ({"scores": np.full(300, np.nan)}, {}, "no_scores"),
        ({}, {"scores": np.full(4000, np.nan)}, "no_scores"),
        ({}, {"labels": np.where(np.arange(4000) < 100, 1.0, np.nan)}, "few_labels"),
        ({"scores": np.where(np.arange(300) < 20, 0.5, np.nan)}, {}, "few_rows"),
    ],
    ids=[
        "no labels",
        "ranking",
        "text",
        "classes the other way round",
        "window without scores",
        "reference without scores",
        "few labels",
        "few rows",
    ],
)
def test_where_there_is_no_estimate_it_says_why(
    world: Any, make_rows: MakeRows, window: dict[str, Any], known: dict[str, Any] | None, reason: str
) -> None:
    reference = world.reference if known is None else world.with_performance(make_rows(), **known)

    estimate = finished(Estimator(reference).estimate([world.window(make_rows(300, seed=6), **window)]))

    assert (estimate.measures, estimate.reason) == ((), reason)
    assert estimate.detail


def test_without_any_row_there_is_no_estimate(world: Any, make_rows: MakeRows) -> None:
    assert finished(Estimator(world.with_performance(make_rows())).estimate([])).reason == "few_rows"


def test_a_learned_reference_estimates_once_enough_labels_have_come(world: Any, make_rows: MakeRows) -> None:
    window = world.window(make_rows(2000, seed=7))
    early, late = make_rows(900, seed=8), make_rows(300, seed=9)
    learned = Estimator(world.reference)

    without = finished(learned.estimate([window]))
    few = finished(learned.with_labels([early.labelled()]).estimate([window]))
    enough = finished(learned.with_labels([early.labelled(), late.labelled()]).estimate([window]))

    assert (without.reason, few.reason, enough.reason) == ("no_labels", "few_labels", None)
    assert "900 labels" in few.detail
    assert "1,200 labels" in enough.detail
    assert values(enough)["accuracy"] == pytest.approx(accuracy(make_rows(2000, seed=7)), abs=0.03)


def test_before_any_label_has_come_a_learned_reference_says_so(world: Any, make_rows: MakeRows) -> None:
    estimate = finished(Estimator(world.reference).with_labels([]).estimate([world.window(make_rows(100))]))

    assert estimate.reason == "few_labels"


def multiclass(rows: Any) -> tuple[np.ndarray[Any, np.dtype[Any]], dict[str, Any]]:
    """A third class that the second is taken for."""
    rng = np.random.default_rng(10)
    top = np.maximum(rows.scores, 1 - rows.scores)
    probabilities = np.column_stack([1 - rows.scores, 0.7 * rows.scores, 0.3 * rows.scores]).astype(np.float32)
    predictions = probabilities.argmax(axis=1).astype(np.int32)
    labels = np.where(rows.labels == 1, np.where(rng.random(len(top)) < 0.7, 1.0, 2.0), 0.0)
    given = {
        "task": "multiclass",
        "classes": ("a", "b", "c"),
        "scores": probabilities.max(axis=1).astype(np.float64),
        "predictions": predictions,
    }
    return labels, {**given, "probabilities": probabilities}


def test_of_many_classes_the_accuracy_and_each_class_are_estimated(world: Any, make_rows: MakeRows) -> None:
    known, rows = make_rows(), make_rows(6000, seed=11)
    labels, given = multiclass(known)
    truth, of_window = multiclass(rows)
    known_of = {name: value for name, value in given.items() if name != "probabilities"}
    reference = world.with_performance(known, **known_of, labels=labels, calibration=None)

    estimate = finished(Estimator(reference).estimate([world.window(rows, **of_window)], ["a", "b", "the third"]))

    said = of_window["predictions"]
    assert values(estimate)["accuracy"] == pytest.approx((said == truth).mean(), abs=0.02)
    for place, name in enumerate("ab"):
        is_right = (said == place) & (truth == place)
        assert values(estimate)[f"recall[{name}]"] == pytest.approx(is_right.sum() / (truth == place).sum(), abs=0.1)
        assert values(estimate)[f"precision[{name}]"] == pytest.approx(is_right.sum() / (said == place).sum(), abs=0.1)
    assert values(estimate)["recall[the third]"] == 0.0


def test_without_the_probabilities_of_all_classes_the_accuracy_is_estimated_alone(
    world: Any, make_rows: MakeRows
) -> None:
    labels, given = multiclass(make_rows())
    given = {name: value for name, value in given.items() if name != "probabilities"}
    reference = world.with_performance(make_rows(), **given, labels=labels, calibration=None)

    estimate = finished(Estimator(reference, adapts=True).estimate([world.window(make_rows(), **given)]))

    assert values(estimate).keys() == {"accuracy"}
    assert values(estimate)["accuracy"] == pytest.approx((given["predictions"] == labels).mean(), abs=1e-4)


def prices(rows: Any, seed: int) -> dict[str, Any]:
    """Errors are larger in Ulm."""
    rng = np.random.default_rng(seed)
    scores = 1000 * rows.columns["income"] + 5000
    spread = np.where(np.array(rows.columns["city"]) == "Ulm", 300.0, 100.0)
    return {"scores": scores, "labels": scores + spread * rng.standard_normal(len(scores))}


def regression(rows: Any) -> dict[str, Any]:
    return {"task": "regression", "classes": (), "predictions": np.full(len(rows.scores), -1, np.int32)}


def test_errors_of_numbers_follow_the_inputs(world: Any, make_rows: MakeRows) -> None:
    known, rows = make_rows(), make_rows(3000, seed=12, ulm=0.9)
    reference = world.with_performance(known, **regression(known), **prices(known, 13), calibration=None)
    of_window = prices(rows, 14)
    truth = np.abs(of_window.pop("labels") - of_window["scores"])

    estimate = finished(Estimator(reference).estimate([world.window(rows, **regression(rows), **of_window)]))

    measures = {each.name: each for each in estimate.measures}
    assert measures["mae"].low <= truth.mean() <= measures["mae"].high
    assert measures["rmse"].low <= np.sqrt((truth**2).mean()) <= measures["rmse"].high
    assert measures["mae"].method == "direct_loss"
    assert truth.mean() > 1.3 * 100 * np.sqrt(2 / np.pi) * 5 / 3


def test_errors_that_follow_nothing_are_estimated_by_their_mean(world: Any, make_rows: MakeRows) -> None:
    known, rows = make_rows(), make_rows(3000, seed=15)
    noise = np.random.default_rng(16).standard_normal(4000)
    scores = np.zeros(4000)
    reference = world.with_performance(known, **regression(known), scores=scores, labels=noise, calibration=None)
    window = world.window(rows, **regression(rows), scores=np.zeros(3000))

    estimate = finished(Estimator(reference).estimate([window]))

    assert values(estimate)["mae"] == pytest.approx(np.abs(noise).mean())


def test_errors_of_numbers_need_rows_whose_bins_were_kept(world: Any, make_rows: MakeRows) -> None:
    known, rows = make_rows(), make_rows(3000, seed=17)
    reference = world.with_performance(known, **regression(known), **prices(known, 13), calibration=None)
    window = world.window(rows, **regression(rows), sampled=None, codes=None)

    assert finished(Estimator(reference).estimate([window])).reason == "no_bins"


def test_errors_of_numbers_by_labels_that_came_follow_the_prediction(world: Any, make_rows: MakeRows) -> None:
    known, rows = make_rows(), make_rows(3000, seed=18)
    given = {**regression(known), **prices(known, 19)}
    window = world.window(rows, **regression(rows), scores=prices(rows, 20)["scores"], sampled=None, codes=None)

    estimate = finished(Estimator(world.reference).with_labels([known.labelled(**given)]).estimate([window]))

    assert values(estimate)["mae"] == pytest.approx(np.abs(given["labels"] - given["scores"]).mean(), rel=0.05)


@pytest.mark.parametrize("label", [1e308, -1e308])
def test_no_label_is_too_large(world: Any, make_rows: MakeRows, label: float) -> None:
    known = make_rows()
    given = prices(known, 21)
    given["labels"][7] = label
    given["scores"][9] = -label
    reference = world.with_performance(known, **regression(known), **given, calibration=None)
    window = world.window(known, **regression(known), scores=given["scores"])

    assert np.isfinite(list(values(finished(Estimator(reference).estimate([window]))).values())).all()


def test_expected_losses_of_a_binary_task_are_those_of_the_calibrated_score(world: Any, make_rows: MakeRows) -> None:
    known = make_rows()
    estimator = Estimator(world.with_performance(known))

    expected = estimator.expected_losses(known.labelled())
    squared = estimator.expected_losses(known.labelled(), "squared_error")

    assert expected.mean() == pytest.approx(1 - accuracy(known), abs=0.005)
    assert squared.mean() == pytest.approx(((known.scores - known.labels) ** 2).mean(), abs=0.005)
    assert ((expected >= 0) & (expected <= 1)).all()


def test_expected_losses_where_there_is_no_score_are_the_mean_of_the_reference(world: Any, make_rows: MakeRows) -> None:
    known = make_rows()
    rows = known.labelled(scores=np.full(4000, np.nan))

    assert np.isnan(Estimator(world.with_performance(known)).expected_losses(rows)).all()
    assert (Estimator(world.with_performance(known, losses=(losses(),))).expected_losses(rows) == 0.2).all()


def test_expected_losses_of_numbers_are_those_of_their_bin(world: Any, make_rows: MakeRows) -> None:
    known = make_rows()
    reference = world.with_performance(known, **regression(known), losses=(losses("absolute_error"),), calibration=None)
    rows = known.labelled(**regression(known), scores=np.linspace(0, 1, 4000))

    assert Estimator(reference).expected_losses(rows).tolist() == [0.2] * 4000
    assert np.isnan(Estimator(world.reference).expected_losses(rows)).all()


def test_expected_losses_of_many_classes_are_those_of_the_top_one(world: Any, make_rows: MakeRows) -> None:
    labels, given = multiclass(make_rows())
    known_of = {name: value for name, value in given.items() if name != "probabilities"}
    estimator = Estimator(world.with_performance(make_rows(), **known_of, labels=labels, calibration=None))

    expected = estimator.expected_losses(make_rows().labelled(**given, labels=labels))

    assert expected.mean() == pytest.approx((given["predictions"] != labels).mean(), abs=1e-4)


def test_rows_that_name_no_class_are_those_of_their_score(world: Any, make_rows: MakeRows) -> None:
    estimator, rows = Estimator(world.with_performance(make_rows())), make_rows(500, seed=22)
    unnamed = world.window(rows, predictions=np.full(500, -1, np.int32))

    assert finished(estimator.estimate([unnamed])) == finished(estimator.estimate([world.window(rows)]))


def test_the_first_window_is_estimated_in_many_small_steps(world: Any, make_rows: MakeRows) -> None:
    estimator = Estimator(world.with_performance(make_rows()), adapts=True)

    steps = sum(1 for _ in estimator.estimate([world.window(make_rows(500, seed=23))]))

    assert steps > 100


def test_without_rows_side_by_side_values_are_looked_at_one_by_one(world: Any, make_rows: MakeRows) -> None:
    reference = replace(world.with_performance(make_rows()), sample=None)

    inside = finished(Estimator(reference, adapts=True).estimate([world.window(make_rows(500, seed=24))]))
    outside = finished(Estimator(reference).estimate([world.window(make_rows(500, seed=24, age=110.0))]))

    assert (inside.reason, inside.effective_share) == (None, None)
    assert outside.reason == "outside_reference"
