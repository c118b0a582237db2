"""The values of one exchange as they were sent, found where its plan says: 5 stays 5, and what is not there is not there."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, cast

import msgspec

from dashlight.decode.compiled.extract import Steps
from dashlight.decode.compiled.shapes import Fields, Items, Shape
from dashlight.decode.rows.columns import Row
from dashlight.decode.rows.jsonvalue import is_object

Keys = tuple[str | int, ...]
"""The way from a body to a value: keys of objects and places in lists."""

MAX_BYTES: Final = 1 << 13
"""Of a body: what is longer may hold what its plan takes for a text, such as a picture."""


@dataclass(frozen=True, slots=True)
class _Part:
    """Columns that stand side by side in one object or list."""

    way: Keys
    names: tuple[str, ...]
    lasts: Keys
    pick: Callable[[Any], Sequence[object]]
    """Gets what stands under all of them."""

    def cells(self, value: Any) -> Sequence[object]:
        """Theirs, in what a body holds."""
        return self.pick(self.reach(value))

    def reach(self, value: Any) -> Any:
        """The object or list, in what a body holds."""
        for step in self.way:
            value = value[step]
        return value


@dataclass(frozen=True, slots=True)
class AsSent:
    """Reads the one row of one side."""

    names: tuple[str, ...]
    parts: tuple[_Part, ...]
    is_flat: bool = False
    """Whether the body is an object with a column under each key, of the same name."""

    def row(self, body: bytes) -> Row:
        """The row that *body* holds, which the plan has read.

        Raises:
            ValueError, LookupError, TypeError: it has another shape, or is too long to be read so.
        """
        if len(body) > MAX_BYTES:
            raise ValueError("a long body")
        value: Any = msgspec.json.decode(body)
        if self.is_flat and is_object(value) and tuple(value) == self.names:
            return Row(value)
        try:
            cells = [cell for part in self.parts for cell in part.cells(value)]
        except KeyError:
            return self._gappy(value)
        return Row(dict(zip(self.names, cells, strict=True)))

    def _gappy(self, value: Any) -> Row:
        """The row of *value*, some of whose keys are not there."""
        found: dict[str, object] = {}
        for part in self.parts:
            held = part.reach(value)
            is_object = type(held) is dict
            for name, last in zip(part.names, part.lasts, strict=True):
                if not is_object or last in held:
                    found[name] = held[last]
        return Row(found)


def as_sent(columns: Mapping[str, Steps], shape: Shape) -> AsSent:
    """What reads *columns*, by name the way to each, from bodies of *shape*."""
    ways = [(name, _keys(steps, shape)) for name, steps in columns.items()]
    if [keys for _, keys in ways] == [()]:  # the body is the value
        return AsSent(tuple(columns), (_Part((), tuple(columns), (), _itself),))
    parts: list[_Part] = []
    for way, found in groupby(((name, keys[:-1], keys[-1]) for name, keys in ways), key=itemgetter(1)):
        listed = list(found)
        lasts = tuple(last for _, _, last in listed)
        parts.append(_Part(way, tuple(name for name, _, _ in listed), lasts, _pick(lasts)))
    return AsSent(
        tuple(columns), tuple(parts), is_flat=[part.lasts for part in parts if not part.way] == [tuple(columns)]
    )


def _keys(steps: Iterable[str | int], shape: Shape) -> Keys:
    """The keys and places for *steps*, in which the fields of an object are numbered."""
    keys: list[str | int] = []
    for step in steps:
        if isinstance(shape, Fields):
            key, shape = shape.shapes[int(str(step)[1:])]
            keys.append(key)
        else:
            shape = cast("Items", shape).shapes[int(step)]
            keys.append(int(step))
    return tuple(keys)


def _pick(lasts: Keys) -> Callable[[Any], Sequence[object]]:
    if len(lasts) == 1:
        return lambda value: (value[lasts[0]],)
    return cast("Callable[[Any], Sequence[object]]", itemgetter(*lasts))


def _itself(value: object) -> Sequence[object]:
    return (value,)
