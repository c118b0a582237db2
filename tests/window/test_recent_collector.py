from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from dashlight.records import Role, Table
from dashlight.window.columns import ColumnReference
from dashlight.window.recent import ABSENT, SPARSE_STRIDE
from dashlight.window.recent_collector import RecentCollector
from dashlight.window.recent_pane import MOST_UNKNOWN, RECENT_ROWS, PaneRows, RecentPane
from dashlight.window.tables import table_of_columns

Make = Callable[..., ColumnReference]


def of_exchanges(table: Table, exchanges: list[int]) -> Table:
    return replace(table, exchange=np.array(exchanges, np.intp))


def closed(collector: RecentCollector) -> RecentPane:
    pane = collector.close()
    assert pane is not None
    return pane


def dense(collector: RecentCollector) -> PaneRows:
    return closed(collector).sides["feature"].dense


@pytest.fixture
def collector(column: Make) -> RecentCollector:
    return RecentCollector([column("x"), column("w", "categorical"), column("t", "text"), column("y", role="output")])


@pytest.mark.parametrize("step", [1, 13, 256, 1000])
def test_the_last_rows_are_kept_in_their_order(step: int, collector: RecentCollector) -> None:
    values = np.arange(5000.0)

    for start in range(0, 5000, step):
        collector.add("feature", table_of_columns({"x": values[start : start + step]}))

    side = closed(collector).sides["feature"]
    assert side.dense.numbers[0].tolist() == values[-RECENT_ROWS:].tolist()
    assert side.sparse.numbers[0].tolist() == values[::SPARSE_STRIDE][-RECENT_ROWS:].tolist()
    assert (side.rows, side.taken_rows) == (5000, 5000)


def test_a_pane_is_bounded_however_much_comes(collector: RecentCollector) -> None:
    for _ in range(50):
        collector.add("feature", table_of_columns({"x": np.arange(1000.0), "w": ["a" * 500] * 1000}))

    side = closed(collector).sides["feature"]
    assert side.dense.rows == side.sparse.rows == RECENT_ROWS
    assert {len(text) for text in side.dense.texts[1]} == {64}


def test_a_pane_begins_anew_and_the_stride_counts_on(collector: RecentCollector) -> None:
    panes = list[RecentPane]()
    for start in range(0, 50, 10):
        collector.add("feature", table_of_columns({"x": np.arange(start, start + 10.0)}))
        panes.append(closed(collector))

    sides = [pane.sides["feature"] for pane in panes]
    assert [side.rows for side in sides] == [10] * 5
    assert [side.dense.numbers[0].tolist() for side in sides][1] == list(range(10, 20))
    assert [side.sparse.numbers[0].tolist() for side in sides] == [[0], [16], [], [32], [48]]
    assert [side.dense.exchanges.tolist() for side in sides] == [list(range(10))] * 5


def test_of_a_large_exchange_few_rows_are_kept(collector: RecentCollector) -> None:
    collector.add("feature", of_exchanges(table_of_columns({"x": np.arange(1000.0)}), [0] * 1000))
    collector.add("feature", of_exchanges(table_of_columns({"x": np.arange(4.0)}), [0, 0, 1, 2]))

    side = closed(collector).sides["feature"]
    assert side.dense.numbers[0].tolist() == [*np.arange(0, 1000, 125), 0, 1, 2, 3]
    assert len(np.unique(side.dense.exchanges)) == 4
    assert (side.rows, side.taken_rows) == (1004, 12)


def test_types_and_texts_of_whatever_comes(collector: RecentCollector) -> None:
    collector.add("feature", table_of_columns({"x": [1, "2", None, True, [3]], "w": ["a", 5, None, 1.5, {}]}))
    collector.add("feature", table_of_columns({"w": np.array([7.0, np.nan]), "t": ["free", "text"]}))
    collector.add("feature", table_of_columns({"t": ["more", None]}))

    rows = dense(collector)
    assert rows.types[0].tolist() == [1, 3, 0, 2, 4, *[ABSENT] * 4]
    assert rows.numbers[0].tolist()[0] == 1.0
    assert np.isnan(rows.numbers[0][1:]).all()
    assert rows.texts[0].tolist()[1] == "2"
    assert rows.texts[1].tolist() == ["a", "5", None, "1.5", None, "7", None, None, None]
    assert rows.types[1].tolist() == [3, 1, 0, 1, 4, 1, 0, ABSENT, ABSENT]
    assert rows.texts[2].tolist() == [None] * 9
    assert rows.types[2].tolist() == [ABSENT] * 5 + [3, 3, 3, 0]


def test_what_was_sent_in_the_pane_is_told(collector: RecentCollector) -> None:
    collector.add("feature", table_of_columns({"x": np.ones(1)}))
    collector.add("feature", table_of_columns({"t": ["a"]}))
    first = closed(collector)
    collector.add("feature", table_of_columns({"w": ["a"]}))
    second = closed(collector)

    assert first.sides["feature"].present.tolist() == [True, False, True]
    assert first.sides["output"].present.tolist() == [False]
    assert second.sides["feature"].present.tolist() == [False, True, False]


def test_names_that_the_reference_does_not_know_are_told_with_their_rows(collector: RecentCollector) -> None:
    collector.add("feature", table_of_columns({"x": np.ones(30)}))
    collector.add("feature", table_of_columns({"z": np.ones(5)}))
    collector.add("feature", table_of_columns({"z": np.ones(6)}))
    collector.add("output", table_of_columns({"z": np.ones(2)}))

    told: list[tuple[Role, str, int, int]] = [
        (seen.role, seen.name, seen.first_rows, seen.rows) for seen in closed(collector).unknown
    ]
    assert told == [("feature", "z", 30, 11), ("output", "z", 0, 2)]


def test_a_client_with_ever_new_names_is_bounded_and_does_not_displace_the_first(collector: RecentCollector) -> None:
    for at in range(200):
        collector.add("feature", table_of_columns({f"n{at}": np.ones(1)}))
    first = closed(collector)
    for at in reversed(range(200)):
        collector.add("feature", table_of_columns({f"n{at}": np.ones(1)}))
    second = closed(collector)

    assert {seen.name for seen in first.unknown} == {f"n{at}" for at in range(MOST_UNKNOWN)}
    assert {seen.name for seen in second.unknown} == {f"n{at}" for at in range(MOST_UNKNOWN)}


def test_a_pane_to_which_no_row_came_is_none(collector: RecentCollector) -> None:
    collector.add("feature", table_of_columns({"x": np.ones(0)}))

    assert collector.close() is None


def test_a_pane_stays_as_it_is_when_more_rows_come(collector: RecentCollector) -> None:
    collector.add("feature", table_of_columns({"x": np.ones(3)}))
    pane = closed(collector)

    collector.add("feature", table_of_columns({"x": np.zeros(1000)}))

    assert pane.sides["feature"].dense.numbers[0].tolist() == [1.0] * 3


def test_a_column_that_is_known_otherwise_is_no_news(column: Make) -> None:
    collector = RecentCollector([column("x")], known=[("feature", "note · words")])

    collector.add("feature", table_of_columns({"x": [1.0], "note · words": [2.0], "new": [3.0]}))

    assert [seen.name for seen in closed(collector).unknown] == ["new"]
