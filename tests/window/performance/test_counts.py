"""Counts of labelled rows add up in any order, in bounded memory, and survive being written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashlight.labels.rows import LabelledRows, Task
from dashlight.store.layout import Layout
from dashlight.window.performance.classified import Classified
from dashlight.window.performance.counts import Grades, PerformanceCounts, counted, no_counts
from dashlight.window.performance.error_cells import MOST_ERROR_CELLS, errors_of, joined_errors
from dashlight.window.performance.numeric import Numeric
from dashlight.window.performance.score_cells import MOST_CELLS, cells_of, joined_cells

Rows = Callable[..., LabelledRows]
LAYOUT: Layout[PerformanceCounts] = Layout("counts", 1, PerformanceCounts)
TASKS: tuple[tuple[Task, tuple[str, ...]], ...] = (
    ("binary", ("no", "yes")), ("multiclass", ("a", "b", "c")), ("regression", ()), ("ranking", ()), ("text", ()),
)  # fmt: skip


def rows_of(task: Task, classes: tuple[str, ...], count: int, seed: int) -> LabelledRows:
    rng = np.random.default_rng(seed)
    top = max(len(classes), 2)
    labels = rng.normal(0, 3, count).round(2) if task == "regression" else rng.integers(0, top, count).astype(float)
    told = rng.dirichlet(np.ones(3), count).astype(np.float32) if task == "multiclass" else None
    return LabelledRows(
        ("", "", ""), task, classes, np.zeros(count), np.ones(count), rng.random(count),
        rng.integers(0, top, count).astype(np.int32), labels, rng.integers(0, 4, count).astype(np.int32),
        rng.random(count) < 0.5, told,
    )  # fmt: skip


def plain(value: Any) -> Any:
    """All numbers of *value*, floats to nine digits: sums are right to rounding."""
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return tuple(map(plain, cast("tuple[object, ...]", value)))
    if hasattr(value, "__dataclass_fields__"):
        return tuple(plain(getattr(value, name)) for name in value.__dataclass_fields__)
    return pytest.approx(value, rel=1e-9, abs=1e-9) if isinstance(value, float) else value


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(TASKS), st.lists(st.integers(0, 60), min_size=3, max_size=3), st.integers(0, 1000))
def test_sums_do_not_depend_on_the_order(task: tuple[Task, tuple[str, ...]], sizes: list[int], seed: int) -> None:
    one, two, three = (counted(rows_of(*task, size, seed + place)) for place, size in enumerate(sizes))

    assert plain((one + two) + three) == plain(one + (two + three))
    assert plain(one + two) == plain(two + one)
    assert plain(one + no_counts(*task)) == plain(one)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, 3000), min_size=3, max_size=3), st.integers(0, 1000))
def test_error_cells_do_not_depend_on_the_order_however_many_they_are(sizes: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    one, two, three = (errors_of(rng.choice([-1, 1], size) * 10 ** rng.uniform(-60, 60, size)) for size in sizes)

    assert plain((one + two) + three) == plain(one + (two + three)) == plain(joined_errors([three, one, two]))


def test_error_cells_are_bounded_and_say_how_far_off_they_are() -> None:
    rng = np.random.default_rng(3)
    wide = rng.choice([-1, 1], 50_000) * 10 ** rng.uniform(-60, 60, 50_000)

    cells = errors_of(wide)

    assert cells.codes.size <= MOST_ERROR_CELLS
    assert cells.relative_error > 0.01
    for share in (0.01, 0.3, 0.5, 0.8, 0.99):
        expected = np.quantile(wide, share, method="lower")
        assert cells.quantile(share) == pytest.approx(expected, rel=cells.relative_error)
        sizes = np.quantile(np.abs(wide), share, method="lower")
        assert cells.magnitudes().quantile(share) == pytest.approx(sizes, rel=cells.relative_error)


@pytest.mark.parametrize("share", [0.0, 0.25, 0.5, 0.999, 1.0])
def test_a_quantile_is_within_one_in_a_hundred(share: float) -> None:
    numbers = np.random.default_rng(4).normal(0, 1e-4, 9_999)

    expected = np.quantile(numbers, share, method="lower")
    assert errors_of(numbers).quantile(share) == pytest.approx(expected, rel=0.01)


def test_zeros_are_zero() -> None:
    assert errors_of(np.array([0.0, -0.0, 1e-200, 5.0])).quantile(0.5) == 0


def test_score_cells_are_bounded_and_keep_what_many_share() -> None:
    rng = np.random.default_rng(3)
    scores = np.where(rng.random(50_000) < 0.5, 0.25, rng.random(50_000))

    cells = cells_of(scores, rng.random(50_000) < 0.3)

    assert cells.scores.size <= 2 * MOST_CELLS
    place = int(np.flatnonzero(cells.scores == 0.25)[0])
    shared = int(cells.negatives[place] + cells.positives[place])
    assert abs(shared - np.count_nonzero(scores == 0.25)) <= 50_000 * 2 / MOST_CELLS
    assert cells.count == 50_000


def test_up_to_twice_as_many_scores_all_are_kept() -> None:
    scores = np.arange(2 * MOST_CELLS) / 7
    halves = [cells_of(scores[part::2], scores[part::2] > 3) for part in (0, 1)]

    assert joined_cells(halves).scores.tolist() == scores.tolist()


@pytest.mark.parametrize(("task", "classes"), TASKS, ids=[task for task, _ in TASKS])
def test_what_was_written_is_what_is_read(task: Task, classes: tuple[str, ...]) -> None:
    counts = counted(rows_of(task, classes, 500, 1))

    read = LAYOUT.thaw(bytearray(b"".join(LAYOUT.freeze(counts)))).checked()

    assert plain(read) == plain(counts)
    assert plain(read + counts) == plain(counts + counts)


@pytest.mark.parametrize(("task", "classes"), TASKS, ids=[task for task, _ in TASKS])
def test_counts_are_bounded(task: Task, classes: tuple[str, ...]) -> None:
    counts = no_counts(task, classes)
    for seed in range(10):
        counts = counts + counted(rows_of(task, classes, 20_000, seed))

    assert counts.bytes < 80_000
    assert counts.without_cells().bytes < 10_000
    assert counts.without_cells().rows == counts.rows == 200_000


def test_counts_of_other_classes_are_not_added() -> None:
    with pytest.raises(ValueError, match="expected one task and the same classes"):
        _ = no_counts("binary", ("no", "yes")) + no_counts("binary", ("yes", "no"))


@pytest.mark.parametrize("missing", ["one", "other", "both"])
def test_one_who_gave_too_many_grades_has_no_shares_whoever_is_added(missing: str) -> None:
    few, many = (np.arange(count, dtype=float) for count in (3, 100))
    rows = [rows_of("text", (), 3, 0), rows_of("text", (), 100, 0)]
    one, other = (counted(replace(each, labels=labels)) for each, labels in zip(rows, (few, many), strict=True))

    total = {"one": one + other, "other": other + one, "both": other + other}[missing]

    assert total.grades is not None
    assert (total.grades.values.size, total.grades.count) == (0, 200 if missing == "both" else 103)


def spoiled(counts: PerformanceCounts, part: str, **fields: Any) -> PerformanceCounts:
    return replace(counts, **{part: replace(getattr(counts, part), **fields)})


def wrong() -> dict[str, PerformanceCounts]:
    """What no rows lead to, by what is wrong."""
    two, many, numbers, ranking, text = (counted(rows_of(*task, 50, 0)) for task in TASKS)
    assert two.classified is not None
    assert many.classified is not None
    assert numbers.numeric is not None
    assert text.grades is not None
    cells, errors = two.classified.cells, numbers.numeric.errors
    return {
        "rows below 0": replace(two, rows=-1),
        "more implied than rows": replace(two, implied=51),
        "counts of another task": replace(two, numeric=numbers.numeric),
        "counts that are missing": replace(two, classified=None),
        "a confusion of another shape": spoiled(two, "classified", confusion=many.classified.confusion),
        "a confusion of other rows": spoiled(two, "classified", confusion=two.classified.confusion * 2),
        "a NaN among sums": spoiled(two, "classified", sums=two.classified.sums * np.nan),
        "more right than predicted": spoiled(two, "classified", tallies=two.classified.tallies[:, [1, 0, 2, 3, 4, 5]]),
        "too many cells": spoiled(two, "classified", cells=replace(cells, most=1)),
        "cells that do not ascend": spoiled(two, "classified", cells=replace(cells, scores=cells.scores[::-1])),
        "negative cells": spoiled(two, "classified", cells=replace(cells, positives=-cells.positives)),
        "too few curves": spoiled(many, "classified", one_vs_rest=many.classified.one_vs_rest[:1]),
        "sums of errors below 0": spoiled(numbers, "numeric", steps=-numbers.numeric.steps),
        "sums of another width": spoiled(numbers, "numeric", steps=numbers.numeric.steps[:, :3]),
        "error cells that do not ascend": spoiled(numbers, "numeric", errors=replace(errors, codes=errors.codes[::-1])),
        "an impossible level": spoiled(numbers, "numeric", errors=replace(errors, level=99)),
        "empty error cells": spoiled(numbers, "numeric", errors=replace(errors, counts=errors.counts * 0)),
        "squares below 0": spoiled(numbers, "numeric", labels=replace(numbers.numeric.labels, squares=-1.0)),
        "places of another number": replace(ranking, places=np.zeros(3, np.int64)),
        "grades of other rows": spoiled(text, "grades", count=7),
        "grades that do not ascend": spoiled(text, "grades", values=text.grades.values[::-1]),
        "an infinite sum": spoiled(text, "grades", total=float("inf")),
    }


@pytest.mark.parametrize("name", wrong())
def test_what_no_rows_lead_to_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"expected|of|do not|than|below"):
        wrong()[name].checked()


def test_more_classes_than_are_kept_are_one_other_and_right_ones_stay_right() -> None:
    labels = np.arange(40)
    rows = replace(
        rows_of("multiclass", tuple(map(str, range(40))), 40, 0), labels=labels.astype(float), probabilities=None
    )
    rows = replace(rows, predictions=np.where(labels == 39, 38, labels).astype(np.int32))

    found = counted(rows).classified

    assert isinstance(found, Classified)
    assert found.confusion.shape == (1, 33, 33)
    assert found.confusion[0, 32, 32] == 8
    assert found.tallies[:, 1].sum() == 39


def test_forecasts_of_more_steps_are_one_rest() -> None:
    rows = replace(rows_of("regression", (), 3, 0), steps=np.array([64, 65, 2_000_000], np.int32))

    found = counted(rows).numeric

    assert isinstance(found, Numeric)
    assert found.steps[:, 0].nonzero()[0].tolist() == [64, 65]
    assert isinstance(counted(rows_of("text", (), 3, 0)).grades, Grades)
