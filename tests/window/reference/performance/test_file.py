import base64
import json
import zlib
from collections.abc import Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from dashlight.errors import ReferenceDataError
from dashlight.labels.rows import NO_CLASS
from dashlight.window.performance_reference import PerformanceReference
from dashlight.window.reference.build import build_reference
from dashlight.window.reference.file import dump, load, with_version
from dashlight.window.reference.performance.file import parsed_performance, performance_content
from dashlight.window.reference.performance.labelled_training import KnownTask, LabelledTraining
from dashlight.window.reference.performance.made import performance_reference
from dashlight.window.tables import table_of_columns

ROWS = 400
TASKS: tuple[KnownTask, ...] = ("binary", "multiclass", "regression")


def training(task: KnownTask) -> LabelledTraining:
    rng = np.random.default_rng(2)
    labels = rng.integers(0, 2, ROWS).astype(np.float64)
    labels[::9] = np.nan
    scores = np.where(rng.random(ROWS) < 0.1, np.nan, rng.random(ROWS) ** 3)
    predictions = np.where(rng.random(ROWS) < 0.1, NO_CLASS, rng.integers(0, 2, ROWS)).astype(np.int32)
    classes = {"binary": ("no", "yes"), "multiclass": ("no", "yes", "é"), "regression": ()}[task]
    if task == "regression":
        predictions = np.full(ROWS, NO_CLASS, np.int32)
    return LabelledTraining(task, classes, "y", "p", "c", scores, predictions, labels)


def performance(task: KnownTask) -> PerformanceReference:
    return performance_reference(training(task), np.arange(0, ROWS, 2), np.random.default_rng(1))


def same(one: object, other: object) -> bool:
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if is_dataclass(one) and is_dataclass(other):
        return all(same(getattr(one, of.name), getattr(other, of.name)) for of in fields(one))
    return one == other


def packed(numbers: Sequence[float] | NDArray[Any], kind: str = "<f8") -> str:
    return base64.b64encode(zlib.compress(np.array(numbers, kind).tobytes())).decode()


