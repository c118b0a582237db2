"""Evidence that is stopped and goes on from what was written, and what it refuses to go on from."""

from collections.abc import Callable
from dataclasses import fields, replace
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from dashlight.judge.alerts import LifeCycle
from dashlight.judge.evidence.cusum import AGE_LIMIT, CAP_NATS, Cusum, CusumState
from dashlight.judge.evidence.evidence import ANY_FIRING, Firing
from dashlight.judge.evidence.fading import FadingRows, FadingRowsState
from dashlight.judge.evidence.hysteresis import MOST_PATIENCE, Hysteresis, HysteresisState
from dashlight.judge.evidence.pane_ends import PANES_REMEMBERED, PaneEnds
from dashlight.judge.evidence.proportions import ProportionBank, Proportions
from dashlight.judge.evidence.shift_watch import FiredShift, ShiftWatch, ShiftWatchState
from dashlight.records import Alert, AlertState
from dashlight.store.layout import Layout
from dashlight.window.events import EVENT_COUNT, FUNCTIONAL_COUNT
from dashlight.window.fitting import LATEST_AT, MOST_COUNT
from dashlight.window.layout import BINS

Thawed: TypeAlias = Callable[[Any], Any]
NONE: NDArray[np.intp] = np.zeros(0, np.intp)


def is_same(one: object, other: object) -> bool:
    layout: Layout[object] = Layout("state", 1, type(one))
    return type(one) is type(other) and b"".join(layout.freeze(one)) == b"".join(layout.freeze(other))


def cusum() -> Cusum[np.float32]:
    """Two bets on each of three things, of which the last is not watched."""
    return Cusum(-np.array([5.0, 10.0, np.inf], np.float32), bets=2)


def settled(of: Cusum[np.float32], gains: NDArray[np.float32]) -> Cusum[np.float32]:
    for gain in gains:
        of.add(gain)
        of.settle()
        of.cap()
    return of


def bank() -> ProportionBank:
    shares = np.array([0.1, 0.5, 0.9])
    reference = Proportions(shares, np.full(3, 5000.0), np.ones(3), np.zeros(3))
    watched = np.array([True, True, False])
    return ProportionBank(reference, weights=watched / 2, panes=1000.0, up=watched, down=watched)


@pytest.mark.parametrize("seed", [630, 631])
def test_bets_that_are_stopped_after_any_pane_go_on_as_if_they_never_were(thawed: Thawed, seed: int) -> None:
    gains = np.random.default_rng(seed).normal(0.3, 2.0, (60, 2, 3)).astype(np.float32)
    whole, cut = cusum(), cusum()

    for gain in gains:
        settled(whole, gain[np.newaxis])
        settled(cut, gain[np.newaxis])
        assert is_same(cut.state, whole.state)
        state, cut = thawed(cut.state), cusum()
        cut.restore(state)

    assert whole.margins[:, :2].max() > 0
    assert whole.age.max() > 5


def test_so_do_those_of_a_bank_of_proportions(thawed: Thawed) -> None:
    rng = np.random.default_rng(632)
    whole, cut = bank(), bank()

    for pane in range(60):
        shares = [0.1 + 0.2 * (pane > 20), 0.5, 0.9]
        occurred, trials = rng.binomial(50, shares).astype(np.float32), np.full(3, 50, np.float32)
        margins = whole.update(occurred, trials)
        np.testing.assert_array_equal(cut.update(occurred, trials), margins)
        if pane == 50:
            whole.reset([0])
            cut.reset([0])
        state, cut = thawed(cut.state), bank()
        cut.restore(state)
        np.testing.assert_array_equal(cut.margins, whole.margins)
        assert is_same(cut.state, whole.state)


def test_ages_are_limited_in_time_after_any_stop(thawed: Thawed) -> None:
    of = Cusum(np.array([-1.0]), bets=1)
    of.add(np.array([[0.5]]))

    for pane in range(3 * AGE_LIMIT):
        of.settle()
        if pane % 7000 == 0:
            state, of = thawed(of.state), Cusum(np.array([-1.0]), bets=1)
            of.restore(state)

    assert of.leading_age() >= AGE_LIMIT


