"""Which of the rows that came may make a reference: columns of the model, and no numbers of somebody. Pure.

What a reference holds stands in alerts, metrics, logs and state files: names of columns, the least and the largest
number, the edges of bins.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dashlight.privacy.detectors import LONG_NUMBER
from dashlight.privacy.names import is_tellable
from dashlight.records import Cell, Role, Table
from dashlight.window.reference.chunks import Chunk
from dashlight.window.tables import selected

LEAST_COLUMN_SHARE = 0.01
"""Of the rows: a column that fewer have some client made up."""
MOSTLY = 0.5
"""Of the numbers of a column: where so many are long, they are numbers of cards or accounts."""


def learnable(rows: Chunk) -> tuple[Chunk, tuple[str, ...]]:
    """*rows* without what must not stand in a reference, and the names of the columns that held long numbers.

    Columns whose names may not be told go, and so do those of long whole numbers; a single one among others becomes null.
    """
    parted: dict[Role, tuple[Table, tuple[str, ...]]] = {
        role: _without_long_numbers(selected(table, _names(table))) for role, table in rows.items()
    }
    kept: Chunk = {role: table for role, (table, _) in parted.items()}
    return kept, tuple(name for _, names in parted.values() for name in names)


def _names(table: Table) -> list[str]:
    count = max(table.rows, 1)
    rows = dict(zip(table.number_names, (~np.isnan(table.numbers)).sum(axis=1).tolist(), strict=True))
    rows |= {name: _told(cells) for name, cells in zip(table.cell_names, table.cells, strict=True)}
    return [name for name, told in rows.items() if told >= LEAST_COLUMN_SHARE * count and is_tellable(name)]


def _told(cells: Sequence[Cell]) -> int:
    return sum(cell is not None for cell in cells)


def _without_long_numbers(table: Table) -> tuple[Table, tuple[str, ...]]:
    long = _are_long(table.numbers)
    if not long.any():
        return table, ()
    told = np.maximum((~np.isnan(table.numbers)).sum(axis=1), 1)
    is_long = long.sum(axis=1) >= MOSTLY * told
    dropped = tuple(name for name, dropped in zip(table.number_names, is_long.tolist(), strict=True) if dropped)
    kept = replace(table, numbers=np.where(long, np.nan, table.numbers))
    names = {*table.number_names, *table.cell_names} - set(dropped)
    return selected(kept, names) if dropped else kept, dropped


def _are_long(numbers: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which of *numbers* `is_long_number` says are long."""
    sizes = np.abs(numbers)
    found: NDArray[np.bool_] = (sizes >= LONG_NUMBER) & np.isfinite(sizes) & (np.rint(sizes) == sizes)
    return found
