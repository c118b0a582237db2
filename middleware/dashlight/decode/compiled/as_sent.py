"""The values of one exchange as they were sent, found where its plan says: 5 stays 5, and what is not there is not there."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

import msgspec

from dashlight.decode.compiled.extract import Steps
from dashlight.decode.compiled.shapes import Fields, Items, Shape
from dashlight.decode.rows.columns import Sheet

Keys = tuple[str | int, ...]
"""The way from a body to a value: keys of objects and places in lists."""

MAX_BYTES: Final = 1 << 13
"""Of a body: what is longer may hold what its plan takes for a text, such as a picture."""
_ABSENT: Final = object()


@dataclass(frozen=True, slots=True)
class _Part:
    """Columns that stand side by side in one object or list."""

    way: Keys
    names: tuple[str, ...]
    lasts: Keys


@dataclass(frozen=True, slots=True)
class AsSent:
    """Reads the one row of one side."""

    names: tuple[str, ...]
    parts: tuple[_Part, ...]

    def row(self, body: bytes) -> Sheet:
        """The row that *body* holds, which the plan has read.

        Raises:
            ValueError, LookupError, TypeError: it has another shape, or is too long to be read so.
        """
        if len(body) > MAX_BYTES:
            raise ValueError("a long body")
        value: Any = msgspec.json.decode(body)
        cells: list[object] = []
        for part in self.parts:
            held = value
            for step in part.way:
                held = held[step]
            if type(held) is dict:
                cells.extend([held.get(last, _ABSENT) for last in part.lasts])
            elif part.lasts == ("",):
                cells.append(held)
            else:
                cells.extend([held[last] for last in part.lasts])
        if _ABSENT not in cells:
            return Sheet(self.names, (cells,))
        there = [(name, cell) for name, cell in zip(self.names, cells, strict=True) if cell is not _ABSENT]
        return Sheet(tuple(name for name, _ in there), ([cell for _, cell in there],))


def as_sent(columns: Mapping[str, Steps], shape: Shape) -> AsSent:
    """What reads *columns*, by name the way to each, from bodies of *shape*."""
    ways = [(name, _keys(steps, shape)) for name, steps in columns.items()]
    parts: list[_Part] = []
    for way, found in groupby(((name, keys[:-1], keys[-1]) for name, keys in ways), key=itemgetter(1)):
        listed = list(found)
        parts.append(_Part(way, tuple(name for name, _, _ in listed), tuple(last for _, _, last in listed)))
    return AsSent(tuple(columns), tuple(parts))


def _keys(steps: Iterable[str | int], shape: Shape) -> Keys:
    """The keys and places for *steps*, in which the fields of an object are numbered; of a body that is a scalar `""`."""
    keys: list[str | int] = []
    for step in steps:
        if isinstance(shape, Fields):
            key, shape = shape.shapes[int(str(step)[1:])]
            keys.append(key)
        elif isinstance(shape, Items):
            shape = shape.shapes[int(step)]
            keys.append(int(step))
    return tuple(keys) or ("",)
