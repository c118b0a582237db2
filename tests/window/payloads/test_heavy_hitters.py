"""The most frequent of many things in constant memory."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from dashlight.window.payloads.heavy_hitters import HeavyHitters


@given(batches=st.lists(st.lists(st.integers(0, 12), max_size=30), max_size=8), most=st.integers(1, 15))
def test_a_count_is_never_too_large_and_short_by_no_more_than_is_said(batches: list[list[int]], most: int) -> None:
    sketch, true = HeavyHitters(most), Counter[int]()

    for batch in batches:
        sketch.add(batch)
        true.update(batch)

    found = sketch.counts
    assert all(true[thing] - sketch.shortfall <= found.get(thing, 0) <= true[thing] for thing in range(13))
    assert sketch.total == sum(true.values())
    assert sketch.shortfall <= sketch.total / (most + 1)
    assert len(found) <= 2 * most


def test_with_room_for_all_counts_are_exact() -> None:
    sketch = HeavyHitters(10)

    sketch.add([1, 1, 2])
    sketch.add([1, 3], times=4)

    assert dict(sketch.counts) == {1: 6, 2: 1, 3: 4}
    assert (sketch.shortfall, sketch.total) == (0, 11)


@given(things=st.lists(st.integers(0, 40), max_size=80), most=st.integers(1, 15))
def test_how_things_are_parted_makes_no_difference(things: list[int], most: int) -> None:
    at_once, one_by_one = HeavyHitters(most), HeavyHitters(most)

    at_once.add(things)
    for thing in things:
        one_by_one.add([thing])

    assert list(at_once.counts.items()) == list(one_by_one.counts.items())
    assert (at_once.shortfall, at_once.total) == (one_by_one.shortfall, one_by_one.total)
