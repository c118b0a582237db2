"""A frame as the table that the counting passes read: Narwhals stands between the engine that read it and them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from dashlight.records import Cell, Table
from dashlight.window.tables import table_of_kinds
from dashlight.window.values import Coded, Distinct

if TYPE_CHECKING:
    import narwhals as nw

    Frame = nw.DataFrame[Any]
    Series = nw.Series[Any]

_MOST_VALUES = 2**16
"""A column of more is coded anew from time to time, so that they are not all kept."""


def frame_of(native: object) -> Frame:
    """What Narwhals makes of *native*, a table of Arrow or an eager frame of pandas or polars."""
    import narwhals as nw

    return nw.from_native(native, eager_only=True)


def tables_of(
    frame: Frame, columns: Mapping[str, str], odd: Mapping[str, str], coders: dict[str, Coder], *, rows: int
) -> Iterator[Table]:
    """The rows of *frame*, so many at a time.

    Args:
        frame: Any that Narwhals knows as an eager one.
        columns: Name of a column -> its name in *frame*: numbers (null or NaN for none), truth values or texts.
        odd: Name of a column -> the name in *frame* of the texts that stand in it where it has no value, if any do.
        coders: Those of its columns by name, which come with the frames before it.
        rows: Of each table; the last one may be shorter.
    """
    numbers: dict[str, NDArray[np.float64]] = {}
    coded: dict[str, Coded[Cell]] = {}
    for name, column in columns.items():
        series = frame[column]
        if series.dtype.is_numeric():
            numbers[name] = _numbers(series)
        else:
            coded[name] = coders.setdefault(name, Coder()).coded(series)
    texts = {name: frame[column] for name, column in odd.items()}
    is_odd = {name: ~np.asarray(series.is_null().to_numpy(), np.bool_) for name, series in texts.items()}
    for start in range(0, len(frame), rows):
        part = slice(start, min(start + rows, len(frame)))
        strange = {name: each for name, each in texts.items() if is_odd[name][part].any()}
        cells: dict[str, Sequence[Cell]] = {name: each[part] for name, each in coded.items()}
        cells |= {
            name: _mixed(cells[name] if name in cells else numbers[name][part], series[part.start : part.stop])
            for name, series in strange.items()
        }
        plain = {name: each[part] for name, each in numbers.items() if name not in strange}
        yield table_of_kinds(plain, cells, part.stop - part.start)


def _numbers(series: Series) -> NDArray[np.float64]:
    known = series.fill_null(float("nan")) if series.null_count() else series
    return np.asarray(known.to_numpy(), np.float64)


def _mixed(values: Sequence[Cell] | NDArray[np.float64], texts: Series) -> list[Cell]:
    found: Sequence[Cell] = values.tolist() if isinstance(values, np.ndarray) else values
    return [
        text if text is not None else None if value != value else value  # noqa: PLR0124  # NaN
        for value, text in zip(found, texts.to_list(), strict=True)
    ]


class Coder:
    """Codes the truth values or texts of a column, of one frame after the other: each that differs is met once."""

    def __init__(self) -> None:
        self._begin()

    def coded(self, series: Series) -> Coded[Cell]:
        """The cells of *series*."""
        if len(self._values) > _MOST_VALUES:
            self._begin()
        encoded: Any = cast("Any", series).to_arrow().dictionary_encode()
        found: list[Cell] = encoded.dictionary.to_pylist()
        for value in found:
            if value not in self._places:
                self._places[value] = len(self._values)
                self._values.append(value)
        places = np.array([*map(self._places.__getitem__, found), 0], np.intp)  # the last one is that of null
        codes: NDArray[Any] = encoded.indices.fill_null(len(found)).to_numpy(zero_copy_only=False)
        return Coded(places[codes], self._distinct)

    def _begin(self) -> None:
        self._values: list[Cell] = [None]
        self._places: dict[Cell, int] = {}
        self._distinct: Distinct[Cell] = Distinct(self._values)
