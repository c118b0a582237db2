"""Takes the rows of a reference in their order, and tells the facts of every column, in bounded memory."""

import re
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from dashlight.records import Cell, Role, Table
from dashlight.window.inspection.distinct import DistinctSample, Hashes, HeavyRows, hashed, hashed_cells, mixed
from dashlight.window.inspection.facts import SHOWN_CHARACTERS, ColumnFacts, RepeatedRow
from dashlight.window.values import WRONG, is_null, number_of, number_text, text_of, types_among

BLOCK_ROWS = 25
"""Rows of which the range is kept, to see whether a column only ever rises."""
_MOST_BLOCKS, _FEWEST_BLOCKS = 512, 8
_RECURRING_ROWS = 1000
"""After so many numbers, of which half are repetitions, nobody asks any more how many differ."""
_UNUSUAL = 20.0
"""Times as often as the others: of few possible rows each is a large part, and that is no repetition."""
_LOOKED_AT = 64
"""Texts of a table that are looked at, spread over it, to see whether they are moments or ids."""
_LARGEST_WHOLE = 2.0**53
_TOKEN = re.compile(r"[^\s@/]{1,64}")
_MOMENT = re.compile(
    r"(?:[0-9]{4}(?P<mark>[-/.])[0-9]{1,2}(?P=mark)[0-9]{1,2}|[0-9]{1,2}(?P<other>[-/.])[0-9]{1,2}(?P=other)[0-9]{4})"
    r"(?:[T ]{1,2}[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)? ?(?:[Zz]|UTC|GMT|[AaPp][Mm]|[-+][0-9]{2}:?(?:[0-9]{2})?)?)?"
)
"""What a date or a moment looks like; which of its numbers is the day makes no difference here."""
_MOMENT_CHARACTERS = 40
_WRITTEN_NUMBER = frozenset("0123456789.,'+-%$\u20ac")


class FactsMeter:
    """Takes the tables of one role in their order."""

    def __init__(self, role: Role) -> None:
        self._role: Role = role
        self._columns: dict[str, _Column] = {}
        self._rows = 0
        self._whole_rows = DistinctSample(1024)
        self._heavy = HeavyRows()
        self._values: tuple[np.uint64, Mapping[str, str | None]] = (np.uint64(0), {})
        """What the heaviest row says, and its hash."""

    def add(self, table: Table) -> None:
        """Take the next rows."""
        if not table.rows:
            return
        weights = mixed(np.arange(self._rows, self._rows + table.rows).astype(np.uint64))
        whole = np.zeros(table.rows, np.uint64)
        for name, numbers in zip(table.number_names, table.numbers, strict=True):
            whole += self._column(name).add_numbers(numbers, weights, self._rows) * _salt(name)
        for name, cells in zip(table.cell_names, table.cells, strict=True):
            whole += self._column(name).add_cells(cells, weights, self._rows) * _salt(name)
        self._rows += table.rows
        self._whole_rows.add(whole)
        self._heavy.add(whole)
        self._see_heaviest(table, whole)

    def facts(self, distinct_texts: Mapping[str, float]) -> dict[str, ColumnFacts]:
        """Those of every column, by name, in order of appearance; *distinct_texts* is the share of texts that differ."""
        return {
            name: column.facts(name, self._role, self._rows, distinct_texts.get(name, 0.0))
            for name, column in self._columns.items()
        }

    def repeated_row(self, least_share: float) -> RepeatedRow | None:
        """The row that makes up more than *least_share* of all, where the others mostly differ; None where none does."""
        heaviest = self._heavy.heaviest
        if heaviest is None or len(self._columns) < 2:
            return None
        hash_, rows, first_row = heaviest
        usual = self._rows / max(self._whole_rows.distinct_count, 1.0)
        if rows <= max(least_share * self._rows, _UNUSUAL * usual) or hash_ != self._values[0]:
            return None
        return RepeatedRow(rows, first_row + 1, self._values[1])

    def _see_heaviest(self, table: Table, whole: Hashes) -> None:
        """Remember what the heaviest row says: one that matters is in most tables."""
        heaviest = self._heavy.heaviest
        if heaviest is None or heaviest[0] == self._values[0]:
            return
        found = np.flatnonzero(whole == heaviest[0])
        if len(found):
            row = int(found[0])
            texts = {
                name: number_text(float(column[row]))
                for name, column in zip(table.number_names, table.numbers, strict=True)
            }
            texts |= {
                name: text
                for name, cells in zip(table.cell_names, table.cells, strict=True)
                if (text := text_of(cells[row])) is not WRONG
            }
            self._values = heaviest[0], texts

    def _column(self, name: str) -> "_Column":
        found = self._columns.get(name)
        if found is None:
            found = self._columns[name] = _Column()
        return found


