from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from dashlight.records import Role, Table
from dashlight.store.layout import Layout
from dashlight.window.columns import ColumnReference
from dashlight.window.recent.collector import RecentCollector
from dashlight.window.recent.pane import MOST_UNKNOWN, PANE_ROWS, RECENT_ROWS, merged_recent
from dashlight.window.recent.values import (
    SPARSE_PANE_ROWS,
    SPARSE_STRIDE,
    RecentRows,
    RecentValues,
    RecentValuesState,
    UnknownColumn,
)
from dashlight.window.tables import table_of_columns

Make = Callable[..., ColumnReference]
LAYOUT: Layout[RecentValuesState] = Layout("recent", 1, RecentValuesState)


@dataclass
class Seen:
    """One process: what it collects, and what is kept of it."""

    columns: list[ColumnReference]
    collector: RecentCollector = field(init=False)
    values: RecentValues = field(init=False)

    def __post_init__(self) -> None:
        self.collector, self.values = RecentCollector(self.columns), RecentValues(self.columns)

    def add(self, role: Role, table: Table) -> None:
        self.collector.add(role, table)

    def close_pane(self, at: float) -> None:
        self.values.take(self.collector.close(), at)


def rows_told(rows: RecentRows) -> tuple[object, ...]:
    return rows.numbers.tolist(), rows.types.tolist(), rows.texts.tolist(), rows.exchanges.tolist(), rows.panes.tolist()


@pytest.fixture
def recent(column: Make) -> Seen:
    return Seen([column("x"), column("w", "categorical"), column("t", "text"), column("y", role="output")])


