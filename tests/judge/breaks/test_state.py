"""A judge of breaks that is stopped and goes on from what was written, and what it refuses to go on from."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
import pytest
from scipy.signal import lfilter

from dashlight.judge.breaks.judge import BreakJudge
from dashlight.judge.breaks.state import BreakJudgeState, Place
from dashlight.judge.natural_variation import Movements
from dashlight.records import Alert
from dashlight.window.recent.collector import RecentCollector
from dashlight.window.tables import table_of_columns, taken

Values: TypeAlias = dict[str, Any]
Rows: TypeAlias = Callable[..., Values]
Frozen: TypeAlias = Callable[[object], bytes]
Thawed: TypeAlias = Callable[[BreakJudgeState], BreakJudgeState]
Change: TypeAlias = Callable[[BreakJudgeState], BreakJudgeState]

PANE_ROWS = 20
AGE: Place = ("feature", "age")
EXTRA: Place = ("feature", "extra")


def fresh_of(watched: Any) -> Callable[[], BreakJudge]:
    """Makes judges that have seen nothing, quickly."""
    movements = Movements()
    return lambda: BreakJudge(
        watched.columns, watched.profiles, panes=259_200.0, movements=movements, model="m", endpoint="/e"
    )


@pytest.fixture(scope="module")
def fresh(awkward: Any) -> Callable[[], BreakJudge]:
    return fresh_of(awkward)


def broken(rng: np.random.Generator, rows_of: Rows) -> list[Values]:
    """Streams one after another: a drift that is no break, a fill beside a new column, swapped columns, and all well."""
    drift, fill, swap, quiet = (rows_of(rng, rows) for rows in (600, 900, 1200, 2400))
    drift |= {"normal": drift["normal"] + 6, "city": ["Malmö"] * 450 + drift["city"][450:]}
    fill |= {"age": np.where(rng.random(900) < 0.5, 0.0, fill["age"]), "extra": rng.random(900)}
    swap |= {"carrier": swap["city"], "city": swap["carrier"], "weight": swap["weight"] * np.nan}
    return [drift, fill, swap, quiet]


def run(streams: list[Values], judge: BreakJudge, after: Callable[[list[Alert], Any, float], None]) -> None:
    """Closes pane after pane of *streams* for *judge*, and calls *after* with its alerts and what it saw."""
    recent = judge.recent_values()
    collector = RecentCollector(recent.columns)
    at = 0.0
    for stream in streams:
        table = table_of_columns(stream)
        for start in range(0, table.rows, PANE_ROWS):
            collector.add("feature", taken(table, np.arange(start, start + PANE_ROWS)))
            at += 10.0
            recent.take(collector.close(), at)
            after(judge.update(recent, at), recent, at)


def check_every_cut(
    streams: list[Values], fresh: Callable[[], BreakJudge], frozen: Frozen, thawed: Thawed
) -> list[Alert]:
    """The alerts of a judge that is never stopped; one that is stopped after every pane agrees with it to the last bit."""
    whole, cut = fresh(), fresh()
    told: list[Alert] = []

    def stop(expected: list[Alert], recent: Any, at: float) -> None:
        nonlocal cut
        told.extend(expected)
        assert repr(cut.update(recent, at)) == repr(expected)
        assert frozen(cut.state) == frozen(whole.state)
        state, cut = thawed(cut.state), fresh()
        cut.restore(state)

    run(streams, whole, stop)
    return told


@pytest.mark.parametrize("seed", [620, 621])
def test_a_judge_that_is_stopped_after_any_pane_goes_on_as_if_it_never_was(
    *, fresh: Callable[[], BreakJudge], rows_of: Rows, frozen: Frozen, thawed: Thawed, seed: int
) -> None:
    told = check_every_cut(broken(np.random.default_rng(seed), rows_of), fresh, frozen, thawed)

    over = {(alert.column, alert.key.rsplit("/", 1)[-1]) for alert in told if alert.state == "resolved"}
    assert {("age", "fill"), ("extra", "new"), ("carrier", "swap"), ("weight", "gone")} <= over


def test_so_does_one_of_columns_that_are_pending_for_long(
    watch: Callable[..., Any], frozen: Frozen, thawed: Thawed
) -> None:
    rng = np.random.default_rng(623)
    watched = watch({"inside": slow(rng, 20_000), "outside": 50 + slow(rng, 20_000), "size": rng.random(20_000)})
    swapped, well = (
        {"inside": slow(rng, 6000), "outside": 50 + slow(rng, 6000), "size": rng.random(6000)} for _ in "ab"
    )
    swapped |= {"inside": swapped["outside"], "outside": swapped["inside"]}

    told = check_every_cut([swapped, well], fresh_of(watched), frozen, thawed)

    assert [alert.state for alert in told] == ["pending", "firing", "resolved"]


def slow(rng: np.random.Generator, rows: int) -> Any:
    return lfilter([1], [1, -0.99], rng.standard_normal(rows + 2000) * np.sqrt(1 - 0.99**2))[2000:]


@pytest.fixture(scope="module")
def firing(fresh: Callable[[], BreakJudge], rows_of: Rows) -> BreakJudge:
    """A judge with a fill and a new column that fire, a swapped pair, and columns that are spared."""
    judge = fresh()
    rng = np.random.default_rng(622)
    drift, fill, _, _ = broken(rng, rows_of)
    fill |= {"carrier": fill["city"], "city": fill["carrier"]}
    run([drift, fill], judge, lambda *_: None)
    state = judge.state
    assert {AGE, EXTRA} <= state.breaks.keys()
    assert state.partners
    assert state.waits
    return judge


def age_with(**changed: Any) -> Change:
    def change(state: BreakJudgeState) -> BreakJudgeState:
        return replace(state, breaks={**state.breaks, AGE: replace(state.breaks[AGE], **changed)})

    return change


def hysteresis_with(**changed: Any) -> Change:
    def change(state: BreakJudgeState) -> BreakJudgeState:
        return age_with(hysteresis=replace(state.breaks[AGE].hysteresis, **changed))(state)

    return change


def test_what_is_not_changed_is_taken_over(
    fresh: Callable[[], BreakJudge], firing: BreakJudge, thawed: Thawed, frozen: Frozen
) -> None:
    judge = fresh()

    judge.restore(thawed(firing.state))

    assert frozen(judge.state) == frozen(firing.state)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda state: replace(state, pane=-2), id="less than no panes"),
        pytest.param(lambda state: replace(state, pane=0), id="waits from a look to come"),
        pytest.param(lambda state: replace(state, rows_seen={"feature": 1}), id="rows of one role"),
        pytest.param(
            lambda state: replace(state, rows_seen={"feature": 1, "output": -1}), id="less than no rows of a role"
        ),
        pytest.param(lambda state: replace(state, odd_words={}), id="words of no role"),
        pytest.param(
            lambda state: replace(state, odd_words=dict.fromkeys(state.odd_words, np.zeros(3, np.bool_))),
            id="words of three columns",
        ),
        pytest.param(
            lambda state: replace(state, odd_words={role: odd * 1.0 for role, odd in state.odd_words.items()}),
            id="words that are neither odd nor not",
        ),
        pytest.param(lambda state: replace(state, waits={EXTRA: (1, 1)}), id="a wait of an unknown column"),
        pytest.param(lambda state: replace(state, waits={AGE: (0, 1)}), id="a look before the first"),
        pytest.param(lambda state: replace(state, waits={AGE: (1, 0)}), id="no wait"),
        pytest.param(lambda state: replace(state, waits={AGE: (1, 33)}), id="too long a wait"),
        pytest.param(lambda state: replace(state, partners=(EXTRA,)), id="an unknown partner"),
        pytest.param(
            lambda state: replace(state, breaks={("feature", "temp"): state.breaks[AGE]}), id="another column's break"
        ),
        pytest.param(
            lambda state: replace(state, breaks={AGE: state.breaks[EXTRA]}), id="a column that is new and watched"
        ),
        pytest.param(
            lambda state: replace(state, breaks={EXTRA: replace(state.breaks[AGE], alert=None)}),
            id="a fill of a column that is not watched",
        ),
        pytest.param(
            lambda state: replace(
                state,
                breaks={("feature", f"x{place}"): replace(state.breaks[EXTRA], alert=None) for place in range(10_000)},
            ),
            id="thousands of new columns",
        ),
        pytest.param(age_with(kind="unit"), id="an alert of another break"),
        pytest.param(age_with(since_at=np.nan), id="a beginning that is no moment"),
        pytest.param(age_with(missed=-1), id="less than no looks"),
        pytest.param(age_with(missed=3), id="a break that is long over"),
        pytest.param(hysteresis_with(patience=0), id="no patience"),
        pytest.param(hysteresis_with(alert_state="resolved"), id="a change that is over"),
    ],
)
def test_a_state_that_no_judge_of_these_columns_can_have_is_refused(
    fresh: Callable[[], BreakJudge], firing: BreakJudge, thawed: Thawed, change: Change
) -> None:
    with pytest.raises(ValueError, match=r"."):
        fresh().restore(change(thawed(firing.state)))
