from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from dashlight.records import Role, Table
from dashlight.window.columns import ColumnReference
from dashlight.window.recent.collector import RecentCollector
from dashlight.window.recent.pane import MOST_UNKNOWN, PANE_ROWS, PaneRows, RecentPane
from dashlight.window.recent.values import ABSENT
from dashlight.window.tables import table_of_columns

Make = Callable[..., ColumnReference]


def of_exchanges(table: Table, exchanges: list[int]) -> Table:
    return replace(table, exchange=np.array(exchanges, np.intp))


def closed(collector: RecentCollector) -> RecentPane:
    pane = collector.close()
    assert pane is not None
    return pane


def sample(collector: RecentCollector) -> PaneRows:
    return closed(collector).sides["feature"].sample


@pytest.fixture
def collector(column: Make) -> RecentCollector:
    return RecentCollector([column("x"), column("w", "categorical"), column("t", "text"), column("y", role="output")])


@pytest.mark.parametrize("rows", [1, 10, 31, 32])
def test_of_few_rows_all_are_kept_in_their_order(rows: int, collector: RecentCollector) -> None:
    collector.add("feature", table_of_columns({"x": np.arange(float(rows))}))

    assert sample(collector).numbers[0].tolist() == list(range(rows))


@pytest.mark.parametrize("step", [1, 7, 256, 1000])
def test_of_many_rows_the_same_are_kept_however_they_come(step: int, collector: RecentCollector, column: Make) -> None:
    at_once = RecentCollector([column("x")])
    at_once.add("feature", table_of_columns({"x": np.arange(5000.0)}))

    for start in range(0, 5000, step):
        collector.add("feature", table_of_columns({"x": np.arange(start, min(start + step, 5000), dtype=float)}))

    whole, side = closed(at_once).sides["feature"], closed(collector).sides["feature"]
    assert side.rows == 5000
    assert side.sample.numbers[0].tolist() == whole.sample.numbers[0].tolist() == sorted(whole.sample.numbers[0])
    assert side.sample.exchanges.tolist() == whole.sample.exchanges.tolist()
    assert side.keys.tolist() == whole.keys.tolist()
    assert side.keys.max() == pytest.approx(PANE_ROWS / 5000, rel=0.5)


@pytest.mark.parametrize("rows", [40, 100, 1000, 20_000])
def test_rows_are_chosen_evenly_over_every_pane_at_any_rate(rows: int, collector: RecentCollector) -> None:
    places = list[float]()
    for _ in range(50):
        collector.add("feature", table_of_columns({"x": (np.arange(rows) + 0.5) / rows}))
        places += sample(collector).numbers[0].tolist()

    assert len(places) == 50 * PANE_ROWS
    deciles = np.histogram(places, bins=10, range=(0, 1))[0] / len(places)
    assert deciles == pytest.approx([0.1] * 10, abs=0.035)


@pytest.mark.parametrize("clients", [2, 3, 4, 13, 16])
def test_of_clients_who_take_turns_each_is_seen(clients: int, collector: RecentCollector) -> None:
    seen = list[float]()
    for _ in range(8):
        collector.add("feature", table_of_columns({"x": np.arange(1600) % float(clients)}))
        seen += sample(collector).numbers[0].tolist()

    assert np.bincount(np.array(seen, int), minlength=clients) == pytest.approx(256 / clients, rel=0.8)


def test_a_pane_is_bounded_however_much_comes(collector: RecentCollector) -> None:
    for _ in range(50):
        collector.add("feature", table_of_columns({"x": np.arange(1000.0), "w": ["a" * 500] * 1000}))

    side = closed(collector).sides["feature"]
    assert side.sample.rows == len(side.keys) == PANE_ROWS
    assert {len(text) for text in side.sample.texts[1]} == {64}


def test_a_pane_begins_anew_and_the_keys_go_on(collector: RecentCollector) -> None:
    panes = list[RecentPane]()
    for start in range(0, 50, 10):
        collector.add("feature", table_of_columns({"x": np.arange(start, start + 10.0)}))
        panes.append(closed(collector))

    sides = [pane.sides["feature"] for pane in panes]
    assert [side.rows for side in sides] == [10] * 5
    assert [side.sample.numbers[0].tolist() for side in sides][1] == list(range(10, 20))
    assert len({key for side in sides for key in side.keys.tolist()}) == 50
    assert [side.sample.exchanges.tolist() for side in sides] == [list(range(10))] * 5


def test_of_a_large_exchange_few_rows_are_kept(collector: RecentCollector) -> None:
    collector.add("feature", of_exchanges(table_of_columns({"x": np.arange(1000.0)}), [0] * 1000))
    collector.add("feature", of_exchanges(table_of_columns({"x": np.arange(4.0)}), [0, 0, 1, 2]))

    side = closed(collector).sides["feature"]
    assert side.sample.numbers[0].tolist() == [*np.arange(0, 1000, 125), 0, 1, 2, 3]
    assert len(np.unique(side.sample.exchanges)) == 4
    assert side.rows == 1004


def test_types_and_texts_of_whatever_comes(collector: RecentCollector) -> None:
    collector.add("feature", table_of_columns({"x": [1, "2", None, True, [3]], "w": ["a", 5, None, 1.5, {}]}))
    collector.add("feature", table_of_columns({"w": np.array([7.0, np.nan]), "t": ["free", "text"]}))
    collector.add("feature", table_of_columns({"t": ["more", None]}))

    rows = sample(collector)
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

    assert pane.sides["feature"].sample.numbers[0].tolist() == [1.0] * 3


def test_a_column_that_is_known_otherwise_is_no_news(column: Make) -> None:
    collector = RecentCollector([column("x")], known=[("feature", "note · words")])

    collector.add("feature", table_of_columns({"x": [1.0], "note · words": [2.0], "new": [3.0]}))

    assert [seen.name for seen in closed(collector).unknown] == ["new"]
