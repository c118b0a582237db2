from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashlight.window.reference.direction_rows import EvenlySpread, HalvedSums


def kept_starts(most: int, items: int, seed: int = 0) -> list[int]:
    spread = EvenlySpread(most, np.random.default_rng(seed))
    for start in range(items):
        spread.add(start, np.array([float(start)]))
    assert [item[0] for _, item in spread.items] == [start for start, _ in spread.items]
    return [start for start, _ in spread.items]


def test_everything_is_kept_while_it_fits() -> None:
    assert kept_starts(8, 7) == [0, 1, 2, 3, 4, 5, 6]


@given(st.integers(2, 12), st.integers(1, 400), st.integers(0, 50))
def test_one_item_of_every_stretch_is_kept_in_order(half: int, items: int, seed: int) -> None:
    starts = kept_starts(2 * half, items, seed)

    stretch = 1
    while items // stretch >= 2 * half:
        stretch *= 2
    assert len(starts) <= 2 * half
    assert [start // stretch for start in starts] == list(range(len(starts)))
    assert items // stretch <= len(starts) <= items // stretch + 1
    assert all(first < second for first, second in pairwise(starts))


def test_every_item_of_a_stretch_has_the_same_chance() -> None:
    chosen = np.array([kept_starts(4, 32, seed)[:2] for seed in range(2000)])

    # 32 items: stretches of 16. By chance alone a place is chosen 125 times, give or take 11.
    tallies = np.bincount(chosen[:, 1] - 16, minlength=16)
    assert tallies.min() > 75
    assert tallies.max() < 175


@pytest.mark.parametrize("blocks", [2, 3, 10, 64, 65, 1000], ids=lambda blocks: f"{blocks} blocks")
def test_the_halves_hold_all_rows_and_are_nearly_equal(blocks: int) -> None:
    rows = np.random.default_rng(7).standard_normal((blocks * 5, 3))
    halves = HalvedSums(3)
    for start in range(0, len(rows), 5):
        halves.add(rows[start : start + 5])

    first, second = halves.halves()

    assert first.rows + second.rows == len(rows)
    assert first.rows <= second.rows <= first.rows + max(len(rows) // 16, 5)
    assert first.total == pytest.approx(rows[: first.rows].sum(0))
    assert second.total == pytest.approx(rows[first.rows :].sum(0))
    assert second.squares == pytest.approx((rows[first.rows :] ** 2).sum(0))
