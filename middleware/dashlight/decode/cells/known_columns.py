"""Cells of traffic in columns that a reference knows: what they write, whatever the format brought them as text."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from dashlight.decode.cells.grammar import null_or_text, truth_in, writing_of
from dashlight.decode.cells.nulls import BLANKS
from dashlight.decode.cells.numbers import number_in
from dashlight.decode.cells.shapes import MOST_CHARACTERS, NOTHING, TIMES, CellCounts, Shape, shape_of
from dashlight.decode.cells.times import seconds_in
from dashlight.records import Cell, Table
from dashlight.window.columns import ColumnReference, DateOrder, DecimalMark, Writing

MOST_TEXTS: Final = 4096
"""Texts of a column whose values are remembered; of more all are forgotten."""
EARLIEST: Final = 1e8
"""Seconds since the epoch, in 1973: a column whose numbers are all later may hold moments."""

_OPEN: frozenset[Shape] = frozenset({"open_comma", "open_point", "open_day"})
_PLAIN = frozenset({int, float, type(None)})


class KnownColumn:
    """Reads the texts among the cells of one column of numbers, times or booleans.

    What a text leaves open (`1,250`, `3/4/2024`) the texts of the traffic so far decide, and where they show nothing the
    writing of the reference.
    """

    def __init__(self, writing: Writing, *, may_be_time: bool) -> None:
        """*writing* is that of the reference; *may_be_time* says that its numbers may be moments: then texts may be some."""
        self._writing = writing
        self._may_be_time = may_be_time or writing.kind == "time"
        self._decimal: DecimalMark = writing.decimal
        self._dates: DateOrder = writing.dates
        self._shapes = Counter[Shape]()
        self._values: dict[str, Cell] = {}

    def read(self, cells: Sequence[Cell]) -> Sequence[Cell]:
        """*cells* with the values of their texts; one that writes none stays the text that it is, of wrong type."""
        values = self._values
        texts = {cell for cell in cells if isinstance(cell, str)}
        fresh = [text for text in texts if text not in values and len(text) <= MOST_CHARACTERS]
        if fresh:
            self._learn(fresh)
        return [values.get(cell, cell) if isinstance(cell, str) else cell for cell in cells]

    def _learn(self, texts: Sequence[str]) -> None:
        if len(self._values) + len(texts) > MOST_TEXTS:
            self._values.clear()
        shapes = self._shapes
        shapes.update(map(_shape, texts))
        decimal: DecimalMark = "," if shapes["comma"] > shapes["point"] else "."
        dates: DateOrder = "dmy" if shapes["day_first"] > shapes["month_first"] else "mdy"
        before = self._decimal, self._dates
        if shapes["comma"] != shapes["point"]:
            self._decimal = decimal
        if shapes["day_first"] != shapes["month_first"]:
            self._dates = dates
        known = () if before == (self._decimal, self._dates) else tuple(self._values)
        self._values.update((text, self._value(text)) for text in (*known, *texts))

    def _value(self, text: str) -> Cell:
        bare = text.strip(BLANKS)
        if self._writing.kind == "boolean":
            return truth_in(bare, text)
        value = number_in(bare, self._decimal)
        if value is None and self._may_be_time:
            value = seconds_in(bare, self._dates)
        return null_or_text(bare, text) if value is None else value


class KnownWords:
    """Reads the texts of a column of words: those that the reference took for null."""

    def __init__(self, writing: Writing) -> None:
        """*writing* is that of the reference."""
        self._values: dict[Cell, None] = dict.fromkeys(writing.nulls)

    def read(self, cells: Sequence[Cell]) -> Sequence[Cell]:
        """*cells* with null for its spellings."""
        values = self._values
        return [values.get(cell, cell) if isinstance(cell, str) else cell for cell in cells]


def known_columns(columns: Sequence[ColumnReference]) -> dict[str, KnownColumn | KnownWords]:
    """What reads the texts of each of *columns*, by name; those without one are what they are."""
    found: dict[str, KnownColumn | KnownWords] = {}
    for column in columns:
        writing = column.writing
        if column.kind == "numeric":
            is_number = writing is not None and writing.kind in {"number", "time"}
            found[column.name] = KnownColumn(
                writing if writing is not None and is_number else Writing("number"),
                may_be_time=column.low >= EARLIEST,
            )
        elif column.kind == "boolean":
            found[column.name] = KnownColumn(Writing("boolean"), may_be_time=False)
        elif writing is not None and writing.kind == "number":  # codes
            found[column.name] = KnownColumn(writing, may_be_time=False)
        elif writing is not None and writing.nulls:
            found[column.name] = KnownWords(writing)
    return found


def as_typed(table: Table) -> Table:
    """*table* with the values of its texts in columns of which most cells are numbers, or booleans, by type.

    For rows from which a reference is learned: its traffic will be read so.
    """
    columns: dict[str, KnownColumn | KnownWords] = {}
    for name, cells in zip(table.cell_names, table.cells, strict=True):
        types = Counter(map(type, cells))
        numbers, truths, texts = types[int] + types[float], types[bool], types[str]
        if texts and max(numbers, truths) >= texts:
            columns[name] = KnownColumn(Writing("number" if numbers >= truths else "boolean"), may_be_time=False)
    return as_known(table, columns)


def time_columns(table: Table) -> dict[str, Writing]:
    """How those columns of *table* are written that hold texts alone, all but a few of them times."""
    found: dict[str, Writing] = {}
    for name, cells in zip(table.cell_names, table.cells, strict=True):
        texts = [cell for cell in cells if isinstance(cell, str)]
        first = next((shape for shape in map(_shape, texts) if shape not in NOTHING), None)
        if first in TIMES and len(texts) + sum(cell is None for cell in cells) == table.rows:
            counts = CellCounts()
            counts.add(texts)
            writing = writing_of(counts)
            if writing.kind == "time":
                found[name] = writing
    return found


def _shape(text: str) -> Shape:
    return shape_of(text.strip(BLANKS))


def as_known(table: Table, columns: Mapping[str, KnownColumn | KnownWords]) -> Table:
    """*table* with the values of its texts, in those of its columns that *columns* knows."""
    found: dict[str, Sequence[Cell]] = {}
    for name, cells in zip(table.cell_names, table.cells, strict=True):
        column = columns.get(name)
        if column is not None and str in set(map(type, cells)):
            found[name] = column.read(cells)
    if not found:
        return table
    numbers = {name: cells for name, cells in found.items() if _PLAIN.issuperset(map(type, cells))}
    kept = [at for at, name in enumerate(table.cell_names) if name not in numbers]
    return replace(
        table,
        number_names=(*table.number_names, *numbers),
        numbers=np.concatenate([table.numbers, np.array(list(numbers.values()), np.float64).reshape(-1, table.rows)]),
        cell_names=tuple(table.cell_names[at] for at in kept),
        cells=tuple(found.get(table.cell_names[at], table.cells[at]) for at in kept),
    )
