import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashlight.window.last_rows import LastRows


def empty(most: int) -> LastRows:
    return LastRows(np.empty((2, 0), np.float64), np.empty(0, np.object_), most=most)


def write(last: LastRows, *values: int) -> None:
    numbers, words = last.room(len(values))
    numbers[:] = values
    words[:] = [str(value) for value in values]


@given(st.lists(st.integers(0, 40), max_size=30), st.integers(0, 30))
def test_the_last_rows_of_all_arrays_are_kept_in_order_also_where_it_begins_with_them(
    lengths: list[int], cut_at: int
) -> None:
    last, written = empty(40), list[int]()

    for step, length in enumerate(lengths):
        if step == cut_at:
            last = LastRows(*last.copies(), most=40)
        values = range(len(written), len(written) + length)
        write(last, *values)
        written.extend(values)

    numbers, words = last.rows()
    assert numbers.tolist() == [written[-40:], written[-40:]]
    assert words.tolist() == [str(value) for value in written[-40:]]


@pytest.mark.parametrize(("steps", "most_bytes"), [(1, 32 * 8), (8, 128 * 8), (1000, 320 * 8)])
def test_little_is_allocated_for_few_rows(steps: int, most_bytes: int) -> None:
    last = LastRows(np.empty(0, np.float64), most=256)

    for step in range(steps):
        last.room(8)[0][:] = step

    (view,) = last.rows()
    assert view.base is not None
    assert view.base.nbytes <= most_bytes


def test_copies_stay_when_more_rows_come() -> None:
    last = empty(2)
    write(last, 1, 2)

    numbers, words = last.copies()
    write(last, 3, 4)
    write(last, 5, 6)

    assert numbers[0].tolist() == [1.0, 2.0]
    assert words.tolist() == ["1", "2"]
