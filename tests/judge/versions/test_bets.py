"""Bets on a difference: what they are, that they are valid at every look, and that they find something."""

from __future__ import annotations

from math import comb, log

import numpy as np
import pytest
from numpy.typing import NDArray

from dashlight.judge.versions.bets import OUTCOMES, SIZES, PairedBets, PairedBetsState
from dashlight.judge.versions.differences import OF_RATES

GRID = np.linspace(0.0, 1.0, 33)


def outcomes(rng: np.random.Generator, rows: int, rate: float) -> NDArray[np.int64]:
    failed = rng.binomial(rows, min(rate, 1.0))
    return np.array([rows - failed, failed])


def test_a_block_multiplies_the_capital_by_the_product_of_its_rows() -> None:
    bets = PairedBets()
    bets.add(np.array([90, 10]), np.array([9, 1]))

    bets.add(np.array([3, 1]), np.array([1, 2]))

    # Typed out for "at most 0.05" and the bet on half a standard deviation more, from the two formulas of the docstring.
    level = (11 + 0.5 - 10 * 0.05) / (110 + 1)
    first, second = level + 0.05, level
    noise = first * (1 - first) / 3 + second * (1 - second) / 4
    stake = np.sqrt(max(first * (1 - first), second * (1 - second))) * 0.5 / noise
    stake = min(stake, 0.9 * min(3 / first, 4 / (1 - second)))
    expected = sum(np.log1p(stake / 3 * (y - first)) for y in (0, 1, 1))
    expected += sum(np.log1p(-stake / 4 * (y - second)) for y in (0, 0, 0, 1))
    at = OF_RATES.tolist().index(0.05)
    assert bets.state.capital[0, at, 1] == pytest.approx(expected)


@pytest.mark.parametrize("rate", [0.01, 0.2, 0.5, 0.9])
@pytest.mark.parametrize("loss", [0.0, 0.05])
def test_no_bet_is_expected_to_win_at_the_border_whatever_the_common_level(rate: float, loss: float) -> None:
    # Over all that a block of 3 and 4 rows can hold, exactly, also where the level is not that of before.
    rates = rate, min(rate + loss, 1.0)
    at = OF_RATES.tolist().index(loss)
    expected = np.zeros(SIZES)
    for stable in range(5):
        for candidate in range(4):
            bets = PairedBets()
            bets.add(np.array([45, 5]), np.array([48, 2]))
            bets.add(np.array([4 - stable, stable]), np.array([3 - candidate, candidate]))
            chance = comb(4, stable) * rates[0] ** stable * (1 - rates[0]) ** (4 - stable)
            chance *= comb(3, candidate) * rates[1] ** candidate * (1 - rates[1]) ** (3 - candidate)
            expected += chance * np.exp(bets.state.capital[0, at])

    assert (expected <= 1 + 1e-9).all()


def test_a_block_waits_for_both_versions() -> None:
    apart, together = PairedBets(), PairedBets()
    for bets in (apart, together):
        bets.add(np.array([50, 5]), np.array([50, 5]))

    apart.add(np.array([7, 1]), np.array([0, 0]))
    apart.add(np.array([3, 1]), np.array([0, 0]))
    apart.add(np.array([0, 0]), np.array([4, 3]))
    together.add(np.array([10, 2]), np.array([4, 3]))

    assert np.array_equal(apart.state.capital, together.state.capital)
    assert apart.rows == (67, 62)


def test_what_is_counted_in_parts_is_what_is_counted_at_once() -> None:
    rng = np.random.default_rng(3)
    one, several = PairedBets(), PairedBets()
    for _ in range(20):
        parts = [(outcomes(rng, 30, 0.1), outcomes(rng, 4, 0.3)) for _ in range(3)]
        one.add(*np.sum(parts, axis=0))
        for stable, candidate in parts:
            several.add(stable, 0 * candidate)
        several.add(0 * parts[0][0], np.sum([candidate for _, candidate in parts], axis=0))

    assert one.evidence == several.evidence


def test_wrong_decisions_keep_below_the_level_while_the_common_rate_and_the_split_drift() -> None:
    rng = np.random.default_rng(11)
    wrong: int = 0
    for _ in range(100):
        bets = PairedBets()
        for _ in range(60):
            rate, share = 0.02 + 0.3 * rng.random() ** 6, rng.uniform(0.02, 0.6)
            candidate = rng.binomial(100, share)
            bets.add(outcomes(rng, 100 - candidate, rate), outcomes(rng, candidate, rate))
        # At the border both `worse` than 0 and `below` 0 are wrong.
        found = bets.evidence
        at = found.differences.index(0.0)
        wrong += max(found.above[at], found.below[at]) >= log(40)

    assert wrong <= 11  # of 100 at 5 %, with three standard deviations of room


def test_a_canary_that_fails_twice_as_often_is_found() -> None:
    rng = np.random.default_rng(12)
    found = 0
    for _ in range(20):
        bets = PairedBets()
        for _ in range(100):
            bets.add(outcomes(rng, 90, 0.05), outcomes(rng, 10, 0.1))
        found += bets.evidence.decision(0.0) == "worse"

    assert found >= 18


def test_equal_versions_are_found_to_be_no_worse_by_more_than_is_allowed() -> None:
    rng = np.random.default_rng(13)
    bets = PairedBets()
    for _ in range(200):
        bets.add(outcomes(rng, 90, 0.02), outcomes(rng, 30, 0.02))

    assert bets.evidence.decision(0.02) == "no_worse"
    low, high = bets.evidence.interval()
    assert -0.02 <= low <= 0 <= high <= 0.02


def test_a_higher_figure_that_is_better_is_decided_the_other_way_round() -> None:
    rng = np.random.default_rng(14)
    bets = PairedBets()
    for _ in range(100):
        bets.add(outcomes(rng, 50, 0.9), outcomes(rng, 50, 0.8))

    assert bets.evidence.decision(0.02, higher_is_worse=False) == "worse"
    assert bets.evidence.decision(0.3, higher_is_worse=False) == "no_worse"
    assert bets.evidence.decision(0.02, higher_is_worse=True) == "no_worse"


def test_the_sequence_can_be_cut_anywhere() -> None:
    rng = np.random.default_rng(15)
    panes = [(outcomes(rng, 9, 0.3), outcomes(rng, int(rng.integers(0, 3)), 0.5)) for _ in range(12)]
    whole = PairedBets()
    for pane in panes:
        whole.add(*pane)

    for cut in range(12):
        before, after = PairedBets(), PairedBets()
        for pane in panes[:cut]:
            before.add(*pane)
        after.restore(before.state)
        for pane in panes[cut:]:
            after.add(*pane)
        assert after.evidence == whole.evidence
        assert np.array_equal(after.state.pending, whole.state.pending)


@pytest.mark.parametrize("field", ["capital", "peak", "pending", "total", "recent"])
@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), -1e300], ids=["no number", "infinite", "below zero"])
def test_a_state_that_cannot_be_true_is_refused(field: str, wrong: float) -> None:
    bets = PairedBets()
    bets.add(np.array([3, 1]), np.array([1, 2]))
    fields = {name: getattr(bets.state, name).copy() for name in ("capital", "peak", "pending", "total", "recent")}
    fields[field].flat[0] = wrong

    with pytest.raises(ValueError, match="from"):
        PairedBets().restore(PairedBetsState(**fields))


def test_a_state_of_other_values_is_refused() -> None:
    with pytest.raises(ValueError, match="shape"):
        PairedBets(OUTCOMES).restore(PairedBets(GRID).state)
