import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashlight.store.layout import Layout
from dashlight.window.ring import SLOTS, Ring, RingState

LAYOUT: Layout[RingState] = Layout("ring", 1, RingState)


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


def written(ring: Ring) -> bytes:
    return b"".join(LAYOUT.freeze(ring.state))


@given(st.lists(st.sampled_from([0, 3, 2**15, 2**31, 2**33]), max_size=120), st.integers(0, 120))
def test_a_ring_that_is_restored_goes_on_bit_by_bit(counts: list[int], cut_at: int) -> None:
    whole = restored = Ring((2, 3), 4, slots=6)
    for pane, count in enumerate(counts):
        if pane == cut_at:
            restored = Ring((2, 3), 4, slots=6)
            restored.restore(LAYOUT.thaw(written(whole)))
        for ring in {whole, restored}:
            ring.add(np.full((2, 3), count), float(pane))

    assert written(restored) == written(whole)
    for panes in (1, 6, 20, 200):
        assert restored.last(panes).counts.tolist() == whole.last(panes).counts.tolist()
    assert restored.panes_since(len(counts) / 2) == whole.panes_since(len(counts) / 2)


STATE = filled(100, 3).state


@pytest.mark.parametrize(
    "state",
    [
        replace(STATE, closed=-1),
        replace(STATE, closed=2**63),
        replace(STATE, counts=STATE.counts[:2]),
        replace(STATE, counts=(*STATE.counts[:2], STATE.counts[2][:-1])),
        replace(STATE, counts=(*STATE.counts[:2], STATE.counts[2][:, :0])),
        replace(STATE, counts=(*STATE.counts[:2], STATE.counts[2].astype(np.uint8))),
        replace(STATE, counts=(*STATE.counts[:2], STATE.counts[2].astype(np.int64))),
        replace(STATE, counts=(*STATE.counts[:2], np.full_like(STATE.counts[2], 2**63, np.uint64))),
        replace(STATE, first_ended_at=STATE.first_ended_at[:-1]),
        replace(STATE, last_ended_at=STATE.last_ended_at[:, :-1]),
        replace(STATE, first_ended_at=np.full_like(STATE.first_ended_at, np.nan)),
        replace(STATE, last_ended_at=np.full_like(STATE.last_ended_at, np.inf)),
    ],
)
def test_what_no_ring_of_this_size_holds_is_refused(state: RingState) -> None:
    with pytest.raises(ValueError, match="expected"):
        Ring((1,), 3).restore(state)
