from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import lfilter  # pyright: ignore[reportUnknownVariableType]

from dashlight.judge.columns.judge import DriftJudge
from dashlight.judge.columns.outages import Outage, Outages, OutagesState
from dashlight.records import Alert
from dashlight.window.columns import ColumnReference
from dashlight.window.layout import BINS, NULL, TYPE_ERROR

MakeColumns = Callable[..., tuple[ColumnReference, ...]]
MakePanes = Callable[..., NDArray[np.int64]]
Judged = Callable[[DriftJudge, NDArray[np.int64]], tuple[list[Alert], NDArray[np.bool_], NDArray[np.float32]]]
Values = dict[str, Any]
Frozen = Callable[[object], bytes]
Thawed = Callable[[OutagesState], OutagesState]

AFTER = 500


def among_memory(rng: np.random.Generator, rho: float, rows: int) -> Values:
    """Five numbers and a word that remember the row before, and a constant."""

    def remembering() -> NDArray[np.float64]:
        noise = rng.standard_normal(rows + 2000) * np.sqrt(1 - rho**2)
        return np.asarray(lfilter([1.0], [1.0, -rho], noise)[2000:])

    numbers: Values = {f"x{place}": remembering() for place in range(5)}
    return numbers | {"word": np.where(remembering() > 0, "a", "b").tolist(), "mode": ["auto"] * rows}


def filled(column: str, value: object) -> Callable[[Values], Values]:
    def fill(values: Values) -> Values:
        kept = list(values[column])
        return values | {column: kept[:AFTER] + [value] * (len(kept) - AFTER)}

    return fill


