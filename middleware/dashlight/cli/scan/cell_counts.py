"""The cells of a column of texts by their shape, counted by DuckDB: what the grammar decides a column by."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dashlight.cli.scan.cells_sql import PLAIN, SHAPES, bare_cell, shape
from dashlight.cli.scan.database import literal, rows_of
from dashlight.decode.cells import numbers
from dashlight.decode.cells.shapes import EXAMPLE_CHARACTERS, NOTHING, NUMBERS, CellCounts, Shape
from dashlight.decode.cells.truths import TRUTHS

if TYPE_CHECKING:
    from collections.abc import Collection

    from dashlight.cli.scan.database import Database

_MOST_SPELLINGS: Final = 1000
_SPELLED: Final = "spelled"
_LOOKED_AT: Final = 8192
"""Rows by whose cells it is guessed whether a column says the same again and again."""


_ROWS: Final = "CAST(sum(rows) AS BIGINT)"


@dataclass(frozen=True, slots=True)
class CountedCells:
    """A column of texts."""

    counts: CellCounts
    is_plain: bool
    """Whether all cells with a value are plain: numbers, or moments, as DuckDB reads them too."""


def counted_cells(database: Database, table: str, column: str) -> CountedCells:
    """The counts of the text *column* of *table*, as `CellCounts.add` gives them of its rows in their order.

    One exception: the lengths of numbers are there only where some are codes, which alone are decided by them.
    """
    cells = _cells(database, table, column)
    shapes = f"SELECT row, cell, rows, {shape('cell')} AS shape FROM {cells}"
    counted: list[tuple[int, int, int]] = rows_of(
        database, f"SELECT shape, {_ROWS}, min(row) FROM ({shapes}) GROUP BY shape"
    )
    found = CellCounts()
    first: dict[Shape, int] = {}
    for code, count, row in counted:
        name = SHAPES[code % PLAIN]
        found.rows += count
        found.shapes[name] += count
        first[name] = min(row, first.get(name, row))
    rows = ", ".join(map(str, first.values()))
    texts: dict[int, str | None] = dict(
        rows_of(database, f"SELECT rowid, {column} FROM {table} WHERE rowid IN ({rows or -1})")
    )
    found.first = {name: (row, (texts[row] or "")[:EXAMPLE_CHARACTERS]) for name, row in first.items()}

    def of(shapes_wanted: Collection[Shape], what: str, rest: str = "") -> list[tuple[str, int]]:
        codes = [SHAPES.index(name) + offset for name in shapes_wanted for offset in (0, PLAIN)]
        wanted = ", ".join(map(str, codes))
        return rows_of(database, f"SELECT {what} FROM ({shapes}) WHERE shape IN ({wanted}) {rest}")

    bare = bare_cell("cell")
    grouped = f"GROUP BY ALL ORDER BY {_ROWS} DESC LIMIT {_MOST_SPELLINGS}"
    spelled = NOTHING & first.keys() - {"empty"}
    found.nulls = Counter(dict(of(spelled, f"{bare}, {_ROWS}", grouped)) if spelled else {})
    if "empty" in first:
        found.nulls[""] = found.shapes["empty"]
    if "truth" in first:
        words = f"SELECT lower({bare}) AS word, rows FROM {cells}"
        truths = ", ".join(literal(word) for word in TRUTHS)
        counted_words = f"SELECT word, {_ROWS} FROM ({words}) WHERE word IN ({truths}) GROUP BY word"
        found.truths = Counter(dict(rows_of(database, counted_words)))
    if any(code < PLAIN and SHAPES[code] in NUMBERS for code, _, _ in counted):
        currency = literal(numbers.CURRENCY)
        (signs,) = of(
            NUMBERS, f"bool_or(contains(cell, '{numbers.PERCENT}')), bool_or(regexp_matches(cell, {currency}))"
        )
        found.has_percent, found.has_currency = bool(signs[0]), bool(signs[1])
    if "code" in first:
        ((found.fewest_digits, found.most_digits),) = of(["whole", "code"], f"min(length({bare})), max(length({bare}))")  # type: ignore[assignment]
    plain = {SHAPES[code % PLAIN] for code, _, _ in counted if code >= PLAIN}
    is_plain = all(code >= PLAIN or SHAPES[code] == "empty" for code, _, _ in counted)
    return CountedCells(found, is_plain and ("moment" not in plain or len(plain) == 1))


def _cells(database: Database, table: str, column: str) -> str:
    """What holds the *cells* of a column, how many *rows* have each, and the first *row* of them.

    Each that differs is there once where most rows say what others say, so that what is asked of a cell is not asked of every row.
    """
    looked_at = f"SELECT {column} AS cell FROM {table} LIMIT {_LOOKED_AT}"
    ((rows, different),) = rows_of(database, f"SELECT count(*), count(DISTINCT cell) FROM ({looked_at})")
    if 2 * different > rows:
        return f"(SELECT rowid AS row, {column} AS cell, 1 AS rows FROM {table})"
    once = f"SELECT min(rowid) AS row, {column} AS cell, count(*) AS rows FROM {table} GROUP BY {column}"
    rows_of(database, f"CREATE OR REPLACE TEMP TABLE {_SPELLED} AS {once}")
    return _SPELLED
