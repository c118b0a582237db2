"""A drift judge that is stopped and goes on from what was written, and what it refuses to go on from."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
import pytest
from numpy.typing import NDArray

from dashlight.judge.columns.judge import DriftJudge, DriftJudgeState
from dashlight.judge.columns.season_tables import SlotRows, SlotRowsState
from dashlight.judge.evidence.pane_ends import PANES_REMEMBERED
from dashlight.judge.evidence.shift_watch import ShiftWatchState
from dashlight.judge.natural_variation import Movements, natural_variation
from dashlight.records import Alert
from dashlight.window.bins import Binner
from dashlight.window.columns import ColumnReference
from dashlight.window.panes import Panes
from dashlight.window.reference.build import build_reference
from dashlight.window.reference.seasons.waves import SLOTS
from dashlight.window.tables import table_of_columns

MakeColumns: TypeAlias = Callable[..., tuple[ColumnReference, ...]]
Counts: TypeAlias = NDArray[np.int64]
Frozen: TypeAlias = Callable[[object], bytes]
Thawed: TypeAlias = Callable[[DriftJudgeState], DriftJudgeState]
Change: TypeAlias = Callable[[DriftJudgeState], DriftJudgeState]

PANE_ROWS = 100
MOVES = ((1.0, 20), (0.0, 40), (1.0, 15), (0.0, 50), (0.6, 10))
"""(shift of the column, panes) one after another: firing, resolved, firing again soon, resolved, firing."""
ROWS_A_DAY = 4800
SECONDS_A_ROW = 86_400 / ROWS_A_DAY
REFERENCE_ROWS = 5 * ROWS_A_DAY


class Stream:
    """Panes one after another, and the window that ends with the last."""

    def __init__(self, panes: Counts, seconds: float, first_at: float = 0.0) -> None:
        self.panes, self._seconds, self._first_at = panes, seconds, first_at
        self._kept = Panes(panes.shape[1])

    def step(self, pane: int, *judges: DriftJudge) -> list[list[Alert]]:
        """What each of the *judges* says of the pane."""
        self._kept.add(self.panes[pane])
        began_at, at = (self._first_at + self._seconds * edge for edge in (pane, pane + 1))
        counts = self._kept.close(at)
        return [judge.update(counts, at, self._window, began_at=began_at) for judge in judges]

    def _window(self, wanted: int) -> tuple[Counts, int]:
        window = self._kept.window(wanted)
        return window.counts, window.panes


@pytest.fixture(scope="module")
def seasonal() -> tuple[ColumnReference, ...]:
    values = daily(np.random.default_rng(601), 0, REFERENCE_ROWS)
    moments = np.arange(REFERENCE_ROWS, dtype=np.float64) * SECONDS_A_ROW
    rng = np.random.default_rng(0)
    return build_reference(
        lambda: [{"feature": table_of_columns(values)}], rng=rng, created_at=0.0, moments=moments
    ).columns


def daily(rng: np.random.Generator, first_row: int, rows: int) -> dict[str, NDArray[np.float64]]:
    """Two columns, of which the first follows the hour."""
    hour = 2 * np.pi * (first_row + np.arange(rows)) / ROWS_A_DAY
    return {"warmth": rng.standard_normal(rows) + np.sin(hour), "weight": rng.standard_normal(rows)}


def judge_of(columns: tuple[ColumnReference, ...]) -> DriftJudge:
    return DriftJudge(columns, panes=10_000.0, model="late", version="1", endpoint="/predict")


def check_every_cut(
    columns: tuple[ColumnReference, ...], stream: Stream, frozen: Frozen, thawed: Thawed
) -> list[Alert]:
    """The alerts of a judge that is never stopped; one that is stopped after every pane agrees with it to the last bit."""
    whole, cut = judge_of(columns), judge_of(columns)
    told: list[Alert] = []
    for pane in range(len(stream.panes)):
        expected, alerts = stream.step(pane, whole, cut)
        told += expected
        assert repr(alerts) == repr(expected)
        assert frozen(cut.state) == frozen(whole.state)
        state, cut = thawed(cut.state), judge_of(columns)
        cut.restore(state)
    return told


@pytest.mark.parametrize(("seed", "small_shift"), [(610, 0.12), (612, 0.16)])
def test_a_judge_that_is_stopped_after_any_pane_goes_on_as_if_it_never_was(
    *,
    columns_of: MakeColumns,
    panes_of: Callable[..., Counts],
    frozen: Frozen,
    thawed: Thawed,
    seed: int,
    small_shift: float,
) -> None:
    rng = np.random.default_rng(seed)
    columns = columns_of({"a": rng.standard_normal(10_000), "b": rng.exponential(size=10_000)})
    moves = ((0.0, 5), (small_shift, 40), *MOVES)
    size = np.concatenate([np.full(panes * PANE_ROWS, size) for size, panes in moves])
    values = {"a": rng.standard_normal(len(size)) + size, "b": rng.exponential(size=len(size))}
    stream = Stream(panes_of(columns, values, PANE_ROWS), 10.0)

    told = check_every_cut(columns, stream, frozen, thawed)

    states = [alert.state for alert in told if alert.column == "a"]
    assert {"pending", "firing", "resolved"} <= set(states)
    assert [*pairwise(states)].count(("firing", "resolved")) == 2
    assert states[-1] == "firing"


def test_so_does_one_of_columns_that_follow_the_hour(
    seasonal: tuple[ColumnReference, ...], panes_of: Callable[..., Counts], frozen: Frozen, thawed: Thawed
) -> None:
    values = daily(np.random.default_rng(602), REFERENCE_ROWS, ROWS_A_DAY)
    values["warmth"][1500:3000] += 1.0
    stream = Stream(panes_of(seasonal, values, PANE_ROWS), PANE_ROWS * SECONDS_A_ROW, REFERENCE_ROWS * SECONDS_A_ROW)

    told = check_every_cut(seasonal, stream, frozen, thawed)

    assert {"firing", "resolved"} <= {alert.state for alert in told if alert.column == "warmth"}


@pytest.fixture(scope="module")
def firing(seasonal: tuple[ColumnReference, ...]) -> DriftJudge:
    """A judge of two columns, of which the first has an alert that fires."""
    values = daily(np.random.default_rng(603), REFERENCE_ROWS, 3000)
    values["warmth"][1500:] += 1.0
    binner = Binner(seasonal)
    codes = binner.codes(table_of_columns(values)).reshape(2, -1, PANE_ROWS)
    panes = np.array([binner.count(codes[:, pane]) for pane in range(codes.shape[1])])
    stream = Stream(panes, PANE_ROWS * SECONDS_A_ROW, REFERENCE_ROWS * SECONDS_A_ROW)
    judge = judge_of(seasonal)
    for pane in range(len(panes)):
        stream.step(pane, judge)
    return judge


def watch_with(change: Callable[[ShiftWatchState], ShiftWatchState], place: int = 0) -> Change:
    return lambda state: replace(state, watches={place: change(state.watches[0])})


def slots_with(**changed: Any) -> Change:
    def change(state: DriftJudgeState) -> DriftJudgeState:
        assert state.slot_rows is not None
        return replace(state, slot_rows=replace(state.slot_rows, **changed))

    return change


def renamed(watch: ShiftWatchState) -> ShiftWatchState:
    assert watch.alert is not None
    return replace(watch, alert=replace(watch.alert, key="drift/late/%2Fpredict/feature/weight"))


def test_what_is_not_changed_is_taken_over(
    seasonal: tuple[ColumnReference, ...], firing: DriftJudge, thawed: Thawed, frozen: Frozen
) -> None:
    judge = judge_of(seasonal)

    judge.restore(thawed(firing.state))

    assert frozen(judge.state) == frozen(firing.state)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda state: replace(state, margins=state.margins[:1]), id="fewer margins"),
        pytest.param(lambda state: replace(state, margins=state.margins * np.float32("nan")), id="margins of nothing"),
        pytest.param(lambda state: replace(state, margins=state.margins + 100), id="margins above the cap"),
        pytest.param(
            lambda state: replace(state, evidence=replace(state.evidence, margins=state.evidence.margins[:, :1])),
            id="evidence of one column",
        ),
        pytest.param(lambda state: replace(state, ends=replace(state.ends, closed=-1)), id="less than no panes"),
        pytest.param(watch_with(lambda watch: watch, place=2), id="a third column"),
        pytest.param(watch_with(lambda watch: watch, place=-1), id="a column before the first"),
        pytest.param(watch_with(lambda watch: watch, place=1), id="the alert of another column"),
        pytest.param(watch_with(renamed), id="an alert of another name"),
        pytest.param(watch_with(lambda watch: replace(watch, since=10**6)), id="evidence from the future"),
        pytest.param(lambda state: replace(state, slot_rows=None), id="no rows by the hour"),
        pytest.param(slots_with(closed=-1), id="less than no panes by the hour"),
        pytest.param(slots_with(closed=1), id="entries of panes to come"),
        pytest.param(slots_with(closed=10**6), id="entries of panes long gone"),
        pytest.param(slots_with(closed=0, panes=np.zeros(0, np.int64)), id="slots and rows of no panes"),
        pytest.param(slots_with(rows=np.zeros(3)), id="rows of fewer entries"),
    ],
)
def test_a_state_that_no_judge_of_these_columns_can_have_is_refused(
    seasonal: tuple[ColumnReference, ...], firing: DriftJudge, thawed: Thawed, change: Change
) -> None:
    state = thawed(change(thawed(firing.state)))

    with pytest.raises(ValueError, match=r"."):
        judge_of(seasonal).restore(state)


def test_a_judge_of_no_columns_has_a_state_too(thawed: Thawed, frozen: Frozen) -> None:
    judge = judge_of(())

    judge.restore(thawed(judge_of(()).state))

    assert frozen(judge.state) == frozen(judge_of(()).state)


def test_movements_that_another_judge_measured_make_the_same_judge(
    seasonal: tuple[ColumnReference, ...], columns_of: MakeColumns
) -> None:
    rng = np.random.default_rng(605)
    for columns in (seasonal, columns_of({"a": rng.standard_normal(9000), "b": rng.standard_normal(9000).cumsum()})):
        movements = Movements()
        natural_variation(columns, movements)

        judge, other = DriftJudge(columns, panes=1e4), DriftJudge(columns, panes=1e4, movements=movements)

        for part in ("each", "inside", "scores", "floor"):
            np.testing.assert_array_equal(getattr(other.tables, part), getattr(judge.tables, part))


def test_rows_by_the_hour_are_refused_where_no_column_follows_it(columns_of: MakeColumns, firing: DriftJudge) -> None:
    rng = np.random.default_rng(604)
    judge = judge_of(columns_of({"a": rng.standard_normal(2000), "b": rng.standard_normal(2000)}))
    quiet = judge.state

    with pytest.raises(ValueError, match="time of day"):
        judge.restore(replace(quiet, slot_rows=firing.state.slot_rows))


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"panes": np.array([1, 0, 2])}, id="out of order"),
        pytest.param({"panes": np.array([0.0, 1.0, 2.0])}, id="panes that are no whole numbers"),
        pytest.param({"slots": np.array([0, 1, SLOTS], np.int16)}, id="a slot after the last"),
        pytest.param({"slots": np.array([-1, 0, 1], np.int16)}, id="a slot before the first"),
        pytest.param({"rows": np.array([1.0, np.nan, 1.0])}, id="rows that are no number"),
        pytest.param({"rows": np.array([1.0, -1.0, 1.0])}, id="less than no rows"),
        pytest.param({"rows": np.array([1.0, 1e300, 1.0])}, id="rows without end"),
        pytest.param({"closed": 2}, id="a pane that is still to come"),
        pytest.param({"closed": PANES_REMEMBERED + 1}, id="a pane that is forgotten"),
    ],
)
def test_slots_that_no_panes_can_have_had_are_refused(changed: dict[str, Any]) -> None:
    state = SlotRowsState(3, np.arange(3), np.arange(3, dtype=np.int16), np.ones(3))
    SlotRows().restore(state)

    with pytest.raises(ValueError, match=r"."):
        SlotRows().restore(replace(state, **changed))
