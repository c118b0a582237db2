from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from dashlight.records import Role
from dashlight.store.layout import Layout
from dashlight.window.columns import ColumnReference
from dashlight.window.recent.collector import RecentCollector
from dashlight.window.recent.pane import MOST_UNKNOWN, PANE_ROWS, PaneRows, RecentPane, merged_recent
from dashlight.window.reference.build import build_reference_from_columns
from dashlight.window.tables import Column, table_of_columns

Make = Callable[..., ColumnReference]
Collect = Callable[..., RecentPane]
CollectInTurn = Callable[[int, int], Sequence[RecentPane]]
LAYOUT: Layout[RecentPane] = Layout("recent pane", 1, RecentPane)


@pytest.fixture
def collect(column: Make) -> Collect:
    def pane(*tables: dict[str, Column], role: Role = "feature", rows_of_exchange: int = 1) -> RecentPane:
        collector = RecentCollector([column("x"), column("w", "categorical"), column("y", role="output")])
        for columns in tables:
            table = table_of_columns(columns)
            collector.add(role, replace(table, exchange=np.arange(table.rows) // rows_of_exchange))
        closed = collector.close()
        assert closed is not None
        return closed

    return pane


@pytest.fixture(scope="module")
def collect_once() -> Collect:
    held: dict[str, Column] = {"x": [0.0, 1.0] * 100, "w": ["a", "b"] * 100}
    columns = build_reference_from_columns(held, {}, rng=np.random.default_rng(0), created_at=0.0).columns

    def pane(columns_sent: dict[str, Column]) -> RecentPane:
        collector = RecentCollector(columns)
        collector.add("feature", table_of_columns(columns_sent))
        closed = collector.close()
        assert closed is not None
        return closed

    return pane


@pytest.fixture
def collect_in_turn(column: Make) -> CollectInTurn:
    def panes(rows: int, process: int) -> Sequence[RecentPane]:
        collector = RecentCollector([column("x"), column("y", role="output")])
        # No two processes have seen as many rows before.
        collector.add("feature", table_of_columns({"x": np.ones(97 * process)}))
        collector.close()
        found = list[RecentPane]()
        for _ in range(40):
            collector.add("feature", table_of_columns({"x": 1e6 * process + 1e5 * (np.arange(rows) + 0.5) / rows}))
            found += filter(None, [collector.close()])
        return found

    return panes


def side_of(rows: int, *, begin: float) -> dict[str, Column]:
    return {"x": begin + np.arange(rows)}


def x(rows: PaneRows) -> list[float]:
    found: list[float] = rows.numbers[0].tolist()
    return found


def shares(rows: PaneRows) -> Counter[int]:
    """How many rows are of each process: the first one's values begin at 0, the second's at 1e6, and so on."""
    return Counter(int(value // 1e6) for value in x(rows))


def written(pane: RecentPane) -> bytes:
    return b"".join(LAYOUT.freeze(pane))


def test_rows_of_two_processes_take_turns(collect: Collect) -> None:
    merged = merged_recent([collect(side_of(3, begin=0)), collect({"x": [10.0, 11.0, 12.0], "w": ["a", "b", None]})])

    sample = merged.sides["feature"].sample
    assert x(sample) == [0, 10, 1, 11, 2, 12]
    assert sample.texts[1].tolist() == [None, "a", None, "b", None, None]
    assert sample.types[1].tolist() == [5, 3, 5, 3, 5, 0]
    assert merged.sides["output"].sample.rows == 0
    assert merged.sides["feature"].rows == 6


def test_a_busier_process_has_more_rows_between(collect: Collect) -> None:
    merged = merged_recent([collect(side_of(6, begin=0)), collect(side_of(2, begin=10))])

    # Ages in units of the pane: 1/12, 3/12, ... and 1/4, 3/4; of one age the first process is the older.
    assert x(merged.sides["feature"].sample) == [0, 1, 10, 2, 3, 4, 11, 5]


def test_the_rows_that_stay_are_of_all_in_proportion_to_theirs(collect_in_turn: CollectInTurn) -> None:
    found = Counter[int]()
    for panes in zip(*(collect_in_turn(rows, number) for number, rows in enumerate((6000, 2000, 10))), strict=True):
        side = merged_recent(panes).sides["feature"]
        assert side.sample.rows == PANE_ROWS
        found += shares(side.sample)

    # Of 40 panes with 32 rows each.
    assert found[0] == pytest.approx(960, rel=0.1)
    assert found[1] == pytest.approx(320, rel=0.2)
    assert found[2] <= 8


def test_exchanges_stay_apart(collect: Collect) -> None:
    panes = [collect(side_of(8, begin=0), rows_of_exchange=4), collect(side_of(6, begin=100), rows_of_exchange=3)]

    sample = merged_recent(panes).sides["feature"].sample

    exchanges = {value: int(exchange) for value, exchange in zip(x(sample), sample.exchanges, strict=True)}
    assert len({exchanges[value] for value in (0, 4, 100, 103)}) == 4
    assert exchanges[0] == exchanges[3]
    assert exchanges[103] == exchanges[105]


def test_one_client_of_large_exchanges_does_not_crowd_out_the_others(collect: Collect) -> None:
    large = collect(side_of(50_000, begin=0), rows_of_exchange=50_000)
    single = collect(side_of(1000, begin=1e6))

    assert shares(merged_recent([large, single]).sides["feature"].sample)[0] <= 3


def test_what_any_of_them_sent_was_sent(collect: Collect) -> None:
    merged = merged_recent([collect(side_of(1, begin=0)), collect({"y": np.ones(1)}, role="output")])

    assert merged.sides["feature"].present.tolist() == [True, False]
    assert merged.sides["output"].present.tolist() == [True]


def test_unknown_columns_are_added_up_and_placed_among_the_rows_of_all(collect: Collect) -> None:
    late = collect(side_of(90, begin=0), {"z": np.ones(10)})
    early = collect(side_of(30, begin=0), {"z": np.ones(20), "u": np.ones(20)}, side_of(50, begin=0))
    never = collect(side_of(100, begin=0))

    merged = merged_recent([never, late, early])

    assert {seen.name: (seen.first_rows, seen.rows) for seen in merged.unknown} == {"z": (90, 30), "u": (90, 20)}


def test_of_too_many_unknown_columns_those_that_come_most_are_kept(collect: Collect) -> None:
    noise = [collect({f"n{number}-{at}": np.ones(1) for at in range(60)}) for number in range(3)]

    merged = merged_recent([*noise, collect(side_of(5, begin=0), {"z": np.ones(5)})])

    assert len(merged.unknown) == MOST_UNKNOWN
    assert ("z", 5) in {(seen.name, seen.rows) for seen in merged.unknown}


def test_one_pane_alone_is_what_it_was(collect: Collect) -> None:
    pane = collect(side_of(3, begin=0))

    assert merged_recent([pane]) is pane


def test_no_pane_and_panes_of_different_columns_are_refused(collect: Collect, column: Make) -> None:
    other = RecentCollector([column("x")])
    other.add("feature", table_of_columns({"x": np.ones(1)}))

    with pytest.raises(ValueError, match="no pane"):
        merged_recent([])
    with pytest.raises(ValueError, match="different columns"):
        merged_recent([collect(side_of(1, begin=0)), *filter(None, [other.close()])])


def test_a_pane_can_be_written_and_read_and_is_small(collect: Collect) -> None:
    few, many = (collect({"x": np.arange(float(rows)), "w": ["a"] * rows}) for rows in (3, 100_000))

    read = LAYOUT.thaw(written(few))

    sample = read.sides["feature"].sample
    assert x(sample) == [0, 1, 2]
    assert sample.texts[1].tolist() == ["a"] * 3
    assert read.sides["feature"].present.tolist() == [True, True]
    assert len(written(few)) < 1000
    # Two columns at 8 bytes a number, one a type and a few a text; of a row 8 for its exchange, 8 for its key.
    assert len(written(many)) < PANE_ROWS * (2 * (8 + 1 + 5) + 16) + 1000


def worded(rows: NDArray[np.float64]) -> dict[str, Column]:
    return {"x": rows, "w": [f"{value:.0f}" for value in rows.tolist()]}


@given(counts=st.lists(st.integers(1, 700), min_size=2, max_size=5), split=st.integers(1, 4))
def test_merging_the_merged_is_merging_all(collect_once: Collect, counts: Sequence[int], split: int) -> None:
    panes = [collect_once(worded(np.arange(1e6 * number, 1e6 * number + rows))) for number, rows in enumerate(counts)]
    split = min(split, len(panes) - 1)

    whole = merged_recent(panes)
    stepwise = merged_recent([merged_recent(panes[:split]), merged_recent(panes[split:])])

    for pane in (whole, stepwise):
        side = pane.sides["feature"]
        assert side.rows == sum(counts)
        assert side.sample.rows == min(sum(counts), PANE_ROWS)
        assert side.sample.texts[1].tolist() == [f"{value:.0f}" for value in x(side.sample)]
        assert len(np.unique(side.sample.exchanges)) == side.sample.rows
        lowest = sorted(np.concatenate([each.sides["feature"].keys for each in panes]).tolist())[:PANE_ROWS]
        assert sorted(side.keys.tolist()) == lowest
