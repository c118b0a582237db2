"""SQL reads a cell as Python does: the shape of each, and its value in a column of any writing."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashlight.cli.scan.cell_counts import counted_cells
from dashlight.cli.scan.cells_sql import PLAIN, SHAPES, odd, parts, shape, value
from dashlight.decode.cells.grammar import read, writing_of
from dashlight.decode.cells.nulls import BLANKS, NULLS, WORDED_NULLS
from dashlight.decode.cells.shapes import CellCounts, shape_of
from dashlight.decode.cells.truths import TRUTHS
from dashlight.records import Cell
from dashlight.window.columns import Writing

TABLE: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "decode" / "cells" / "table.json").read_text(encoding="utf-8")
)
"""The one table of cells, which Python reads likewise."""
WRITINGS = (
    Writing("number"),
    Writing("number", decimal=","),
    Writing("time"),
    Writing("time", dates="dmy"),
    Writing("time", dates="mdy"),
    Writing("boolean"),
    Writing("text"),
)
_DATES = ("2024-01-31", "2024/1/3", "31/12/2024", "12-31-2024", "3/4/2024", "1.2.2024", "2024-02-30", "0000-01-01")
_CLOCKS = ("", " 05:30", "T5:30:10.123456789Z", " 23:59:59,5 +05:30", "T00:00-0100", "T24:00", " 1:02 UTC")
_NUMBERS = (
    "0",
    "7",
    "1250",
    "1,250",
    "1.250",
    "1.250,5",
    "1,250.5",
    "1 250 000",
    "1'250",
    "12,34,567.8",
    ".5",
    ",5",
    "5.",
    "5,",
)
_AROUND = (
    "{}",
    "-{}",
    "+ {}",
    "({})",
    "${}",
    "-$ {}",
    "{} €",
    "{}%",
    "{} kr",
    "{}e5",
    "{}E-400",
    "{}e400",
    "\u00a0{} ",
    "{}x",
)
TEXTS = (
    *NULLS, *WORDED_NULLS, *TRUTHS, *map(str.upper, NULLS | TRUTHS.keys()), "", " ", "inf", "-Infinity", "∞", "007", "01.5",
    "1234567890123456", "1234567890123456.5", "1" * 101, "cat0001", "a b", "Köln", "\u212a", "n.\u212a.", "True ", "-", "1_000",
    *(around.format(number) for around, number in product(_AROUND, _NUMBERS)),
    *(date + clock for date, clock in product(_DATES, _CLOCKS)),
)  # fmt: skip
"""Each way of writing a value, and what is none."""
_PIECES = st.sampled_from(
    [
        *"0123456789.,'- +()%$€TZ:/eE\u00a0\n",
        "2024",
        "-12-",
        "31",
        "NA",
        "null",
        "true",
        "inf",
        "USD",
        "12:30",
        "+01:00",
        "Ü",
    ]
)
ANY_TEXT = st.lists(st.one_of(_PIECES, st.characters(exclude_categories=["Cs"]))).map("".join)


@pytest.fixture(scope="module")
def database() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"threads": "1"})


def filled(database: duckdb.DuckDBPyConnection, texts: Sequence[str]) -> None:
    database.register("given_texts", pa.table({"row": range(len(texts)), "cell": list(texts)}))
    database.execute("CREATE OR REPLACE TABLE texts AS SELECT cell FROM given_texts ORDER BY row")


def shapes(database: duckdb.DuckDBPyConnection) -> list[str]:
    rows = database.execute(f"SELECT {shape('cell')} FROM texts ORDER BY rowid").fetchall()
    return [SHAPES[code % PLAIN] for (code,) in rows]


def values(database: duckdb.DuckDBPyConnection, writing: Writing) -> list[Cell]:
    groups = parts("cell", writing) if writing.kind in {"number", "time"} else "NULL"
    steps = f"SELECT cell, rowid AS row, {groups} AS groups FROM texts"
    steps = f"SELECT *, {value('cell', writing, 'groups')} AS found FROM ({steps})"
    rows = database.execute(f"SELECT found, {odd('cell', 'found', writing)} FROM ({steps}) ORDER BY row").fetchall()
    return [left if found is None and writing.kind != "text" else found for found, left in rows]


def alike(one: Cell, other: Cell) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.copysign(1, one) == math.copysign(1, other) and one == other
    return type(one) is type(other) and one == other


def read_in_python(text: str, writing: Writing) -> Cell:
    (cell,) = list(read([text], writing))
    return None if isinstance(cell, float) and math.isnan(cell) else cell


def differing(
    database: duckdb.DuckDBPyConnection, texts: Sequence[str], writing: Writing
) -> list[tuple[str, Cell, Cell]]:
    filled(database, texts)
    both = zip(texts, [read_in_python(text, writing) for text in texts], values(database, writing), strict=True)
    return [(text, python, sql) for text, python, sql in both if not alike(python, sql)]


def test_every_shape_is_the_one_that_python_sees(database: duckdb.DuckDBPyConnection) -> None:
    filled(database, TEXTS)

    assert dict(zip(TEXTS, shapes(database), strict=True)) == {text: shape_of(text.strip(BLANKS)) for text in TEXTS}


@pytest.mark.parametrize("writing", WRITINGS, ids=lambda each: f"{each.kind} {each.decimal} {each.dates}")
def test_every_value_is_the_one_that_python_reads(database: duckdb.DuckDBPyConnection, writing: Writing) -> None:
    assert differing(database, TEXTS, writing) == []


@pytest.mark.parametrize("context", TABLE, ids=[context["what"] for context in TABLE])
def test_a_cell_is_what_the_table_of_cells_says(database: duckdb.DuckDBPyConnection, context: dict[str, Any]) -> None:
    by_writing: dict[Writing, list[str]] = {}
    for text in context["cells"]:
        counts = CellCounts()
        counts.add([*context["beside"] * 400, text])
        by_writing.setdefault(writing_of(counts, likely=context["likely"]), []).append(text)

    found: dict[str, Cell] = {}
    for writing, texts in by_writing.items():
        filled(database, texts)
        found |= zip(texts, values(database, writing), strict=True)

    assert found == context["cells"]


@settings(max_examples=60, deadline=None)
@given(texts=st.lists(ANY_TEXT, min_size=1, max_size=40))
def test_whatever_stands_in_a_cell_is_read_alike(database: duckdb.DuckDBPyConnection, texts: list[str]) -> None:
    for writing in WRITINGS:
        assert differing(database, texts, writing) == []
    assert shapes(database) == [shape_of(text.strip(BLANKS)) for text in texts]


@settings(max_examples=60, deadline=None)
@given(texts=st.lists(st.one_of(ANY_TEXT, st.sampled_from(TEXTS)), min_size=1, max_size=40))
def test_a_column_is_counted_as_in_python(database: duckdb.DuckDBPyConnection, texts: list[str]) -> None:
    filled(database, texts)
    expected = CellCounts()
    expected.add(texts)

    found = counted_cells(database, "texts", "cell").counts

    if "code" not in expected.first:
        expected.fewest_digits = expected.most_digits = 0
    assert +found.shapes == +Counter(expected.shapes)
    assert (found.rows, found.first, found.nulls, found.truths) == (
        expected.rows,
        expected.first,
        expected.nulls,
        expected.truths,
    )
    assert (found.has_currency, found.has_percent) == (expected.has_currency, expected.has_percent)
    assert (found.fewest_digits, found.most_digits) == (expected.fewest_digits, expected.most_digits)
    assert writing_of(found) == writing_of(expected)