class _Column:
    def __init__(self) -> None:
        self.numbers = self.truths = self.texts = self.lists = 0
        self._low, self._high = np.inf, -np.inf
        self._is_whole = self._is_sorted = True
        self._step: float | None = None
        self._has_step = True
        self._last = np.nan
        self._blocks = np.zeros((0, 2))
        self._distinct = DistinctSample()
        self._is_recurring = False
        self._looked_at = self._moments = self._tokens = 0
        self._first: dict[str, tuple[int, str]] = {}
        """The first value of each type: its row, from 1, and its beginning."""
        self._order = 0

    def add_numbers(self, numbers: NDArray[np.float64], weights: Hashes, first_row: int) -> Hashes:
        """The next rows, of which each has one of *weights*; a hash of each."""
        hashes = hashed(numbers)
        self._take_order(hashes, weights)
        is_known = ~np.isnan(numbers)
        known = numbers if is_known.all() else numbers[is_known]
        if len(known) and "number" not in self._first:
            self._first["number"] = (first_row + int(is_known.argmax()) + 1, f"{known[0]:g}")
        self._take_numbers(known, has_gaps=len(known) < len(numbers))
        return hashes

    def add_cells(self, cells: Sequence[Cell], weights: Hashes, first_row: int) -> Hashes:
        """Likewise of cells of any type."""
        hashes = hashed_cells(cells)
        self._take_order(hashes, weights)
        types = types_among(cells)
        self.texts += types[str]
        self.truths += types[bool]
        if types[str]:
            for cell in cells[:: max(len(cells) // _LOOKED_AT, 1)]:
                self._look_at(cell)
        if types.keys() - {str, bool, type(None)}:
            self._take_numbers_among(cells)
        for type_ in types:
            self._see(type_, cells, first_row)
        return hashes

    def _see(self, type_: type, cells: Sequence[Cell], first_row: int) -> None:
        word = _word(type_)
        if word and word not in self._first:
            place = next((at for at, cell in enumerate(cells) if type(cell) is type_ and not is_null(cell)), None)
            if place is not None:
                self._first[word] = (first_row + place + 1, _beginning(cells[place]))

    def _take_numbers_among(self, cells: Sequence[Cell]) -> None:
        found = [number_of(cell) for cell in cells if not isinstance(cell, str | bool)]
        self.lists += found.count(None)
        numbers = np.array([number for number in found if number is not None], np.float64)
        numbers = numbers[~np.isnan(numbers)]
        self._take_numbers(numbers, has_gaps=len(numbers) < len(cells))

    def facts(self, name: str, role: Role, rows: int, distinct_texts: float) -> ColumnFacts:
        are_numbers = self.numbers >= self.texts
        counts = {"number": self.numbers, "text": self.texts, "truth": self.truths, "other": self.lists}
        usual = max(counts, key=lambda word: counts[word])
        odd = min((first for word, first in self._first.items() if word != usual), default=(0, ""))
        return ColumnFacts(
            name=name,
            role=role,
            rows=rows,
            numbers=self.numbers,
            truths=self.truths,
            texts=self.texts,
            lists=self.lists,
            low=float(self._low),
            high=float(self._high),
            is_whole=self._is_whole and self.numbers > 0,
            step=(self._step or 0.0) if self._has_step and self.numbers == rows else 0.0,
            is_sorted=self._is_sorted and self.numbers > 1 and self._low < self._high,
            only_rises=self._only_rises(),
            distinct_share=self._distinct.distinct_share if are_numbers else distinct_texts,
            is_distinct=self._distinct.most_rows == 1 if are_numbers else distinct_texts == 1,
            moment_share=self._moments / max(self._looked_at, 1),
            token_share=self._tokens / max(self._looked_at, 1),
            odd_row=odd[0],
            odd_text=odd[1],
            order_hash=self._order,
        )

    def _take_order(self, hashes: Hashes, weights: Hashes) -> None:
        self._order = (self._order + int((hashes * weights).sum(dtype=np.uint64))) % 2**64

    def _take_numbers(self, numbers: NDArray[np.float64], *, has_gaps: bool) -> None:
        self._has_step &= not has_gaps
        if not len(numbers):
            return
        self.numbers += len(numbers)
        finite = numbers[np.isfinite(numbers)]
        if self._is_whole:
            self._is_whole = len(finite) == len(numbers) and bool(
                (np.rint(finite) == finite).all() and (np.abs(finite) < _LARGEST_WHOLE).all()
            )
        if len(finite):
            self._low, self._high = min(self._low, float(finite.min())), max(self._high, float(finite.max()))
        if self._is_sorted:
            self._take_steps(numbers)
        self._take_blocks(numbers)
        # Of values that are not whole it is nothing unusual that they differ.
        if self._is_whole and not self._is_recurring:
            self._distinct.add(hashed(numbers))
            self._is_recurring = self.numbers >= _RECURRING_ROWS and self._distinct.distinct_share < 0.5

    def _take_steps(self, numbers: NDArray[np.float64]) -> None:
        with np.errstate(invalid="ignore", over="ignore"):  # of two infinities, or of the largest numbers
            steps = np.diff(numbers if np.isnan(self._last) else np.concatenate([[self._last], numbers]))
        self._last = float(numbers[-1])
        if not len(steps):
            return
        self._is_sorted = bool((steps >= 0).all())
        first = float(steps[0]) if self._step is None else self._step
        self._has_step &= first > 0 and bool((steps == first).all())
        self._step = first

    def _take_blocks(self, numbers: NDArray[np.float64]) -> None:
        starts = np.arange(0, len(numbers), BLOCK_ROWS)
        ranges = np.stack([np.minimum.reduceat(numbers, starts), np.maximum.reduceat(numbers, starts)], axis=1)
        self._blocks = np.concatenate([self._blocks, ranges])
        while len(self._blocks) > _MOST_BLOCKS:
            self._blocks = _halved(self._blocks)

    def _only_rises(self) -> bool:
        blocks = self._blocks
        while len(blocks) > 2 * _FEWEST_BLOCKS:
            blocks = _halved(blocks)
        if len(blocks) < _FEWEST_BLOCKS:
            return False
        return bool((blocks[2:, 0] >= blocks[:-2, 1]).all() and (blocks[1:, 1] > blocks[:-1, 1]).all())

    def _look_at(self, text: Cell) -> None:
        if not isinstance(text, str):
            return
        self._looked_at += 1
        self._moments += len(text) <= _MOMENT_CHARACTERS and _MOMENT.fullmatch(text.strip()) is not None
        self._tokens += _may_be_id(text)


def _halved(blocks: NDArray[np.float64]) -> NDArray[np.float64]:
    """*blocks*, each its lowest and highest number, with neighbours joined."""
    starts = np.arange(0, len(blocks), 2)
    return np.stack([np.minimum.reduceat(blocks[:, 0], starts), np.maximum.reduceat(blocks[:, 1], starts)], axis=1)


def _salt(name: str) -> np.uint64:
    return np.uint64(hash(name) & (2**64 - 1) | 1)


def _beginning(cell: Cell) -> str:
    """How *cell* begins where it is written out; its type where Python does not write it: a number too large."""
    try:
        return str(cell)[:SHOWN_CHARACTERS]
    except (ValueError, RecursionError):
        return type(cell).__name__


def _word(type_: type) -> str:
    """What values of *type_* are; empty where they are null."""
    if issubclass(type_, bool | str):
        return "truth" if issubclass(type_, bool) else "text"
    if issubclass(type_, int | float):
        return "number"
    return "" if type_ is type(None) else "other"


def _may_be_id(text: str) -> bool:
    if _TOKEN.fullmatch(text) is None or not any(map(str.isdigit, text)):
        return False
    return not (_WRITTEN_NUMBER.issuperset(text) and ("." in text or "," in text))
