from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from dashlight.window.fitting import LATEST_AT, MOST_COUNT, fitted, moment, refuse, within

LIKE = np.zeros((2, 2), np.float32)


def test_an_array_that_fits_is_taken_as_it_is() -> None:
    array = np.array([[0.0, 1.0], [2.0, 3.0]], np.float32)

    assert fitted("weights", array, like=LIKE) is array
    assert fitted("weights", array, like=LIKE, least=0, most=3) is array


def test_an_array_of_no_items_and_one_of_no_numbers_have_no_range() -> None:
    for array in (np.zeros((0, 3)), np.zeros(2, "V16"), np.array([None, "a"], object)):
        assert fitted("things", array, like=array.copy(), least=1, most=2) is array


@pytest.mark.skipif(np.dtype("<f4") != np.dtype("f4"), reason="what is read is of the order of this machine's bytes")
def test_an_array_in_another_order_of_bytes_is_turned() -> None:
    array = np.array([[0.0, 1.0], [2.0, 3.0]], ">f4")

    turned = fitted("weights", array, like=LIKE)

    assert turned.dtype == LIKE.dtype
    assert (turned == array).all()


@pytest.mark.parametrize(
    "array",
    [
        pytest.param(np.zeros((2, 3), np.float32), id="another shape"),
        pytest.param(np.zeros(4, np.float32), id="fewer axes"),
        pytest.param(np.zeros((2, 2)), id="another precision"),
        pytest.param(np.zeros((2, 2), np.int32), id="whole numbers"),
        pytest.param(np.full((2, 2), np.nan, np.float32), id="no number"),
        pytest.param(np.array([[0, 0], [0, np.nan]], np.float32), id="one that is no number"),
        pytest.param(np.frombuffer(b"\x01\x00\xa0\x7f" * 4, "<f4").reshape(2, 2), id="a signalling NaN"),
        pytest.param(np.full((2, 2), np.inf, np.float32), id="infinite"),
        pytest.param(np.full((2, 2), -np.inf, np.float32), id="infinitely small"),
    ],
)
def test_an_array_that_does_not_fit_is_refused_by_name(array: NDArray[Any]) -> None:
    with pytest.raises(ValueError, match="weights"):
        fitted("weights", array, like=LIKE)


def test_a_range_is_held_and_may_be_infinite() -> None:
    array = np.array([-np.inf, 5.0])

    assert fitted("nats", array, like=np.zeros(2), least=-np.inf, most=5) is array
    for limits in ({"least": -np.inf, "most": 4.9}, {"least": 0, "most": 5}):
        with pytest.raises(ValueError, match="nats from -inf to 5"):
            fitted("nats", array, like=np.zeros(2), **limits)


def test_a_number_within_its_limits_is_passed_on_and_any_other_refused() -> None:
    assert [within("panes", count) for count in (0, 7, MOST_COUNT)] == [0, 7, MOST_COUNT]
    assert (within("age", 2, 1, 2), within("nats", 0.5, 0.5, 0.5)) == (2, 0.5)
    for count in (-1, MOST_COUNT + 1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="panes of"):
            within("panes", count)


def test_a_moment_can_be_told_in_nanoseconds() -> None:
    assert [moment("the end", at) for at in (0.0, 1.8e9, LATEST_AT)] == [0.0, 1.8e9, LATEST_AT]
    assert LATEST_AT * 1e9 < 2**64
    for at in (float("nan"), float("inf"), 1e300, -1e300):
        with pytest.raises(ValueError, match="the end"):
            moment("the end", at)


def test_what_is_wrong_is_refused_in_words() -> None:
    refuse("no rows", where=False)
    with pytest.raises(ValueError, match="no rows"):
        refuse("no rows", where=np.bool_(1))
