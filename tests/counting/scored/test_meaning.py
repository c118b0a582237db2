from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from dashlight.labels.rows import MOST_CLASSES, MOST_ITEMS, NO_CLASS, Task
from dashlight.window.performance_reference import PerformanceReference

Model = Callable[..., Any]
NAN = math.nan

Case = tuple[Sequence[object], str, tuple[str, ...], Sequence[float], Sequence[int]]
CASES: dict[str, Case] = {
    "a probability alone": ([{"p": 0.2}, {"p": 0.7}], "binary", ("0", "1"), [0.2, 0.7], [0, 1]),
    "a probability of exactly half": ([{"probability": 0.5}], "binary", ("0", "1"), [0.5], [1]),
    "a share called score": ([{"fraud_score": 0.9}], "binary", ("0", "1"), [0.9], [1]),
    "a score that is no share": ([{"score": 612.0}], "regression", (), [612.0], [NO_CLASS]),
    "a class and its probability": (
        [{"prediction": 0, "probability": 0.2}, {"prediction": 1, "probability": 0.3}],
        "binary",
        ("0", "1"),
        [0.2, 0.3],
        [0, 1],
    ),
    "a truth value": ([{"churned": True}, {"churned": False}], "binary", ("false", "true"), [NAN, NAN], [1, 0]),
    "truth values with a probability": (
        [{"is_fraud": False, "p": 0.1}],
        "binary",
        ("false", "true"),
        [0.1],
        [0],
    ),
    "zero and one": ([{"prediction": 0}, {"prediction": 1}], "binary", ("0", "1"), [NAN, NAN], [0, 1]),
    "a bare list": ([[1], [0]], "binary", ("0", "1"), [NAN, NAN], [1, 0]),
    "a pair": ([{"probabilities": [0.3, 0.7]}], "binary", ("0", "1"), [0.7], [1]),
    "a pair by names": ([{"proba": {"no": 0.3, "yes": 0.7}}], "binary", ("no", "yes"), [0.7], [1]),
    "a pair by names, the positive first": (
        [{"probability": {"fraud": 0.3, "not fraud": 0.7}}],
        "binary",
        ("not fraud", "fraud"),
        [0.3],
        [0],
    ),
    "a pair beside the truth value": (
        [{"prediction": True, "proba": [0.3, 0.7]}],
        "binary",
        ("false", "true"),
        [0.7],
        [1],
    ),
    "predict_proba": ([{"predictions": [[0.25, 0.75]]}], "binary", ("0", "1"), [0.75], [1]),
    "probabilities of classes": (
        [{"probabilities": {"a": 0.2, "b": 0.5, "c": 0.3}}, {"probabilities": {"a": 0.9, "b": 0.05, "c": 0.05}}],
        "multiclass",
        ("a", "b", "c"),
        [0.5, 0.9],
        [1, 0],
    ),
    "probabilities and the label": (
        [{"label": "c", "probabilities": {"a": 0.2, "b": 0.5, "c": 0.3}}],
        "multiclass",
        ("a", "b", "c"),
        [0.5],
        [2],
    ),
    "numbered probabilities and the label": (
        [
            {"label": "b", "proba": [0.2, 0.5, 0.3]},
            {"label": "c", "proba": [0.1, 0.1, 0.8]},
            {"label": "a", "proba": [0.9, 0.1, 0]},
        ],
        "multiclass",
        ("a", "b", "c"),
        [0.5, 0.8, 0.9],
        [1, 2, 0],
    ),
    "numbered probabilities and some of the labels": (
        [{"label": "b", "proba": [0.2, 0.5, 0.3]}, {"label": "a", "proba": [0.9, 0.1, 0]}],
        "multiclass",
        ("b", "a"),
        [0.5, 0.9],
        [0, 1],
    ),
    "a pair and the label": (
        [{"label": "keep", "proba": [0.8, 0.2]}, {"label": "throw", "proba": [0.1, 0.9]}],
        "binary",
        ("keep", "throw"),
        [0.2, 0.9],
        [0, 1],
    ),
    "a pair and the label, the negative one behind": (
        [{"label": "fraud", "proba": [0.8, 0.2]}, {"label": "legit", "proba": [0.1, 0.9]}],
        "binary",
        ("legit", "fraud"),
        [0.8, 0.1],
        [1, 0],
    ),
    "a pair and one label": ([{"label": "keep", "proba": [0.8, 0.2]}], "binary", ("keep", ""), [0.2], [0]),
    "a label that a threshold chose": (
        [{"label": "a", "proba": [0.8, 0.2]}, {"label": "b", "proba": [0.6, 0.4]}, {"label": "a", "proba": [0.9, 0.1]}],
        "binary",
        ("a", "b"),
        [0.2, 0.4, 0.1],
        [0, 1, 0],
    ),
    "whole numbers of something": ([{"yhat": 3}, {"yhat": 5}], "regression", (), [3, 5], [NO_CLASS] * 2),
    "a label and its score": (
        [{"label": "spam", "score": 0.9}, {"label": "ham", "score": 0.6}, {"label": "spam", "score": 0.7}],
        "multiclass",
        ("spam", "ham"),
        [0.9, 0.6, 0.7],
        [0, 1, 0],
    ),
    "labels alone": ([{"label": "b"}, {"label": "a"}], "multiclass", ("b", "a"), [NAN, NAN], [0, 1]),
    "numbers of classes": ([{"prediction": 3}, {"prediction": 0}], "multiclass", ("3", "0"), [NAN, NAN], [0, 1]),
    "a number": ([{"prediction": 12.5}, {"prediction": 300.0}], "regression", (), [12.5, 300.0], [NO_CLASS] * 2),
    "large whole numbers": ([{"prediction": 1200}, {"prediction": 90}], "regression", (), [1200, 90], [NO_CLASS] * 2),
    "a number with bounds": ([{"lower": 1.5, "value": 2.5, "upper": 3.5}], "regression", (), [2.5], [NO_CLASS]),
    "a text": ([{"generated_text": "once"}], "text", (), [NAN], [NO_CLASS]),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_answers_mean_what_they_look_like(model: Model, case: Case) -> None:
    answers, task, classes, scores, predictions = case

    rows = model().answered(*answers)

    assert (rows.task, rows.classes) == (task, classes)
    np.testing.assert_allclose(rows.scores, scores)
    assert rows.predictions.tolist() == list(predictions)


def test_all_probabilities_of_many_classes_are_kept(model: Model) -> None:
    rows = model().answered({"probabilities": [0.2, 0.5, 0.3]})

    assert rows.probabilities is not None
    np.testing.assert_allclose(rows.probabilities, [[0.2, 0.5, 0.3]], rtol=1e-6)


def test_of_very_many_classes_the_top_one_is_kept(model: Model) -> None:
    shares = [1 / 64] * 62 + [1 / 32]
    names = {f"c{at}": share for at, share in enumerate(shares)}

    rows = model().answered({"probabilities": names})

    assert len(rows.classes) == 63 > MOST_CLASSES
    assert rows.probabilities is None
    assert (rows.scores.tolist(), rows.predictions.tolist()) == ([1 / 32], [62])


def test_a_forecast_is_a_row_for_each_step(model: Model) -> None:
    rows = model().answered({"forecast": [1.5, 2.5, 3.5]}, {"forecast": [4.5]})

    assert rows.task == "regression"
    assert rows.scores.tolist() == [1.5, 2.5, 3.5, 4.5]
    assert rows.steps.tolist() == [1, 2, 3, 1]
    assert rows.places.tolist() == [0, 0, 0, 0]


def test_steps_that_are_no_numbers_say_nothing(model: Model, make_exchange: Callable[..., Any]) -> None:
    rows = model().asked([make_exchange({"age": 1.5}, {"forecast": [False, False]})])

    assert rows is None or rows.row_count in {0, 2}


def test_a_forecast_of_moments_and_values_likewise(model: Model) -> None:
    steps = [{"ds": "2024-01-01", "yhat": 5.5}, {"ds": "2024-01-02", "yhat": 6.5}]

    rows = model().answered({"forecast": steps})

    assert (rows.scores.tolist(), rows.steps.tolist()) == ([5.5, 6.5], [1, 2])


def test_of_a_ranking_the_top_items_are_kept(model: Model) -> None:
    rows = model().answered({"items": [f"i{at}" for at in range(30)]}, {"items": ["i1", "x"]})

    assert rows.task == "ranking"
    assert rows.items is not None
    assert rows.items.shape == (2, MOST_ITEMS)
    assert rows.items[1, 0] == rows.items[0, 1]
    assert rows.items[1, 2:].tolist() == [0] * (MOST_ITEMS - 2)


@pytest.mark.parametrize(
    ("task", "answer", "classes"),
    [
        ("binary", {"prediction": 0.7}, ("0", "1")),
        ("regression", {"prediction": 3}, ()),
        ("multiclass", {"prediction": 1}, ("1",)),
    ],
)
def test_what_is_set_goes_before_what_is_guessed(
    model: Model, task: str, answer: object, classes: tuple[str, ...]
) -> None:
    score = "prediction" if task == "binary" else ""

    rows = model(task=task, score=score).answered(answer)

    assert (rows.task, rows.classes) == (task, classes)


def test_the_score_that_is_set_is_the_score(model: Model) -> None:
    assert model(score="risk").answered({"probability": 0.9, "risk": 0.2}).scores.tolist() == [0.2]
    assert model(score="second[1]").answered({"first": [0.1, 0.9], "second": [0.4, 0.6]}).scores.tolist() == [0.6]


def reference(task: Task, classes: tuple[str, ...], *, score: str = "", prediction: str = "") -> PerformanceReference:
    nothing = np.zeros(0)
    return PerformanceReference(
        task,
        classes,
        "y",
        score,
        prediction,
        0,
        nothing,
        np.zeros(0, np.int32),
        nothing,
        (),
    )


def test_the_reference_names_the_classes(model: Model) -> None:
    known = reference("binary", ("stays", "leaves"), prediction="prediction")

    rows = model(performance=lambda _: known).answered(
        {"prediction": "leaves", "p": 0.4}, {"prediction": "stays", "p": 0.2}, {"prediction": "other", "p": 0.3}
    )

    assert rows.classes == ("stays", "leaves")
    assert rows.predictions.tolist() == [1, 0, NO_CLASS]
    assert rows.scores.tolist() == [0.4, 0.2, 0.3]


def test_a_reference_that_is_about_another_model_of_the_app_names_nothing(model: Model) -> None:
    known = reference("binary", ("stays", "leaves"), prediction="prediction")

    rows = model(performance=lambda _: known, is_about=lambda _: False).answered({"price": 120.5}, {"price": 90.25})

    assert (rows.task, rows.scores.tolist()) == ("regression", [120.5, 90.25])


@pytest.mark.parametrize("classes", [("0", "1"), ("false", "true"), ("stays", "leaves")])
@pytest.mark.parametrize(
    ("positive", "negative"),
    [(True, False), (1, 0), (1.0, 0.0), ("true", "false"), ("True", "FALSE"), ("1", "0"), (" true ", "false")],
)
def test_either_of_two_classes_may_be_answered_as_labels_may_name_it(
    model: Model, classes: tuple[str, str], positive: object, negative: object
) -> None:
    known = reference("binary", classes, score="probability")
    watched = model(performance=lambda _: known)

    for _ in range(2):
        rows = watched.answered(
            {"probability": 0.9, "label": positive}, {"probability": 0.2, "label": negative}, {"probability": 0.4}
        )
        assert (rows.task, rows.classes, rows.predictions.tolist()) == ("binary", classes, [1, 0, NO_CLASS])
        assert rows.scores.tolist() == [0.9, 0.2, 0.4]


def test_words_that_labels_would_not_know_name_no_class(model: Model) -> None:
    known = reference("binary", ("stays", "leaves"), prediction="prediction")

    rows = model(performance=lambda _: known).answered(
        {"prediction": "yes"}, {"prediction": 2}, {"prediction": "leaves"}
    )

    assert rows.predictions.tolist() == [1]


def test_probabilities_stand_in_the_order_of_the_classes_of_the_reference(model: Model) -> None:
    known = reference("multiclass", ("c", "a", "b"))

    rows = model(performance=lambda _: known).answered({"probabilities": {"a": 0.2, "b": 0.5, "c": 0.3}})

    assert rows.predictions.tolist() == [2]
    np.testing.assert_allclose(rows.probabilities, [[0.3, 0.2, 0.5]], rtol=1e-6)


def test_numbered_probabilities_are_those_of_the_classes_of_the_reference(model: Model) -> None:
    known = reference("multiclass", ("c", "a", "b"))

    rows = model(performance=lambda _: known).answered({"probabilities": [0.2, 0.5, 0.3]})

    assert (rows.classes, rows.predictions.tolist()) == (("c", "a", "b"), [1])


def test_classes_that_come_later_join_behind_the_others(model: Model) -> None:
    watched = model()
    watched.answered({"label": "b"}, {"label": "a"})

    rows = watched.answered({"label": "c"}, {"label": "a"})

    assert (rows.classes, rows.predictions.tolist()) == (("b", "a", "c"), [2, 1])


def test_what_looked_like_two_classes_may_be_many(model: Model) -> None:
    watched = model()
    assert watched.answered({"prediction": 0}).task == "binary"

    rows = watched.answered({"prediction": 2}, {"prediction": 0})

    assert (rows.task, rows.classes) == ("multiclass", ("2", "0"))


def test_what_looked_like_classes_may_be_numbers(model: Model) -> None:
    watched = model()
    assert watched.answered({"prediction": 0}).task == "binary"

    assert watched.answered({"prediction": 2.5}).task == "regression"


@pytest.mark.parametrize("later", [7.5, 400, -3], ids=["a fraction", "a large one", "a negative one"])
def test_what_looked_like_the_number_of_a_class_may_be_a_number(model: Model, later: float) -> None:
    watched = model()
    assert watched.answered({"prediction": 7}).task == "multiclass"

    rows = watched.answered({"prediction": later}, {"prediction": 7})

    assert (rows.task, rows.scores.tolist()) == ("regression", [later, 7])


def test_the_task_that_is_set_stays(model: Model) -> None:
    assert model(task="multiclass").answered({"prediction": 400}, {"prediction": -1}).classes == ("400", "-1")
    rows = model(task="binary").answered({"prediction": 2}, {"prediction": 1})
    assert (rows.classes, rows.predictions.tolist()) == (("1", "2"), [1, 0])


def test_the_other_of_two_classes_may_come_later(model: Model) -> None:
    watched = model(task="binary")
    assert watched.answered({"label": "ham", "score": 0.2}).classes == ("ham", "")

    rows = watched.answered({"label": "spam", "score": 0.9}, {"label": "ham", "score": 0.3})

    assert (rows.classes, rows.predictions.tolist()) == (("ham", "spam"), [1, 0])


def test_a_score_that_is_never_below_half_beside_the_negative_class_is_that_of_the_class(model: Model) -> None:
    watched = model()
    watched.answered(*[{"prediction": 0, "probability": 0.6 + at / 100} for at in range(25)])

    rows = watched.answered({"prediction": 0, "probability": 0.9}, {"prediction": 1, "probability": 0.8})

    np.testing.assert_allclose(rows.scores, [0.1, 0.8])


def test_a_cautious_threshold_leaves_scores_as_they_are(model: Model) -> None:
    watched = model()
    watched.answered(*[{"prediction": 0, "probability": at / 30} for at in range(27)])

    rows = watched.answered({"prediction": 0, "probability": 0.85})

    assert rows.scores.tolist() == [0.85]


def test_an_answer_without_a_class_is_of_none_also_while_the_other_class_is_unknown(model: Model) -> None:
    rows = model(task="binary").answered({"label": "ham", "score": 0.2}, {"label": None, "score": 0.4})

    assert (rows.classes, rows.predictions.tolist()) == (("ham", ""), [0, NO_CLASS])


def test_another_column_decides_anew_and_one_that_is_missing_does_not(model: Model) -> None:
    watched = model()
    watched.answered({"p": 0.2, "label": True})
    assert watched.answered({"p": 0.2, "label": True, "explanation": "long"}).task == "binary"

    rows = watched.answered({"price": 12.5})

    assert (rows.task, rows.scores.tolist()) == ("regression", [12.5])


def test_what_was_decided_is_told_once_and_without_a_value(model: Model, caplog: pytest.LogCaptureFixture) -> None:
    watched = model()

    with caplog.at_level(logging.INFO, "dashlight"):
        for _ in range(3):
            watched.answered({"label": "secret", "score": 0.123})

    (line,) = caplog.messages
    assert "multiclass" in line
    assert "score in score" in line
    assert "secret" not in line
    assert "0.123" not in line


def test_shapes_without_end_are_not_remembered(
    model: Model, make_exchange: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    watched = model()

    with caplog.at_level(logging.INFO, "dashlight"):
        for at in range(50):
            watched.asked([make_exchange({"age": 1.5}, {f"out{at}": 1.5 + at})])

    assert len(caplog.messages) <= 8
    assert watched.scorer.troubles["not_understood"] == 50 - len(caplog.messages)


def test_answers_without_anything_to_score_wait_for_nothing(model: Model, make_exchange: Callable[..., Any]) -> None:
    assert model().asked([make_exchange({"age": 1.5}, {"embedding": [0.1] * 40})]) is None
