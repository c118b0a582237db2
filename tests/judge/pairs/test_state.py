"""A judge of pairs that is stopped and goes on from what was written, and what it refuses to go on from."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
import pytest
from numpy.typing import NDArray

from dashlight.judge.evidence.fading import FadingRowsState
from dashlight.judge.pairs.dependence import Margin
from dashlight.judge.pairs.effects import PairMeasure, PairScales
from dashlight.judge.pairs.judge import PairJudge
from dashlight.judge.pairs.state import MOST_MEASURED, PairJudgeState
from dashlight.records import Alert
from dashlight.window.bins import Binner
from dashlight.window.columns import ColumnReference, PairReference
from dashlight.window.pairs import PairCounter, PairCounts
from dashlight.window.reference.pairs_meter import ConcordanceMeter
from dashlight.window.tables import table_of_columns

Values: TypeAlias = NDArray[np.float64]
MakeColumns: TypeAlias = Callable[..., tuple[ColumnReference, ...]]
Frozen: TypeAlias = Callable[[object], bytes]
Thawed: TypeAlias = Callable[[PairJudgeState], PairJudgeState]
Change: TypeAlias = Callable[[PairJudgeState], PairJudgeState]

COLUMNS = 9
PAIRS = COLUMNS * (COLUMNS - 1) // 2
MOVES = ((0.0, 2000), (0.5, 1500), (1.2, 2000), (0.0, 2500), (1.2, 1500), (0.0, 5000), (1.0, 1500))
"""(weight of what all columns share, rows): nothing, pending, firing, resolved, soon again, resolved, firing."""


class World:
    """A reference of independent columns, and panes of columns that share something."""

    def __init__(self, columns_of: MakeColumns) -> None:
        rng = np.random.default_rng(700)
        rows = rng.standard_normal((COLUMNS, 20_000))
        rows[1] += rows[0]
        self.columns = columns_of(_named(rows), ordered=False)
        self._binner = Binner(self.columns)
        meter = ConcordanceMeter(self.columns)
        meter.add(self._binner.codes(table_of_columns(_named(rows))))
        reference = meter.reference()
        assert reference is not None
        self.reference: PairReference = reference
        self._counter = PairCounter(reference.places, reference.signs)

    def judge(self) -> PairJudge:
        return PairJudge(
            self.columns, self.reference, panes=259_200.0, tolerance=0.3, model="m", version="3", endpoint="/p"
        )

    def panes(self, seed: int) -> Iterator[PairCounts]:
        """Of 1 to 300 rows, or none."""
        rng = np.random.default_rng(seed)
        shared = np.concatenate([np.full(rows, weight) for weight, rows in MOVES])
        values = rng.standard_normal((COLUMNS, len(shared)))
        values[1] += values[0]
        values[:7] += shared * rng.standard_normal(len(shared)) * np.array([[1], [1], [1], [-1], [1], [0.5], [0.5]])
        codes = self._binner.codes(table_of_columns(_named(values)))
        start = 0
        while start < len(shared):
            end = start + int(rng.choice([0, 1, 37, 100, 300]))
            yield self._counter.count(codes[:, start:end])
            start = end


def _named(rows: Values) -> dict[str, Values]:
    return {f"x{place}": column for place, column in enumerate(rows)}


@pytest.fixture(scope="module")
def world(columns_of: MakeColumns) -> World:
    return World(columns_of)


@pytest.fixture(scope="module")
def firing(world: World) -> PairJudge:
    """A judge with an alert that fires."""
    judge = world.judge()
    for pane, counts in enumerate(world.panes(703)):
        judge.update(counts, 10.0 * pane)
    return judge


def went_on(judge: PairJudge, state: PairJudgeState) -> PairJudge:
    judge.restore(state)
    return judge


@pytest.mark.parametrize("seed", [701, 702, 703])
def test_a_judge_that_is_stopped_after_any_pane_goes_on_as_if_it_never_was(
    world: World, frozen: Frozen, thawed: Thawed, seed: int
) -> None:
    whole, cut, resumed = world.judge(), world.judge(), list[PairJudge]()
    told: list[Alert] = []
    for pane, counts in enumerate(world.panes(seed)):
        expected = whole.update(counts, 10.0 * pane)
        told += expected
        for judge in (cut, *resumed):
            assert repr(judge.update(counts, 10.0 * pane)) == repr(expected)
            assert frozen(judge.state) == frozen(whole.state)
            assert judge.margins.tobytes() == whole.margins.tobytes()
        cut = went_on(world.judge(), thawed(cut.state))
        if pane % 40 == seed % 40:
            resumed.append(went_on(world.judge(), thawed(whole.state)))

    states = [alert.state for alert in told]
    assert {"pending", "firing", "resolved"} <= set(states)
    assert [*pairwise(states)].count(("firing", "resolved")) >= 2
    assert states[-1] == "firing"
    assert len(resumed) > 3


def test_what_a_pair_is_expected_to_do_is_the_same_number_whenever_it_is_asked_for(world: World) -> None:
    scales = PairScales(COLUMNS)
    scales.add(next(counts for counts in world.panes(704) if counts.rows == 300))
    rng = np.random.default_rng(705)
    margin = Margin(rng.uniform(0.05, 0.5, COLUMNS), rng.uniform(0.05, 0.5, COLUMNS))
    whole = PairMeasure(world.reference, margin).effects(scales, np.arange(PAIRS))

    for _ in range(20):
        measure = PairMeasure(world.reference, margin)
        for size in rng.integers(1, PAIRS, 6):
            pairs = rng.permutation(PAIRS)[:size]
            assert (measure.effects(scales, pairs).expected == whole.expected[:, pairs]).all()


def with_scales(**changed: Any) -> Change:
    return lambda state: replace(state, scales=replace(state.scales, **changed))


def with_drift(**changed: Any) -> Change:
    def change(state: PairJudgeState) -> PairJudgeState:
        assert state.drift is not None
        return replace(state, drift=replace(state.drift, **changed))

    return change


def with_alert(**changed: Any) -> Change:
    def change(state: PairJudgeState) -> PairJudgeState:
        assert state.alert is not None
        return replace(state, alert=replace(state.alert, **changed))

    return change


def with_number(part: str, number: float) -> Change:
    """With *number* as the last item of an array of the scales."""

    def change(state: PairJudgeState) -> PairJudgeState:
        array = getattr(state.scales, part).copy()
        array.flat[-1] = number
        return with_scales(**{part: array})(state)

    return change


def calm(state: PairJudgeState) -> PairJudgeState:
    hysteresis = replace(state.hysteresis, alert_state="inactive", fired_for=0)
    return replace(state, hysteresis=hysteresis, alert=None)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (with_scales(agreeing=np.zeros((8, PAIRS))), "pairs that agree of shape .* and type float64"),
        (with_scales(informative=np.zeros((8, PAIRS + 1), np.float32)), "pairs of shape"),
        (with_scales(sides=np.zeros((8, COLUMNS, 2), np.float32)), "rows on a side of shape"),
        (with_number("agreeing", np.nan), "pairs that agree from nan"),
        (with_number("agreeing", -1.0), "pairs that agree from -1.0"),
        (with_number("informative", np.inf), "pairs from .* to inf"),
        (with_number("informative", 1e9), "more pairs, or rows on a side, than rows"),
        (with_number("sides", 1e9), "more pairs, or rows on a side, than rows"),
        (with_number("sides", -np.inf), "rows on a side from -inf"),
        (
            with_scales(fading=FadingRowsState(np.full(8, 2.0**59), np.full(8, 2.0**40))),
            "weights of more rows than there can be",
        ),
        (
            lambda state: replace(state, moved=replace(state.moved, changed_at=state.moved.changed_at - 1.0)),
            "rows before a change from -2",
        ),
        (lambda state: replace(state, bank=replace(state.bank, settled=-1)), "settled panes"),
        (lambda state: replace(state, ends=replace(state.ends, closed=-1)), "closed panes"),
        (lambda state: replace(state, hysteresis=replace(state.hysteresis, patience=0)), "patience"),
        (lambda state: replace(state, drift=None), "a drift that does not fire"),
        (calm, "a drift that does not fire"),
        (lambda state: replace(state, alert=None), "an alert in another state"),
        (with_alert(key="drift/m/%2Fq/joint"), "an alert of something else"),
        (with_alert(state="pending"), "an alert in another state"),
        (with_alert(state="resolved"), "an alert that is resolved"),
        (with_alert(at=np.nan), "the beginning of a state"),
        (with_drift(pairs=np.zeros(0, np.intp), peaks=np.zeros(0)), "pairs that moved of 0"),
        (with_drift(pairs=np.arange(MOST_MEASURED + 1)), "pairs that moved of 17"),
        (with_drift(pairs=np.array([PAIRS]), peaks=np.ones(1)), "pairs that moved from 36"),
        (with_drift(pairs=np.array([-1]), peaks=np.ones(1)), "pairs that moved from -1"),
        (with_drift(pairs=np.array(1), peaks=np.ones(1)), "pairs that moved of shape"),
        (with_drift(pairs=np.array([[1]]), peaks=np.ones(1)), "pairs that moved of shape"),
        (with_drift(pairs=np.array([1.0]), peaks=np.ones(1)), "pairs that moved of shape"),
        (with_drift(pairs=np.array([1, 1]), peaks=np.ones(2)), "a pair that moved twice"),
        (with_drift(pairs=np.array([1, 2]), peaks=np.ones(1)), "peaks of shape"),
        (with_drift(pairs=np.array([1]), peaks=np.array([np.nan])), "peaks from nan"),
        (with_drift(pairs=np.array([1]), peaks=np.array([4.0])), "peaks from 4"),
        (with_drift(pairs=np.array([1]), peaks=np.array([0.0])), "a pair that moved nowhere"),
        (with_drift(began=-1.0), "rows before a drift"),
        (with_drift(began=np.inf), "rows before a drift"),
        (with_drift(began=np.nan), "rows before a drift"),
        (with_drift(took=0.0), "rows until it fired"),
        (with_drift(took=1e12), "rows until it fired"),
    ],
)
def test_what_no_panes_lead_to_is_refused(world: World, firing: PairJudge, change: Change, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        world.judge().restore(change(firing.state))


def test_the_state_of_other_pairs_is_refused(world: World, firing: PairJudge, columns_of: MakeColumns) -> None:
    columns = columns_of(_named(np.random.default_rng(706).standard_normal((3, 1000))), ordered=False)
    meter = ConcordanceMeter(columns)
    meter.add(Binner(columns).codes(table_of_columns(_named(np.random.default_rng(707).standard_normal((3, 1000))))))
    reference = meter.reference()
    assert reference is not None

    with pytest.raises(ValueError, match="expected \\(8, 3\\)"):
        PairJudge(columns, reference, panes=1000.0).restore(firing.state)
