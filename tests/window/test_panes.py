import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from dashlight.store.layout import Layout
from dashlight.window.layout import BINS
from dashlight.window.panes import SLOTS, Panes, PanesState, merge, rows_of

counts_of_two_columns = arrays(np.int64, (2, BINS), elements=st.integers(0, 10**6))


@given(st.lists(counts_of_two_columns, max_size=40), st.integers(0, SLOTS))
def test_a_window_of_up_to_eighteen_panes_is_their_sum(panes: list[NDArray[np.int64]], wanted: int) -> None:
    kept = Panes(2)
    for at, counts in enumerate(panes):
        kept.add(counts)
        kept.close(float(at))

    window = kept.window(wanted)

    last = panes[len(panes) - min(wanted, len(panes)) :]
    assert np.array_equal(window.counts, sum(last, np.zeros((2, BINS), np.int64)))
    assert window.panes == len(last)
    assert window.rows.tolist() == window.counts.sum(axis=1).tolist()


def test_rows_wait_in_the_current_pane_until_it_is_closed() -> None:
    panes = Panes(1)
    counts = np.full((1, BINS), 2)

    panes.add(counts)
    panes.add(counts)
    before = panes.window(1).rows.tolist()
    ended = panes.close(10.0)

    assert before == [0]
    assert rows_of(ended).tolist() == [4 * BINS]
    assert panes.window(1).rows.tolist() == [4 * BINS]
    assert panes.current.sum() == 0
    assert panes.closed == 1


def test_what_was_closed_does_not_change_with_later_rows() -> None:
    panes = Panes(1)
    ended = panes.close(0.0)

    panes.add(np.ones((1, BINS), np.int64))

    assert ended.sum() == 0


def test_a_window_knows_when_its_panes_ended() -> None:
    panes = Panes(1)
    for at in (10.0, 20.0, 50.0):
        panes.close(at)

    window = panes.window(2)

    assert (window.first_ended_at, window.last_ended_at) == (20.0, 50.0)
    assert math.isnan(Panes(1).window(2).first_ended_at)


@pytest.mark.parametrize(("at", "covered"), [(50.0, 0), (49.0, 1), (20.0, 1), (19.0, 2), (0.0, 3)])
def test_a_window_since_a_moment_covers_the_panes_that_ended_after_it(at: float, covered: int) -> None:
    panes = Panes(1)
    for ended_at in (10.0, 20.0, 50.0):
        panes.close(ended_at)

    assert panes.since(at).panes == covered


def test_four_thousand_panes_are_kept() -> None:
    panes = Panes(1)
    for at in range(5000):
        panes.add(np.eye(1, BINS, dtype=np.int64))
        panes.close(float(at))

    window = panes.window(4096)

    assert 4096 <= window.panes < 4096 + 256
    assert window.rows.tolist() == [window.panes]


def test_a_hundred_columns_are_kept_in_little_more_than_a_megabyte() -> None:
    assert Panes(100).bytes < 1_200_000


@given(counts_of_two_columns, counts_of_two_columns, counts_of_two_columns)
def test_merging_is_associative_and_commutative(
    one: NDArray[np.int64], two: NDArray[np.int64], three: NDArray[np.int64]
) -> None:
    whole = one + two + three

    assert np.array_equal(merge(one, two, three), whole)
    assert np.array_equal(merge(three, merge(two, one)), whole)
    assert np.array_equal(merge(merge(one, three), two), whole)


def test_merging_leaves_its_parts_as_they_were() -> None:
    one = np.ones((1, BINS), np.int64)

    merge(one, one)

    assert one.sum() == BINS


def test_counts_of_other_columns_cannot_be_merged() -> None:
    with pytest.raises(ValueError, match="shape"):
        merge(np.zeros((1, BINS), np.int64), np.zeros((2, BINS), np.int64))


PANES: Layout[PanesState] = Layout("panes", 1, PanesState)


def test_panes_that_are_restored_go_on_also_in_the_midst_of_one() -> None:
    panes, restored = Panes(2), Panes(2)
    for pane in range(50):
        panes.add(np.full((2, BINS), pane))
        panes.close(float(pane))
    panes.add(np.full((2, BINS), 7))

    restored.restore(PANES.thaw(b"".join(PANES.freeze(panes.state))))
    for each in (panes, restored):
        each.add(np.full((2, BINS), 70_000))
        each.close(50.0)

    assert b"".join(PANES.freeze(restored.state)) == b"".join(PANES.freeze(panes.state))
    assert restored.window(1).counts.tolist() == [[70_007] * BINS] * 2


@pytest.mark.parametrize(
    "current",
    [np.zeros((3, BINS), np.int64), np.zeros((2, BINS)), np.full((2, BINS), -1), np.full((2, BINS), 2**62)],
    ids=["other columns", "no whole numbers", "below zero", "too many"],
)
def test_rows_that_cannot_be_are_refused(current: NDArray[np.int64]) -> None:
    with pytest.raises(ValueError, match="rows of a pane"):
        Panes(2).restore(PanesState(current, Panes(2).state.closed))


def test_a_window_of_other_columns_is_refused() -> None:
    with pytest.raises(ValueError, match="counts of a ring"):
        Panes(2).restore(PanesState(Panes(2).current, Panes(3).state.closed))


def test_what_is_forgotten_of_a_column_is_in_no_window() -> None:
    panes = Panes(2, levels=3)
    for at in range(60):
        panes.add(np.ones((2, BINS), np.int64))
        panes.close(float(at))

    panes.forget(np.array([1]))
    panes.add(np.ones((2, BINS), np.int64))
    panes.close(60.0)

    for wanted in (1, 20, 60):
        window = panes.window(wanted)
        assert window.counts[0].tolist() == [window.panes] * BINS
        assert window.counts[1].tolist() == [1] * BINS


def test_emptied_panes_ended_at_the_same_moments_and_hold_what_comes_later() -> None:
    panes = Panes(1)
    for number in range(40):
        panes.add(np.ones((1, BINS), np.int64))
        panes.close(10.0 * number)

    empty = panes.emptied()
    empty.add(np.ones((1, BINS), np.int64))
    for each in (panes, empty):
        each.close(400.0)

    for wanted in (1, 5, 30):
        whole, later = panes.window(wanted), empty.window(wanted)
        assert (later.panes, later.first_ended_at) == (whole.panes, whole.first_ended_at)
        assert later.counts.sum() == BINS
