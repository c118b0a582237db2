from collections.abc import Sequence

import numpy as np
import pytest

from dashlight.errors import ReferenceDataError
from dashlight.records import Cell
from dashlight.window.reference.performance.labelled_training import LabelledTraining, labelled_training
from dashlight.window.reference.performance.told_values import ToldColumn, ToldValues


def told(**columns: Sequence[Cell]) -> dict[str, ToldValues]:
    found: dict[str, ToldValues] = {}
    for name, cells in columns.items():
        column = ToldColumn()
        column.add(list(cells))
        found[name] = column.values()
    return found


def listed(training: LabelledTraining) -> tuple[list[float], list[int], list[float]]:
    return (training.scores.tolist(), training.predictions.tolist(), training.labels.tolist())


def test_two_labels_are_a_binary_task() -> None:
    columns = told(y=[1, 0, 1, None], p=[0.9, 0.2, 0.4, 0.7], c=[1, 0, 0, 1])

    made = labelled_training("y", columns, score="p", predictions=["p", "c"])

    assert (made.task, made.classes) == ("binary", ("0", "1"))
    assert (made.label, made.score, made.prediction) == ("y", "p", "c")
    assert listed(made)[:2] == ([0.9, 0.2, 0.4, 0.7], [1, 0, 0, 1])
    assert listed(made)[2] == pytest.approx([1, 0, 1, np.nan], nan_ok=True)
    assert made.notes == ()


def test_without_a_prediction_a_score_of_one_half_predicts_the_positive_class() -> None:
    made = labelled_training("y", told(y=[1, 0, 1], p=[0.5, 0.49, None]), score="p")

    assert made.predictions.tolist() == [1, 0, -1]
    assert made.prediction == ""


def test_without_a_score_the_probability_among_the_predictions_is_it() -> None:
    columns = told(y=[1, 0, 1], c=[1, 0, 0], p=[0.9, 0.2, 0.4])

    made = labelled_training("y", columns, predictions=["c", "p"])

    assert (made.score, made.prediction) == ("p", "c")


def test_classes_alone_are_enough_for_errors() -> None:
    made = labelled_training("y", told(y=["no", "yes", "yes"], c=["no", "yes", "no"]), predictions=["c"])

    assert made.classes == ("no", "yes")
    assert made.score == ""
    assert np.isnan(made.scores).all()
    assert made.predictions.tolist() == [0, 1, 0]


@pytest.mark.parametrize(
    ("labels", "scores", "positive", "classes"),
    [
        ([True, False, True], [0.1, 0.9, 0.2], "", ("false", "true")),
        ([1, 0, 1], [0.1, 0.9, 0.2], "", ("0", "1")),
        (["Yes", "No", "Yes"], [0.1, 0.9, 0.2], "", ("No", "Yes")),
        ([1, 2, 1], [0.1, 0.9, 0.2], "", ("1", "2")),
        (["good", "bad", "good"], [0.1, 0.9, 0.2], "", ("good", "bad")),
        (["good", "bad", "good"], [0.9, 0.1, 0.2], "", ("bad", "good")),
        (["good", "bad", "good"], [0.9, 0.1, 0.2], "bad", ("good", "bad")),
        (["good", "bad", "good"], [0.9, 0.1, 0.2], " BAD", ("good", "bad")),
        (["good", "bad", "good"], [None, 0.1, None], "", ("bad", "good")),
        ([1, 2, 1], [None, 0.1, None], "", ("2", "1")),
        ([0, 1, 1], [0.9, 0.1, 0.2], "0", ("1", "0")),
    ],
)
def test_the_positive_class_is_last(
    labels: list[Cell], scores: list[Cell], positive: str, classes: tuple[str, str]
) -> None:
    made = labelled_training("y", told(y=labels, p=scores), score="p", positive=positive)

    assert made.classes == classes


def test_a_few_texts_are_classes() -> None:
    columns = told(y=["UA", "DL", "AA", None], c=["UA", "DL", "B6", "AA"], p=[0.9, 0.5, 0.6, 0.7])

    made = labelled_training("y", columns, score="p", predictions=["c"])

    assert made.task == "multiclass"
    assert made.classes == ("AA", "DL", "UA", "B6")
    assert made.predictions.tolist() == [2, 1, 3, 0]
    assert made.labels.tolist() == pytest.approx([2, 1, 0, np.nan], nan_ok=True)


