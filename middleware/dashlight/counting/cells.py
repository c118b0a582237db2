"""Cells of kept rows as plain data: texts, numbers, short lists of them, and marks for what is none of these."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, TypeAlias, cast

import msgspec
import numpy as np
from numpy.typing import NDArray

from dashlight.records import Cell
from dashlight.window.values import WRONG, number_of

_Single: TypeAlias = bool | int | float | str | None
_Item: TypeAlias = _Single | list[_Single]
_Named: TypeAlias = dict[Annotated[str, msgspec.Meta(max_length=32)], _Single]
WrittenCell: TypeAlias = _Single | list[_Item] | _Named | msgspec.msgpack.Ext
"""What stands for one cell."""

_WRONG_CODE: Final = 1
"""Of what is no single value and nothing that stands for one."""
_ARRAY_CODES: Final = {
    code: np.dtype(name)
    for code, name in enumerate(("<i1", "<i2", "<i4", "<i8", "<u1", "<u2", "<u4", "<u8", "<f2", "<f4", "<f8"), 2)
}
"""Of lists of numbers, by the type of these."""
_CODES: Final = {dtype: code for code, dtype in _ARRAY_CODES.items()}
_PLAIN: Final = frozenset({type(None), bool, float, str})
_INT64: Final = range(-(2**63), 2**63)


def written_cells(cells: Sequence[Cell]) -> list[WrittenCell]:
    """*cells* as plain data: all that `Learning` keeps. A whole number too large for 64 bits is the nearest float."""
    if _PLAIN.issuperset(map(type, cells)):  # the usual case
        return cast("list[WrittenCell]", list(cells))
    return [_written(cell) for cell in cells]


def read_cells(written: list[WrittenCell]) -> list[Cell]:
    """The cells of which `written_cells` made this; a mark that it does not make counts as WRONG."""
    if msgspec.msgpack.Ext not in set(map(type, written)):
        return cast("list[Cell]", written)
    return [_read(cell) if isinstance(cell, msgspec.msgpack.Ext) else cell for cell in written]


def _written(cell: Any) -> Any:
    if isinstance(cell, np.ndarray):
        return _array(cast("NDArray[Any]", cell))
    if isinstance(cell, np.generic):
        return _written(cell.item())
    if isinstance(cell, list | tuple):
        return [_written(each) for each in cast("Sequence[Any]", cell)]
    if isinstance(cell, Mapping):
        return {name: _written(each) for name, each in cast("Mapping[str, Any]", cell).items()}
    if isinstance(cell, str | bool | float | None):
        return cell
    number = cell if type(cell) is int and cell in _INT64 else number_of(cell)
    return msgspec.msgpack.Ext(_WRONG_CODE, b"") if number is None else number


def _array(numbers: NDArray[Any]) -> msgspec.msgpack.Ext:
    dtype = numbers.dtype.newbyteorder("<")
    if dtype not in _CODES:  # of more digits than any number of ours
        dtype = np.dtype("<f8")
    return msgspec.msgpack.Ext(_CODES[dtype], numbers.astype(dtype).tobytes())


def _read(ext: msgspec.msgpack.Ext) -> Cell:
    dtype, content = _ARRAY_CODES.get(ext.code), bytes(ext.data)
    if dtype is None or len(content) % dtype.itemsize:
        return WRONG
    return np.frombuffer(content, dtype)
