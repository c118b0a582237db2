import math

import numpy as np
import pytest

from dashlight.records import Cell
from dashlight.window.values import WRONG, Text, number_of, number_texts, numbers_of, text_of, texts_of, truths_of


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        pytest.param(3, 3.0, id="integer"),
        pytest.param(2.5, 2.5, id="float"),
        pytest.param(10**400, math.inf, id="integer beyond all floats"),
        pytest.param(-(10**400), -math.inf, id="integer below all floats"),
        pytest.param(True, None, id="truth"),
        pytest.param("3", None, id="numeric text"),
        pytest.param([3], None, id="list"),
    ],
)
def test_only_ints_and_floats_are_numbers(cell: Cell, number: float | None) -> None:
    assert number_of(cell) == number


def test_nulls_and_no_numbers_are_both_nan_but_only_one_is_wrong() -> None:
    numbers, wrong = numbers_of([1, None, "x", False])

    assert numbers.tolist() == pytest.approx([1, math.nan, math.nan, math.nan], nan_ok=True)
    assert wrong.tolist() == [False, False, True, True]


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        pytest.param("red", "red", id="text"),
        pytest.param("5", "5", id="numeric text"),
        pytest.param(5, "5", id="integer"),
        pytest.param(5.0, "5", id="whole float"),
        pytest.param(-0.0, "0", id="minus zero"),
        pytest.param(0.1, "0.1", id="fraction"),
        pytest.param(1e300, "1e+300", id="large float"),
        pytest.param(10**400, "inf", id="larger than any float"),
        pytest.param(True, "true", id="true"),
        pytest.param(False, "false", id="false"),
        pytest.param(None, None, id="null"),
        pytest.param(math.nan, None, id="nan"),
        pytest.param([1], WRONG, id="list"),
        pytest.param({"a": 1}, WRONG, id="dict"),
        pytest.param(b"x", WRONG, id="bytes"),
        pytest.param("x" * 300, "x" * 200, id="long text is cut"),
    ],
)
def test_a_value_as_a_category(cell: Cell, text: Text) -> None:
    assert text_of(cell) == text
    assert texts_of([cell, 1]) == [text, "1"]
    assert texts_of([cell]) == [text]


def test_a_number_is_the_same_category_from_an_array_as_from_a_cell() -> None:
    numbers = [5.0, 0.1, -0.0, 1e300, math.inf, 2.0**60]

    assert number_texts(np.array([*numbers, math.nan])) == [*(text_of(number) for number in numbers), None]


def test_only_truths_are_truths() -> None:
    assert truths_of([True, False, None, 1, 0.0, "true"]) == ["true", "false", None, WRONG, WRONG, WRONG]
