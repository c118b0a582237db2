"""Steps in what is learned: found wherever they stand, and seldom where there is none."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from dashlight.judge.traffic.overdispersion import is_steady
from dashlight.judge.traffic.steps import has_step

Counts = NDArray[np.int64]
GATE = np.array([0.05])


def blocks_of(shares: NDArray[np.float64], rng: np.random.Generator, rows: int = 90) -> Counts:
    return np.stack([rng.binomial(rows, shares), np.full(len(shares), rows)], 1)[:, :, np.newaxis]


def failing(begin: int, end: int, share: float, usual: float = 0.0, count: int = 64) -> NDArray[np.float64]:
    shares = np.full(count, usual)
    shares[begin:end] = share
    return shares


@pytest.mark.parametrize("share", [0.05, 0.2, 0.5, 1.0])
@pytest.mark.parametrize("usual", [0.0, 0.005])
def test_an_outage_does_not_look_steady_wherever_it_begins(share: float, usual: float) -> None:
    rng = np.random.default_rng(41)
    steps = range(6, 60) if share == 0.05 else range(1, 64)

    steady = [step for step in steps if is_steady(blocks_of(failing(step, 64, share, usual), rng), GATE)]

    assert steady == []


@pytest.mark.parametrize("share", [0.2, 0.5, 1.0])
def test_an_outage_that_ends_while_learning_does_not_either(share: float) -> None:
    rng = np.random.default_rng(42)

    assert not any(is_steady(blocks_of(failing(0, end, share), rng), GATE) for end in range(1, 64))


@pytest.mark.parametrize(("begin", "length"), [(3, 4), (20, 6), (24, 24), (40, 10), (55, 5)])
def test_an_outage_that_comes_and_goes_does_not_either(begin: int, length: int) -> None:
    rng = np.random.default_rng(43)

    assert not any(is_steady(blocks_of(failing(begin, begin + length, 0.2, 0.005), rng), GATE) for _ in range(10))


def test_of_more_blocks_neighbours_are_joined() -> None:
    rng = np.random.default_rng(44)

    assert has_step(blocks_of(failing(100, 128, 0.1, 0.01, count=128), rng), GATE)
    assert not has_step(blocks_of(np.full(127, 0.02), rng), GATE)


def as_always(share: float) -> Callable[[np.random.Generator], NDArray[np.float64]]:
    return lambda _rng: np.full(64, share)


def in_bursts(rng: np.random.Generator) -> NDArray[np.float64]:
    return rng.choice(np.array([0.0, 0.2]), 64)


def in_rare_bursts(rng: np.random.Generator) -> NDArray[np.float64]:
    return np.where(rng.random(64) < 0.05, 0.1, 0.002)


@pytest.mark.parametrize(
    "shares",
    [as_always(0.005), as_always(0.02), as_always(0.5), in_bursts, in_rare_bursts],
    ids=["rare", "few", "half", "bursts", "rare bursts"],
)
def test_what_is_steady_is_seldom_taken_for_a_step(
    shares: Callable[[np.random.Generator], NDArray[np.float64]],
) -> None:
    rng = np.random.default_rng(45)

    assert sum(has_step(blocks_of(shares(rng), rng), GATE) for _ in range(200)) <= 8


def test_few_exchanges_a_block_are_no_step_by_chance() -> None:
    rng = np.random.default_rng(46)

    assert sum(has_step(blocks_of(np.full(64, 0.1), rng, rows=5), GATE) for _ in range(200)) <= 2


def test_blocks_without_trials_and_without_occurrences_hold_no_step() -> None:
    blocks = np.zeros((64, 2, 2), np.int64)
    blocks[:, 1, 1] = 50

    assert not has_step(blocks, np.array([0.05, 0.05]))


def test_a_step_that_is_too_small_to_matter_is_none() -> None:
    rng = np.random.default_rng(47)

    assert not has_step(blocks_of(failing(32, 64, 0.0105, 0.01), rng, rows=1_000_000), GATE)
