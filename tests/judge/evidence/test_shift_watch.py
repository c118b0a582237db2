from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import pytest

from dashlight.judge.evidence.effects import effects
from dashlight.judge.evidence.evidence import Firing
from dashlight.judge.evidence.null import Null, null_of
from dashlight.judge.evidence.shift_watch import RecentWindows, ShiftWatch
from dashlight.window.columns import ColumnReference
from dashlight.window.events import EVENT_BINS
from dashlight.window.layout import BINS, STRUCTURAL_BINS

MakeColumns = Callable[..., tuple[ColumnReference, ...]]
Steps = Sequence[tuple[int, float, bool]]
"""(panes, share of rows in the upper half, whether there is evidence) one after another."""

UPPER_HALF = EVENT_BINS.index((STRUCTURAL_BINS + 16, STRUCTURAL_BINS + 32))
LOW, HIGH = STRUCTURAL_BINS, STRUCTURAL_BINS + 31
QUIET, DRIFT = 0.5, 0.8


@pytest.fixture
def course(columns_of: MakeColumns) -> Callable[..., list[str]]:
    """States of a watch, pane by pane of 100 rows; half of the reference's rows are in the upper half."""
    rng = np.random.default_rng(160)
    found = null_of(columns_of({"x": rng.permutation(10_000) / 10_000}, ordered=False))
    return partial(states_of, found)


def states_of(
    found: Null, steps: Steps, *, rows: int = 100, age: int = 1, kept: int = 1 << 10, is_proof: bool = False
) -> list[str]:
    watch = ShiftWatch()
    panes: list[int] = []
    states: list[str] = []
    for count, share, evidence in steps:
        for _ in range(count):
            panes.append(round(rows * share))
            held = [min(wanted, len(panes), kept) for wanted in (1, 2, 4, 8, 16, 32, 64, 128)]
            held = sorted(set(held))
            windows = np.zeros((len(held), BINS), np.int64)
            windows[:, HIGH] = [sum(panes[-width:]) for width in held]
            windows[:, LOW] = [rows * width for width in held] - windows[:, HIGH]
            none = np.array([], np.intp)
            firing = Firing(np.array([UPPER_HALF]), none, none, age) if evidence else None
            measure = partial(effects, found, 0, gate=0.14)
            states.append(watch.step(RecentWindows(len(panes) - 1, firing, windows, np.array(held), measure, is_proof)))
    return states


def test_without_evidence_nothing_is_looked_at(course: Callable[..., list[str]]) -> None:
    assert set(course([(10, DRIFT, False)])) == {"inactive"}


def test_evidence_of_a_large_effect_fires_at_once(course: Callable[..., list[str]]) -> None:
    assert course([(5, QUIET, False), (2, DRIFT, True)])[-2:] == ["firing", "firing"]


def test_evidence_of_a_small_effect_is_pending_until_it_passes(course: Callable[..., list[str]]) -> None:
    # 0.54 is h = 0.08 from one half: evidence there may be, but not beyond a gate of 0.14.
    found = course([(20, 0.54, True), (1, 0.54, False)])

    assert found == ["pending"] * 20 + ["inactive"]


def test_a_pending_column_fires_when_the_effect_grows(course: Callable[..., list[str]]) -> None:
    assert course([(20, 0.54, True), (2, DRIFT, True)])[-3:] == ["pending", "firing", "firing"]


def test_a_drift_that_goes_on_fires_on(course: Callable[..., list[str]]) -> None:
    assert set(course([(1, DRIFT, True), (200, DRIFT, True)])) == {"firing"}


def test_a_drift_is_over_when_the_recent_window_is_back_inside_although_the_evidence_lasts(
    course: Callable[..., list[str]],
) -> None:
    found = course([(50, DRIFT, True), (5, QUIET, True)])

    # It fired on one pane; one pane back at one half shows that half of the effect is surely gone.
    assert found[49:52] == ["firing", "resolved", "firing"] or found[49:52] == ["firing", "resolved", "pending"]


def test_a_drift_that_took_long_to_fire_takes_about_as_long_to_resolve(course: Callable[..., list[str]]) -> None:
    found = course([(20, 0.6, False), (100, 0.6, True), (40, QUIET, True)], age=8)

    assert 6 <= found.index("resolved") - 120 <= 16


def test_evidence_that_is_gone_resolves_unless_the_window_contradicts(course: Callable[..., list[str]]) -> None:
    gone = course([(10, DRIFT, True), (5, QUIET, False)])
    contradicted = course([(10, DRIFT, True), (5, DRIFT, False)])

    assert gone[10:] == ["resolved", "inactive", "inactive", "inactive", "inactive"]
    assert contradicted[10:] == ["firing"] * 5


def test_panes_from_before_the_change_do_not_count_as_recovery(course: Callable[..., list[str]]) -> None:
    # Of 64 panes 60 were quiet: a window that long is inside, but says nothing of the last four.
    found = course([(60, QUIET, False), (4, DRIFT, True)])

    assert found[60:] == ["firing"] * 4


def test_a_drift_that_comes_back_soon_must_be_gone_for_longer_each_time(course: Callable[..., list[str]]) -> None:
    found = course([(1, DRIFT, True), (1, QUIET, False)] * 30)

    # One quiet pane resolves it once; then it takes two, which it never gets.
    assert found.count("resolved") == 1
    assert found[-1] == "firing"


def test_a_drift_that_comes_back_late_is_a_new_one(course: Callable[..., list[str]]) -> None:
    found = course([(2, DRIFT, True), (60, QUIET, False)] * 3)

    assert found.count("resolved") == 3
    assert found[0] == found[62] == found[124] == "firing"


def test_where_no_window_is_long_enough_the_longest_there_is_decides(course: Callable[..., list[str]]) -> None:
    found = course([(60, 0.6, True), (40, QUIET, False)], age=50, kept=16)

    assert "resolved" in found[60:80]


def test_evidence_that_is_proof_fires_whatever_the_windows_show(course: Callable[..., list[str]]) -> None:
    found = course([(5, QUIET, False), (3, 0.54, True), (20, QUIET, False)], age=2, is_proof=True)

    assert found[5:8] == ["firing"] * 3
    assert "resolved" in found[8:]


def test_fewer_rows_than_a_block_of_the_reference_show_no_shift(course: Callable[..., list[str]]) -> None:
    found = course([(10, QUIET, False), (2, DRIFT, True)], rows=50, age=1)

    # 50 rows of a drift are pending; with 100 of them it fires.
    assert found[10:] == ["pending", "firing"]
