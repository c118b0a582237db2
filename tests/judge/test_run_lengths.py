from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from dashlight.judge.columns.judge import DriftJudge
from dashlight.judge.natural_variation import natural_variation
from dashlight.judge.run_lengths import little_known, run_memory
from dashlight.records import Alert
from dashlight.window.columns import ColumnReference, Runs
from dashlight.window.events import BIN_EVENTS, EVENT_COUNT
from dashlight.window.layout import STRUCTURAL_BINS

MakeColumns = Callable[..., tuple[ColumnReference, ...]]
MakePanes = Callable[..., NDArray[np.int64]]
Judged = Callable[[DriftJudge, NDArray[np.int64]], tuple[list[Alert], NDArray[np.bool_], NDArray[np.float32]]]
Bools = NDArray[np.bool_]
Lengths = Callable[[np.random.Generator], int]

EVENT = 70
MONTH = 259_200.0


def rows_in_runs(rng: np.random.Generator, rows: int, length: Lengths, gap: float) -> Bools:
    """True in runs of such lengths, *gap* rows apart on average."""
    values, place = np.zeros(rows, np.bool_), 0
    while place < rows:
        place += int(rng.exponential(gap))
        longest = length(rng)
        values[place : place + longest] = True
        place += longest
    return values


def geometric(mean: float) -> Lengths:
    return lambda rng: int(rng.geometric(1 / mean))


def pareto(rng: np.random.Generator) -> int:
    return int(1 + rng.pareto(1.5))


def runs_of(held: int, counts: int, rows: int = 20_000) -> Runs:
    found = Runs(rows, np.zeros(EVENT_COUNT, np.int64), np.zeros(EVENT_COUNT, np.int64), np.zeros(EVENT_COUNT))
    found.held[EVENT], found.counts[EVENT] = held, counts
    return found


def event_of_true(column: ColumnReference) -> int:
    return int(BIN_EVENTS[STRUCTURAL_BINS + column.categories.index("true")])


def test_runs_of_a_hundred_rows_tell_how_many_rows_are_worth_one() -> None:
    # 33 runs of 3 rows: (2 - x) / x with x = 33 / (99 (1 - p)), about 2 * 3 - 1.
    assert run_memory(runs_of(99, 33), 0.0)[EVENT] == pytest.approx(4.97, abs=0.01)
    assert run_memory(runs_of(99, 33), 1.0)[EVENT] == pytest.approx(4.97 * (1 + 33**-0.5), abs=0.01)


def test_rows_that_follow_one_another_by_chance_make_no_runs() -> None:
    assert run_memory(runs_of(2000, 1790), 1.0)[EVENT] == 1.0
    assert run_memory(runs_of(99, 98), 1.0)[EVENT] == 1.0


def test_what_is_lacked_in_runs_is_as_long_as_what_is_held_in_them() -> None:
    assert run_memory(runs_of(20_000 - 99, 34), 0.0)[EVENT] == pytest.approx(run_memory(runs_of(99, 33), 0.0)[EVENT])


def test_of_less_than_twenty_rows_nothing_is_said_and_of_less_than_a_hundred_little() -> None:
    assert np.isnan(run_memory(runs_of(19, 5), 0.0)[EVENT])
    assert not np.isnan(run_memory(runs_of(20, 5), 0.0)[EVENT])
    assert [bool(little_known(runs_of(held, 5))[EVENT]) for held in (19, 20, 99, 100)] == [False, True, True, False]


@pytest.mark.parametrize("gap", [300, 3000])
def test_runs_of_a_rare_value_are_seen_at_any_share(gap: int, columns_of: MakeColumns) -> None:
    rows = rows_in_runs(np.random.default_rng(gap), 20_000, geometric(4), gap)

    columns = columns_of({"rare": rows.tolist()})

    place = event_of_true(columns[0])
    found = natural_variation(columns)
    assert 5 < found.phi[0, place] < 40
    assert found.bursts[0].pane_nats[place] in {1.0, 3.0}


def test_a_rare_value_that_comes_by_chance_has_no_memory(columns_of: MakeColumns) -> None:
    columns = columns_of({"rare": (np.random.default_rng(7).random(20_000) < 0.01).tolist()})

    found = natural_variation(columns)

    assert (found.phi == 1).all()
    assert np.isinf(found.bursts[0].pane_nats).all()


def test_what_is_always_there_at_the_same_hour_is_no_burst(columns_of: MakeColumns) -> None:
    # Forty rows a day, of which two are of the first hour: blocks of 100 rows hold as many as one another.
    columns = columns_of({"first": (np.arange(20_000) % 40 < 2).tolist()})

    found = natural_variation(columns)

    assert found.phi.max() < 1.5
    assert np.isinf(found.bursts[0].pane_nats).all()


