"""A column of training data that says something of a prediction, whole: its numbers, and its texts as codes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dashlight.labels.rows import NO_CLASS, Floats
from dashlight.privacy.hashing import is_hash, is_number
from dashlight.records import Cell, Table
from dashlight.window.values import Coded, number_text, numbers_of, texts_of

MOST_ROWS = 5_000_000
"""Of which a label is read: a column takes 8 bytes a row for its numbers, and 4 for its texts where it has any."""
MOST_TEXTS = 1000
"""Told apart; further ones are as one."""
_FURTHER = "\N{HORIZONTAL ELLIPSIS}"
_NO_TEXT = -1

Codes = NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class ToldValues:
    """The values of one column."""

    numbers: Floats
    """Shape (rows,): finite, NaN where there is none."""
    codes: Codes | None
    """Shape (rows,): place in *texts*, -1 where there is none; None where no row has one. Truth values are texts."""
    texts: tuple[str, ...]
    """Without outer blanks."""

    @property
    def is_numeric(self) -> bool:
        """Whether it has numbers and no texts."""
        return self.codes is None and not bool(np.isnan(self.numbers).all())

    @property
    def is_known(self) -> NDArray[np.bool_]:
        """Shape (rows,): whether a row has a value."""
        known = ~np.isnan(self.numbers)
        return known if self.codes is None else known | (self.codes >= 0)

    def names(self, most: int) -> tuple[str, ...]:
        """The values that differ, written as categories are: numbers ascending, then texts likewise; at most *most* + 1."""
        distinct: list[float] = np.unique(self.numbers[~np.isnan(self.numbers)])[: most + 1].tolist()
        spelled = (str(number_text(number)) for number in distinct)
        return tuple(dict.fromkeys([*spelled, *sorted(self.texts)]))[: most + 1]

    def respelled(self, words: Mapping[str, str]) -> "ToldValues":
        """The same with other texts, old to new."""
        return replace(self, texts=tuple(words.get(text, text) for text in self.texts))

    def places_among(self, names: Sequence[str]) -> Codes:
        """Shape (rows,): place of each value among *names*, which are written likewise; NO_CLASS where it is none of them."""
        places = np.full(len(self.numbers), NO_CLASS, np.int32)
        for place, name in enumerate(names):
            if self.codes is not None and name in self.texts:
                places[self.codes == self.texts.index(name)] = place
            if is_number(name) and not is_hash(name):
                places[self.numbers == float(name)] = place
        return places


class ToldColumn:
    """Collects the values of one column, some rows at a time."""

    def __init__(self) -> None:
        self._rows = 0
        self._numbers: list[Floats] = []
        self._codes: list[tuple[int, Codes]] = []
        """Of those pieces that have texts, with the row at which each starts."""
        self._places: dict[str, int] = {}

    def add(self, values: Floats | Sequence[Cell]) -> None:
        """Take the next rows."""
        if isinstance(values, np.ndarray):
            self._numbers.append(np.where(np.isfinite(values), values, np.nan))
        else:
            numbers = numbers_of(values)[0]
            self._numbers.append(np.where(np.isfinite(numbers), numbers, np.nan))
            codes = self._coded(values, is_number=~np.isnan(self._numbers[-1]))
            if (codes >= 0).any():
                self._codes.append((self._rows, codes))
        self._rows += len(values)

    def values(self) -> ToldValues:
        """All that was taken."""
        numbers = np.concatenate([np.zeros(0), *self._numbers])
        if not self._codes:
            return ToldValues(numbers, None, ())
        codes = np.full(self._rows, _NO_TEXT, np.int32)
        for start, piece in self._codes:
            codes[start : start + len(piece)] = piece
        return ToldValues(numbers, codes, tuple(self._places))

    def _coded(self, cells: Sequence[Cell], *, is_number: NDArray[np.bool_]) -> Codes:
        texts = texts_of(cells)
        if isinstance(texts, Coded):
            met = np.bincount(texts.codes[~is_number], minlength=len(texts.values)) > 0
            own = [
                self._place(text) if is_met and isinstance(text, str) else _NO_TEXT
                for text, is_met in zip(texts.values, met.tolist(), strict=True)
            ]
            codes = np.array([*own, _NO_TEXT], np.int32)[texts.codes]
        else:
            codes = np.array(
                [
                    self._place(text) if isinstance(text, str) and not known else _NO_TEXT
                    for text, known in zip(texts, is_number.tolist(), strict=True)
                ],
                np.int32,
            )
        codes[is_number] = _NO_TEXT
        return codes

    def _place(self, cell: str) -> int:
        text = cell.strip()
        if not text:
            return _NO_TEXT
        if text not in self._places and len(self._places) >= MOST_TEXTS:
            return self._places.setdefault(_FURTHER, len(self._places))
        return self._places.setdefault(text, len(self._places))


def told_values(tables: Iterable[Table], names: Sequence[str]) -> tuple[dict[str, ToldValues], int]:
    """The columns *names* of the first MOST_ROWS rows of *tables*, and how many rows there are."""
    columns = {name: ToldColumn() for name in names}
    rows = 0
    for table in tables:
        left = max(MOST_ROWS - rows, 0)
        rows += table.rows
        numbers = dict(zip(table.number_names, table.numbers, strict=True))
        cells = dict(zip(table.cell_names, table.cells, strict=True))
        for name, column in columns.items():
            if left:
                column.add(numbers[name][:left] if name in numbers else cells[name][:left])
    return {name: column.values() for name, column in columns.items()}, rows
