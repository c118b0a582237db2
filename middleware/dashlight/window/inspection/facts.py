"""What the rows of a reference show of a column beside its bins: order, recurrence, types, moments. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from dashlight.records import Role

SHOWN_CHARACTERS = 40
"""Of an odd cell."""


@dataclass(frozen=True, slots=True)
class ColumnFacts:
    """What the rows showed of one column."""

    name: str
    role: Role
    rows: int
    numbers: int
    """Rows with a number; infinite ones are some."""
    truths: int
    texts: int
    lists: int
    """Rows with anything else: lists, objects."""
    low: float
    """Of the finite numbers; inf where there is none."""
    high: float
    is_whole: bool
    """Whether there are numbers, and all of them are whole."""
    step: float
    """By which every number is larger than the one before; 0 where that differs, or where a row has none."""
    is_sorted: bool
    """Whether the numbers never fall, and are more than one."""
    only_rises: bool
    """Whether they never come back: every block of rows lies above the one before the last."""
    distinct_share: float
    """Distinct numbers, or texts where those are more, for each row that has one."""
    is_distinct: bool
    """Whether no two rows have the same, as far as is known."""
    moment_share: float
    """Of the texts looked at: those that are a date or a moment."""
    token_share: float
    """Of the texts looked at: those that may be an id, one word with a digit in it."""
    odd_row: int
    """Number, from 1, of the first row that is no number among numbers, or a number among other values; 0: none."""
    odd_text: str
    """What stands there."""
    order_hash: int
    """The same for two columns that hold the same in every row, and else hardly ever."""

    @property
    def values(self) -> int:
        """Rows that are not null."""
        return self.numbers + self.truths + self.texts + self.lists


@dataclass(frozen=True, slots=True)
class RepeatedRow:
    """A row that occurs much more often than the others."""

    rows: int
    """So many at least."""
    row: int
    """Number of the first of them, from 1."""
    values: Mapping[str, str | None]
    """What it says, as categories are written, by column; None where it is null. What is no single value is not there."""


@dataclass(frozen=True, slots=True)
class FirstPass:
    """What the first pass over all rows of a reference showed."""

    columns: tuple[ColumnFacts, ...]
    """Features first; also those that the reference leaves out."""
    repeated: RepeatedRow | None
    """Of the features, where one row makes up an unusual part of all."""