@pytest.mark.parametrize("pane_rows", [1, 10, 26, 32])
def test_where_few_come_the_last_rows_are_kept_in_their_order(pane_rows: int, recent: Seen) -> None:
    came = 300 * pane_rows
    for start in range(0, came, pane_rows):
        recent.add("feature", table_of_columns({"x": np.arange(start, start + float(pane_rows))}))
        recent.close_pane(0.0)

    dense, sparse = recent.values.dense("feature"), recent.values.sparse("feature")
    assert dense.numbers[0].tolist() == list(range(came - RECENT_ROWS, came))
    assert dense.panes.tolist() == [row // pane_rows for row in range(came - RECENT_ROWS, came)]
    assert dense.newest(3).numbers[0].tolist() == list(range(came - 3, came))
    assert sparse.numbers[0].tolist() == sorted(sparse.numbers[0])
    gap = np.diff(sparse.numbers[0]).mean()
    assert gap == pytest.approx(SPARSE_STRIDE, rel=0.5)
    assert dense.exchange_count == RECENT_ROWS
    assert recent.values.rows_seen == {"feature": came, "output": 0}


@pytest.mark.parametrize("pane_rows", [33, 100, 1000, 20_000])
def test_where_many_come_the_rows_are_of_the_last_panes(pane_rows: int, recent: Seen) -> None:
    panes = 2 * RECENT_ROWS // SPARSE_PANE_ROWS
    for pane in range(panes):
        recent.add("feature", table_of_columns({"x": pane + np.arange(pane_rows) / pane_rows}))
        recent.close_pane(0.0)

    dense, sparse = recent.values.dense("feature"), recent.values.sparse("feature")
    assert dense.rows == sparse.rows == RECENT_ROWS or pane_rows == 33
    assert np.bincount(dense.panes)[-RECENT_ROWS // PANE_ROWS :].tolist() == [PANE_ROWS] * 8
    assert np.bincount(sparse.panes).max() <= SPARSE_PANE_ROWS
    assert sparse.pane_count >= RECENT_ROWS // SPARSE_PANE_ROWS
    assert dense.numbers[0].astype(int).tolist() == dense.panes.tolist()
    assert dense.numbers[0].tolist() == sorted(dense.numbers[0])


def test_exchanges_of_different_panes_are_different(recent: Seen) -> None:
    for at in range(3):
        table = table_of_columns({"x": np.ones(6)})
        recent.add("feature", replace(table, exchange=np.array([0, 0, 1, 1, 2, 2], np.intp)))
        recent.close_pane(float(at))

    assert recent.values.dense("feature").exchange_count == 9


def test_panes_are_numbered_and_presence_is_timed(recent: Seen) -> None:
    recent.add("feature", table_of_columns({"x": np.ones(2)}))
    recent.close_pane(10.0)
    recent.close_pane(20.0)
    recent.add("feature", table_of_columns({"w": ["a"]}))
    recent.close_pane(30.0)

    values = recent.values
    assert values.pane == 3
    assert values.dense("feature").panes.tolist() == [0, 0, 2]
    assert values.dense("feature").pane_count == 2
    assert (values.last_present_at("feature", "x"), values.last_present_at("feature", "w")) == (10.0, 30.0)
    assert (values.last_present_pane("feature", "x"), values.last_present_pane("output", "y")) == (0, -1)
    assert np.isnan(values.last_present_at("output", "y"))


def test_names_that_the_reference_does_not_know_are_followed(recent: Seen) -> None:
    recent.add("feature", table_of_columns({"x": np.ones(30)}))
    recent.close_pane(10.0)
    recent.add("feature", table_of_columns({"x": np.ones(3)}))
    recent.add("feature", table_of_columns({"z": np.ones(5)}))
    recent.add("feature", table_of_columns({"z": np.ones(5)}))
    recent.close_pane(20.0)
    recent.close_pane(30.0)
    recent.add("feature", table_of_columns({"z": np.ones(1)}))
    recent.close_pane(40.0)

    (seen,) = recent.values.unknown
    assert (seen.name, seen.first_rows, seen.first_pane, seen.last_pane, seen.rows) == ("z", 33, 1, 3, 11)
    assert seen.first_at == 20.0


def test_a_client_with_ever_new_names_is_bounded(column: Make) -> None:
    values = RecentValues([column("x")])
    for at in range(200):
        process = RecentCollector([column("x")])
        process.add("feature", table_of_columns({f"n{at}": np.ones(1)}))
        values.take(process.close(), float(at))

    assert [seen.name for seen in values.unknown] == [f"n{at}" for at in range(MOST_UNKNOWN)]


def test_nothing_is_kept_before_anything_came(recent: Seen) -> None:
    assert recent.values.dense("feature").rows == 0
    assert recent.values.dense("output").exchange_count == 0


def test_a_pane_of_other_columns_is_refused_and_changes_nothing(recent: Seen, column: Make) -> None:
    other = Seen([column("x")])
    other.add("feature", table_of_columns({"x": np.ones(1), "z": np.ones(1)}))

    with pytest.raises(ValueError, match="other columns"):
        recent.values.take(other.collector.close(), 10.0)

    assert (recent.values.pane, recent.values.unknown) == (0, ())


def traffic(rng: np.random.Generator) -> Table:
    rows = int(rng.integers(1, 60))
    words = rng.choice(["a", "b"], rows).tolist()
    return table_of_columns({"x": rng.standard_normal(rows), "w": words, f"z{rng.integers(5)}": np.ones(rows)})


def written(values: RecentValues) -> bytes:
    return b"".join(LAYOUT.freeze(values.state))


@pytest.mark.parametrize("cut_at", [0, 1, 5, 30])
def test_values_that_are_restored_go_on_bit_by_bit(recent: Seen, cut_at: int) -> None:
    rng, restored = np.random.default_rng(7), recent.values
    for at in range(40):
        if at == cut_at:
            restored = RecentValues(recent.columns)
            restored.restore(LAYOUT.thaw(written(recent.values)))
        recent.add("feature", traffic(rng))
        pane = recent.collector.close() if at % 4 else None
        for values in {recent.values, restored}:
            values.take(pane, float(at))

    assert written(restored) == written(recent.values)
    for role in ("feature", "output"):
        assert rows_told(restored.sparse(role))[2:] == rows_told(recent.values.sparse(role))[2:]
    assert (restored.pane, restored.rows_seen) == (recent.values.pane, recent.values.rows_seen)
    assert restored.unknown == recent.values.unknown
    assert restored.last_present_at("feature", "w") == 39.0
    assert np.isnan(restored.last_present_at("output", "y"))


@pytest.fixture
def state(recent: Seen) -> RecentValuesState:
    """Of three panes, the last one empty, with an unknown column `z`."""
    for at in range(2):
        recent.add("feature", table_of_columns({"x": np.ones(20), "z": ["a"] * 20}))
        recent.close_pane(float(at))
    recent.close_pane(2.0)
    return recent.values.state


Spoil = Callable[[RecentValuesState], RecentValuesState]


def of_all(**wrong: Any) -> Spoil:
    return lambda state: replace(state, **wrong)


def of_role(**wrong: Any) -> Spoil:
    return lambda state: replace(state, roles={**state.roles, "feature": replace(state.roles["feature"], **wrong)})


def of_rows(rows: str, **wrong: Callable[[Any], Any]) -> Spoil:
    def spoil(state: RecentValuesState) -> RecentValuesState:
        right = getattr(state.roles["feature"], rows)
        spoilt = replace(right, **{name: change(getattr(right, name)) for name, change in wrong.items()})
        return of_role(**{rows: spoilt})(state)

    return spoil


def longer(rows: Any) -> Any:
    return np.concatenate([rows] * 7, axis=-1)


def of_unknown(**wrong: Any) -> Spoil:
    return lambda state: replace(state, unknown=(replace(state.unknown[0], **wrong),))


@pytest.mark.parametrize(
    "spoil",
    [
        of_all(pane=-1),
        of_all(pane=1),
        of_all(pane=2**62),
        of_all(next_exchange=-1),
        of_all(next_exchange=5),
        of_all(next_exchange=2**62),
        of_all(roles={}),
        of_all(unknown=(UnknownColumn("feature", "z", 0, 0, 0, 1, 0.0),) * (MOST_UNKNOWN + 1)),
        of_role(rows_seen=-1),
        of_role(present_pane=np.zeros(2, np.int64)),
        of_role(present_pane=np.zeros(3, np.float64)),
        of_role(present_pane=np.full(3, 3)),
        of_role(present_pane=np.full(3, -2)),
        of_role(present_at=np.zeros(2)),
        of_role(present_at=np.full(3, np.nan)),
        of_role(present_at=np.full(3, np.inf)),
        of_rows("dense", numbers=lambda numbers: numbers[:2]),
        of_rows("dense", numbers=lambda numbers: numbers[:, 1:]),
        of_rows("dense", numbers=lambda numbers: numbers.astype(np.float32)),
        of_rows("sparse", types=lambda types: types[:2]),
        of_rows("sparse", types=lambda types: types + 200),
        of_rows("sparse", texts=lambda texts: texts[:2]),
        of_rows("sparse", exchanges=lambda exchanges: exchanges[None]),
        of_rows("sparse", exchanges=lambda exchanges: exchanges[0]),
        of_rows("dense", exchanges=lambda exchanges: -1 - exchanges),
        of_rows("dense", panes=lambda panes: panes[1:]),
        of_rows("dense", panes=lambda panes: panes - 1),
        of_rows("dense", numbers=longer, types=longer, texts=longer, exchanges=longer, panes=longer),
        of_unknown(first_pane=-1),
        of_unknown(last_pane=3),
        of_unknown(first_pane=2),
        of_unknown(rows=-1),
        of_unknown(first_rows=-1),
        of_unknown(first_at=float("nan")),
    ],
)
def test_what_no_recent_values_of_these_columns_hold_is_refused(
    recent: Seen, state: RecentValuesState, spoil: Spoil
) -> None:
    RecentValues(recent.columns).restore(state)

    with pytest.raises(ValueError, match=r"expected|one role alone"):
        RecentValues(recent.columns).restore(spoil(state))


def test_several_processes_are_seen_as_one_that_saw_all(column: Make) -> None:
    columns = [column("x")]
    alone, together = Seen(columns), RecentValues(columns)
    workers = [RecentCollector(columns) for _ in range(4)]
    for pane in range(6):
        values = np.arange(1000.0 * pane, 1000.0 * (pane + 1))
        for start in range(0, 1000, 8):
            alone.add("feature", table_of_columns({"x": values[start : start + 8]}))
            for number, worker in enumerate(workers):
                worker.add("feature", table_of_columns({"x": values[start : start + 8][number::4]}))
        alone.close_pane(float(pane))
        together.take(merged_recent([each for worker in workers if (each := worker.close())]), float(pane))

    # Other rows, as every worker has its own keys, but as many of every pane.
    assert together.dense("feature").panes.tolist() == alone.values.dense("feature").panes.tolist()
    assert together.rows_seen == alone.values.rows_seen
    for pane in range(6):
        both = [each.dense("feature") for each in (together, alone.values)]
        means = [rows.numbers[0][rows.panes == pane].mean() - 1000 * pane for rows in both]
        assert means == pytest.approx([500, 500], abs=4 * 289 / np.sqrt(PANE_ROWS))
