"""From the shapes of a column's cells to how it writes, and from that to its values."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from dashlight.decode.cells.nulls import BLANKS, NULLS, WORDED_NULLS
from dashlight.decode.cells.numbers import number_in, plain_numbers
from dashlight.decode.cells.shapes import NOTHING, NUMBERS, TIMES, CellCounts, Shape, shape_of
from dashlight.decode.cells.times import seconds_in
from dashlight.decode.cells.truths import PAIRS, TRUTHS
from dashlight.records import Cell
from dashlight.window.columns import DateOrder, DecimalMark, Writing, WrittenKind
from dashlight.window.tables import Column

MOST_ODD_SHARE: Final = 0.01
"""Of the cells with a value: as many may be of another kind than the column."""

_BELONGS: dict[WrittenKind, frozenset[Shape]] = {
    "number": NUMBERS | NOTHING,
    "time": TIMES | NOTHING,
    "boolean": frozenset({"truth", "empty", "null"}),
    "text": frozenset(),
}


@dataclass(frozen=True, slots=True)
class OddCells:
    """Cells of a column that are not of its kind."""

    count: int
    row: int
    """Of the first of them, counted from 0."""
    text: str
    """Of the first of them, its beginning."""


def writing_of(counts: CellCounts, *, likely: DecimalMark = ".", most_odd_share: float = MOST_ODD_SHARE) -> Writing:
    """How a column of these *counts* writes its values.

    Args:
        counts: All cells of the column.
        likely: The decimal mark where all cells leave it open: `likely_mark` of the file's columns, or what is known.
        most_odd_share: Share of the cells with a value that may be of another kind; they are of wrong type.
    """
    if _is(counts, "number", most_odd_share) and not _are_codes(counts, most_odd_share):
        return Writing(
            "number",
            decimal=_decimal(counts, likely),
            has_currency=counts.has_currency,
            has_percent=counts.has_percent,
            nulls=tuple(sorted(counts.nulls)),
        )
    dates = _dates(counts, most_odd_share)
    if dates is not None and _is(counts, "time", most_odd_share):
        return Writing("time", dates=dates, nulls=tuple(sorted(counts.nulls)))
    if _is(counts, "boolean", most_odd_share) and _is_one_pair(counts, most_odd_share):
        spellings = (each for each in counts.nulls if each.lower() not in WORDED_NULLS)
        return Writing("boolean", nulls=tuple(sorted(spellings)))
    is_nothing = counts.rows == counts.of(NOTHING)
    return Writing("text", nulls=tuple(sorted(counts.nulls)) if is_nothing else ("",) if counts.shapes["empty"] else ())


def likely_mark(columns: Sequence[CellCounts], *, separator: str = ",") -> DecimalMark:
    """The decimal mark of a file of these *columns*, for those that leave it open.

    That of most columns that show one; where none does, a comma if *separator* is none and a column has commas.
    """
    commas = sum(column.shapes["comma"] > column.shapes["point"] for column in columns)
    points = sum(column.shapes["point"] > column.shapes["comma"] for column in columns)
    if commas == points == 0:
        is_comma = separator != "," and any(column.shapes["open_comma"] for column in columns)
    else:
        is_comma = commas > points
    return "," if is_comma else "."


def odd_cells(counts: CellCounts, writing: Writing) -> OddCells | None:
    """Those that are not of the kind of the column's *writing*; None where there are none, and in a column of texts."""
    if writing.kind == "text":
        return None
    odd: list[Shape] = [shape for shape in counts.first if shape not in _BELONGS[writing.kind] or shape == "infinite"]
    if not odd:
        return None
    row, text = min(counts.first[shape] for shape in odd)
    return OddCells(counts.of(odd), row, text)


def read(texts: Sequence[str], writing: Writing) -> Column:
    """The values of *texts*, the cells of a column that writes so.

    Numbers and times (seconds since the epoch, UTC) come as an array of float64, NaN for null, where no cell is odd.
    Else they come as a list: None for null, and an odd cell as the text that it is, of wrong type. Booleans and texts
    come as a list.
    """
    found = plain_numbers(texts) if writing.kind == "number" and writing.decimal == "." else None
    if found is not None:
        return found
    if writing.kind == "text":
        return [None if text in writing.nulls else text for text in texts] if writing.nulls else list(texts)
    known = {text: value_of(text, writing) for text in set(texts)}
    cells = [known[text] for text in texts]
    if writing.kind != "boolean" and {float, type(None)}.issuperset(map(type, known.values())):
        return np.array(cells, np.float64)
    return cells


def truth_in(bare: str, text: str) -> bool | str | None:
    """The truth value that *bare*, what is left of *text* without outer blanks, writes; None for null; else *text*."""
    folded = bare.lower()
    return TRUTHS.get(folded, None if not folded or folded in NULLS else text)


def value_of(text: str, writing: Writing) -> Cell:
    """The value of one cell of a column of numbers, times or booleans: None for null, *text* itself where it is odd."""
    bare = text.strip(BLANKS)
    if writing.kind == "boolean":
        return truth_in(bare, text)
    found = number_in(bare, writing.decimal) if writing.kind == "number" else seconds_in(bare, writing.dates)
    if found is not None:
        return found
    return None if shape_of(bare) in NOTHING else text


def _is(counts: CellCounts, kind: WrittenKind, most_odd_share: float) -> bool:
    """Whether all cells with a value but a few are of this *kind*."""
    belonging = _BELONGS[kind]
    valued = counts.of(belonging - NOTHING)
    odd = counts.rows - counts.of(belonging)
    return valued > 0 and odd <= most_odd_share * (valued + odd)


def _are_codes(counts: CellCounts, most_odd_share: float) -> bool:
    """Whether the column is one of codes: many begin with 0, or all are of as many digits and some do."""
    codes = counts.shapes["code"]
    if not codes:
        return False
    is_all_digits = counts.of(NUMBERS) == counts.shapes["whole"]
    return codes > most_odd_share * (codes + counts.of(NUMBERS)) or (
        is_all_digits and counts.fewest_digits == counts.most_digits
    )


def _decimal(counts: CellCounts, likely: DecimalMark) -> DecimalMark:
    commas, points = counts.shapes["comma"], counts.shapes["point"]
    if commas == points:
        return likely
    return "," if commas > points else "."


def _dates(counts: CellCounts, most_odd_share: float) -> DateOrder | None:
    """The order of the dates; None where cells are open and the others do not tell, or contradict each other."""
    day_first, month_first = counts.shapes["day_first"], counts.shapes["month_first"]
    few = most_odd_share * counts.of(TIMES)
    if counts.shapes["open_day"] > few and (max(day_first, month_first) == 0 or min(day_first, month_first) > few):
        return None
    if day_first == month_first:
        return "ymd"
    return "dmy" if day_first > month_first else "mdy"


def _is_one_pair(counts: CellCounts, most_odd_share: float) -> bool:
    """Whether the truth values, but a few, are of one pair of words, and tell that they are some."""
    pair = max(PAIRS, key=lambda words: sum(counts.truths[word] for word in words))
    seen = [counts.truths[word] for word in pair]
    total = counts.shapes["truth"]
    return total - sum(seen) <= most_odd_share * total and (pair == PAIRS[0] or min(seen) > 0)
