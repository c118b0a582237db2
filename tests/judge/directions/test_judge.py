from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.signal import lfilter

from dashlight.judge.directions.bets import observed, undirected
from dashlight.judge.directions.judge import DirectionJudge
from dashlight.records import Alert
from dashlight.window.bins import Binner
from dashlight.window.columns import ColumnReference, DirectionReference
from dashlight.window.normal_scores import normal_scores, scored
from dashlight.window.reference.directions import RowsMeter
from dashlight.window.tables import table_of_columns

Floats = NDArray[np.float64]
PANES = 259_200.0
DIMS = 12


def reference_of(rows: Floats, *, name: str = "", ordered: bool = True) -> DirectionReference:
    meter = RowsMeter(rows.shape[1], rng=np.random.default_rng(5), name=name, ordered=ordered)
    meter.add(rows)
    reference = meter.reference()
    assert reference is not None
    return reference


def judge_of(rows: Floats, *, name: str = "", names: Sequence[str] = ()) -> DirectionJudge:
    return DirectionJudge(
        reference_of(rows, name=name), panes=PANES, share=0.1, model="m", version="7", endpoint="/p", names=names
    )


def judged(judge: DirectionJudge, rows: Floats, pane: int = 100) -> tuple[list[Alert], list[float]]:
    """All alerts, and the margin after each pane; a pane takes ten seconds."""
    alerts: list[Alert] = []
    margins: list[float] = []
    for start in range(0, len(rows) - pane + 1, pane):
        judge.observe(rows[start : start + pane])
        alerts.extend(judge.close(10.0 * (start // pane + 1)))
        margins.append(judge.margin)
    return alerts, margins


def remembering(rng: np.random.Generator, rows: int, rho: float) -> Floats:
    noise = rng.standard_normal((rows + 2000, DIMS)) * np.sqrt(1 - rho**2)
    return np.asarray(lfilter([1], [1, -rho], noise, axis=0)[2000:])


def independent(rng: np.random.Generator, rows: int) -> Floats:
    return rng.standard_normal((rows, DIMS))


def clusters(rng: np.random.Generator, rows: int) -> Floats:
    return np.repeat(rng.standard_normal((rows // 20, DIMS)), 20, axis=0)


def daily(rng: np.random.Generator, rows: int) -> Floats:
    hour = np.arange(rows)[:, np.newaxis] / 4800 + np.linspace(0, 1, DIMS, endpoint=False)
    return np.asarray(rng.standard_normal((rows, DIMS)) + 0.5 * np.sin(2 * np.pi * hour))


def moved(rows: Floats, shift: Sequence[float], first: int, last: int | None = None) -> Floats:
    changed = rows.copy()
    changed[first:last, : len(shift)] += shift
    return changed


@pytest.mark.parametrize(
    ("stream", "reference_rows"),
    [
        (independent, 500),
        (independent, 2000),
        (independent, 10_000),
        (clusters, 20_000),
        (clusters, 2000),
        (lambda rng, rows: remembering(rng, rows, 0.9), 20_000),
        (lambda rng, rows: remembering(rng, rows, 0.99), 20_000),
        (lambda rng, rows: remembering(rng, rows, 0.99), 5000),
        (daily, 48_000),
    ],
    ids=["few rows", "2000", "10000", "clusters", "few clusters", "AR 0.9", "AR 0.99", "AR 0.99, short", "daily"],
)
def test_rows_without_drift_stay_far_from_an_alarm(
    stream: Callable[[np.random.Generator, int], Floats], reference_rows: int
) -> None:
    rows = stream(np.random.default_rng(60), reference_rows + 20_000)

    alerts, margins = judged(judge_of(rows[:reference_rows]), rows[reference_rows:])

    assert alerts == []
    assert max(margins) < -4


def test_without_drift_the_mean_of_what_a_bet_turns_into_is_at_most_one() -> None:
    # Over the draw of the reference too, at the rows that a bet needs to reach the threshold and before.
    rng = np.random.default_rng(61)
    outcomes = np.zeros((300, 8, 2, 2))
    for draw in range(len(outcomes)):
        judge = judge_of(rng.standard_normal((600, 3)))
        for pane in range(8):
            rows = rng.standard_normal((60, 3))
            outcomes[draw, pane] = observed(judge.direction, rows).gains
            judge.observe(rows)
            judge.close(float(pane))

    wealth = np.exp(outcomes.cumsum(1))

    assert wealth.std() > 0.05
    assert (wealth.mean(0) <= 1 + 3.5 * wealth.std(0) / np.sqrt(len(wealth))).all()


@pytest.mark.parametrize(
    ("shift", "most_rows"), [([0.15] * 10, 700), ([0.5], 500), ([1.0], 300)], ids=["ten a little", "half", "one"]
)
def test_a_shift_fires_soon_and_is_over_soon_after_its_end(shift: list[float], most_rows: int) -> None:
    rng = np.random.default_rng(62)
    names = [f"x{place}" for place in range(DIMS)]
    judge = judge_of(independent(rng, 10_000), names=names)

    alerts, _ = judged(judge, moved(independent(rng, 9000), shift, 2000, 6000))

    states = [alert.state for alert in alerts if alert.state != "pending"]
    fired, ended = (next(alert for alert in alerts if alert.state == state) for state in ("firing", "resolved"))
    assert states[:1] + states[-1:] == ["firing", "resolved"]
    assert states.count("resolved") == 1
    assert 200 < fired.at <= 200 + most_rows / 10
    assert 600 < ended.at <= 600 + max(most_rows, 400) / 10
    assert 180 <= fired.since_at < fired.at
    assert (fired.key, fired.column, fired.role) == ("drift/m/%2Fp/direction/", None, None)
    assert (fired.source, fired.model, fired.version, fired.endpoint) == ("drift", "m", "7", "/p")
    assert "x0 up" in alerts[-2].summary or len(shift) > 1
    assert fired.score > 0.14
    assert fired.rows >= 100
    assert ended.summary.startswith("rows are back")


def test_a_vector_that_moves_in_a_direction_of_its_own_fires() -> None:
    rng = np.random.default_rng(63)
    mixing = rng.standard_normal((64, 384)) / 8
    judge = judge_of(rng.standard_normal((3000, 64)) @ mixing, name="emb")

    alerts, _ = judged(judge, (rng.standard_normal((3000, 64)) + np.eye(64)[0]) @ mixing)

    assert alerts[0].state == "firing"
    assert alerts[0].at <= 80
    assert (alerts[0].column, alerts[0].key) == ("emb", "drift/m/%2Fp/direction/emb")
    assert alerts[0].summary.startswith("emb moved as a whole")


def test_a_shift_below_the_tolerance_never_fires() -> None:
    rng = np.random.default_rng(64)

    alerts, _ = judged(judge_of(independent(rng, 20_000)), moved(independent(rng, 20_000), [0.07], 0))

    assert {alert.state for alert in alerts} <= {"pending", "inactive"}


def test_evidence_that_passes_before_the_gate_leaves_nothing_behind() -> None:
    rng = np.random.default_rng(65)
    reference = reference_of(independent(rng, 10_000))
    judge = DirectionJudge(reference, panes=PANES, share=0.1, tolerance=1.0)

    alerts, _ = judged(judge, moved(independent(rng, 8000), [0.6], 1000, 3000))

    assert [alert.state for alert in alerts] == ["pending", "inactive"]


def test_what_fires_on_is_told_anew_ever_more_seldom() -> None:
    rng = np.random.default_rng(66)

    alerts, _ = judged(judge_of(independent(rng, 5000)), moved(independent(rng, 5000), [1.0], 0))

    at = [round(alert.at / 10) for alert in alerts if alert.state == "firing"]
    assert np.diff(at).tolist() == [1, 1, 2, 4, 8, 16]
    assert len({alert.since_at for alert in alerts}) == 1


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 1000), st.lists(st.integers(0, 60), max_size=6))
def test_the_order_of_rows_and_how_a_pane_is_handed_over_do_not_matter(seed: int, cuts: list[int]) -> None:
    rng = np.random.default_rng(seed)
    reference = reference_of(np.random.default_rng(67).standard_normal((1000, 4)))
    rows = rng.standard_normal((5, 60, 4)) + 0.4
    one, other = (DirectionJudge(reference, panes=PANES) for _ in range(2))

    for pane in rows:
        one.observe(pane)
        shuffled = rng.permutation(pane)
        for part in np.split(shuffled, sorted(cuts)):
            other.observe(part)
        one.close(1.0)
        other.close(1.0)

        assert other.margin == pytest.approx(one.margin, abs=1e-6)


def test_workers_under_a_shared_direction_equal_one() -> None:
    rng = np.random.default_rng(68)
    reference = reference_of(independent(rng, 4000))
    rows = moved(independent(rng, 2000), [0.4, 0.4], 500)
    alone, joined = (DirectionJudge(reference, panes=PANES) for _ in range(2))
    expected, _ = judged(alone, rows)

    alerts: list[Alert] = []
    for start in range(0, len(rows), 100):
        joined.observe(rows[start : start + 30])
        joined.add(observed(joined.direction, rows[start + 30 : start + 100]))
        alerts.extend(joined.close(start / 10 + 10))

    assert [(alert.state, alert.at) for alert in alerts] == [(alert.state, alert.at) for alert in expected]
    assert joined.margin == pytest.approx(alone.margin)


def test_a_worker_that_bets_along_the_direction_before_is_counted_in_full() -> None:
    rng = np.random.default_rng(69)
    judge = judge_of(independent(rng, 4000))
    judged(judge, moved(independent(rng, 200), [0.5], 0))
    older, rows = judge.direction, independent(rng, 100) + 0.5 * np.eye(DIMS)[0]
    judged(judge, rows)
    margin = judge.margin
    assert judge.direction.number > older.number
    assert margin < 0

    stale = observed(older, rows)
    judge.add(stale)
    judge.close(40.0)

    assert stale.gains.max() > 0
    assert judge.margin > margin


def test_workers_under_older_directions_find_what_one_worker_finds() -> None:
    rng = np.random.default_rng(75)
    judge = judge_of(independent(rng, 5000))
    rows = moved(independent(rng, 6000), [0.6], 2000)
    known = [judge.direction] * 3

    alerts: list[Alert] = []
    for start in range(0, len(rows), 100):
        judge.add(observed(undirected(DIMS), rows[start : start + 10]))
        for worker, direction in enumerate(known):
            judge.add(observed(direction, rows[start + 10 + 30 * worker : start + 40 + 30 * worker]))
        alerts += judge.close(start / 10 + 10)
        # The n-th worker hears of a direction n panes later than of the one before.
        known = [judge.direction, *known[:-1]]

    assert [alert.state for alert in alerts][:1] == ["firing"]
    assert 210 < alerts[0].at <= 260


def test_bets_along_old_directions_raise_no_false_alarms() -> None:
    rng = np.random.default_rng(76)
    judge = DirectionJudge(reference_of(independent(rng, 5000)), panes=100.0)
    first = judge.direction

    alerts: list[Alert] = []
    for pane in range(3000):
        judge.observe(independent(rng, 30))
        judge.add(observed(first, independent(rng, 30)))
        if pane % 7 == 0:
            first = judge.direction
        alerts += [alert for alert in judge.close(10.0 * pane) if alert.state == "firing"]

    # Once in a hundred panes is promised.
    assert len(alerts) <= 30


def test_what_was_bet_along_a_drift_that_is_over_is_no_evidence_of_a_new_one() -> None:
    rng = np.random.default_rng(77)
    judge = judge_of(independent(rng, 5000))
    alerts, _ = judged(judge, moved(independent(rng, 8000), [1.0], 0, 1500))
    assert alerts[-1].state == "resolved"
    drifted = judge_of(independent(rng, 5000))
    judged(drifted, moved(independent(rng, 1500), [1.0], 0))
    older = replace(drifted.direction, number=2)
    before = judge.margin

    stale = observed(older, independent(rng, 200) + np.eye(DIMS)[0])
    judge.add(stale)
    judge.close(9000.0)

    assert stale.gains.max() > 10.0
    assert judge.margin == before


def test_permuting_the_dimensions_changes_nothing() -> None:
    rng = np.random.default_rng(70)
    rows, stream = independent(rng, 3000), moved(independent(rng, 1500), [0.3, 0.3, 0.3], 500)
    order = rng.permutation(DIMS)

    plain = judged(judge_of(rows), stream)[1]
    permuted = judged(judge_of(rows[:, order]), stream[:, order])[1]

    assert permuted == pytest.approx(plain, abs=0.05)


def test_increasing_maps_of_the_columns_change_nothing(columns_of: Callable[..., tuple[ColumnReference, ...]]) -> None:
    rng = np.random.default_rng(71)
    values = {f"x{place}": np.round(rng.standard_normal(6000), 1) for place in range(4)}

    def margins(table: dict[str, Floats]) -> list[float]:
        columns = columns_of({name: column[:4000] for name, column in table.items()})
        rows = scored(normal_scores(columns), Binner(columns).codes(table_of_columns(table))).astype(np.float64)
        return judged(judge_of(rows[:4000]), rows[4000:])[1]

    mapped = {name: np.exp(column) * 100 for name, column in values.items()}
    assert margins(mapped) == margins(values)


def test_an_empty_pane_does_not_count() -> None:
    judge = judge_of(independent(np.random.default_rng(72), 1000))
    judge.observe(np.full((3, DIMS), np.nan))

    assert judge.close(10.0) == []
    assert judge.direction.number == 1


def test_a_reference_too_short_for_its_memory_bets_nothing() -> None:
    rng = np.random.default_rng(73)
    rows = remembering(rng, 9000, 0.99)

    judge = judge_of(rows[:4000])
    _, margins = judged(judge, rows[4000:] + 2.0)

    assert judge.too_short
    assert max(margins) == min(margins) < -12
    assert not judge_of(independent(rng, 4000)).too_short


@pytest.mark.parametrize("ordered", [True, False])
def test_a_constant_vector_that_changes_fires(*, ordered: bool) -> None:
    rows = np.full((3000, 3), 2.0)
    reference = reference_of(rows[:1000], ordered=ordered)

    quiet, _ = judged(DirectionJudge(reference, panes=PANES, share=0.1), rows)
    alerts, _ = judged(DirectionJudge(reference, panes=PANES, share=0.1), moved(rows, [0.5], 1000))

    assert quiet == []
    assert alerts[0].state == "firing"
    assert 100 < alerts[0].at <= 140


@pytest.mark.parametrize("ordered", [True, False])
@pytest.mark.parametrize("huge", [1e6, 1e30, 1e150, -1e150])
def test_after_a_row_of_huge_numbers_a_drift_is_seen(huge: float, *, ordered: bool) -> None:
    rng = np.random.default_rng(78)
    reference = reference_of(independent(rng, 5000), ordered=ordered)
    judge = DirectionJudge(reference, panes=PANES, share=0.1)
    rows = moved(independent(rng, 12_000), [0.5] * 6, 8000)
    rows[150, 3] = huge

    alerts, margins = judged(judge, rows)

    assert np.isfinite(margins).all()
    assert [alert.state for alert in alerts][:1] == ["firing"]
    assert 800 < alerts[0].at <= 900


@pytest.mark.parametrize("huge", [1e9, 1e30, 1e99])
@pytest.mark.parametrize("place", [3, 4990])
def test_a_reference_with_a_row_of_huge_numbers_can_be_judged_against(place: int, huge: float) -> None:
    rng = np.random.default_rng(79)
    rows = independent(rng, 5000)
    rows[place, 3] = huge

    _, margins = judged(judge_of(rows), moved(independent(rng, 3000), [2.0] * 6, 1000))

    assert np.isfinite(margins).all()


def test_rows_and_names_of_another_width_are_refused() -> None:
    rows = np.random.default_rng(74).standard_normal((1000, 3))

    with pytest.raises(ValueError, match="2 names for 3 dimensions"):
        judge_of(rows, names=["a", "b"])
    with pytest.raises(ValueError, match="not \\(rows, 3\\)"):
        judge_of(rows).observe(rows[:, :2])
