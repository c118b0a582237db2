"""Outputs that are numbers and come as text: `12150.57`, `$1,250.00`, `12,5 %`. How is decided once for a column."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Final

import numpy as np

from dashlight.decode.cells.grammar import value_of, writing_of
from dashlight.decode.cells.numbers import plain_number
from dashlight.decode.cells.shapes import NOTHING, CellCounts
from dashlight.decode.rows.columns import Sheet
from dashlight.records import Cell, Prediction, Table
from dashlight.window.columns import Writing

MAX_COLUMNS_KNOWN: Final = 4096
"""Columns whose writing is remembered; of more all are forgotten."""

# What stands under these names is a text or the name of a class, also where it is made of digits.
_WORDED = re.compile(
    r"(?i)(?:.{0,100}[^a-z])?(?:labels?|class(?:es)?|categor(?:y|ies)|clusters?|code|name|text|content|completion|summary"
    r"|translation|answer|reply|message|title|description|version|zip|phone|date|time|token_str|word|entity|key)"
)


class NumberTexts:
    """How each column of each model writes its numbers, from the first time that it did."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, str, str], Writing] = {}

    def read(self, prediction: Prediction) -> Prediction:
        """*prediction* with numbers in place of the texts that are some, among its outputs."""
        key = (prediction.endpoint, prediction.model, prediction.version)
        outputs = self.read_table(prediction.outputs, key)
        return prediction if outputs is prediction.outputs else replace(prediction, outputs=outputs)

    def read_table(self, outputs: Table, model: tuple[str, str, str] = ("", "", "")) -> Table:
        """*outputs* likewise; *model* is the endpoint, the model and its version."""
        found: dict[str, Sequence[Cell]] = {}
        for name, cells in zip(outputs.cell_names, outputs.cells, strict=True):
            if str not in set(map(type, cells)) or is_worded(name):
                continue
            key = (*model, name)
            writing = self._known.get(key) or _writing_of(cells)
            if writing is None:
                continue
            if len(self._known) >= MAX_COLUMNS_KNOWN:
                self._known.clear()
            self._known[key] = writing
            if writing.kind == "number":
                found[name] = numbers_in(cells, writing)
        if not found:
            return outputs
        whole = {name for name, cells in found.items() if {int, float, type(None)}.issuperset(map(type, cells))}
        kept = [at for at, name in enumerate(outputs.cell_names) if name not in whole]
        numbers = [np.array(found[name], np.float64) for name in outputs.cell_names if name in whole]
        return replace(
            outputs,
            number_names=(*outputs.number_names, *(name for name in outputs.cell_names if name in whole)),
            numbers=np.concatenate([outputs.numbers, *(column.reshape(1, -1) for column in numbers)]),
            cell_names=tuple(outputs.cell_names[at] for at in kept),
            cells=tuple(found.get(outputs.cell_names[at], outputs.cells[at]) for at in kept),
        )


def with_numbers(outputs: Sheet) -> Sheet:
    """*outputs* of one exchange with numbers in place of the texts that are some."""
    columns: dict[int, Sequence[Cell]] = {}
    for at, name in enumerate(outputs.names):
        cells = [row[at] for row in outputs.values]
        writing = None if is_worded(name) or str not in set(map(type, cells)) else _writing_of(cells)
        if writing is not None and writing.kind == "number":
            columns[at] = numbers_in(cells, writing)
    if not columns:
        return outputs
    return replace(
        outputs,
        values=[
            tuple(columns[at][row] if at in columns else cell for at, cell in enumerate(cells))
            for row, cells in enumerate(outputs.values)
        ],
    )


def numbers_of_text(sheet: Sheet) -> Sheet:
    """*sheet* with the numbers that it holds as text, as numbers: for carriers that know only text."""
    return replace(sheet, values=[list(map(_number_of_text, row)) for row in sheet.values])


def _number_of_text(cell: Cell) -> Cell:
    number = plain_number(cell) if isinstance(cell, str) else None
    return cell if number is None else number


def numbers_in(cells: Sequence[Cell], writing: Writing) -> list[Cell]:
    """*cells* with the numbers that their texts are; what is none stays a text, and what says that there is none is null."""
    return [value_of(cell, writing) if isinstance(cell, str) else cell for cell in cells]


@lru_cache(maxsize=512)
def is_worded(name: str) -> bool:
    """Whether what stands under *name* is words, whatever they look like."""
    return _WORDED.fullmatch(name.rpartition(".")[2][:200]) is not None


def _writing_of(cells: Iterable[Cell]) -> Writing | None:
    """How the texts among *cells* write numbers, or that one of them is none; None where no text has a value."""
    counts = CellCounts()
    counts.add([cell for cell in cells if isinstance(cell, str)])
    return None if counts.rows == counts.of(NOTHING) else writing_of(counts, most_odd_share=0)
