"""Values as they were when an API was called: copies that its function cannot change any more, and no content of files."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from pathlib import PurePath
from typing import Any, Final, cast

MOST_ROWS: Final = 1000
"""Rows that are copied of a table: of a longer one every second, every third and so on."""
MOST_OBJECTS: Final = 256
"""Likewise of a list of objects, which are copied one by one: three microseconds each."""
MOST_BYTES: Final = 2**20
"""Of one array: a quarter of a millisecond's copying on the event loop."""
MOST_CELLS: Final = MOST_BYTES // 8
MOST_KEYS: Final = 1000
_MOST_DEPTH: Final = 6
_DEEP_CELLS: Final = 4096
"""Values of an array of three dimensions or more, up to which it is no picture."""
_TEMPORARY: Final = re.compile(r"^tmp[a-z0-9_]{8}")
"""What Python puts before the name under which BentoML keeps an upload."""
SCALARS: Final = frozenset({int, float, str, bool, type(None)})
"""Types of single values, which nobody changes in place."""


class Stills:
    """Takes copies of both sides of one exchange; of long tables the same rows on either side."""

    __slots__ = ("_rows", "_step")

    def __init__(self) -> None:
        self._rows, self._step = 0, 1

    def of(self, value: object) -> object:
        """*value* for hand_over: its tables copied and thinned, of files and what is too large the facts alone."""
        return self._still(value, 0)

    def _still(self, value: object, depth: int) -> object:
        kind = type(value)
        if kind in SCALARS:
            return value
        if depth > _MOST_DEPTH:
            return {"type": kind.__name__}
        if hasattr(kind, "model_dump"):
            # A root model is what it holds.
            held = _model_fields(value)
            return self._still(held["root"], depth) if held.keys() == {"root"} else self._row(held, depth)
        if isinstance(value, Mapping):
            return self._row(cast("Mapping[object, object]", value), depth)
        if isinstance(value, list | tuple | set | frozenset):
            return self._list(cast("Sequence[object]", value), depth)
        facts = _facts(value)
        if facts is not None:
            return facts
        if hasattr(value, "iloc"):
            return self._frame(value)
        if hasattr(value, "ndim") and hasattr(value, "tolist"):
            return self._array(value)
        if hasattr(value, "slice") and (hasattr(value, "to_dicts") or hasattr(value, "to_pylist")):
            # Frames of polars and tables of Arrow share what nobody changes in place.
            return cast("Any", value).slice(0, MOST_ROWS)
        fields = _fields(value)
        # What is left nobody changes in place: dates, decimals, members of enumerations.
        return value if fields is None else self._row(fields, depth)

    def _row(self, row: Mapping[Any, object], depth: int) -> dict[Any, object]:
        if len(row) <= MOST_KEYS and SCALARS.issuperset(map(type, row.values())):
            return dict(row)
        return {name: self._still(cell, depth + 1) for name, cell in islice(row.items(), MOST_KEYS)}

    def _list(self, items: Sequence[object], depth: int) -> object:
        if SCALARS.issuperset(map(type, items)):
            if len(items) > MOST_CELLS:
                return {"length": len(items)}
            # One row of many columns, unless it answers a table of as many rows.
            return self._thinned(list(items), most=None)
        kept = self._thinned(list(items), most=MOST_OBJECTS)
        return [self._still(item, depth + 1) for item in kept]

    def _array(self, array: Any) -> object:
        ndim = array.ndim
        if not ndim:
            return array
        thinned = self._thinned(array, most=MOST_ROWS if ndim > 1 else None)
        shape = tuple(thinned.shape)
        cells = 1
        for length in shape:
            cells *= int(length)
        if cells > MOST_CELLS or (ndim > 2 and cells > _DEEP_CELLS):
            return {"shape": "x".join(map(str, array.shape)), "dtype": str(array.dtype)}
        # Of tensors too: those of torch share their memory with what they were made of.
        return thinned.detach().clone() if hasattr(thinned, "detach") else thinned.copy()

    def _frame(self, frame: Any) -> object:
        step = self._step_of(len(frame), MOST_ROWS if hasattr(frame, "columns") else None)
        thinned = frame.iloc[::step] if step > 1 else frame
        if thinned.size > MOST_CELLS:
            return {"shape": "x".join(map(str, frame.shape))}
        return thinned.copy()

    def _thinned(self, table: Any, *, most: int | None) -> Any:
        step = self._step_of(len(table), most)
        return table if step == 1 else table[::step]

    def _step_of(self, rows: int, most: int | None) -> int:
        """Of how many rows one is kept; *most* is None of what is no table unless it is as long as one that was thinned."""
        if rows == self._rows:
            return self._step
        if most is None or rows <= most:
            return 1
        step = -(-rows // most)
        if not self._rows:
            self._rows, self._step = rows, step
        return step


def _facts(value: object) -> dict[str, object] | None:
    """What may be told of a file, a picture or bytes; None where *value* is none of these."""
    foreign = cast("Any", value)
    if isinstance(value, bytes | bytearray | memoryview):
        return {"bytes": len(foreign)}
    if isinstance(value, PurePath):
        name = _TEMPORARY.sub("", value.name)
        return {"name": name, "bytes": _size_bytes(value), "type": mimetypes.guess_type(name)[0]}
    if hasattr(value, "filename") and hasattr(value, "content_type"):
        # Starlette's UploadFile.
        return {"name": foreign.filename, "bytes": foreign.size, "type": foreign.content_type}
    if hasattr(value, "mode") and hasattr(value, "getbands"):
        # Pillow's Image; the format is missing where no file was read.
        return {"type": foreign.format, "width": foreign.width, "height": foreign.height, "mode": foreign.mode}
    return None


def _size_bytes(path: PurePath) -> int | None:
    try:
        return cast("Any", path).stat().st_size  # type: ignore[no-any-return]
    except (OSError, AttributeError):
        return None


def _model_fields(model: object) -> dict[str, object]:
    """The fields of a model of pydantic's."""
    fields: dict[str, object] = dict(vars(model))
    extra: Mapping[str, object] | None = getattr(model, "__pydantic_extra__", None)
    if extra:
        fields.update(extra)
    return fields


def _fields(value: object) -> dict[str, object] | None:
    """The fields of a data class or of a structure of msgspec's, by name; None of anything else."""
    kind: Any = type(value)
    names: Iterable[str] | None = getattr(kind, "__struct_fields__", None) or getattr(
        kind, "__dataclass_fields__", None
    )
    return None if names is None else {name: getattr(value, name) for name in names}
