"""Scales that remember a column from before and after it moved say nothing of how it depends on others."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dashlight import DriftDetector
from dashlight.judge.pairs.moved import MovedColumns, MovedColumnsState

NAMES = ("a", "b", "c")
SPANS = np.array([100.0, 1000.0])
AB, BC = np.array([0, 1]), np.array([1, 2])
"""The first and the second columns of the pairs a-b and b-c."""


def test_a_scale_is_a_witness_again_once_it_has_forgotten_what_was_before() -> None:
    moved = MovedColumns(NAMES)
    moved.take((), 0.0)
    before = moved.witnesses(AB, BC, SPANS, 5000.0)
    moved.take({"a"}, 5000.0)

    told = [moved.witnesses(AB, BC, SPANS, rows).tolist() for rows in (5000.0, 5400.0, 9000.0)]

    assert before.all()
    assert told == [[[False, True], [False, True]], [[True, True], [False, True]], [[True, True], [True, True]]]


def test_that_a_column_is_back_counts_as_a_change_as_well() -> None:
    moved = MovedColumns(NAMES)
    moved.take({"c"}, 0.0)
    moved.take({"c"}, 8000.0)
    assert moved.witnesses(AB, BC, SPANS, 8000.0).all()

    moved.take((), 8000.0)

    assert moved.witnesses(AB, BC, SPANS, 8500.0).tolist() == [[True, True], [True, False]]


def test_what_was_restored_goes_on_as_it_was() -> None:
    moved, restored = MovedColumns(NAMES), MovedColumns(NAMES)
    moved.take({"b"}, 700.0)

    restored.restore(moved.state)
    for each in (moved, restored):
        each.take({"a", "b"}, 900.0)

    assert restored.state.changed_at.tolist() == moved.state.changed_at.tolist() == [900.0, 700.0, -1.0]
    assert restored.state.is_told.tolist() == [True, True, False]


@pytest.mark.parametrize(
    "wrong",
    [
        {"is_told": np.zeros(2, np.bool_)},
        {"is_told": np.zeros(3)},
        {"changed_at": np.zeros(4)},
        {"changed_at": np.full(3, -2.0)},
        {"changed_at": np.full(3, np.nan)},
        {"changed_at": np.full(3, np.inf)},
    ],
)
def test_the_state_of_other_columns_is_refused(wrong: dict[str, Any]) -> None:
    state = MovedColumnsState(np.zeros(3, np.bool_), np.full(3, -1.0))

    with pytest.raises(ValueError, match="expected"):
        MovedColumns(NAMES).restore(replace(state, **wrong))


def rows_of(rng: np.random.Generator, rows: int) -> dict[str, Any]:
    a, c = rng.normal(size=(2, rows))
    b = 0.7 * a + 0.7 * rng.normal(size=rows)
    return {"a": a, "b": b, "c": c, "p": 0.8 * b + 0.6 * c + 0.3 * rng.normal(size=rows)}


def joint_states(live: dict[str, Any], rng: np.random.Generator) -> list[str]:
    """States of the alert on pairs over *live*, which begins after 3,000 rows as in the reference."""
    detector, before = DriftDetector(rows_of(rng, 6000)), rows_of(rng, 3000)
    states, at = list[str](), 0.0
    for part in (before, live):
        for start in range(0, len(part["a"]), 100):
            at += 10.0
            alerts = detector.update({name: column[start : start + 100] for name, column in part.items()}, at)
            states += [alert.state for alert in alerts if alert.key.endswith("/joint")]
    return states


@pytest.mark.parametrize("seed", [401, 402])
@pytest.mark.parametrize(
    "how",
    [
        lambda a, rng: rng.normal(68, 15, len(a)),
        lambda a, _: a + 3,
        lambda a, _: a * 3,
        lambda a, _: np.where(np.arange(len(a)) // 2000 % 2 == 0, a + 5, a),
    ],
    ids=["far away", "up", "wider", "comes and goes"],
)
def test_a_column_that_moves_by_itself_has_no_alert_on_its_pairs(how: Any, seed: int) -> None:
    rng = np.random.default_rng(seed)
    live = rows_of(rng, 13_000)
    live["a"] = how(live["a"], rng)

    assert "firing" not in joint_states(live, rng)


def test_a_dependence_that_ends_as_the_column_moves_is_told_and_told_once() -> None:
    rng = np.random.default_rng(403)
    live = rows_of(rng, 13_000)
    live["a"] = rng.permutation(live["a"]) + 0.5

    assert [state for state in joint_states(live, rng) if state != "pending"] == ["firing"]