def test_a_value_known_from_few_rows_is_not_taken_to_be_calmer_than_the_other_columns(columns_of: MakeColumns) -> None:
    rng = np.random.default_rng(8)
    few = {"few": (rng.random(20_000) < 0.002).tolist(), "many": (rng.random(20_000) < 0.03).tolist()}
    entities = {f"x{place}": np.repeat(rng.standard_normal(1000), 20) for place in range(3)}

    columns = columns_of(few | entities)

    found = natural_variation(columns)
    by_name = {column.name: place for place, column in enumerate(columns)}
    assert found.phi[by_name["few"], event_of_true(columns[by_name["few"]])] > 15
    assert found.phi[by_name["many"], event_of_true(columns[by_name["many"]])] == 1


@pytest.mark.parametrize("length", [geometric(3), geometric(20), pareto], ids=["three", "twenty", "heavy tail"])
@pytest.mark.parametrize("kind", ["boolean", "missing"])
def test_rare_values_in_runs_do_not_alarm(
    length: Lengths, kind: str, columns_of: MakeColumns, panes_of: MakePanes, judged: Judged
) -> None:
    rng = np.random.default_rng(900)
    alarms = 0
    for gap in (300, 1000):
        rows = rows_in_runs(rng, 120_000, length, gap)
        values = rows if kind == "boolean" else np.where(rows, np.nan, rng.standard_normal(len(rows)))
        columns = columns_of({"x": values[:20_000].tolist()})
        judge = DriftJudge(columns, panes=MONTH)
        alerts, _, _ = judged(judge, panes_of(columns, {"x": values[20_000:].tolist()}, 100))
        alarms += sum(alert.state == "firing" for alert in alerts)

    assert alarms == 0


def test_a_rare_value_four_times_as_frequent_is_found(
    columns_of: MakeColumns, panes_of: MakePanes, judged: Judged
) -> None:
    rng = np.random.default_rng(901)
    columns = columns_of({"x": (rng.random(20_000) < 0.005).tolist()})

    _, firing, _ = judged(
        DriftJudge(columns, panes=MONTH), panes_of(columns, {"x": (rng.random(3000) < 0.02).tolist()}, 100)
    )

    assert firing[-1, 0]


def few_beside(length: Lengths, columns_of: MakeColumns) -> tuple[ColumnReference, ...]:
    """Values that are missing in runs of such *length* in two columns, and in a third in three single rows."""
    rng = np.random.default_rng(902)
    few = np.zeros(20_000, np.bool_)
    few[[500, 9_000, 15_000]] = True
    rare = {"few": few, **{f"x{gap}": rows_in_runs(rng, 20_000, length, gap) for gap in (100, 300)}}
    return columns_of({name: lacking(rng, rows) for name, rows in rare.items()})


def lacking(rng: np.random.Generator, rows: Bools) -> list[float]:
    values: list[float] = np.where(rows, np.nan, rng.standard_normal(len(rows))).tolist()
    return values


@pytest.mark.parametrize(("length", "alarms"), [(pareto, False), (geometric(1), True)], ids=["in runs", "by chance"])
def test_a_value_too_rare_to_tell_comes_as_the_rare_values_of_the_other_columns_do(
    length: Lengths, columns_of: MakeColumns, panes_of: MakePanes, judged: Judged, *, alarms: bool
) -> None:
    columns = few_beside(length, columns_of)
    rng = np.random.default_rng(903)
    current = {name: rng.random(1_000) < 0.005 for name in ("few", "x100", "x300")}
    current["few"] = np.zeros(1_000, np.bool_)
    current["few"][200:320] = True  # a single run of it
    panes = panes_of(columns, {name: lacking(rng, rows) for name, rows in current.items()}, 100)

    _, firing, _ = judged(DriftJudge(columns, panes=MONTH), panes)

    place = [column.name for column in columns].index("few")
    assert firing[:, place].any() == alarms


def test_a_value_too_rare_to_tell_that_stays_is_found(
    columns_of: MakeColumns, panes_of: MakePanes, judged: Judged
) -> None:
    columns = few_beside(pareto, columns_of)
    rng = np.random.default_rng(904)
    current = {"few": np.ones(5_000, np.bool_), **{name: rng.random(5_000) < 0.005 for name in ("x100", "x300")}}
    panes = panes_of(columns, {name: lacking(rng, rows) for name, rows in current.items()}, 100)

    _, firing, _ = judged(DriftJudge(columns, panes=MONTH), panes)

    assert firing[40, [column.name for column in columns].index("few")]