def test_a_floor_that_another_processor_put_elsewhere_is_no_reason_to_forget() -> None:
    before = settled(cusum(), np.full((3, 2, 3), -1.0, np.float32))
    after: Cusum[np.float32] = Cusum(np.nextafter(before.floor, np.float32(0)), bets=2)

    after.restore(before.state)

    assert (after.margins == after.floor).all()


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"margins": np.zeros((2, 2), np.float32)}, id="of fewer things"),
        pytest.param({"margins": np.zeros((2, 3))}, id="of another precision"),
        pytest.param({"margins": np.full((2, 3), np.nan, np.float32)}, id="margins that are no number"),
        pytest.param({"margins": np.full((2, 3), 1.1 * CAP_NATS, np.float32)}, id="margins above the cap"),
        pytest.param({"margins": np.full((2, 3), np.inf, np.float32)}, id="certainty"),
        pytest.param({"age": np.zeros((2, 2), np.uint16)}, id="ages of fewer things"),
        pytest.param({"age": np.zeros((2, 3), np.int64)}, id="ages of another type"),
        pytest.param({"age": np.full((2, 3), AGE_LIMIT + 5, np.uint16)}, id="ages that would soon begin anew"),
        pytest.param({"settled": -1}, id="less than no panes"),
        pytest.param({"settled": AGE_LIMIT}, id="ages that were to be limited"),
    ],
)
def test_evidence_that_no_bets_can_have_is_refused(changed: dict[str, Any]) -> None:
    state = CusumState(np.zeros((2, 3), np.float32), np.full((2, 3), AGE_LIMIT + 4, np.uint16), 4)
    cusum().restore(state)

    with pytest.raises(ValueError, match=r"."):
        cusum().restore(replace(state, **changed))


@given(rows=st.lists(st.integers(0, 2**40), max_size=30), cut=st.integers(0, 30))
def test_fading_rows_go_on_as_they_were(rows: list[int], cut: int) -> None:
    spans = np.array([100.0, 1000.0, 1e5])
    whole, after = FadingRows(spans), FadingRows(spans)
    layout: Layout[FadingRowsState] = Layout("rows", 1, FadingRowsState)

    for count in rows[:cut]:
        whole.add(count)
    after.restore(layout.thaw(b"".join(layout.freeze(whole.state))))
    for count in rows[cut:]:
        whole.add(count)
        after.add(count)

    assert is_same(after.state, whole.state)
    np.testing.assert_array_equal(after.rows, whole.rows)


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"weight": np.ones(3)}, id="of another scale"),
        pytest.param({"weight": np.array([10.0, np.nan])}, id="a weight that is no number"),
        pytest.param({"weight": np.array([10.0, 1e30])}, id="a weight without end"),
        pytest.param({"weight": np.array([10.0, 4.0])}, id="less weight than its squares"),
        pytest.param({"squares": np.array([-1.0, 5.0])}, id="squares below zero"),
        pytest.param({"squares": np.array([5.0, 1e-9])}, id="rows that would be worth billions"),
        pytest.param({"squares": np.array([5, 5])}, id="whole numbers"),
    ],
)
def test_weights_that_no_rows_can_have_are_refused(changed: dict[str, Any]) -> None:
    state = FadingRowsState(np.array([10.0, 20.0]), np.array([5.0, 15.0]))
    FadingRows(np.array([10.0, 20.0])).restore(state)

    with pytest.raises(ValueError, match=r"."):
        FadingRows(np.array([10.0, 20.0])).restore(replace(state, **changed))


@given(
    steps=st.lists(st.tuples(st.booleans(), st.booleans(), st.sampled_from([None, 1, 2.5])), max_size=60),
    cut=st.integers(0, 60),
)
def test_a_hysteresis_goes_on_as_it_was(steps: list[tuple[bool, bool, float | None]], cut: int) -> None:
    whole, after = Hysteresis(), Hysteresis()
    layout: Layout[HysteresisState] = Layout("hysteresis", 1, HysteresisState)

    def step(of: Hysteresis, now: int) -> AlertState:
        is_evident, fires, gone_for = steps[now]
        return of.step(now, is_evident=is_evident, fires=lambda: fires, gone_for=lambda: gone_for)

    for now in range(min(cut, len(steps))):
        step(whole, now)
    after.restore(layout.thaw(b"".join(layout.freeze(whole.state))))
    for now in range(cut, len(steps)):
        assert step(after, now) == step(whole, now)

    assert after.state == whole.state


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"alert_state": "resolved"}, id="news of one step"),
        pytest.param({"alert_state": "pending", "fired_for": 1}, id="pending for long since it fired"),
        pytest.param({"fired_for": -1}, id="before it fired"),
        pytest.param({"fired_for": MOST_COUNT + 1}, id="for ever"),
        pytest.param({"patience": 0}, id="without patience"),
        pytest.param({"patience": MOST_PATIENCE + 1}, id="too patient"),
        pytest.param({"soon_until": float("nan")}, id="soon is no number"),
        pytest.param({"soon_until": float("inf")}, id="soon for ever"),
        pytest.param({"soon_until": -2.0}, id="soon before there was anything"),
    ],
)
def test_a_hysteresis_that_no_steps_lead_to_is_refused(changed: dict[str, Any]) -> None:
    state = HysteresisState("firing", 3, 2, 40.0)
    Hysteresis().restore(state)

    with pytest.raises(ValueError, match=r"."):
        Hysteresis().restore(replace(state, **changed))


