"""The CPU budget holds whatever the load, by a simulation of the thread it steers."""

from __future__ import annotations

import pytest

from dashlight.runtime.cpu_budget import CpuBudget


def simulate(
    budget: CpuBudget, *, arrivals: float, exact: float, analysed: float, seconds: float
) -> tuple[float, float]:
    """Share of the core used and share of the exchanges analysed, over the second half of *seconds*."""
    step, used, seen, total = 0.05, 0.0, 0.0, 0.0
    for index in range(int(seconds / step)):
        exchanges = int(arrivals * step)
        chosen = int(exchanges * budget.rate + 0.5)
        budget.note(
            wall_seconds=step,
            exchanges=exchanges,
            exact_cpu_seconds=exchanges * exact,
            analysed=chosen,
            analysed_cpu_seconds=chosen * analysed,
        )
        if index * step >= seconds / 2:
            used += exchanges * exact + chosen * analysed
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


def test_quiet_rounds_change_nothing() -> None:
    budget = CpuBudget(0.10)

    budget.note(wall_seconds=0.0, exchanges=0, exact_cpu_seconds=0.0, analysed=0, analysed_cpu_seconds=0.0)

    assert budget.rate == 1.0
