"""Frames and arrays of any make as the columns that Dashlight reads.

No library is imported for it: pandas, polars, pyarrow, NumPy and plain lists are known by what they offer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from dashlight.decode.foreign import SCALARS, cell_of, seconds_of
from dashlight.errors import CallError
from dashlight.records import Cell
from dashlight.window.tables import Column


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Named columns of one length."""

    values: Mapping[str, Column]
    """Arrays of float64 with NaN for null, of shape (rows,) or, for vectors, (rows, width); lists for all else, None for null."""
    coded: frozenset[str]
    """Those whose type says that they hold categories, also where these are numbers."""
    moments: frozenset[str]
    """Those whose type says that they hold dates or timestamps."""

    @property
    def rows(self) -> int:
        """The length of each."""
        return max(map(len, self.values.values()), default=0)


def columns_of(given: object, what: str) -> Columns:
    """The columns of a mapping of names to arrays, or of a frame; *what* names it in an error.

    Moments become seconds since the epoch (UTC where they name no zone), spans of time become seconds, decimals become
    numbers; NaN, None, NaT, NA and what an array masks are null.

    Raises:
        CallError: it is neither, has no columns, or columns of several lengths, or one that cannot be read.
    """
    series = _series_by_name(given, what)
    if not series:
        raise CallError(f"{what} has no columns: expected at least one")
    values = {name: _values(each, f"column {name!r} of {what}") for name, each in series.items()}
    lengths = {name: len(each) for name, each in values.items()}
    first, rows = next(iter(lengths.items()))
    for name, length in lengths.items():
        if length != rows:
            raise CallError(
                f"column {name!r} of {what} has {length} rows: expected {rows}, as many as column {first!r}"
            )
    coded = frozenset(name for name, each in series.items() if _is_coded(each))
    return Columns(values, coded, frozenset(name for name, each in series.items() if _is_moments(each)))


def _series_by_name(given: Any, what: str) -> dict[str, Any]:
    series: dict[str, Any] = {}
    for name in _names(given, what):
        # A frame made from an array without names has the numbers 0, 1, 2 for them.
        if _is(name, bool) or not _is(name, str, int, np.integer):
            raise CallError(f"{what} has a column of the name {name!r}, of type {_type_name(name)}: expected a text")
        if str(name) in series:
            raise CallError(f"{what} has two columns of the name {str(name)!r}: expected every name once")
        try:
            series[str(name)] = given[name]
        except Exception as error:
            raise CallError(f"{what} gives no column {name!r}: {error}") from error
    return series


def _names(given: Any, what: str) -> list[Any]:
    if _is(given, Mapping):
        return list(given)
    if _is(given, np.ndarray) and given.dtype.names:
        return list(given.dtype.names)
    if hasattr(given, "collect"):
        raise CallError(f"{what} is a frame that was not computed yet: call its collect() first")
    # Not `columns` first: in pyarrow these are the arrays, in pandas and polars the names.
    names: Any = getattr(given, "column_names", getattr(given, "columns", ""))
    if _is(names, str) or not _is(names, Iterable) or not hasattr(given, "__getitem__"):
        wanted = "a mapping of names to arrays, or a pandas, polars or pyarrow frame"
        raise CallError(f"{what} is of type {_type_name(given)}: expected {wanted}")
    return list(names)


def _values(series: Any, column: str) -> Column:
    if _is(series, np.ma.MaskedArray):
        return _masked(series, column)
    if hasattr(series, "to_pylist") and _is_coded(series):
        # As an array, a dictionary of pyarrow in chunks gives its nulls the last category.
        return _cells(series.to_pylist(), column)
    if hasattr(series, "__array__"):
        return _array(_read(series, column), column)
    is_one = _is(series, str, bytes, bytearray, Mapping, AbstractSet)
    if is_one or not _is(series, Iterable) or not hasattr(series, "__len__"):
        raise CallError(f"{column} is of type {_type_name(series)}: expected an array or a list of values")
    return _cells(list(series), column)


def _masked(series: Any, column: str) -> Column:
    values = _array(np.asarray(series.data), column)
    masked: NDArray[np.bool_] = np.asarray(series.mask) | np.zeros(np.shape(series), np.bool_)
    places = np.flatnonzero(masked.reshape(len(values), -1).any(axis=1)).tolist()
    if isinstance(values, np.ndarray):
        values[places] = np.nan
        return values
    cells = list(values)
    for place in places:
        cells[place] = None
    return cells


def _array(array: NDArray[Any], column: str) -> Column:
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]  # a list of one in every row is its element, as in traffic
    if array.ndim not in {1, 2}:
        raise CallError(f"{column} is an array of shape {array.shape}: expected one value in each row")
    kind = array.dtype.kind
    with np.errstate(over="ignore"):  # a longer float than 64 bits may be infinite here
        if kind in "iuf":
            return array.astype(np.float64)
        if array.ndim == 2:
            if kind != "O":
                raise CallError(f"{column} is an array of shape {array.shape}: expected one value in each row")
            return _cells(list(array), column)
        if kind in "mM":
            return seconds_of(array)
    if kind == "c":
        raise CallError(f"{column} holds complex numbers: expected real ones")
    if kind == "S":
        return [text.decode(errors="replace") for text in array.tolist()]
    listed: list[Cell] = array.tolist()
    return _cells(listed, column)


def _cells(cells: list[Cell], column: str) -> Column:
    """*cells* as they are read, where they are plain; else each of them as what it stands for."""
    types = set(map(type, cells))
    if list in types and types <= {list, type(None)}:
        lists = [cast("list[Cell]", cell) for cell in cells if cell is not None]
        if all(len(each) == 1 and not isinstance(each[0], list | tuple | Mapping | np.ndarray) for each in lists):
            return _cells([None if cell is None else cast("list[Cell]", cell)[0] for cell in cells], column)
    return cells if types <= SCALARS else [_cell(cell, column) for cell in cells]


def _cell(cell: Any, column: str) -> Cell:
    single = cell_of(cell, "seconds")
    if type(single) in SCALARS or _is(single, np.ndarray, np.generic) or not hasattr(single, "__array__"):
        return single
    # A series in a cell, as polars gives the lists of a column.
    return _cell(_read(single, column), column)


def _read(series: Any, column: str) -> NDArray[Any]:
    try:
        array: NDArray[Any] = np.asarray(series)
    except Exception as error:
        raise CallError(f"{column} cannot be read as an array: {error}") from error
    return array


def _is(given: object, *types: type) -> bool:
    """Whether *given*, of whose inner types nothing is known, is of one of *types*."""
    return isinstance(given, types)


def _is_coded(series: Any) -> bool:
    """Whether its type says that it holds categories: of pandas, of polars, of pyarrow."""
    return _type_of(series).startswith(("category", "categorical", "enum", "dictionary"))


def _is_moments(series: Any) -> bool:
    """Whether its type says that it holds dates or timestamps: of NumPy and pandas, of polars, of pyarrow; or its first value does."""
    kind = _type_of(series)
    if kind not in {"", "object"}:
        return kind.startswith(("datetime", "date", "timestamp"))
    first = next((each for each in series if each is not None), None)
    return _type_name(first) in {"datetime", "date", "Timestamp", "datetime64"}


def _type_of(series: Any) -> str:
    return str(getattr(series, "dtype", getattr(series, "type", ""))).lower()


def _type_name(given: object) -> str:
    return type(given).__name__