def ends_of(panes: int) -> PaneEnds:
    ends = PaneEnds()
    for pane in range(panes):
        ends.add(10.0 * pane, rows=pane % 3)
    return ends


@pytest.mark.parametrize("cut", [0, 1, 63, 64, 65, 5000, PANES_REMEMBERED, PANES_REMEMBERED + 1, 2 * PANES_REMEMBERED])
def test_ends_of_panes_are_told_after_a_stop_as_before_it(thawed: Thawed, cut: int) -> None:
    whole, after = ends_of(cut), PaneEnds()
    after.restore(thawed(whole.state))

    for pane in range(cut, cut + 100):
        whole.add(10.0 * pane, rows=pane % 3)
        after.add(10.0 * pane, rows=pane % 3)
        assert is_same(after.state, whole.state)
    for ago in (0, 50, 99, 1000, 20_000):
        assert (after.ended_at(ago), after.rows_of_last(ago)) == (whole.ended_at(ago), whole.rows_of_last(ago))


def ends_with(place: tuple[int, int], value: float) -> NDArray[np.float64]:
    ends = ends_of(100).state.ends.copy()
    ends[place] = value
    return ends


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"closed": -1}, id="less than no panes"),
        pytest.param({"closed": 64}, id="fewer panes than there is room for"),
        pytest.param({"closed": 129}, id="more panes than there is room for"),
        pytest.param({"closed": MOST_COUNT + 1}, id="panes without end"),
        pytest.param({"ends": np.zeros((128, 3))}, id="ends of another shape"),
        pytest.param({"ends": np.zeros((0, 2))}, id="no ends"),
        pytest.param({"ends": ends_with((5, 0), np.nan)}, id="an end that is no moment"),
        pytest.param({"ends": ends_with((5, 0), 2 * LATEST_AT)}, id="an end too late to be told"),
        pytest.param({"ends": ends_with((5, 1), -1.0)}, id="less than no rows before a pane"),
        pytest.param({"ends": ends_with((5, 1), 1e6)}, id="more rows before a pane than in all"),
        pytest.param({"rows": float("nan")}, id="rows that are no number"),
        pytest.param({"rows": 1e30}, id="rows without end"),
        pytest.param({"rows": 1.0}, id="fewer rows than before the last pane"),
    ],
)
def test_ends_that_no_panes_can_have_are_refused(changed: dict[str, Any]) -> None:
    state = ends_of(100).state
    PaneEnds().restore(state)

    with pytest.raises(ValueError, match=r"."):
        PaneEnds().restore(replace(state, **changed))


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"ups": NONE}, id="nothing"),
        pytest.param({"ups": np.array([EVENT_COUNT])}, id="an event after the last"),
        pytest.param({"ups": np.array([-1])}, id="an event before the first"),
        pytest.param({"ups": np.array([[1]])}, id="a table of events"),
        pytest.param({"ups": np.array(1)}, id="a number for events"),
        pytest.param({"ups": np.array([2, 1])}, id="events out of order"),
        pytest.param({"ups": np.array([1, 1])}, id="an event twice"),
        pytest.param({"downs": np.array([EVENT_COUNT])}, id="a fall of an event after the last"),
        pytest.param({"functionals": np.array([FUNCTIONAL_COUNT])}, id="a functional after the last"),
        pytest.param({"age": 0}, id="no age"),
        pytest.param({"age": 2 * AGE_LIMIT + 1}, id="an age beyond all ages"),
        pytest.param({"leading": -1}, id="led by none"),
        pytest.param({"leading": EVENT_COUNT + FUNCTIONAL_COUNT}, id="led by one after the last"),
    ],
)
def test_detectors_that_there_are_not_are_refused(changed: dict[str, Any]) -> None:
    firing = Firing(np.array([1]), NONE, NONE, 3)
    firing.check(ANY_FIRING)
    ANY_FIRING.check(ANY_FIRING)

    with pytest.raises(ValueError, match=r"."):
        replace(firing, **changed).check(ANY_FIRING)


