from __future__ import annotations

from collections.abc import Sequence

import pytest

from dashlight.labels.ids import item_of
from dashlight.labels.label import LabelValue
from dashlight.labels.rows import NO_CLASS, Task
from dashlight.labels.truth import truth_of
from dashlight.privacy.hashing import HashKey

KEY = HashKey(b"k" * 32)
ITEMS = [item_of("41", KEY), item_of("42", KEY)]


@pytest.mark.parametrize(
    ("value", "task", "classes", "truth"),
    [
        ("1.0", "binary", ("0", "1"), 1.0),
        ("0.0", "binary", ("0", "1"), 0.0),
        ("-1.0", "binary", ("-1", "1"), 0.0),
        ("1.0", "binary", ("no", "yes"), 1.0),
        ("0.00", "binary", ("false", "true"), 0.0),
        (1, "binary", ("0.0", "1.0"), 1.0),
        ("2.0", "multiclass", ("0", "1", "2"), 2.0),
        (2, "multiclass", ("0.0", "1.0", "2.0"), 2.0),
        ("1.0", "multiclass", ("1", "1.0"), 1.0),
        (True, "multiclass", ("False", "True"), 1.0),
        ("FALSE", "binary", ("false", "true"), 0.0),
        ("41.0", "ranking", (), 1.0),
        ("43.0", "ranking", (), 0.0),
    ],
)
def test_whole_numbers_and_truth_values_may_be_written_otherwise(
    value: LabelValue, task: Task, classes: Sequence[str], truth: float
) -> None:
    assert truth_of(value, task, classes, ITEMS, KEY) == truth


@pytest.mark.parametrize(
    ("value", "classes"),
    [("01", ("1", "2")), ("1.5", ("1", "2")), ("1e0", ("1", "2")), ("v1.0", ("v1", "v2")), (".0", ("", "x"))],
)
def test_what_only_looks_like_a_class_is_another(value: LabelValue, classes: Sequence[str]) -> None:
    assert truth_of(value, "multiclass", classes, None, KEY) in {NO_CLASS, None}


@pytest.mark.parametrize(
    ("value", "classes"),
    [
        (1, ("yes", "no")),
        ("1.0", ("yes", "no")),
        (0.5, ("cat", "dog", "cow")),
        ("cat", ("0", "1", "2")),
        (True, ("0", "1", "2")),
        (False, ("yes", "no")),
        ("TRUE", ("yes", "no")),
        ("yes", ("true", "false")),
        ("NaN", ("0", "1", "2")),
    ],
)
def test_a_number_is_no_label_where_classes_are_words_nor_a_word_where_they_are_numbers(
    value: LabelValue, classes: Sequence[str]
) -> None:
    assert truth_of(value, "multiclass", classes, None, KEY) is None


@pytest.mark.parametrize(
    ("value", "classes"),
    [("pig", ("cat", "dog")), (7, ("0", "1")), ("pig", ("cat", "1")), (7, ("cat", "1")), ("pig", ()), (7, ("",))],
)
def test_a_class_that_was_never_predicted_is_a_label(value: LabelValue, classes: Sequence[str]) -> None:
    assert truth_of(value, "multiclass", classes, None, KEY) == NO_CLASS


@pytest.mark.parametrize("value", ["1_000", "\u0661\u0662", "", "nan", "-inf", "1e400", "0x10"])
def test_what_python_alone_takes_for_a_number_is_none(value: str) -> None:
    assert truth_of(value, "regression", (), None, KEY) is None


@pytest.mark.parametrize(("value", "number"), [(" 12.5 ", 12.5), ("1e3", 1000.0), (7, 7.0), ("-0.5", -0.5)])
def test_numbers_may_be_spelled_out(value: LabelValue, number: float) -> None:
    assert truth_of(value, "regression", (), None, KEY) == number
