"""What the reference of an endpoint's traffic says of chance."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from dashlight.judge.traffic.overdispersion import (
    DAY_SECONDS,
    UNKNOWN_PHI,
    UNSEEN_DAY_TAU,
    is_steady,
    proportions_of,
    ratio_of_neighbours,
)

Counts = NDArray[np.int64]
GATES = np.array([0.0707, 0.1414])
FAILURE = np.array([True, False])


def blocks_of(failing: object, slow: object, *, rows: int = 100, blocks: int = 64, seed: int = 1) -> Counts:
    """Independent exchanges: a failure and a slowness, of probabilities of shape () or (blocks,)."""
    rng = np.random.default_rng(seed)
    occurred = [rng.binomial(rows, np.broadcast_to(np.asarray(each), blocks)) for each in (failing, slow)]
    return np.stack([np.stack(occurred, axis=1), np.full((blocks, 2), rows)], axis=1)


def test_shares_and_trials_are_those_of_all_blocks() -> None:
    blocks = np.array([[[1, 5], [10, 10]], [[2, 4], [20, 10]]])

    found = proportions_of(blocks, is_failure=FAILURE, is_slow=~FAILURE, seconds=DAY_SECONDS)

    assert found.shares.tolist() == [0.1, 0.45]
    assert found.trials.tolist() == [30.0, 20.0]


def test_what_never_occurred_is_not_impossible() -> None:
    found = proportions_of(blocks_of(0.0, 0.5), is_failure=FAILURE, is_slow=~FAILURE, seconds=DAY_SECONDS)

    assert found.shares[0] == 0.5 / 6400
    assert found.phi[0] == UNKNOWN_PHI


def test_independent_exchanges_have_next_to_no_memory() -> None:
    phis = [
        proportions_of(blocks_of(0.1, 0.5, seed=seed), is_failure=FAILURE, is_slow=~FAILURE, seconds=DAY_SECONDS).phi
        for seed in range(100)
    ]

    assert np.median(phis) < 1.3
    assert np.quantile(phis, 0.95) < 3.0


@pytest.mark.parametrize("length", [1, 4])
def test_bursts_are_measured_also_where_they_are_longer_than_a_block(length: int) -> None:
    rng = np.random.default_rng(2)
    shares = np.repeat(rng.choice([0.0, 0.4], 64 // length), length)

    found = proportions_of(blocks_of(shares, 0.5), is_failure=FAILURE, is_slow=~FAILURE, seconds=DAY_SECONDS)

    # Between blocks n p (1 - p) + n**2 var(p), within n p (1 - p): p is 0.2 and var(p) 0.04.
    between = 1 + 100 * length * 0.04 / 0.16
    assert found.phi[0] > 0.8 * between
    assert found.phi[1] < 3


def test_rare_failures_come_as_the_others_do() -> None:
    rng = np.random.default_rng(3)
    bursts = blocks_of(rng.choice([0.0, 0.4], 64), 0.5)
    rare = np.zeros((64, 2, 1), np.int64)
    rare[:, 1] = 100

    found = proportions_of(
        np.concatenate([bursts, rare], axis=2),
        is_failure=np.array([1, 0, 1], bool),
        is_slow=np.array([0, 1, 0], bool),
        seconds=1e6,
    )

    assert found.phi[2] == found.phi[0] > 10


def test_a_rare_slowness_is_taken_to_come_in_the_bursts_of_the_usual_one() -> None:
    rng = np.random.default_rng(4)
    blocks = blocks_of(0.01, rng.choice([0.2, 0.8], 64))

    found = proportions_of(
        blocks, is_failure=np.array([False, False]), is_slow=np.array([True, True]), seconds=DAY_SECONDS
    )

    assert found.phi[0] > 5


def test_of_the_part_of_a_day_that_was_not_seen_less_is_believed() -> None:
    blocks = blocks_of(0.2, 0.5)

    day, moment = (
        proportions_of(blocks, is_failure=FAILURE, is_slow=~FAILURE, seconds=each) for each in (DAY_SECONDS, 0.0)
    )

    assert day.tau.tolist() == [0.0, 0.0]
    assert moment.tau == pytest.approx([0.0, UNSEEN_DAY_TAU], abs=1e-4)


def test_a_season_of_the_reference_is_slow_movement_and_no_memory() -> None:
    season = 0.5 + 0.2 * np.sin(2 * np.pi * np.arange(128) / 64)

    week = proportions_of(
        blocks_of(0.1, season, blocks=128, rows=400), is_failure=FAILURE, is_slow=~FAILURE, seconds=7 * DAY_SECONDS
    )
    short = proportions_of(
        blocks_of(0.1, season, blocks=128, rows=400), is_failure=FAILURE, is_slow=~FAILURE, seconds=600.0
    )

    # 2 asin sqrt(p) goes up and down by about 0.4, its standard deviation is 0.29.
    assert week.tau[1] == pytest.approx(0.29, rel=0.25)
    assert short.tau[1] == pytest.approx(UNSEEN_DAY_TAU, abs=0.01)
    assert short.phi[1] > 3 * week.phi[1]


def test_slow_movement_within_what_is_assumed_of_an_unseen_day_is_no_memory() -> None:
    season = 0.5 + 0.04 * np.sin(2 * np.pi * np.arange(128) / 128)

    found = proportions_of(
        blocks_of(0.1, season, blocks=128, rows=400), is_failure=FAILURE, is_slow=~FAILURE, seconds=DAY_SECONDS / 2
    )

    # Its own share of the variance is .04**2 / 2, in binomial ones of four hundred rows 1.3.
    assert found.phi[1] < 1.6
    assert found.tau[1] == pytest.approx((0.1**2 / 2 + 0.08**2 / 2) ** 0.5, rel=0.15)


@pytest.mark.parametrize(
    ("counts", "least", "most"), [([1] * 5, 1.6, 2.0), ([5], 2.5, 8.0)], ids=["one by one", "all at once"]
)
def test_few_failures_tell_a_little_of_how_they_come(counts: list[int], least: float, most: float) -> None:
    blocks = np.zeros((64, 2, 1), np.int64)
    blocks[: 10 * len(counts) : 10, 0, 0] = counts
    blocks[:, 1] = 20

    found = proportions_of(blocks, is_failure=np.array([True]), is_slow=np.array([False]), seconds=DAY_SECONDS)

    assert least < found.phi[0] < most


@pytest.mark.parametrize("share", [0.5, 0.1, 0.01])
def test_of_an_unseen_day_less_is_assumed_of_rare_slowness(share: float) -> None:
    blocks = np.zeros((64, 2, 1), np.int64)
    blocks[:, 0], blocks[:, 1] = round(10_000 * share), 10_000

    found = proportions_of(blocks, is_failure=np.array([False]), is_slow=np.array([True]), seconds=0.0)

    shift = stats.norm.ppf(np.sin(np.pi / 4 + 2.5 * UNSEEN_DAY_TAU / 2) ** 2)
    moved = stats.norm.sf(stats.norm.isf(share) - shift)
    rise = 2 * (np.arcsin(np.sqrt(moved)) - np.arcsin(np.sqrt(share)))
    assert found.tau[0] == pytest.approx(rise / 2.5)


def test_neighbours_show_neither_a_step_nor_a_season() -> None:
    step = np.repeat([0.4, 0.6], 64)
    season = 0.5 + 0.1 * np.sin(2 * np.pi * np.arange(128) / 128)

    assert ratio_of_neighbours(blocks_of(step, season, blocks=128)) == pytest.approx([1.0, 1.0], abs=0.3)
    assert ratio_of_neighbours(blocks_of(np.tile([0.0, 0.2], 64), season, blocks=128))[0] > 10


def test_memory_that_levels_off_is_not_taken_for_endless() -> None:
    rng = np.random.default_rng(5)
    level = np.zeros(256)
    for at in range(1, 256):
        level[at] = 0.5 * level[at - 1] + rng.normal(0, 0.1)
    shares = np.clip(0.5 + level, 0, 1)

    phi = proportions_of(
        blocks_of(0.1, shares, blocks=256), is_failure=FAILURE, is_slow=~FAILURE, seconds=DAY_SECONDS
    ).phi[1]

    # var(p) = .01 / (1 - .25); over long blocks times (1 + .5) / (1 - .5): 1 + 100 * .0133 * 3 / .25.
    assert 12 < phi < 34


def test_a_steady_reference_is_seldom_taken_for_unsteady() -> None:
    unsteady = sum(not is_steady(blocks_of(0.02, 0.5, seed=seed), GATES) for seed in range(500))

    assert unsteady <= 3


def test_bursts_alone_do_not_make_it_unsteady() -> None:
    rng = np.random.default_rng(6)
    unsteady = sum(
        not is_steady(blocks_of(rng.choice([0.0, 0.2], 64), rng.uniform(0.3, 0.7, 64), seed=seed), GATES)
        for seed in range(300)
    )

    assert unsteady <= 6


@pytest.mark.parametrize(
    ("failing", "slow"),
    [(np.repeat([0.005, 0.05], 32), 0.5), (0.005, np.repeat([0.3, 0.5], 32))],
    ids=["errors", "latency"],
)
def test_an_incident_in_one_half_makes_it_unsteady(failing: object, slow: object) -> None:
    assert not any(is_steady(blocks_of(failing, slow, seed=seed), GATES) for seed in range(20))


def test_a_difference_too_small_to_matter_does_not() -> None:
    assert is_steady(blocks_of(0.005, np.repeat([0.49, 0.51], 32), rows=100_000), GATES)


def test_too_few_blocks_are_never_steady() -> None:
    assert not is_steady(blocks_of(0.0, 0.5, blocks=15), GATES)


def test_more_occurrences_than_trials_are_no_more_than_all() -> None:
    blocks = blocks_of(0.005, 0.5)
    quarter = slice(None, len(blocks) // 4)
    blocks[quarter, 0] = 2 * blocks[quarter, 1]

    assert not is_steady(blocks, GATES)
