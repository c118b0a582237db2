import math

import numpy as np
import pytest

from dashlight.records import Cell
from dashlight.window.values import (
    WRONG,
    Text,
    as_shortest,
    number_of,
    number_texts,
    numbers_of,
    text_of,
    texts_of,
    truths_of,
)


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


@pytest.mark.parametrize(
    ("number", "short"),
    [
        (0.1 + 0.2, 0.3),
        (23.019999999999996, 23.02),
        (5.099999904632568, 5.1),
        (float(np.float32(1234.567)), 1234.567),
        (float(np.float32(1e-12)), 1e-12),
        (-float(np.float32(0.7)), -0.7),
        (0.5, 0.5),
        (1 / 1024, 1 / 1024),
        (2.0**53 + 2, 2.0**53 + 2),
        (16777217.0, 16777217.0),
        (0.0, 0.0),
        (1e300, 1e300),
        (5e-324, 5e-324),
        (float("inf"), float("inf")),
        (1 / 3, 0.333333333333),
    ],
)
def test_a_number_is_as_it_was_written(number: float, short: float) -> None:
    assert as_shortest(np.array([number, 1.0]))[0] == short
    assert as_shortest(as_shortest(np.array([number])))[0] == short


def test_numbers_of_32_and_of_64_bits_are_the_same_once_they_are_as_they_were_written() -> None:
    rng = np.random.default_rng(1)
    written = np.round(rng.gamma(2, 100, 5000), 3)

    np.testing.assert_array_equal(as_shortest(written.astype(np.float32).astype(np.float64)), as_shortest(written))
    np.testing.assert_array_equal(as_shortest(written * (1 + 2e-16)), as_shortest(written))
    assert np.isnan(as_shortest(np.array([np.nan]))[0])


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("7.0", "7"), ("-7.0", "-7"), ("0.0", "0"), ("07.0", "07.0"), ("7.00", "7.00"), ("7.", "7."), (".0", ".0"),
        ("-.0", "-.0"), ("1.2.0", "1.2.0"), ("a.0", "a.0"), ("\u0667.0", "\u0667.0"), (7.0, "7"), (7, "7"), (-0.0, "0"),
    ],
)  # fmt: skip
def test_a_whole_number_is_one_category_however_it_came(cell: object, text: str) -> None:
    assert text_of(cell) == text
    assert texts_of([cell]) == [text]
