"""The shape of a JSON value: its keys, types and lengths without its values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from dashlight.decode.rows.jsonvalue import NUMBER_TYPES, is_list, is_object
from dashlight.decode.rows.lists.boxes import raw_detections

MAX_LEAVES: Final = 256
"""A larger value has no shape here: what it holds is no row of a table."""
_MAX_DEPTH = 8

Sort: TypeAlias = Literal["number", "text", "flag", "null"]
_SORTS: Final[Mapping[type, Sort]] = {int: "number", float: "number", str: "text", bool: "flag", type(None): "null"}
_NUMBER: Final[frozenset[Sort]] = frozenset({"number"})


@dataclass(frozen=True, slots=True)
class Leaf:
    """A scalar, of one of some sorts."""

    sorts: frozenset[Sort]


@dataclass(frozen=True, slots=True)
class Fields:
    """An object: its keys in the order in which they were first seen."""

    shapes: tuple[tuple[str, "Shape"], ...]
    optional: frozenset[str] = frozenset()
    """Keys that are sometimes not there."""


@dataclass(frozen=True, slots=True)
class Items:
    """A list of a fixed length."""

    shapes: tuple["Shape", ...]


Shape: TypeAlias = Leaf | Fields | Items


def shape_of(value: object) -> Shape | None:
    """The shape of *value*, or None where its values matter to how it is read, or it is too large.

    Lists of several objects have none: which of them counts may depend on what they hold.
    """
    shape = _shape(value, 0)
    return shape if shape is not None and leaf_count(shape) <= MAX_LEAVES else None


def unified(first: Shape, second: Shape) -> Shape | None:
    """A shape that both have, or None. A scalar that one object lacks becomes optional."""
    if isinstance(first, Leaf) and isinstance(second, Leaf):
        return first if first == second else Leaf(first.sorts | second.sorts)
    if isinstance(first, Items) and isinstance(second, Items):
        # Whether a list is a vector or a ranking hangs on its types: they must be the same.
        return first if first == second else None
    if isinstance(first, Fields) and isinstance(second, Fields):
        return _unified_fields(first, second)
    return None


def leaf_count(shape: Shape) -> int:
    """Scalars in a value of *shape*."""
    if isinstance(shape, Leaf):
        return 1
    parts = shape.shapes if isinstance(shape, Items) else [part for _, part in shape.shapes]
    return sum(map(leaf_count, parts))


def _shape(value: object, depth: int) -> Shape | None:
    sort = _SORTS.get(type(value))
    if sort is not None:
        return Leaf(frozenset({sort}))
    if depth >= _MAX_DEPTH:
        return None
    if is_object(value):
        return _shape_of_object(value, depth)
    return _shape_of_list(value, depth) if is_list(value) else None


def _shape_of_object(value: Mapping[str, object], depth: int) -> Shape | None:
    if not 0 < len(value) <= MAX_LEAVES:
        return None
    parts = [(key, _shape(child, depth + 1)) for key, child in value.items()]
    found = tuple((key, part) for key, part in parts if part is not None)
    return Fields(found) if len(found) == len(parts) else None


def _shape_of_list(value: Sequence[object], depth: int) -> Shape | None:
    if not 0 < len(value) <= MAX_LEAVES:
        return None
    kinds = set(map(type, value))
    if kinds <= NUMBER_TYPES:
        return Items((Leaf(_NUMBER),) * len(value))
    if raw_detections("", value):
        return None
    if kinds in ({str}, {bool}) or (len(value) == 1 and kinds <= {dict, list}):
        parts = [_shape(child, depth + 1) for child in value]
        found = tuple(part for part in parts if part is not None)
        return Items(found) if len(found) == len(parts) else None
    return None


def _unified_fields(first: Fields, second: Fields) -> Shape | None:
    mine, theirs = dict(first.shapes), dict(second.shapes)
    shapes: dict[str, Shape] = {}
    optional = set(first.optional | second.optional)
    for key in {**mine, **theirs}:
        one, other = mine.get(key), theirs.get(key)
        if one is not None and other is not None:
            both = unified(one, other)
            if both is None:
                return None
            shapes[key] = both
        else:
            only = one or other
            if not isinstance(only, Leaf):
                return None
            shapes[key] = only
            optional.add(key)
    return Fields(tuple(shapes.items()), frozenset(optional))
