from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashlight.records import Cell
from dashlight.window.facets.forecast_facets import FORECAST_FACETS, PRESENT, forecast_facets
from dashlight.window.values import WRONG

NAN = float("nan")
HOURS = [f"2026-03-01T{hour:02d}:00:00Z" for hour in (0, 1, 2, 5, 6)]


def facets(cell: Cell, name: str = "forecast") -> list[Any]:
    numbers, categories, left = forecast_facets(name, [cell])
    assert categories == ()
    assert left == [PRESENT]
    found: list[Any] = numbers[:, 0].tolist()
    return found


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        pytest.param([1.0, 2, 6], [3, 1, 3, 6, 2.5, NAN, NAN], id="numbers"),
        pytest.param((1, 2), [2, 1, 1.5, 2, 1, NAN, NAN], id="tuple"),
        pytest.param(np.array([1.0, 2.0]), [2, 1, 1.5, 2, 1, NAN, NAN], id="array"),
        pytest.param([7.0], [1, 7, 7, 7, NAN, NAN, NAN], id="one step"),
        pytest.param([], [0, NAN, NAN, NAN, NAN, NAN, NAN], id="none"),
        pytest.param([float("inf"), 0.0], [2, 1e15, 5e14, 0, -1e15, NAN, NAN], id="infinite"),
        pytest.param([10**400, 10**400], [2, 1e15, 1e15, 1e15, 0, NAN, NAN], id="huge"),
        pytest.param(HOURS, [5, NAN, NAN, NAN, NAN, 3600, 2 / 7], id="moments"),
        pytest.param(["2026-03-01", "2026-03-02"], [2, NAN, NAN, NAN, NAN, 86400, 0], id="days"),
        pytest.param([["2026-03-01", 1.0], ["2026-03-02", 3.0]], [2, 1, 2, 3, 2, 86400, 0], id="pairs"),
        pytest.param([(0, 1.0), (60, 3.0), (180, 5.0)], [3, 1, 3, 5, 2, 90, 0], id="pairs with numbers"),
        pytest.param(
            [{"ds": HOURS[0], "yhat": 1}, {"ds": HOURS[1], "yhat": 2}], [2, 1, 1.5, 2, 1, 3600, 0], id="objects"
        ),
        pytest.param([["2026-03-02", 1.0], ["2026-03-01", 3.0]], [2, 1, 2, 3, 2, -86400, NAN], id="backwards"),
        pytest.param([["2026-03-02", 1.0]], [1, 1, 1, 1, NAN, NAN, NAN], id="one pair"),
    ],
)
def test_facets_of_a_forecast_are_its_course_and_its_pace(cell: Cell, found: list[float]) -> None:
    np.testing.assert_allclose(facets(cell), found)


def test_numbers_under_the_name_of_moments_are_moments() -> None:
    np.testing.assert_allclose(facets([0, 60, 120, 300], "ds"), [4, NAN, NAN, NAN, NAN, 60, 2 / 6])
    assert facets([], "ds")[0] == 0


@pytest.mark.parametrize(
    ("cell", "left"),
    [
        (None, None), (NAN, None), ([1.0, NAN], None), ([1.0, None], None), ([[0, 1.0], [1, None]], None),
        ([{"ds": "2026-03-01", "yhat": None}], None),
        ("text", WRONG), (5, WRONG), ([True], WRONG), (["a"], WRONG), ([1.0, "a"], WRONG), ([[1.0]], WRONG),
        ([{"a": 1}], WRONG), ([{"ds": "2026-03-01"}], WRONG), ([{"ds": "soon", "yhat": 1}], WRONG),
        ([{"ds": "2026-03-01", "yhat": 1}, {"ds": "2026-03-02"}], WRONG), ([{"ds": "2026-03-01", "yhat": 1}, 5], WRONG),
        (["2026-13-01", "2026-01-01"], WRONG), (["2026-01-01", 5], WRONG), (["now"], WRONG), ([0.5] * 4097, WRONG),
        ([[["a"], 1], [2, 2]], WRONG),
    ],
)  # fmt: skip
def test_what_is_no_forecast_has_no_facets(cell: Cell, left: object) -> None:
    numbers, _, found = forecast_facets("forecast", [cell, [1.0, 2.0]])

    assert np.isnan(numbers[:, 0]).all()
    assert numbers[0, 1] == 2
    assert found == [left, PRESENT]


def test_no_forecasts_have_no_facets() -> None:
    assert forecast_facets("forecast", [])[0].shape == (len(FORECAST_FACETS), 0)


@pytest.mark.parametrize(("name", "cell"), [("ds", [1, NAN]), ("ds", [1, "a"])])
def test_moments_may_be_null_or_wrong_too(name: str, cell: Cell) -> None:
    _, _, left = forecast_facets(name, [cell])

    assert left == [None if cell == [1, cell[1]] and isinstance(cell[1], float) else WRONG]  # type: ignore[index]


@given(st.lists(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=9), min_size=1, max_size=5))
def test_the_course_is_that_of_numpys_fit(lists: list[list[float]]) -> None:
    numbers, _, _ = forecast_facets("forecast", lists)

    for row, values in zip(numbers.T, lists, strict=True):
        slope = np.polynomial.Polynomial.fit(range(len(values)), values, 1).convert().coef
        np.testing.assert_allclose(row[1:4], [values[0], float(np.mean(values)), values[-1]], rtol=1e-9, atol=1e-6)
        np.testing.assert_allclose(row[4], slope[1] if len(slope) > 1 else 0.0, rtol=1e-6, atol=1e-4)
