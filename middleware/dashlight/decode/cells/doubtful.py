"""Columns read as words whose cells mostly look like something else. Pure."""

from dashlight.decode.cells.grammar import MOST_ODD_SHARE, OddCells
from dashlight.decode.cells.shapes import NOTHING, NUMBERS, TIMES, CellCounts, Shape
from dashlight.window.columns import Writing

_MOSTLY = 0.95


def has_open_dates(counts: CellCounts, writing: Writing) -> bool:
    """Whether a column of these *counts*, read as *writing* says, holds dates that do not tell their days from their months."""
    return writing.kind == "text" and counts.shapes["open_day"] > 0 and counts.of(TIMES) >= _MOSTLY * _values(counts)


def mixed_cells(counts: CellCounts, writing: Writing) -> OddCells | None:
    """The fewer of the numbers and the words in a column of words that holds both; None where they are a few odd cells."""
    if writing.kind != "text":
        return None
    words: frozenset[Shape] = frozenset({"text", "truth"})
    fewer = min(NUMBERS, words, key=counts.of)
    if counts.of(fewer) <= MOST_ODD_SHARE * _values(counts):
        return None
    row, text = min(counts.first[shape] for shape in fewer if shape in counts.first)
    return OddCells(counts.of(fewer), row, text)


def _values(counts: CellCounts) -> int:
    return counts.rows - counts.of(NOTHING)