def read_again(content: object) -> PerformanceReference:
    return parsed_performance(json.loads(json.dumps(content)), ROWS // 2)


@pytest.mark.parametrize("task", TASKS)
def test_what_was_written_is_read_again(task: KnownTask) -> None:
    made = performance(task)

    assert same(read_again(performance_content(made)), made)


def test_a_calibration_is_read_again() -> None:
    made = replace(performance("binary"), calibration=(np.array([0.1, 0.5]), np.array([0.0, 1.0])))

    assert same(read_again(performance_content(made)), made)


@pytest.mark.parametrize("task", TASKS)
def test_a_reference_file_holds_it_beside_its_rows(task: KnownTask) -> None:
    table = table_of_columns({"x": np.arange(float(ROWS))})
    built = build_reference(
        lambda: [{"feature": table}], rng=np.random.default_rng(0), created_at=0.0, training=training(task)
    )

    back = load(dump(built))

    assert built.performance is not None
    assert built.performance.task == task
    assert built.performance.scores.tolist() == pytest.approx(training(task).scores.tolist(), nan_ok=True)
    assert same(back.performance, built.performance)
    assert back.version == built.version
    assert dump(back) == dump(built)


def test_a_file_that_knows_nothing_of_performance_is_read() -> None:
    table = table_of_columns({"x": np.arange(float(ROWS))})
    built = build_reference(lambda: [{"feature": table}], rng=np.random.default_rng(0), created_at=0.0)

    assert b'"performance"' not in dump(built)
    assert load(dump(built)).performance is None


def test_performance_without_the_rows_that_it_is_of_is_refused() -> None:
    table = table_of_columns({"x": np.arange(float(ROWS))})
    built = build_reference(
        lambda: [{"feature": table}], rng=np.random.default_rng(0), created_at=0.0, training=training("binary")
    )

    with pytest.raises(ReferenceDataError, match="performance what cannot be"):
        load(dump(with_version(replace(built, sample=None))))


HALF = ROWS // 2


@pytest.mark.parametrize(
    ("task", "changed", "said"),
    [
        ("binary", {"task": "ranking"}, "task"),
        ("binary", {"more": 1}, "more"),
        ("binary", {"rows": -1}, "rows"),
        ("binary", {"rows": 5}, "more rows than the 5"),
        ("binary", {"classes": ["a"]}, "1 classes of a task that is binary"),
        ("binary", {"classes": ["a", "b", "c"]}, "3 classes of a task that is binary"),
        ("binary", {"classes": ["a", "a"]}, "a class that occurs twice"),
        ("multiclass", {"classes": [str(each) for each in range(33)]}, "classes"),
        ("multiclass", {"classes": ["a"]}, "1 classes"),
        ("regression", {"classes": ["a", "b"]}, "2 classes of a task that is regression"),
        ("binary", {"scores": "?"}, "scores are an array that cannot be unpacked"),
        ("binary", {"scores": packed([0.5])}, "1 scores beside a sample of 200 rows"),
        ("binary", {"scores": packed(np.zeros(5000))}, "scores are an array of the wrong length"),
        ("binary", {"scores": packed(np.full(HALF, 1.5))}, "a score outside 0 to 1"),
        ("binary", {"scores": packed(np.full(HALF, np.inf))}, "a score outside 0 to 1"),
        ("binary", {"labels": packed(np.full(HALF, 2.0))}, "a label that is none"),
        ("binary", {"labels": packed(np.full(HALF, 0.5))}, "a label that is none"),
        ("binary", {"labels": packed(np.full(HALF, -2.0))}, "a label that is none"),
        ("binary", {"predictions": packed(np.full(HALF, 2), "<i1")}, "a prediction that is none"),
        ("binary", {"predictions": packed(np.full(HALF, -2), "<i1")}, "a prediction that is none"),
        ("regression", {"predictions": packed(np.zeros(HALF), "<i1")}, "a class that is predicted"),
        ("regression", {"scores": packed(np.full(HALF, np.inf))}, "infinite"),
        ("regression", {"labels": packed(np.full(HALF, -np.inf))}, "infinite"),
        ("regression", {"calibration": {"scores": packed([0.5]), "shares": packed([0.5])}}, "a calibration of a task"),
        ("binary", {"calibration": {"scores": packed([]), "shares": packed([])}}, "a calibration of other scores"),
        (
            "binary",
            {"calibration": {"scores": packed([0.5]), "shares": packed([0, 1])}},
            "a calibration of other scores",
        ),
        ("binary", {"calibration": {"scores": packed([0.5, 0.5]), "shares": packed([0, 1])}}, "does not ascend"),
        ("binary", {"calibration": {"scores": packed([0.1, 0.5]), "shares": packed([1, 0])}}, "does not ascend"),
        ("binary", {"calibration": {"scores": packed([0.1, 5]), "shares": packed([0, 1])}}, "outside 0 to 1"),
        ("binary", {"calibration": {"scores": packed([0, 1]), "shares": packed([0, np.nan])}}, "outside 0 to 1"),
        ("multiclass", {"losses": [{"name": "none"}]}, "losses"),
    ],
)
def test_what_cannot_be_is_refused(task: KnownTask, changed: dict[str, object], said: str) -> None:
    with pytest.raises(ReferenceDataError, match=f"performance what cannot be.*{said}"):
        read_again(performance_content(performance(task)) | changed)


@pytest.mark.parametrize(
    ("task", "changed", "said"),
    [
        ("binary", {"name": "absolute_error"}, "losses that a task that is binary has not"),
        ("binary", {"name": "squared_error"}, "or one of them twice"),
        ("binary", {"scale": 2.0}, "a scale of the error of 2"),
        ("regression", {"scale": 0.0}, "a scale of the absolute_error of 0"),
        ("regression", {"scale": -1.0}, "a scale"),
        ("binary", {"edges": [0.5, 0.5], "rows": [1, 1, 1], "sums": [0, 0, 0], "squares": [0, 0, 0]}, "do not ascend"),
        ("binary", {"edges": [0.5]}, "other bins than its 1 edges"),
        ("binary", {"rows": [5]}, "other bins"),
        ("binary", {"edges": [each / 200 for each in range(120)]}, "edges"),
        ("binary", {"edges": [], "rows": [2], "sums": [3.0], "squares": [1.0]}, "more error than rows"),
        ("binary", {"edges": [], "rows": [2], "sums": [1.0], "squares": [1.5]}, "more error than rows"),
        ("binary", {"edges": [], "rows": [2], "sums": [-1.0], "squares": [0.0]}, "more error than rows"),
        ("binary", {"edges": [], "rows": [2], "sums": [1.0], "squares": [-1.0]}, "more error than rows"),
        ("binary", {"edges": [], "rows": [-2], "sums": [0.0], "squares": [0.0]}, "rows"),
    ],
)
def test_losses_that_cannot_be_are_refused(task: KnownTask, changed: dict[str, object], said: str) -> None:
    content: dict[str, Any] = performance_content(performance(task))
    first, *others = content["losses"]

    with pytest.raises(ReferenceDataError, match=f"performance what cannot be.*{said}"):
        read_again(content | {"losses": [first | changed, *others]})
