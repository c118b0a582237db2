"""Values of any make as JSON would hold them.

No library is imported for it: NumPy's arrays, frames of pandas and polars, tables of Arrow, models of pydantic and
structures of msgspec are known by what they offer.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from enum import Enum
from itertools import islice
from typing import Any, Final, Literal, TypeAlias, TypeGuard, cast

import numpy as np
from numpy.typing import NDArray

from dashlight.decode.rows.budget import MAX_CELLS, MAX_KEYS_READ, MAX_ROWS
from dashlight.decode.rows.reasons import undecodable
from dashlight.records import Cell

SCALARS: Final = frozenset({int, float, str, bool, type(None)})
"""Types of the single values of JSON."""
Moments: TypeAlias = Literal["text", "seconds"]
"""How a moment is written: as text, as in JSON, or as seconds since the epoch (UTC where it names no zone)."""

_MAX_DEPTH: Final = 8
_NULLS: Final = frozenset({"NAType", "NaTType", "MaskedConstant"})
"""Names of the types of pandas.NA, pandas.NaT and numpy.ma.masked, which are null and not None."""
_WRITTEN: Final = frozenset({"datetime.date", "datetime.time", "uuid.UUID"})
"""Types, a moment is a date as well, that are written as their text."""


def plain_of(value: object) -> object:
    """*value* in the types of JSON; each of its parts is a copy, and nothing of it is changed.

    Of long tables the first rows count. Inside another value, the name of its type stands for an unknown one.

    Raises:
        DecodeError: `handed_over`: no table, or more than a sheet can hold. Foreign objects may raise anything else.
    """
    return _plain(value, 0, _Room())


def cell_of(value: Any, moments: Moments) -> Cell:
    """The single value that *value* is, in a type of JSON; *value* itself where it is none.

    Spans of time become seconds, decimals numbers, members of enumerations their value; NA, NaT and masked are null.
    """
    kind = cast("type[object]", type(value))
    if kind in SCALARS:
        return cast("Cell", value)
    if kind.__name__ in _NULLS:
        return None
    if isinstance(value, Enum):
        return value.value if type(value.value) in SCALARS else value.name
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(cast("float", value))
    if isinstance(value, Decimal):
        return float("nan") if value.is_nan() else float(value)
    if isinstance(value, np.generic) or (isinstance(value, np.ndarray) and value.ndim == 0):
        item: Any = _in_microseconds(value).item()
        return cast("Cell", item) if isinstance(item, np.generic) else cell_of(item, moments)
    return _time(value, moments)


def seconds_of(array: NDArray[Any]) -> NDArray[np.float64]:
    """Moments or spans of NumPy as seconds; NaT is NaN."""
    seconds: NDArray[np.float64] = _in_microseconds(array).astype(np.int64) / 1e6
    seconds[np.isnat(array)] = np.nan
    return seconds


def _time(value: Any, moments: Moments) -> Cell:
    """A date, time, moment, span or UUID as what stands for it; *value* itself where it is none."""
    # By name: a pure module imports none that could read the clock.
    bases = {f"{base.__module__}.{base.__qualname__}" for base in type(value).__mro__}
    if "datetime.timedelta" in bases:
        return value.total_seconds()
    if "datetime.date" in bases and moments == "seconds":
        is_aware = getattr(value, "tzinfo", None) is not None
        return value.timestamp() if is_aware else float(seconds_of(np.array([value], "datetime64[us]"))[0])
    return value if _WRITTEN.isdisjoint(bases) else str(value)


def _in_microseconds(array: Any) -> Any:
    """*array*, its moments and spans in microseconds: those of other units become integers in a list."""
    kind = array.dtype.kind
    return array.astype({"M": "datetime64[us]", "m": "timedelta64[us]"}[kind]) if kind in "mM" else array


class _Room:
    """Cells that may still be converted: an adapter may hand over more than a body may hold."""

    __slots__ = ("cells",)

    def __init__(self) -> None:
        self.cells = MAX_CELLS

    def take(self, cells: int) -> None:
        self.cells -= cells
        if self.cells < 0:
            raise undecodable("handed_over", "more values than a table holds")


def _plain(value: object, depth: int, room: _Room) -> object:
    if type(value) in SCALARS:
        return value
    if depth >= _MAX_DEPTH:
        raise undecodable("handed_over", "too deep")
    if isinstance(value, Mapping):
        return _object(cast("Mapping[object, object]", value), depth, room)
    if isinstance(value, bytes | bytearray | memoryview):
        raise undecodable("handed_over", "bytes")
    if isinstance(value, Sequence | set | frozenset) and not isinstance(value, str):
        return _list(cast("Sequence[object]", value), depth, room)
    cell = cell_of(value, "text")
    return cell if type(cell) in SCALARS else _foreign(value, depth, room)


def _object(fields: Mapping[object, object], depth: int, room: _Room) -> dict[str, object]:
    room.take(len(fields))
    return {str(key): _plain(child, depth + 1, room) for key, child in islice(fields.items(), MAX_KEYS_READ)}


def _list(items: Iterable[object], depth: int, room: _Room) -> list[object]:
    kept = list(islice(items, MAX_ROWS))
    room.take(len(kept))
    return kept if SCALARS.issuperset(map(type, kept)) else [_plain(item, depth + 1, room) for item in kept]


def _foreign(value: object, depth: int, room: _Room) -> object:
    """What no type of Python's own says."""
    foreign = cast("Any", value)
    if hasattr(value, "columns") and hasattr(value, "iloc"):
        return _records(foreign, depth, room)
    for rows in ("to_dicts", "to_pylist"):
        # Frames of polars, tables and arrays of Arrow.
        if hasattr(value, rows) and hasattr(value, "slice"):
            return _plain(getattr(foreign.slice(0, MAX_ROWS), rows)(), depth, room)
    if hasattr(value, "ndim") and hasattr(value, "tolist"):
        return _array(foreign, depth, room)
    if hasattr(value, "__array__"):
        # A series of polars, a tensor of TensorFlow.
        return _array(np.asarray(foreign), depth, room)
    if callable(getattr(type(value), "model_dump", None)):
        return _plain(foreign.model_dump(), depth + 1, room)
    fields = getattr(type(value), "__struct_fields__", None) or getattr(type(value), "__dataclass_fields__", None)
    if fields is not None:
        return _object({name: getattr(value, name) for name in fields}, depth, room)
    if depth:
        return {"type": type(value).__name__}
    raise undecodable("handed_over", type(value).__name__)


