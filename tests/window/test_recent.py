from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from dashlight.records import Table
from dashlight.window.recent import ABSENT, MOST_UNKNOWN, RECENT_ROWS, SPARSE_STRIDE, RecentValues
from dashlight.window.reference import ColumnReference
from dashlight.window.tables import table_of_columns

Make = Callable[..., ColumnReference]


def of_exchanges(table: Table, exchanges: list[int]) -> Table:
    return replace(table, exchange=np.array(exchanges, np.intp))


@pytest.fixture
def recent(column: Make) -> RecentValues:
    return RecentValues([column("x"), column("w", "categorical"), column("t", "text"), column("y", role="output")])


@pytest.mark.parametrize("step", [1, 13, 256, 1000])
def test_the_last_rows_are_kept_in_their_order(step: int, recent: RecentValues) -> None:
    values = np.arange(3000.0)

    for start in range(0, 3000, step):
        recent.add("feature", table_of_columns({"x": values[start : start + step]}))

    assert recent.dense("feature").numbers[0].tolist() == values[-RECENT_ROWS:].tolist()
    assert recent.sparse("feature").numbers[0].tolist() == values[::SPARSE_STRIDE][-RECENT_ROWS:].tolist()
    assert recent.dense("feature").newest(3).numbers[0].tolist() == [2997.0, 2998.0, 2999.0]
    assert recent.rows_seen == {"feature": 3000, "output": 0}


def test_memory_is_constant(recent: RecentValues) -> None:
    for _ in range(50):
        recent.add("feature", table_of_columns({"x": np.arange(1000.0), "w": ["a" * 500] * 1000}))

    assert recent.dense("feature").rows == recent.sparse("feature").rows == RECENT_ROWS
    assert {len(text) for text in recent.dense("feature").texts[1]} == {64}


def test_of_a_large_exchange_few_rows_are_kept(recent: RecentValues) -> None:
    many = of_exchanges(table_of_columns({"x": np.arange(1000.0)}), [0] * 1000)
    few = of_exchanges(table_of_columns({"x": np.arange(4.0)}), [0, 0, 1, 2])

    recent.add("feature", many)
    recent.add("feature", few)

    rows = recent.dense("feature")
    assert rows.numbers[0].tolist() == [*np.arange(0, 1000, 125), 0, 1, 2, 3]
    assert rows.exchange_count == 4


def test_types_and_texts_of_whatever_comes(recent: RecentValues) -> None:
    recent.add("feature", table_of_columns({"x": [1, "2", None, True, [3]], "w": ["a", 5, None, 1.5, {}]}))
    recent.add("feature", table_of_columns({"w": np.array([7.0, np.nan]), "t": ["free", "text"]}))

    rows = recent.dense("feature")
    assert rows.types[0].tolist() == [1, 3, 0, 2, 4, ABSENT, ABSENT]
    assert rows.texts[0].tolist()[1] == "2"
    assert rows.texts[1].tolist() == ["a", "5", None, "1.5", None, "7", None]
    assert rows.types[1].tolist() == [3, 1, 0, 1, 4, 1, 0]
    assert rows.texts[2].tolist() == [None] * 7
    assert rows.types[2].tolist() == [ABSENT] * 5 + [3, 3]


def test_panes_are_numbered_and_presence_is_timed(recent: RecentValues) -> None:
    recent.add("feature", table_of_columns({"x": np.ones(2)}))
    recent.close_pane(10.0)
    recent.close_pane(20.0)
    recent.add("feature", table_of_columns({"w": ["a"]}))
    recent.close_pane(30.0)

    assert recent.dense("feature").panes.tolist() == [0, 0, 2]
    assert recent.dense("feature").pane_count == 2
    assert (recent.last_present_at("feature", "x"), recent.last_present_at("feature", "w")) == (10.0, 30.0)
    assert (recent.last_present_pane("feature", "x"), recent.last_present_pane("output", "y")) == (0, -1)
    assert np.isnan(recent.last_present_at("output", "y"))


def test_names_that_the_reference_does_not_know_are_followed(recent: RecentValues) -> None:
    recent.add("feature", table_of_columns({"x": np.ones(30)}))
    recent.close_pane(10.0)
    recent.add("feature", table_of_columns({"z": np.ones(5)}))
    recent.add("feature", table_of_columns({"z": np.ones(5)}))
    recent.close_pane(20.0)
    recent.close_pane(30.0)

    (seen,) = recent.unknown
    assert (seen.name, seen.first_rows, seen.first_pane, seen.last_pane, seen.rows) == ("z", 30, 1, 1, 10)
    assert seen.first_at == 20.0


def test_a_client_with_ever_new_names_is_bounded(recent: RecentValues) -> None:
    for at in range(200):
        recent.add("feature", table_of_columns({f"n{at}": np.ones(1)}))

    assert len(recent.unknown) == MOST_UNKNOWN


def test_an_empty_table_is_nothing(recent: RecentValues) -> None:
    recent.add("feature", table_of_columns({"x": np.ones(0)}))

    assert recent.dense("feature").rows == 0
    assert recent.dense("output").exchange_count == 0
