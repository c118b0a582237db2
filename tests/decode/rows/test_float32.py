import math
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashlight.decode.rows.float32 import as_written

WRITTEN = [5.1, 0.2, 16777216.0, 1.23456789, 0.0, -0.0, 1e-7, -273.15, 3.4e38, 1e-45, 123456.7]


def widened(number: float) -> float:
    return float(np.float32(number))


@pytest.mark.parametrize("times", [1, 5], ids=["few", "many"])
def test_numbers_come_back_as_they_were_written(times: int) -> None:
    cells = [widened(number) for number in WRITTEN] * times

    found = as_written([*cells, math.inf, -math.inf])

    # Nine digits and the smallest number of all do not fit into seven digits.
    expected = [5.1, 0.2, 16777216.0, widened(1.23456789), 0.0, -0.0, 1e-7, -273.15, 3.4e38, widened(1e-45), 123456.7]
    assert found[:-2] == pytest.approx(expected * times, rel=1e-15)
    assert found[-2:] == [math.inf, -math.inf]


@pytest.mark.parametrize("times", [1, 30], ids=["few", "many"])
def test_what_is_no_float_stays_as_it_is(times: int) -> None:
    cells = [1, None, "x", widened(0.1)] * times

    assert as_written(cells) == [1, None, "x", 0.1] * times


@given(st.lists(st.floats(width=32, allow_nan=False), min_size=20, max_size=40))
def test_the_32_bit_float_stays_the_same_one(numbers: list[float]) -> None:
    assert np.array_equal(np.array(as_written(numbers), np.float32), np.array(numbers, np.float32))


def test_a_number_beyond_32_bits_stays_as_it_is() -> None:
    assert as_written([1e300]) == [1e300]


def test_nan_stays_nan() -> None:
    (nan,) = struct.unpack("<f", b"\x00\x00\xc0\x7f")

    assert all(isinstance(cell, float) and math.isnan(cell) for cell in as_written([nan] * 20))


def test_floats_among_others_are_shortened_in_their_places() -> None:
    cells = [None, widened(5.1), 3, widened(0.2)] * 20

    assert as_written(cells) == [None, 5.1, 3, 0.2] * 20
