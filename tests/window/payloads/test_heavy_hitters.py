"""The most frequent of many things in constant memory."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dashlight.window.payloads.heavy_hitters import HeavyHitters


def counted(sketch: HeavyHitters, things: list[int]) -> HeavyHitters:
    distinct, counts = np.unique(np.array(things, np.uint64), return_counts=True)
    sketch.add(distinct, counts)
    return sketch


@given(batches=st.lists(st.lists(st.integers(0, 12), max_size=30), max_size=8), most=st.integers(1, 15))
def test_a_count_is_never_too_large_and_short_by_no_more_than_is_said(batches: list[list[int]], most: int) -> None:
    sketch, true = HeavyHitters(most), Counter[int]()

    for batch in batches:
        counted(sketch, batch)
        true.update(batch)

    everything = np.arange(13, dtype=np.uint64)
    found = sketch.of(everything).tolist()
    assert all(true[thing] - sketch.shortfall <= found[thing] <= true[thing] for thing in range(13))
    assert sketch.total == sum(true.values())
    assert sketch.shortfall <= sketch.total / (most + 1)
    assert len(sketch.hashes) <= most


def test_with_room_for_all_counts_are_exact() -> None:
    sketch = counted(counted(HeavyHitters(10), [1, 1, 2]), [1, 3])

    assert sketch.of(np.array([1, 2, 3, 4], np.uint64)).tolist() == [3, 1, 1, 0]
    assert sketch.shortfall == 0
