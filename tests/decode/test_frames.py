"""Columns in frames and arrays of any make."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from dashlight.decode.frames import columns_of
from dashlight.errors import CallError

NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)
NOON_SECONDS = 1_704_110_400.0


class NAType:
    """As pandas.NA: null, and not None."""


class Series:
    """As a column of pandas or polars: an array, and a type with a name."""

    def __init__(self, values: Any, dtype: str = "") -> None:
        self._values = values
        self.dtype = dtype

    def __len__(self) -> int:
        return len(self._values)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._values)

    def __array__(self, dtype: Any = None, copy: Any = None) -> NDArray[Any]:
        return np.asarray(self._values)


class Frame:
    """As a frame of pandas or polars: names in `columns`, a column by its name."""

    def __init__(self, columns: Mapping[Any, Any], names: Any = None) -> None:
        self._columns = columns
        self.columns = list(columns) if names is None else names

    def __getitem__(self, name: Any) -> Any:
        return self._columns[name]


class LazyFrame(Frame):
    """As a frame of polars that was not computed."""

    def collect(self) -> None: ...


class BrokenSeries(Series):
    """As a tensor on another device."""

    def __array__(self, dtype: Any = None, copy: Any = None) -> NDArray[Any]:
        raise TypeError("it lies elsewhere")


def same(found: Any, expected: list[Any]) -> bool:
    """Whether both hold the same values, NaN being NaN and a bool no number."""
    held = list(found)
    return len(held) == len(expected) and all(
        (one == other and isinstance(one, bool) == isinstance(other, bool)) or (one != one and other != other)  # noqa: PLR0124  # NaN
        for one, other in zip(held, expected, strict=True)
    )


NAN = float("nan")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param([1, 2.5, None], [1, 2.5, None], id="plain numbers"),
        pytest.param(("a", None), ["a", None], id="tuple of texts"),
        pytest.param(range(2), [0, 1], id="range"),
        pytest.param(np.array([1, 2], np.uint8), [1.0, 2.0], id="small integers"),
        pytest.param(np.array([1.5, np.nan], np.float16), [1.5, NAN], id="short floats"),
        pytest.param(np.array(["1e400"], np.longdouble), [np.inf], id="long floats"),
        pytest.param(np.array([True, False]), [True, False], id="truths"),
        pytest.param(np.array(["a", "b"]), ["a", "b"], id="texts of numpy"),
        pytest.param(np.array([b"a", b"\xff"]), ["a", "\ufffd"], id="bytes of numpy"),
        pytest.param(np.array(["2024-01-01T12", "NaT"], "M8[ns]"), [NOON_SECONDS, NAN], id="moments of numpy"),
        pytest.param(np.array([90, "NaT"], "m8[s]"), [90.0, NAN], id="spans of numpy"),
        pytest.param(np.ma.masked_array([1, 2], [False, True]), [1.0, NAN], id="masked numbers"),
        pytest.param(np.ma.masked_array(["a", "b"], [True, False]), [None, "b"], id="masked texts"),
        pytest.param(np.ma.masked_array([1.0, 2.0]), [1.0, 2.0], id="nothing masked"),
        pytest.param([np.int8(1), np.float32(2.5), np.bool_(True), np.str_("a")], [1, 2.5, True, "a"], id="scalars"),
        pytest.param([np.longdouble(2), np.array(3), NAType(), np.ma.masked], [2.0, 3, None, None], id="rare scalars"),
        pytest.param([np.datetime64("2024-01-01T12"), np.timedelta64(2, "m")], [NOON_SECONDS, 120.0], id="numpy's times"),
        pytest.param([NOON, NOON.replace(tzinfo=None), NOON.astimezone(timezone(timedelta(hours=5)))],
                     [NOON_SECONDS] * 3, id="moments"),
        pytest.param([date(2024, 1, 1), timedelta(hours=1), None], [NOON_SECONDS - 43200, 3600.0, None], id="dates, spans"),
        pytest.param([Decimal("1.5"), Decimal("NaN"), Decimal("sNaN")], [1.5, NAN, NAN], id="decimals"),
        pytest.param([{"a": 1}, b"b", [1]], [{"a": 1}, b"b", [1]], id="what is no single value"),
        pytest.param(Series([1, 2]), [1.0, 2.0], id="series of numbers"),
        pytest.param(Series(np.array(["a", NAType(), NAN], object)), ["a", None, NAN], id="series of objects"),
        pytest.param(pa.chunked_array([[1, None], [3]]), [1.0, NAN, 3.0], id="arrow numbers"),
        pytest.param(pa.array(["a", None]), ["a", None], id="arrow texts"),
        pytest.param(pa.array([True, None]), [True, None], id="arrow truths"),
        pytest.param(pa.array([NOON, None]), [NOON_SECONDS, NAN], id="arrow moments"),
        pytest.param(pa.chunked_array([pa.array(["x", None, "y"]).dictionary_encode()]), ["x", None, "y"], id="arrow categories"),
        pytest.param([], [], id="nothing"),
    ],
)  # fmt: skip
def test_values_of_any_make_are_read(values: Any, expected: list[Any]) -> None:
    assert same(columns_of({"x": values}, "the reference").values["x"], expected)


def test_a_cell_that_a_numpy_scalar_cannot_leave_stays_one() -> None:
    (cell,) = columns_of({"x": [np.clongdouble(1)]}, "the reference").values["x"]

    assert isinstance(cell, np.clongdouble)


def test_an_array_of_vectors_stays_one() -> None:
    columns = columns_of({"x": np.zeros((3, 20), np.float32), "y": [1, 2, 3]}, "the reference")

    assert np.asarray(columns.values["x"]).shape == (3, 20)
    assert columns.rows == 3


def test_masked_vectors_are_null_as_a_whole() -> None:
    masked = np.ma.masked_array(np.zeros((2, 3)), [[False, True, False], [False] * 3])

    assert np.isnan(np.asarray(columns_of({"x": masked}, "the reference").values["x"])).all(axis=1).tolist() == [
        True,
        False,
    ]


def test_lists_and_series_in_cells_become_vectors() -> None:
    values: Any = columns_of({"x": [Series([1.0, 2.0]), [3.0, 4.0]]}, "the reference").values["x"]
    rows: Any = columns_of({"x": np.array([[1, "a"], [2, None]], object)}, "the reference").values["x"]

    assert [list(cell) for cell in values] == [[1.0, 2.0], [3.0, 4.0]]
    assert [list(cell) for cell in rows] == [[1, "a"], [2, None]]


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param({"age": [1, 2], "city": ["a", "b"]}, id="mapping"),
        pytest.param(Frame({"age": Series([1, 2]), "city": Series(["a", "b"])}), id="frame with columns"),
        pytest.param(pa.table({"age": [1, 2], "city": ["a", "b"]}), id="arrow table"),
        pytest.param(pa.record_batch({"age": [1, 2], "city": ["a", "b"]}), id="arrow batch"),
        pytest.param(np.array([(1, "a"), (2, "b")], [("age", "i4"), ("city", "U1")]), id="records of numpy"),
    ],
)
def test_frames_of_any_make_are_read(frame: Any) -> None:
    columns = columns_of(frame, "the reference")

    assert {name: list(values) for name, values in columns.values.items()} == {"age": [1, 2], "city": ["a", "b"]}
    assert columns.rows == 2
    assert columns.coded == frozenset()


def test_columns_whose_type_is_of_categories_are_coded_whatever_they_hold() -> None:
    columns = columns_of(
        {
            "pandas": Series([1, 2], "category"),
            "polars": Series(["a", "b"], "Enum(categories=['a', 'b'])"),
            "arrow": pa.array([1, 2]).dictionary_encode(),
            "numbers": Series([1, 2], "int64"),
            "plain": [1, 2],
        },
        "the reference",
    )

    assert columns.coded == {"pandas", "polars", "arrow"}


def test_names_that_are_numbers_become_texts() -> None:
    assert list(columns_of(Frame({0: [1], np.int64(1): [2]}), "the reference").values) == ["0", "1"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        pytest.param({}, "the reference has no columns: expected at least one", id="no columns"),
        pytest.param(5, "the reference is of type int: expected a mapping", id="number"),
        pytest.param("abc", "the reference is of type str: expected a mapping", id="text"),
        pytest.param(np.eye(3), "the reference is of type ndarray: expected a mapping", id="matrix"),
        pytest.param(Frame({}, "names"), "the reference is of type Frame: expected a mapping", id="foreign columns"),
        pytest.param(LazyFrame({}), "the reference is a frame that was not computed yet", id="lazy frame"),
        pytest.param(Frame({"a": [1]}, ["a", "a"]), "two columns of the name 'a'", id="a name twice"),
        pytest.param({1: [1], "1": [1]}, "two columns of the name '1'", id="a name twice, once as number"),
        pytest.param({("a", 1): [1]}, r"a column of the name \('a', 1\), of type tuple: expected a text", id="tuple"),
        pytest.param({True: [1]}, "a column of the name True, of type bool: expected a text", id="truth"),
        pytest.param(Frame({}, ["a"]), "the reference gives no column 'a': 'a'", id="a name without column"),
        pytest.param({"a": "abc"}, "column 'a' of the reference is of type str: expected an array", id="one text"),
        pytest.param({"a": {1: 2}}, "is of type dict: expected an array or a list", id="mapping"),
        pytest.param({"a": {1, 2}}, "is of type set: expected an array or a list", id="set"),
        pytest.param({"a": 5}, "is of type int: expected an array or a list", id="one number"),
        pytest.param({"a": iter([1])}, "is of type list_iterator: expected an array or a list", id="iterator"),
        pytest.param({"a": np.array(5)}, r"of shape \(\): expected one value in each row", id="scalar of numpy"),
        pytest.param({"a": np.zeros((2, 2, 2))}, r"of shape \(2, 2, 2\): expected one value", id="cube"),
        pytest.param({"a": np.array([["a", "b"]])}, r"of shape \(1, 2\): expected one value", id="texts in two"),
        pytest.param({"a": np.array([1j])}, "column 'a' of the reference holds complex numbers", id="complex"),
        pytest.param({"a": BrokenSeries([1])}, "cannot be read as an array: it lies elsewhere", id="broken"),
        pytest.param({"a": [BrokenSeries([1])]}, "cannot be read as an array: it lies elsewhere", id="broken cell"),
        pytest.param({"a": [1], "b": [1, 2]}, "column 'b' of the reference has 2 rows: expected 1", id="lengths"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_an_error_that_names_it(given: Any, message: str) -> None:
    with pytest.raises(CallError, match=message):
        columns_of(given, "the reference")