ALERT = Alert(
    key="drift/m/e/feature/x", source="drift", model="m", version="", endpoint="e", column="x", role="feature",
    state="firing", summary="x rose", at=20.0, since_at=10.0, rows=100, score=0.5,
)  # fmt: skip
SHIFT = FiredShift(Firing(np.array([1]), NONE, NONE, 3), 5, np.ones(BINS, np.int64), 300.0)
WATCH = ShiftWatchState(HysteresisState("firing", 3, 1, -1.0), ALERT, 5, 300.0, SHIFT)

restored = partial(ShiftWatch.restore, pane=9, bins=BINS, possible=ANY_FIRING)


def test_a_watch_is_taken_over_whole(thawed: Thawed) -> None:
    for state in (ShiftWatch().state, WATCH):
        watch = ShiftWatch()
        restored(watch, thawed(state))
        assert is_same(watch.state, state)


def test_a_watch_of_nothing_yet_is_taken_over_before_the_first_pane() -> None:
    ShiftWatch().restore(ShiftWatch().state, pane=-1, bins=BINS, possible=ANY_FIRING)


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"hysteresis": HysteresisState("inactive", 0, 1, -1.0)}, id="an alert of nothing"),
        pytest.param({"alert": replace(ALERT, state="resolved")}, id="an alert that is over"),
        pytest.param({"since": 10}, id="since a pane to come"),
        pytest.param({"since": -2}, id="since before the first"),
        pytest.param({"rows_to_evidence": float("nan")}, id="rows that are no number"),
        pytest.param({"rows_to_evidence": -1.0}, id="less than no rows"),
        pytest.param({"shift": None}, id="firing without a shift"),
        pytest.param({"shift": replace(SHIFT, firing=replace(SHIFT.firing, ups=NONE))}, id="a shift of nothing"),
        pytest.param({"shift": replace(SHIFT, began=10)}, id="a shift that begins in a pane to come"),
        pytest.param({"shift": replace(SHIFT, began=-2)}, id="a shift before the first pane"),
        pytest.param({"shift": replace(SHIFT, rows=float("inf"))}, id="rows without end"),
        pytest.param({"shift": replace(SHIFT, peak=np.ones(BINS - 1, np.int64))}, id="of fewer bins"),
        pytest.param({"shift": replace(SHIFT, peak=np.ones(BINS, np.int32))}, id="counts of another type"),
        pytest.param({"shift": replace(SHIFT, peak=np.full(BINS, -1))}, id="less than no rows in a bin"),
    ],
)
def test_a_watch_that_no_panes_lead_to_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        restored(ShiftWatch(), replace(WATCH, **changed))


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"state": "resolved"}, id="over"),
        pytest.param({"state": "inactive"}, id="passed"),
        pytest.param({"at": float("nan")}, id="at no moment"),
        pytest.param({"since_at": 1e300}, id="since a moment that cannot be told"),
        pytest.param({"since_earliest_at": float("inf")}, id="not before ever"),
        pytest.param({"since_latest_at": -1e300}, id="before all time"),
        pytest.param({"rows": -1}, id="less than no rows"),
        pytest.param({"place": -1}, id="before the first place"),
    ],
)
def test_an_alert_that_cannot_be_in_force_is_refused(changed: dict[str, Any]) -> None:
    life_cycle = LifeCycle()
    for alert in (None, ALERT, replace(ALERT, state="pending", since_earliest_at=1.0)):
        life_cycle.restore(alert)
        assert life_cycle.alert is alert

    with pytest.raises(ValueError, match=r"."):
        life_cycle.restore(replace(ALERT, **changed))


def test_what_follows_an_alert_is_read_as_it_was_written() -> None:
    layout: Layout[Alert] = Layout("alert", 1, Alert)
    alert = replace(ALERT, exemplars=("a", "b"), moved_with=("c",), since_earliest_at=1.0, since_latest_at=2.0)

    assert layout.thaw(b"".join(layout.freeze(alert))) == alert
    assert {field.name for field in fields(Alert) if "Sequence" in str(field.type)} == set()
