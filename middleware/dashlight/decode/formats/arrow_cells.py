"""Columns of Arrow as cells, by way of NumPy; types by which few bytes may stand for many are refused."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from dashlight.decode.formats.attachments import cells_of_bytes
from dashlight.decode.rows.budget import MAX_CELLS, BodyBudget
from dashlight.decode.rows.reasons import undecodable
from dashlight.records import Cell

_MAX_NESTING = 8


def check_type(arrow: Any, kind: Any, depth: int = 0) -> None:
    """DecodeError unknown_layout where a column of the type *kind* is not read."""
    _reader(arrow, kind, depth)


def cells_of(arrow: Any, array: Any, budget: BodyBudget | None = None) -> list[Cell]:
    """The values of *array*, an array of pyarrow; null is None, moments are texts, bytes are texts or Attachments."""
    cells = _reader(arrow, array.type, 0)(arrow, array, budget)
    if array.null_count:
        # Buffers hold anything where the value is null.
        for at in _null_places(array):
            cells[at] = None
    return cells


def _null_places(array: Any) -> list[int]:
    # The functions of pyarrow for this load a module that takes as long as pyarrow itself.
    validity = array.buffers()[0]
    if validity is None:
        return []
    bits = np.unpackbits(np.frombuffer(validity, np.uint8), bitorder="little")
    places: list[int] = np.flatnonzero(bits[array.offset : array.offset + len(array)] == 0).tolist()
    return places


def _reader(arrow: Any, kind: Any, depth: int) -> Callable[[Any, Any, BodyBudget | None], list[Cell]]:
    types = arrow.types
    if types.is_integer(kind) or types.is_floating(kind):
        return _numbers
    if types.is_boolean(kind) or types.is_string(kind) or types.is_large_string(kind):
        return _plain
    if types.is_null(kind):
        return _nulls
    if types.is_temporal(kind):
        return _moments
    if types.is_decimal(kind):
        return _decimals
    if types.is_binary(kind) or types.is_large_binary(kind) or types.is_fixed_size_binary(kind):
        return _bytes
    if depth < _MAX_NESTING:
        if types.is_dictionary(kind) and not types.is_nested(kind.value_type):
            check_type(arrow, kind.value_type, depth + 1)
            return _by_index
        if types.is_struct(kind):
            for field in kind:
                check_type(arrow, field.type, depth + 1)
            return _objects
        if _is_list(types, kind) and (types.is_integer(kind.value_type) or types.is_floating(kind.value_type)):
            return _vectors
    raise undecodable("unknown_layout", f"a column of {str(kind)[:80]}")


def _is_list(types: Any, kind: Any) -> bool:
    return bool(types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind))


def _numbers(_: Any, array: Any, _budget: BodyBudget | None) -> list[Cell]:
    if not array.null_count:
        return _listed(array.to_numpy(zero_copy_only=False))
    # Converted as a whole, ints beside null would be floats.
    values = np.frombuffer(array.buffers()[1], array.type.to_pandas_dtype())
    return _listed(values[array.offset : array.offset + len(array)])


def _plain(_: Any, array: Any, _budget: BodyBudget | None) -> list[Cell]:
    return _listed(array.to_numpy(zero_copy_only=False))


def _nulls(_: Any, array: Any, _budget: BodyBudget | None) -> list[Cell]:
    return [None] * len(array)


def _moments(arrow: Any, array: Any, budget: BodyBudget | None) -> list[Cell]:
    return _plain(arrow, array.cast(arrow.string()), budget)


def _decimals(arrow: Any, array: Any, budget: BodyBudget | None) -> list[Cell]:
    return _numbers(arrow, array.cast(arrow.float64()), budget)


def _bytes(arrow: Any, array: Any, budget: BodyBudget | None) -> list[Cell]:
    # What is null is made so by cells_of.
    values = _plain(arrow, array, budget)
    return cells_of_bytes((value if isinstance(value, bytes) else b"" for value in values), budget)


def _by_index(arrow: Any, array: Any, budget: BodyBudget | None) -> list[Cell]:
    # One text stands for all rows that have it: a long one takes its memory once.
    values = cells_of(arrow, array.dictionary, budget)
    indices = _numbers(arrow, array.indices, budget)
    return [values[at] if isinstance(at, int) and at < len(values) else None for at in indices]


def _objects(arrow: Any, array: Any, budget: BodyBudget | None) -> list[Cell]:
    names = [field.name for field in array.type]
    columns = [cells_of(arrow, part, budget) for part in array.flatten()]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)] or [None] * len(array)


def _vectors(arrow: Any, array: Any, budget: BodyBudget | None) -> list[Cell]:
    if arrow.types.is_fixed_size_list(array.type):
        size = array.type.list_size
        edges: Sequence[int] = range(array.offset * size, (array.offset + len(array)) * size + 1, size or 1)
        edges = edges if size else [0] * (len(array) + 1)
    else:
        edges = _listed_ints(array.offsets)
    first, last = edges[0], edges[-1]
    if last - first > MAX_CELLS:
        raise undecodable("too_large", f"more than {MAX_CELLS} elements of vectors")
    flat = cells_of(arrow, array.values.slice(first, last - first), budget)
    return [flat[low - first : high - first] for low, high in pairwise(edges)]


def _listed(values: Any) -> list[Cell]:
    listed: list[Cell] = values.tolist()
    return listed


def _listed_ints(offsets: Any) -> list[int]:
    listed: list[int] = offsets.to_numpy(zero_copy_only=False).tolist()
    return listed