@pytest.mark.parametrize(("rho", "rows"), [(0.98, 1000), (0.99, 1000), (0.98, 20_000), (0.999, 3000)])
@pytest.mark.parametrize(
    "change", [filled("x0", None), filled("x1", "N.N."), filled("word", "new"), filled("word", None)],
    ids=["missing", "a wrong type", "a new category", "missing words"],
)  # fmt: skip
def test_what_never_happened_and_fills_whole_panes_is_found_at_any_memory(  # noqa: PLR0917 - fixtures
    rho: float,
    rows: int,
    change: Callable[[Values], Values],
    columns_of: MakeColumns,
    panes_of: MakePanes,
    judged: Judged,
) -> None:
    rng = np.random.default_rng([920, rows, int(1000 * rho)])
    columns = columns_of(among_memory(rng, rho, rows))
    longest = max(column.profile.longest_run for column in columns if column.profile and column.name == "word")
    live = change(among_memory(rng, rho, AFTER + 300 + (longest if longest > 300 else 0) + 100))

    alerts, firing, _ = judged(DriftJudge(columns, panes=259_200.0), panes_of(columns, live, 100))

    found = [int(np.flatnonzero(held)[0]) * 100 + 100 - AFTER for held in firing.T if held.any()]
    is_word = any(alert.column == "word" for alert in alerts)
    assert min(found) <= max(300, longest // 100 * 100 + 100 if is_word else 0)


def test_panes_that_were_filled_before_are_no_outage(columns_of: MakeColumns) -> None:
    rng = np.random.default_rng(921)
    values = rng.standard_normal(5000)
    values[[3, 9]] = np.nan
    outages = Outages(columns_of({"x": values}))

    assert [taken(outages, filled_pane(NULL, 100)) for _ in range(5)] == [[]] * 5


def test_it_takes_three_panes_a_hundred_rows_and_more_than_the_longest_run(columns_of: MakeColumns) -> None:
    rng = np.random.default_rng(922)
    flips = np.repeat(rng.standard_normal(50), 100)  # runs of a hundred rows
    columns = columns_of({"x": rng.standard_normal(5000), "slow": flips})
    for rows, quick, slow in ((100, 3, 3), (20, 5, 6), (1000, 3, 3)):
        outages = Outages(columns)
        told = [{each.place for each in taken(outages, filled_pane(NULL, rows, columns=2))} for _ in range(8)]
        first = [next(number for number, places in enumerate(told, 1) if place in places) for place in (0, 1)]
        assert first == [quick, slow]


def test_a_pane_with_anything_else_begins_anew_and_one_without_rows_says_nothing(columns_of: MakeColumns) -> None:
    outages = Outages(columns_of({"x": np.random.default_rng(923).standard_normal(5000)}))
    mixed = filled_pane(NULL, 99)
    mixed[0, 10] = 1

    for pane in (filled_pane(NULL, 100), filled_pane(NULL, 100), mixed, filled_pane(NULL, 100), filled_pane(NULL, 0)):
        assert not taken(outages, pane)
    assert not taken(outages, filled_pane(NULL, 100))
    assert not taken(outages, filled_pane(TYPE_ERROR, 100))
    assert outages.state.panes.tolist() == [1]


def test_it_resolves_once_values_are_back(columns_of: MakeColumns, panes_of: MakePanes, judged: Judged) -> None:
    rng = np.random.default_rng(924)
    columns = columns_of(among_memory(rng, 0.99, 1000))
    live = among_memory(rng, 0.99, 6000)
    live["x0"][AFTER : AFTER + 1000] = np.nan

    alerts, _, _ = judged(DriftJudge(columns, panes=259_200.0), panes_of(columns, live, 100))

    assert [alert.state for alert in alerts if alert.column == "x0" and alert.state != "pending"][-1] == "resolved"


def test_a_column_that_is_not_watched_has_no_outage(
    columns_of: MakeColumns, panes_of: MakePanes, judged: Judged
) -> None:
    rng = np.random.default_rng(925)
    columns = columns_of({name: rng.standard_normal(2000) for name in "xy"})
    live = {"x": np.full(1000, np.nan), "y": rng.standard_normal(1000)}

    alerts, _, _ = judged(
        DriftJudge(columns, panes=259_200.0, importance={"x": 0}), panes_of(columns, live, 100)
    )  # fmt: skip

    assert not alerts


def test_one_that_is_stopped_after_any_pane_goes_on_as_if_it_never_was(
    columns_of: MakeColumns, frozen: Frozen, thawed: Thawed
) -> None:
    columns = columns_of({"x": np.random.default_rng(926).standard_normal(2000)})
    whole, cut = Outages(columns), Outages(columns)
    for rows, bin_ in ((100, NULL), (0, NULL), (50, NULL), (100, 12), (60, TYPE_ERROR), (60, TYPE_ERROR), (1, NULL)):
        expected, found = (taken(each, filled_pane(bin_, rows)) for each in (whole, cut))
        assert found == expected
        state, cut = thawed(cut.state), Outages(columns)
        cut.restore(state)
        assert frozen(cut.state) == frozen(whole.state)


@pytest.mark.parametrize(
    "changed",
    [
        {"panes": np.zeros(2, np.int64)},
        {"panes": np.array([-1])},
        {"rows": np.array([1])},
        {"bins": np.array([36])},
        {"bins": np.array([12])},
        {"panes": np.array([0])},
        {"rows": np.array([2**61])},
    ],
    ids=["columns", "negative", "too few rows", "no bin", "a value", "no panes", "too many rows"],
)
def test_a_state_that_no_panes_lead_to_is_refused(changed: dict[str, Any], columns_of: MakeColumns) -> None:
    columns = columns_of({"x": np.random.default_rng(927).standard_normal(2000)})
    outages = Outages(columns)
    for _ in range(2):
        taken(outages, filled_pane(NULL, 100))

    with pytest.raises(ValueError, match=r"."):
        Outages(columns).restore(replace(outages.state, **changed))


def taken(outages: Outages, counts: NDArray[np.int64]) -> list[Outage]:
    return list(outages.update(counts, counts.sum(1).astype(np.float32)))


def filled_pane(bin_: int, rows: int, columns: int = 1) -> NDArray[np.int64]:
    counts = np.zeros((columns, BINS), np.int64)
    counts[:, bin_] = rows
    return counts
