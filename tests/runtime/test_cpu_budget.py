"""The CPU budget holds whatever the load, by a simulation of the thread it steers."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dashlight.runtime.cpu_budget import CpuBudget


def simulate(
    budget: CpuBudget,
    *,
    arrivals: float,
    exact: float,
    analysed: float,
    seconds: float,
    judging: Callable[[float], float] = lambda at: 0.0,
) -> tuple[float, float]:
    """Share of the core used and share of the exchanges analysed, over the second half of *seconds*.

    *judging* says what the judgement of panes takes after so many seconds.
    """
    step, used, seen, total = 0.05, 0.0, 0.0, 0.0
    for index in range(int(seconds / step)):
        judged = judging(round(index * step, 6))
        exchanges = int(arrivals * step)
        chosen = int(exchanges * budget.rate + 0.5)
        budget.note(
            wall_seconds=step,
            exchanges=exchanges,
            exact_cpu_seconds=exchanges * exact,
            analysed=chosen,
            analysed_cpu_seconds=chosen * analysed,
            judging_cpu_seconds=judged,
        )
        if index * step >= seconds / 2:
            used += exchanges * exact + chosen * analysed + judged
            seen += chosen
            total += exchanges
    return used / (seconds / 2), seen / total


def test_everything_is_analysed_where_it_fits() -> None:
    used, seen = simulate(CpuBudget(0.10), arrivals=2000, exact=2e-6, analysed=10e-6, seconds=20)

    assert seen == 1.0
    assert used < 0.10


@pytest.mark.parametrize("times", [3, 10, 30])
def test_under_overload_the_share_is_kept(times: int) -> None:
    fits = 0.10 / 12e-6

    used, seen = simulate(CpuBudget(0.10), arrivals=times * fits, exact=0.1e-6, analysed=11.9e-6, seconds=40)

    assert used <= 0.105
    assert 0.5 / times < seen < 1.05 / times


def test_a_cost_that_leaves_nothing_still_looks_at_a_few() -> None:
    _, seen = simulate(CpuBudget(0.01), arrivals=100_000, exact=2e-6, analysed=10e-6, seconds=20)

    assert seen == pytest.approx(0.001, rel=0.05)


def test_after_a_flood_everything_is_analysed_again() -> None:
    budget = CpuBudget(0.10)

    simulate(budget, arrivals=50_000, exact=0.0, analysed=12e-6, seconds=10)
    during = budget.rate
    simulate(budget, arrivals=100, exact=0.0, analysed=12e-6, seconds=10)

    assert during < 0.2
    assert budget.rate == 1.0


def panes_of(seconds: float) -> Callable[[float], float]:
    """Judging that takes *seconds* at the end of each pane of ten."""
    return lambda at: seconds if at % 10 == 0 else 0.0


@pytest.mark.parametrize(
    "judging",
    [panes_of(0.11), panes_of(0.3), lambda at: 1.0 if at == 40 else 0.0],
    ids=["an alert in force", "alerts on many columns", "a reference that was learned"],
)
def test_what_panes_cost_at_once_does_not_stop_the_analysis_where_all_fits_on_average(
    judging: Callable[[float], float],
) -> None:
    _, seen = simulate(CpuBudget(0.10), arrivals=80, exact=50e-6, analysed=200e-6, seconds=80, judging=judging)

    assert seen == 1.0


def test_what_panes_cost_is_part_of_the_share() -> None:
    used, seen = simulate(
        CpuBudget(0.10), arrivals=2000, exact=5e-6, analysed=40e-6, seconds=400, judging=panes_of(0.5)
    )

    # (0.095 - 0.05 - 0.01) / 0.08
    assert seen == pytest.approx(0.44, abs=0.06)
    assert used <= 0.1


def test_where_panes_take_more_than_the_share_a_few_exchanges_are_analysed() -> None:
    _, seen = simulate(CpuBudget(0.10), arrivals=2000, exact=5e-6, analysed=40e-6, seconds=400, judging=panes_of(2.0))

    assert seen < 0.02


def test_quiet_rounds_change_nothing() -> None:
    budget = CpuBudget(0.10)

    budget.note(wall_seconds=0.0, exchanges=0, exact_cpu_seconds=0.0, analysed=0, analysed_cpu_seconds=0.0)

    assert budget.rate == 1.0
