"""What shows in several columns at once, through the same door as what shows in one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from dashlight.counting.policy import Policy
from dashlight.records import Alert, Prediction, Table
from dashlight.watching.rows import Comparison
from dashlight.window.columns import Reference
from dashlight.window.reference.build import build_reference_from_columns
from dashlight.window.tables import Column, table_of_columns

NOTHING = Table(0, (), np.empty((0, 0)), (), (), np.empty(0, np.intp))
PANE_ROWS = 100
Rows = Mapping[str, Column]
MakeRows = Callable[[np.random.Generator, int], Rows]


def rows(
    rng: np.random.Generator, count: int, *, together: float = 0.0, moved: float = 0.0, alone: float = 0.0
) -> Rows:
    """Twelve normal columns: the first two move *together*, ten of them moved, or the first *alone*."""
    values = rng.standard_normal((12, count))
    values[1] = together * values[0] + np.sqrt(1 - together**2) * values[1]
    values[:10] += moved
    values[0] += alone
    return {f"c{place:02}": held for place, held in enumerate(values)}


def texts(rng: np.random.Generator, count: int, *, topic: str) -> Rows:
    words = {
        "weather": "rain sun wind cloud storm warm cold front air north south snow",
        "sports": "ball goal team match coach score play win lose cup league season",
    }[topic].split()
    return {"comment": [" ".join(rng.choice(words, 12)) for _ in range(count)]}


def comparison_with(reference: Reference, **changed: Mapping[str, float] | tuple[str, ...]) -> Comparison:
    policy = replace(Policy(), **changed)  # type: ignore[arg-type]  # either of two fields
    return Comparison(reference, policy, endpoint="/predict", model="risk", version="3")


def judged(comparison: Comparison, *panes: Rows) -> list[Alert]:
    """The alerts of panes that follow one another."""
    found: list[Alert] = []
    counter = comparison.counter()
    counter.follow(comparison.directions)
    for pane, columns in enumerate(panes):
        table = table_of_columns(columns)
        features = replace(table, exchange=np.arange(table.rows))
        counter.add(Prediction("/predict", "risk", "3", "plain", features, NOTHING), np.zeros(table.rows, "V16"))
        found += comparison.close_pane(counter.close(), 10.0 * (pane + 1))
        counter.follow(comparison.directions)
    return found


def fired(alerts: list[Alert]) -> set[str]:
    return {alert.key.removeprefix("drift/risk/%2Fpredict/") for alert in alerts if alert.state == "firing"}


@pytest.fixture(scope="module")
def reference() -> Reference:
    rng = np.random.default_rng(1)
    return build_reference_from_columns(rows(rng, 5000), {}, rng=rng, created_at=0.0)


def test_rows_like_those_of_the_reference_are_quiet(reference: Reference) -> None:
    rng = np.random.default_rng(2)

    assert judged(comparison_with(reference), *(rows(rng, PANE_ROWS) for _ in range(100))) == []


def test_two_columns_that_begin_to_move_together_fire_jointly_and_neither_alone(reference: Reference) -> None:
    rng = np.random.default_rng(3)

    alerts = judged(comparison_with(reference), *(rows(rng, PANE_ROWS, together=0.8) for _ in range(10)))

    assert fired(alerts) == {"joint"}
    firing = next(alert for alert in alerts if alert.state == "firing")
    assert (firing.column, "c00" in firing.summary, "c01" in firing.summary) == (None, True, True)


def test_many_columns_that_each_move_a_little_fire_as_a_direction(reference: Reference) -> None:
    rng = np.random.default_rng(4)

    alerts = judged(comparison_with(reference), *(rows(rng, PANE_ROWS, moved=0.2) for _ in range(12)))

    assert "direction/" in fired(alerts)
    firing = next(alert for alert in alerts if alert.key.endswith("direction/"))
    assert "columns moved a little together" in firing.summary


def test_what_one_column_tells_by_itself_is_not_told_again_as_a_direction(reference: Reference) -> None:
    rng = np.random.default_rng(5)

    alerts = judged(comparison_with(reference), *(rows(rng, PANE_ROWS, alone=1.0) for _ in range(20)))

    assert fired(alerts) == {"feature/c00"}


def test_columns_that_are_ignored_or_of_no_importance_are_in_no_pair_and_no_direction(reference: Reference) -> None:
    rng = np.random.default_rng(6)
    names = [f"c{place:02}" for place in range(10)]

    ignoring = comparison_with(reference, ignored=("c0*",))
    unimportant = comparison_with(reference, importance=dict.fromkeys(names, 0.0))

    panes = [rows(rng, PANE_ROWS, together=0.8, moved=0.3) for _ in range(20)]
    assert judged(ignoring, *panes) == judged(unimportant, *panes) == []
    assert {score.column for score in ignoring.scores(1)} == {"c10", "c11"}


def test_texts_about_something_else_fire_as_a_whole() -> None:
    rng = np.random.default_rng(7)
    reference = build_reference_from_columns(texts(rng, 2000, topic="weather"), {}, rng=rng, created_at=0.0)
    comparison = comparison_with(reference)

    quiet = judged(comparison, *(texts(rng, PANE_ROWS, topic="weather") for _ in range(40)))
    alerts = judged(comparison, *(texts(rng, PANE_ROWS, topic="sports") for _ in range(10)))

    assert quiet == []
    assert "direction/comment" in fired(alerts)
    assert {alert.column for alert in alerts if alert.state == "firing"} == {"comment"}


def test_a_vector_column_of_numbers_fires_as_a_whole() -> None:
    def vectors(rng: np.random.Generator, count: int, shift: float) -> NDArray[np.float64]:
        held: NDArray[np.float64] = rng.standard_normal((count, 32))
        held[:, :8] += shift
        return held

    rng = np.random.default_rng(8)
    reference = build_reference_from_columns(
        {"embedding": vectors(rng, 2000, 0.0).tolist()}, {}, rng=rng, created_at=0.0
    )
    comparison = comparison_with(reference)

    quiet = judged(comparison, *({"embedding": vectors(rng, PANE_ROWS, 0.0).tolist()} for _ in range(40)))
    alerts = judged(comparison, *({"embedding": vectors(rng, PANE_ROWS, 0.4).tolist()} for _ in range(15)))

    assert quiet == []
    assert "direction/embedding" in fired(alerts)


def test_a_text_that_is_missing_is_one_alert_and_not_one_for_each_thing_measured_of_it() -> None:
    rng = np.random.default_rng(9)
    reference = build_reference_from_columns(texts(rng, 2000, topic="weather"), {}, rng=rng, created_at=0.0)
    comparison = comparison_with(reference)

    missing: Rows = {"comment": [None] * PANE_ROWS}
    alerts = judged(comparison, *(texts(rng, PANE_ROWS, topic="weather") for _ in range(3)), *[missing] * 5)

    assert {key for key in fired(alerts) if key.startswith("feature/")} == {"feature/comment"}


def test_pairs_of_a_short_reference_are_not_judged() -> None:
    rng = np.random.default_rng(10)
    reference = build_reference_from_columns(rows(rng, 1900), {}, rng=rng, created_at=0.0)

    assert judged(comparison_with(reference), *(rows(rng, PANE_ROWS, together=0.8) for _ in range(20))) == []


@pytest.mark.parametrize("comes_in_runs", [True, False])
def test_one_column_that_comes_in_runs_of_any_length_is_no_direction(*, comes_in_runs: bool) -> None:
    rng = np.random.default_rng(11)
    flag = np.zeros(20_000)
    place = 0
    while comes_in_runs and place < len(flag):
        place += int(rng.exponential(300))
        length = int(1 + rng.pareto(1.5))
        flag[place : place + length] = 1.0
        place += length
    flag = flag if comes_in_runs else (rng.random(len(flag)) < 0.01).astype(np.float64)
    others = {f"c{place}": rng.standard_normal(len(flag)) for place in range(3)}
    built = build_reference_from_columns({"flag": flag, **others}, {}, rng=rng, created_at=0.0)
    comparison = comparison_with(built)
    panes: list[Rows] = []
    for pane in range(20):
        values: dict[str, Column] = {f"c{place}": rng.standard_normal(PANE_ROWS) for place in range(3)}
        panes.append({"flag": np.full(PANE_ROWS, float(pane >= 12)), **values})

    directions = {key for key in fired(judged(comparison, *panes)) if key.startswith("direction")}

    assert directions == set()
