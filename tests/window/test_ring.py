import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashlight.window.ring import SLOTS, Ring


def filled(panes: int, levels: int) -> Ring:
    """A ring whose pane number i, from 0, holds i and ended at i + 1."""
    ring = Ring((1,), levels)
    for pane in range(panes):
        ring.add(np.array([pane]), float(pane + 1))
    return ring


def last_sum(panes: int, covered: int) -> int:
    return sum(range(panes - covered, panes))


@given(st.integers(0, 700), st.integers(0, SLOTS))
def test_up_to_thirty_two_panes_are_exact(panes: int, wanted: int) -> None:
    stretch = filled(panes, 4).last(wanted)

    assert stretch.panes == min(panes, wanted)
    assert stretch.counts.tolist() == [last_sum(panes, stretch.panes)]


@given(st.integers(1, 900), st.integers(1, 400))
def test_longer_stretches_are_rounded_up_to_what_is_kept_apart(panes: int, wanted: int) -> None:
    stretch = filled(panes, 4).last(wanted)

    level = max(math.ceil(math.log2(max(wanted, 1) / SLOTS)), 0)
    kept = min(panes, panes % 8 + SLOTS * 8)
    assert min(wanted, kept) <= stretch.panes <= min(wanted + 2 ** min(level, 3) - 1, panes)
    assert stretch.counts.tolist() == [last_sum(panes, stretch.panes)]
    assert (stretch.first_ended_at, stretch.last_ended_at) == (panes - stretch.panes + 1, panes)


@given(st.integers(1, 900), st.floats(-1, 1000))
def test_the_panes_since_a_moment_cover_all_that_ended_after_it(panes: int, at: float) -> None:
    ring = filled(panes, 4)

    covered = ring.last(ring.panes_since(at)).panes

    after = sum(1 for ended_at in range(1, panes + 1) if ended_at > at)
    kept = min(panes, panes % 8 + SLOTS * 8)
    assert min(after, kept) <= covered <= after + 7
    if after <= SLOTS:
        assert covered == after


def test_nothing_closed_is_an_empty_stretch() -> None:
    stretch = filled(0, 2).last(10)

    assert (stretch.panes, stretch.counts.tolist()) == (0, [0])
    assert math.isnan(stretch.first_ended_at)
    assert filled(0, 2).panes_since(0.0) == 0


@pytest.mark.parametrize("wanted", [-1, 0])
def test_no_panes_are_an_empty_stretch(wanted: int) -> None:
    assert filled(40, 2).last(wanted).panes == 0


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 3000), st.integers(1, 2304))
def test_with_eighteen_slots_a_stretch_is_at_most_an_eighth_too_long(panes: int, wanted: int) -> None:
    ring = Ring((1,), 8, slots=18)
    for pane in range(panes):
        ring.add(np.array([pane]), float(pane + 1))

    stretch = ring.last(wanted)

    assert min(wanted, panes) <= stretch.panes <= max(wanted * 9 / 8, min(wanted, 18))
    assert stretch.counts.tolist() == [last_sum(panes, stretch.panes)]


@pytest.mark.parametrize("count", [2**15, 2**16, 2**31, 2**40], ids=["16 bits", "32 bits", "its sum", "64 bits"])
def test_sums_of_any_size_are_exact(count: int) -> None:
    ring = Ring((2,), 3)
    for _ in range(100):
        ring.add(np.array([count, 1]), 0.0)

    assert ring.last(32).counts.tolist() == [32 * count, 32]
    assert ring.last(100).counts.tolist() == [100 * count, 100]


def test_small_counts_take_two_bytes_each_and_large_ones_widen_only_their_level() -> None:
    small, large = Ring((10,), 2), Ring((10,), 2)
    for _ in range(2):
        small.add(np.full(10, 100), 0.0)
        large.add(np.full(10, 2**15), 0.0)

    assert small.bytes == 2 * SLOTS * 10 * 2
    assert large.bytes == SLOTS * 10 * (2 + 4)


def test_a_ring_of_nothing_keeps_nothing() -> None:
    ring = Ring((0, 36), 2)
    ring.add(np.zeros((0, 36), np.int64), 1.0)

    assert ring.last(1).counts.shape == (0, 36)
