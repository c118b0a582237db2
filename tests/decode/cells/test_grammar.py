"""The table of cells: what a text is in which column. SQL has to read the same table the same way."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from dashlight.decode.cells.grammar import read, writing_of
from dashlight.decode.cells.shapes import CellCounts

TABLE: list[dict[str, Any]] = json.loads((Path(__file__).parent / "table.json").read_text())
REPEATS = 400
"""Of the cells beside: what is asked for is then less than one cell in a hundred."""


def counted(*texts: str) -> CellCounts:
    counts = CellCounts()
    counts.add(texts)
    return counts


def listed(column: Any) -> list[Any]:
    """The values of *column* with None for NaN."""
    values = column if isinstance(column, list) else column.tolist()
    return [None if isinstance(value, float) and math.isnan(value) else value for value in values]


@pytest.mark.parametrize("context", TABLE, ids=[context["what"] for context in TABLE])
def test_a_cell_is_what_the_table_says_in_such_a_column(context: dict[str, Any]) -> None:
    found: dict[str, Any] = {}
    for text in context["cells"]:
        column = [*context["beside"] * REPEATS, text]
        writing = writing_of(counted(*column), likely=context["likely"])
        found[text] = listed(read(column, writing))[-1]
        assert writing.kind == context["kind"], text
        for said in ("dates", "has_percent", "has_currency"):
            assert getattr(writing, said) == context.get(said, getattr(writing, said))

    assert found == context["cells"]
    assert {text: type(value) for text, value in found.items() if isinstance(value, bool)} == {
        text: type(value) for text, value in context["cells"].items() if isinstance(value, bool)
    }
