"""Arrays as plain data: the name of a type, a shape, and bytes. What is read is of a type that can do no harm."""

from collections.abc import Sequence
from functools import lru_cache
from math import prod
from typing import Any, cast, get_args

import numpy as np
from numpy.typing import NDArray

LARGE_BYTES = 4096
"""Arrays from this size on stand apart from what holds them."""
MOST_ITEMS_OF_NONE = 1 << 16
"""Length of an axis of an array without items: whoever walks along it must not walk for ever."""

_TEXTS = "texts"
_MOST_AXES = 4
_INTEGERS = frozenset({int})
_TYPES = {
    np.dtype(name).str: np.dtype(name)
    for name in ("?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "V16")
}
"""By the name that NumPy gives them; little-endian on whatever machine."""


class ArrayWriter:
    """Turns the arrays of one value into plain data, and keeps the large ones apart."""

    def __init__(self) -> None:
        self.apart: list[memoryview] = []
        """Bytes of the large ones."""

    def plain(self, value: object) -> object:
        """What stands for *value*, an array or a number of NumPy's; TypeError for anything else."""
        if isinstance(value, np.generic):
            return cast("Any", value).item()
        if not isinstance(value, np.ndarray):
            raise TypeError(f"{type(value).__name__} is no plain data")
        array = cast("NDArray[Any]", value)
        if array.dtype == object:
            rows = cast("list[list[object]]", array.reshape(prod(array.shape[:-1]), array.shape[-1]).tolist())
            return _TEXTS, array.shape, [None if row.count(None) == len(row) else row for row in rows]
        dtype = array.dtype.newbyteorder("<")
        if dtype.str not in _TYPES:
            raise TypeError(f"an array of {array.dtype} is no plain data")
        bytes_ = np.ascontiguousarray(array, dtype).reshape(-1).view(np.uint8)
        if array.nbytes < LARGE_BYTES:
            return dtype.str, array.shape, bytes_.tobytes()
        self.apart.append(bytes_.data)
        return dtype.str, array.shape, len(self.apart) - 1


class ArrayReader:
    """Makes the arrays of one value again. They can be written to; the large ones lie in the bytes that were read."""

    def __init__(self, apart: Sequence[memoryview], *, most_texts: int) -> None:
        """*apart* holds the bytes of the large ones; of texts there are no more than *most_texts* in all."""
        self._apart = list[memoryview | None](apart)
        self._texts_left = most_texts

    def array(self, wanted: Any, plain: object) -> NDArray[Any]:
        """The array of type *wanted*, an `NDArray[...]`, that *plain* stands for; ValueError where it is none of that type."""
        if type(plain) is not list or len(cast("list[object]", plain)) != 3:
            raise ValueError("no array: expected a type, a shape and bytes")
        name, axes, content = cast("list[object]", plain)
        shape = _shape(axes)
        if name == _TEXTS and _item_type(wanted) is np.object_:
            return self._texts(shape, content)
        dtype = _TYPES.get(name) if isinstance(name, str) else None
        if dtype is None or not issubclass(dtype.type, _item_type(wanted)):
            raise ValueError(f"an array of {name!r}: expected {_item_type(wanted).__name__}")
        if isinstance(content, bytes):
            return _filled(bytearray(content), dtype, shape)
        return _filled(self._taken(content), dtype, shape)

    def _taken(self, place: object) -> memoryview:
        if type(place) is not int or not 0 <= place < len(self._apart):
            raise ValueError(f"bytes number {place!r}: there are {len(self._apart)} apart")
        # Each is one array's alone: else what is written to one would be written to another.
        found, self._apart[place] = self._apart[place], None
        if found is None:
            raise ValueError(f"bytes number {place} belong to another array")
        return found

    def _texts(self, shape: tuple[int, ...], content: object) -> NDArray[np.object_]:
        self._texts_left -= prod(shape)
        if self._texts_left < 0:
            raise ValueError("more texts than the bytes can hold")
        rows = cast("list[object]", content) if type(content) is list else []
        if not shape or len(rows) != prod(shape[:-1]):
            raise ValueError(f"{len(rows)} rows of texts for an array of shape {shape}")
        texts = np.empty((len(rows), shape[-1]), object)
        for place, row in enumerate(rows):
            if row is None:
                continue
            held = cast("list[object]", row) if type(row) is list else []
            if len(held) != shape[-1] or not {str, type(None)}.issuperset(map(type, held)):
                raise ValueError("no row of so many texts")
            texts[place] = held
        return texts.reshape(shape)


def _shape(axes: object) -> tuple[int, ...]:
    held = cast("list[object]", axes) if type(axes) is list else [None]
    if len(held) > _MOST_AXES or not _INTEGERS.issuperset(map(type, held)):
        raise ValueError("no shape of an array")
    shape = tuple(cast("list[int]", held))
    if min(shape, default=0) < 0:
        raise ValueError(f"an axis of length {min(shape)}")
    if not prod(shape) and max(shape) > MOST_ITEMS_OF_NONE:
        raise ValueError(f"an array without items of shape {shape}")
    return shape


def _filled(content: bytearray | memoryview, dtype: np.dtype[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    if len(content) != prod(shape) * dtype.itemsize:
        raise ValueError(f"{len(content)} bytes for an array of {dtype} of shape {shape}")
    found: NDArray[Any] = np.frombuffer(content, dtype).reshape(shape)
    if dtype == np.bool_ and content and found.view(np.uint8).max() > 1:
        raise ValueError("a truth value that is neither true nor false")
    return found


@lru_cache(maxsize=64)
def _item_type(wanted: Any) -> type[Any]:
    """The type of the items of an `NDArray[...]`."""
    return cast("type[Any]", get_args(get_args(wanted)[1])[0])
