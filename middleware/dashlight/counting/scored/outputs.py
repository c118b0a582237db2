"""The outputs of a batch by name: as numbers, as cells, and as the names of classes."""

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from dashlight.decode.rows.roles import OutputRole, output_role
from dashlight.labels.rows import Floats
from dashlight.labels.truth import place_of_two
from dashlight.records import Cell, Table

_LOOKED_AT = 256
"""Rows from which a role is guessed."""
_MOST_DIGITS = 1e15
_LONGEST_CLASS = 1024


class Outputs:
    """The columns of *table*."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.names = (*table.number_names, *table.cell_names)
        self._numbers = {name: place for place, name in enumerate(table.number_names)}
        self._cells = {name: place for place, name in enumerate(table.cell_names)}

    def __contains__(self, name: str) -> bool:
        return name in self._numbers or name in self._cells

    def numbers(self, name: str) -> Floats:
        """The column *name*; NaN where it holds no number, or is not there. Truth values are 0 and 1."""
        place = self._numbers.get(name)
        if place is not None:
            column: Floats = self.table.numbers[place]
            return column
        cells = self.table.cells[self._cells[name]] if name in self._cells else ()
        if not cells:
            return np.full(self.table.rows, np.nan)
        return np.array([float(cell) if isinstance(cell, bool | int | float) else math.nan for cell in cells])

    def cells(self, name: str) -> Sequence[Cell]:
        """The column *name*; whole numbers as such, None where it is null or not there."""
        place = self._numbers.get(name)
        if place is not None:
            return [_as_cell(number) for number in self.table.numbers[place].tolist()]
        return self.table.cells[self._cells[name]] if name in self._cells else [None] * self.table.rows

    def is_numeric(self, name: str) -> bool:
        """Whether *name* is a column of numbers alone."""
        return name in self._numbers

    def told(self, name: str) -> list[Cell]:
        """The first cells of the column *name* that are not null."""
        return [cell for cell in self.cells(name)[:_LOOKED_AT] if cell is not None]

    def role(self, name: str) -> OutputRole | None:
        """What the column *name* may mean; None where all of it is null."""
        told = self.told(name)
        if not told:
            return None
        if self.is_numeric(name) and not all(isinstance(cell, int) for cell in told):
            return output_role(name, [0.5])
        return output_role(name, told)


def class_text(cell: Cell) -> str:
    """The class *cell* as labels spell it (`labels.truth.spelling_of`): `true`, `1`, `setosa`; empty where it is none."""
    if type(cell) is str:
        return cell[:_LONGEST_CLASS].strip()
    if type(cell) is bool:
        return "true" if cell else "false"
    if type(cell) is int:
        return str(cell) if -_MOST_DIGITS < cell < _MOST_DIGITS else ""
    return _number_text(cell) if type(cell) is float else ""


@lru_cache(maxsize=1024)
def _number_text(number: float) -> str:
    whole = _as_cell(number)
    return "" if whole is None else repr(whole)


def _as_cell(number: float) -> Cell:
    if math.isnan(number):
        return None
    return int(number) if abs(number) < _MOST_DIGITS and number.is_integer() else number


def codes_of(texts: Sequence[str], classes: Sequence[str], *, none: int) -> NDArray[np.int32]:
    """The place of each of *texts* in *classes*; *none* where it is not among them, or empty.

    One of two classes may be meant as labels may mean it, see `labels.truth.place_of_two`.
    """
    places = {name: place for place, name in reversed(list(enumerate(classes))) if name}
    if len(classes) == 2:
        meant = {text: place_of_two(text) for text in set(texts).difference(places)}
        places.update((text, place) for text, place in meant.items() if place is not None)
    return np.fromiter((places.get(text, none) for text in texts), np.int32, len(texts))
