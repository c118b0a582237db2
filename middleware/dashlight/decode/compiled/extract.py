"""From decoded rows of one shape to a Table, a column at a time and the numbers in one go."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import attrgetter, itemgetter
from typing import Final, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from dashlight.decode.rows.tables import as_numbers
from dashlight.records import Cell, Table

Steps: TypeAlias = tuple[str | int, ...]
"""The way from a row to a value: attributes and places in tuples."""
Getter: TypeAlias = Callable[[object], object]

_ANY_NUMBER: Final = frozenset({"number", "null"})


@dataclass(frozen=True, slots=True)
class Block:
    """Columns whose values one getter fetches from one part of a row."""

    names: tuple[str, ...]
    path: tuple[Getter, ...]
    """To the part, then to a tuple of the values, or to the value where there is one column."""


@dataclass(frozen=True, slots=True)
class Extractor:
    """Which columns are where in a decoded row."""

    numbers: tuple[Block, ...]
    cells: tuple[Block, ...]

    def table(self, rows: Sequence[object], exchange: Sequence[int]) -> Table:
        """The table of decoded *rows*; *exchange* tells for each the place of its exchange."""
        count = len(rows)
        number_names = [name for block in self.numbers for name in block.names]
        parts = [_numbers(block, rows) for block in self.numbers]
        cell_names: list[str] = []
        cells: list[Sequence[Cell]] = []
        for block in self.cells:
            for name, column in zip(block.names, _columns(block, rows), strict=True):
                # A column of texts that are all null, or one that has held both, may be numbers this time.
                array = None if isinstance(column[0], str | bool) else as_numbers(column)
                if array is None:
                    cell_names.append(name)
                    cells.append(column)
                else:
                    number_names.append(name)
                    parts.append(array.reshape(1, count))
        return Table(
            rows=count,
            number_names=tuple(number_names),
            numbers=np.concatenate(parts) if parts else np.empty((0, count)),
            cell_names=tuple(cell_names),
            cells=tuple(cells),
            exchange=np.array(exchange, dtype=np.intp),
        )


def extractor(columns: Mapping[str, Steps], sorts: Mapping[Steps, frozenset[str]]) -> Extractor:
    """The extractor of *columns*, by name the way to each; *sorts* says what is found at its end."""
    numbers: dict[tuple[Steps, bool], dict[str, str | int]] = {}
    cells: dict[tuple[Steps, bool], dict[str, str | int]] = {}
    for name, steps in columns.items():
        part, last = _split(steps)
        kind = numbers if sorts[steps] <= _ANY_NUMBER and "number" in sorts[steps] else cells
        kind.setdefault((part, isinstance(last, str)), {})[name] = last
    return Extractor(
        tuple(_block(part, found) for (part, _), found in numbers.items()),
        tuple(_block(part, found) for (part, _), found in cells.items()),
    )


def reach(rows: Iterable[object], path: Sequence[Getter]) -> Iterable[object]:
    """What each of *rows* has at the end of *path*."""
    for getter in path:
        rows = map(getter, rows)
    return rows


def path_of(steps: Steps) -> tuple[Getter, ...]:
    """The getters that go *steps* one after another."""
    return tuple(cast("Getter", attrgetter(step) if isinstance(step, str) else itemgetter(step)) for step in steps)


def _split(steps: Steps) -> tuple[Steps, str | int]:
    """The part of a row and the last step in it; attributes of attributes are one dotted step."""
    if not steps:
        return ((), "")
    start = len(steps) - 1
    if isinstance(steps[-1], int):
        return (steps[:-1], steps[-1])
    while start > 0 and isinstance(steps[start - 1], str):
        start -= 1
    return (steps[:start], ".".join(cast("tuple[str, ...]", steps[start:])))


def _block(part: Steps, found: Mapping[str, str | int]) -> Block:
    lasts = tuple(found.values())
    path = path_of(part)
    if lasts == ("",):
        return Block(tuple(found), path)
    if isinstance(lasts[0], str):
        return Block(tuple(found), (*path, cast("Getter", attrgetter(*cast("tuple[str, ...]", lasts)))))
    return Block(tuple(found), (*path, cast("Getter", itemgetter(*lasts))))


def _numbers(block: Block, rows: Sequence[object]) -> NDArray[np.float64]:
    values = reach(rows, block.path)
    width = len(block.names)
    flat = values if width == 1 else chain.from_iterable(cast("Iterable[Iterable[object]]", values))
    # numpy reads None as NaN.
    array = np.fromiter(cast("Iterable[float]", flat), np.float64, width * len(rows))
    return array.reshape(len(rows), width).T


def _columns(block: Block, rows: Sequence[object]) -> Sequence[Sequence[Cell]]:
    values = reach(rows, block.path)
    if len(block.names) == 1:
        return (list(values),)
    return list(zip(*cast("Iterable[Iterable[object]]", values), strict=True))
