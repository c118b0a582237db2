"""Somebody's own metrics: what goes wrong in one costs that figure alone, and what it costs is counted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dashlight.labels.rows import LabelledRows
from dashlight.store.layout import Layout
from dashlight.window.performance.newest_rows import MOST_NEWEST, NewestRows, NewestRowsState
from dashlight.window.performance.own_measures import OwnMeasures

Rows = Callable[..., LabelledRows]
LAYOUT: Layout[NewestRowsState] = Layout("newest", 1, NewestRowsState)


def two(*_: Any) -> float:
    return 2


class Cpu:
    """A clock of CPU time that metrics set forward."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def newest(labelled: Rows) -> NewestRows:
    found = NewestRows()
    found.add(labelled("binary", [1, 0, np.nan, 1], [0.9, np.nan, 0.5, 0.4], [1, 0, 1, 0]))
    return found


def test_a_metric_gets_labels_predictions_and_scores_of_the_rows_with_a_label(newest: NewestRows) -> None:
    seen: list[Any] = []

    def metric(*arrays: Any) -> float:
        seen.extend(each.tolist() for each in arrays)
        arrays[0][:] = 7  # copies: what it does to them does no harm
        return 1.0

    (figure,) = OwnMeasures({"mine": metric}, Cpu()).figures("fraud", newest, 0.0)

    assert seen[:2] == [[1, 0, 1], [1, 0, 0]]
    assert (figure.value, figure.rows) == (1.0, 3)
    assert newest.arrays()[0].tolist() == [1, 0, 1]


@pytest.mark.parametrize(
    "result", [float("nan"), float("inf"), "many", None, RuntimeError("secret 4711"), SystemExit(2)]
)
def test_what_goes_wrong_in_one_costs_its_figure_alone_and_is_told_once(newest: NewestRows, result: Any) -> None:
    def bad(*_: Any) -> Any:
        if isinstance(result, BaseException):
            raise result
        return result

    own = OwnMeasures({"bad": bad, "good": two}, Cpu())

    found = [own.figures("fraud", newest, at) for at in (0.0, 100.0)]

    assert [[figure.name for figure in figures] for figures in found] == [["good"], ["good"]]
    (told,) = own.news()
    assert "bad" in told
    assert "4711" not in told
    assert own.news() == []
    assert own.mistakes == {"bad": 2}


def test_a_figure_stays_until_its_metric_may_be_called_again(newest: NewestRows, labelled: Rows) -> None:
    cpu, calls = Cpu(), 0

    def costly(*_: Any) -> float:
        nonlocal calls
        calls += 1
        cpu.seconds += 1.0
        return calls

    own = OwnMeasures({"costly": costly}, cpu)
    found = [[figure.value for figure in own.figures("fraud", newest, at)] for at in (0.0, 60.0, 199.0, 200.0)]

    assert found == [[1.0], [1.0], [1.0], [2.0]]


def test_two_models_are_called_half_as_often(newest: NewestRows) -> None:
    cpu, calls = Cpu(), 0

    def costly(*_: Any) -> float:
        nonlocal calls
        calls += 1
        cpu.seconds += 1.0
        return calls

    own = OwnMeasures({"costly": costly}, cpu)
    for at in range(0, 100_000, 50):
        for model in ("one", "two"):
            own.figures(model, newest, float(at))

    assert cpu.seconds / 100_000 < 0.006


def test_a_metric_that_took_too_long_is_off(newest: NewestRows) -> None:
    cpu = Cpu()

    def slow(*_: Any) -> float:
        cpu.seconds += 3.0
        return 1.0

    own = OwnMeasures({"slow": slow, "good": two}, cpu)

    assert [figure.name for figure in own.figures("fraud", newest, 0.0)] == ["good"]
    assert own.news() == ["the metric slow took 3.0 s of CPU, more than 2; it is off"]
    assert [figure.name for figure in own.figures("fraud", newest, 1e9)] == ["good"]


def test_a_model_that_is_forgotten_leaves_nothing(newest: NewestRows) -> None:
    own = OwnMeasures({"good": two}, Cpu())
    own.figures("fraud", newest, 0.0)

    own.forget("fraud")

    assert own.figures("fraud", NewestRows(), 0.0) == []


def test_without_a_label_nothing_is_called(labelled: Rows) -> None:
    empty = NewestRows()
    empty.add(labelled("binary", []))

    assert OwnMeasures({"good": two}, Cpu()).figures("fraud", empty, 0.0) == []


def test_only_the_newest_rows_are_kept(labelled: Rows) -> None:
    newest = NewestRows()
    for start in range(0, 12_000, 4_000):
        newest.add(labelled("regression", np.arange(start, start + 4_000), np.zeros(4_000)))

    labels, _, _ = newest.arrays()
    assert (newest.row_count, labels[0], labels[-1]) == (MOST_NEWEST, 2_000, 11_999)


def test_rows_of_other_classes_begin_anew(newest: NewestRows, labelled: Rows) -> None:
    newest.add(labelled("binary", [1], [0.5], [1], classes=("good", "bad")))

    assert newest.row_count == 1


def test_cut_anywhere_they_go_on_as_if_they_were_not_cut(newest: NewestRows, labelled: Rows) -> None:
    other = NewestRows()

    other.restore(LAYOUT.thaw(bytearray(b"".join(LAYOUT.freeze(newest.state)))))

    for each in (newest, other):
        each.add(labelled("binary", [0], [0.1], [0]))
    for one, two in zip(other.arrays(), newest.arrays(), strict=True):
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize(
    "change",
    [
        {"task": None},
        {"scores": np.zeros(1)},
        {"predictions": np.zeros(4)},
        {"labels": np.zeros((4, 1))},
        {"labels": np.zeros(MOST_NEWEST + 1)},
    ],
    ids=["of no task", "of other lengths", "of another type", "of two dimensions", "too many"],
)
def test_a_state_that_does_not_fit_is_refused(newest: NewestRows, change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"expected|of"):
        NewestRows().restore(replace(newest.state, **change))