def test_whole_numbers_that_are_predicted_as_such_are_classes() -> None:
    made = labelled_training("y", told(y=[3, 1, 2, 10], c=[3, 1, 1, 2]), predictions=["c"])

    assert (made.task, made.classes) == ("multiclass", ("1", "2", "3", "10"))


@pytest.mark.parametrize(
    ("labels", "predicted"),
    [([1.5, 2.5, 3.25], [1.0, 2.0, 3.0]), ([1, 2, 3], [1.2, 2.1, 2.8]), (range(40), range(40))],
    ids=["fractions", "whole numbers predicted by fractions", "many whole numbers"],
)
def test_anything_else_is_a_number(labels: Sequence[Cell], predicted: Sequence[Cell]) -> None:
    made = labelled_training("y", told(y=labels, p=predicted), predictions=["p"])

    assert (made.task, made.classes, made.score, made.prediction) == ("regression", (), "p", "p")
    assert made.scores.tolist() == list(predicted)
    assert made.labels.tolist() == list(labels)
    assert set(made.predictions.tolist()) == {-1}


def test_the_task_can_be_said() -> None:
    columns = told(y=[1, 2, 3], p=[1, 2, 2])

    assert labelled_training("y", columns, predictions=["p"]).task == "multiclass"
    assert labelled_training("y", columns, predictions=["p"], task="regression").task == "regression"


def test_predictions_that_are_no_label_are_told() -> None:
    made = labelled_training("y", told(y=[1, 0, 1], c=[1, 7, 0], p=[0.1, 0.2, 0.3]), score="p", predictions=["c"])

    assert made.predictions.tolist() == [1, -1, 0]
    assert made.notes == ("Rows left out, whose prediction in column 'c' is no label of column 'y': 1 of 3.",)


@pytest.mark.parametrize(
    ("columns", "options", "said"),
    [
        (told(y=[None, None], p=[0.1, 0.2]), {}, "no value in column 'y'"),
        (told(y=[1, 1, None], p=[0.1, 0.2, 0.3]), {}, "the same label, '1'"),
        (told(y=[1, 0], p=["a", "b"]), {}, "no numbers in column 'p'"),
        (told(y=[1, 0], p=[0.1, 1.2]), {}, "outside 0 to 1 in column 'p' .--score., from 0.1 to 1.2"),
        (told(y=[1, 0], p=[0.1, 0.2]), {"positive": "yes"}, "no label 'yes' .--positive.: the labels are '0', '1'"),
        (told(y=[1.5, 2.5, 3.5], p=[1, 2, 3]), {"positive": "1"}, "cannot have a positive class"),
        (told(y=["a", "b", "c"], p=[0.1, 0.2, 0.3]), {}, "no predictions to compare column 'y'"),
        (told(y=["a", "b", "c"], p=[0.1, 0.2, 0.3]), {"task": "binary"}, "more than two different labels"),
        (told(y=["a", "b", "c"], p=[0.1, 0.2, 0.3]), {"task": "regression"}, "has texts in column 'y'"),
        (
            told(y=[f"c{n}" for n in range(40)], p=[0.5] * 40),
            {},
            "more than 32 different labels.*'c0', 'c1', 'c10' and more",
        ),
    ],
)
def test_what_cannot_be_is_refused(columns: dict[str, ToldValues], options: dict[str, str], said: str) -> None:
    with pytest.raises(ReferenceDataError, match=said):
        labelled_training("y", columns, score="p", **options)  # type: ignore[arg-type]  # of several types


def test_a_regression_without_predicted_numbers_is_refused() -> None:
    with pytest.raises(ReferenceDataError, match="no column of predicted numbers"):
        labelled_training("y", told(y=[1.5, 2.5, 3.5], c=["a", "b", "c"]), predictions=["c"])


def test_rows_that_were_not_read_are_not_known() -> None:
    made = labelled_training("y", told(y=[1, 0, 1], p=[0.9, 0.2, 0.4]), score="p")

    taken = made.taken(np.array([True, False, True, True, False]))

    assert taken.scores.tolist() == pytest.approx([0.9, 0.4, np.nan], nan_ok=True)
    assert taken.predictions.tolist() == [1, 0, -1]
    assert taken.labels.tolist() == pytest.approx([1, 1, np.nan], nan_ok=True)
