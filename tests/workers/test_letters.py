"""Which letters are too much, and which may become one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashlight.workers.letters import POSTED, Found, lightest, oldest_beyond


def letters(*sizes: int) -> list[Found]:
    """Letters of one worker of these sizes, in the order in which they were posted."""
    return [
        Found(Path(str(place)), "one", place, POSTED, os.stat_result((0, 0, 0, 0, 0, 0, size, 0, 0, 0)))
        for place, size in enumerate(sizes, 1)
    ]


def sequences(found: list[Found]) -> list[int]:
    return [each.sequence for each in found]


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [((), []), ((9, 9), []), ((30,), []), ((5, 4, 12, 4), [2, 1]), ((1, 30), [1]), ((30, 1), [1])],
)
def test_the_oldest_go_and_never_the_newest(sizes: tuple[int, ...], expected: list[int]) -> None:
    assert sequences(oldest_beyond(letters(*sizes), 19)) == expected


@pytest.mark.parametrize(
    ("sizes", "expected"), [((), []), ((3, 3, 3), [1, 2, 3]), ((8, 3, 3, 3), [2, 3, 4]), ((11,), [])]
)
def test_the_lightest_become_one_in_their_order(sizes: tuple[int, ...], expected: list[int]) -> None:
    assert sequences(lightest(letters(*sizes), 10)) == expected


@given(st.lists(st.integers(1, 1000), min_size=8, max_size=60), st.integers(1, 1000))
def test_among_eight_within_the_bound_and_one_more_two_at_least_may_become_one(sizes: list[int], newest: int) -> None:
    own = letters(*sizes)
    lost = {each.sequence for each in oldest_beyond(own, 1000)}
    kept = [each for each in own if each.sequence not in lost]

    if len(kept) >= 8:
        assert len(lightest(letters(*[each.status.st_size for each in kept], newest), 500)) >= 2
