"""A frame as the table that the counting passes read: Narwhals stands between the engine that read it and them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dashlight.records import Cell, Table
from dashlight.window.tables import NO_EXCHANGE
from dashlight.window.values import Coded

if TYPE_CHECKING:
    import narwhals as nw

    Frame = nw.DataFrame[Any]
    Series = nw.Series[Any]


def frame_of(native: object) -> Frame:
    """What Narwhals makes of *native*, a table of Arrow or an eager frame of pandas or polars."""
    import narwhals as nw

    return nw.from_native(native, eager_only=True)


def table_of(frame: Frame, columns: Mapping[str, str], odd: Mapping[str, str]) -> Table:
    """The rows of *frame*.

    Args:
        frame: Any that Narwhals knows as an eager one.
        columns: Name of a column -> its name in *frame*: numbers (null or NaN for none), truth values or texts.
        odd: Name of a column -> the name in *frame* of the texts that stand in it where it has no value, if any do.
    """
    numbers: dict[str, NDArray[np.float64]] = {}
    cells: dict[str, Sequence[Cell]] = {}
    for name, column in columns.items():
        series = frame[column]
        texts = frame[odd[name]] if name in odd else None
        if texts is not None and texts.null_count() < len(frame):
            cells[name] = _mixed(series, texts)
        elif series.dtype.is_numeric():
            numbers[name] = _numbers(series)
        else:
            cells[name] = _coded(series)
    rows = len(frame)
    return Table(
        rows=rows,
        number_names=tuple(numbers),
        numbers=np.array(list(numbers.values()), np.float64).reshape(len(numbers), rows),
        cell_names=tuple(cells),
        cells=tuple(cells.values()),
        exchange=np.full(rows, NO_EXCHANGE, np.intp),
    )


def _numbers(series: Series) -> NDArray[np.float64]:
    return np.asarray(series.fill_null(float("nan")).to_numpy(), np.float64)


def _coded(series: Series) -> Coded[Cell]:
    """Truth values or texts; each that differs is made a value of Python once."""
    encoded: Any = series.to_arrow().dictionary_encode()
    values: list[Cell] = encoded.dictionary.to_pylist()
    codes: NDArray[np.intp] = encoded.indices.fill_null(len(values)).to_numpy(zero_copy_only=False).astype(np.intp)
    return Coded(codes, [*values, None])


def _mixed(series: Series, texts: Series) -> list[Cell]:
    values: list[Cell] = series.to_list()
    return [
        text if text is not None else None if value != value else value  # noqa: PLR0124  # NaN
        for value, text in zip(values, texts.to_list(), strict=True)
    ]