def _array(array: Any, depth: int, room: _Room) -> object:
    """An array as lists; of a tall one the first rows, of what is no number its own values."""
    if array.ndim:
        room.take(math.prod(array.shape[1:]) * min(MAX_ROWS, int(array.shape[0])))
        array = array[:MAX_ROWS]
    if _is_numpy(array):
        names = array.dtype.names
        if names:
            return _list([dict(zip(names, row, strict=True)) for row in array.tolist()], depth, room)
        array = np.char.decode(array, "utf-8", "replace") if array.dtype.kind == "S" else _in_microseconds(array)
    values = array.tolist()
    # Columns of pandas may lack values whatever their kind.
    is_plain = type(array).__module__ == "numpy" and array.dtype.kind in "biufU"
    return values if is_plain else _element(values, depth, room)


def _is_numpy(array: object) -> TypeGuard[NDArray[Any]]:
    return isinstance(array, np.ndarray)


def _element(value: object, depth: int, room: _Room) -> object:
    """What an array holds in one place or one row: dates and other objects are none of JSON's types, and become text."""
    if isinstance(value, list):
        if depth >= _MAX_DEPTH:
            raise undecodable("handed_over", "too deep")
        return [_element(child, depth + 1, room) for child in cast("list[object]", value)]
    if isinstance(value, Mapping | tuple):
        return _plain(cast("object", value), depth, room)
    cell = cell_of(value, "text")
    if isinstance(cell, float) and math.isnan(cell):
        return None
    return cell if type(cell) in SCALARS else str(cell)


def _records(frame: Any, depth: int, room: _Room) -> list[dict[str, object]]:
    """The rows of a data frame, as objects."""
    names = [str(name) for name in frame.columns][:MAX_KEYS_READ]
    head = frame.iloc[:MAX_ROWS]
    columns = [_plain(head.iloc[:, at], depth + 1, room) for at in range(len(names))]
    return [dict(zip(names, row, strict=True)) for row in zip(*cast("list[list[object]]", columns), strict=True)]
