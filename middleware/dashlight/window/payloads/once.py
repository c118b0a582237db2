"""Rows to learn from, of which one payload that makes too many of them counts once."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashlight.records import Table
from dashlight.window.payloads.hashing import PayloadHasher
from dashlight.window.tables import taken

MOST_OF_ONE = 0.05
"""Share of the rows that one payload may be."""
LEAST_ALONE = 0.5
"""Of the other rows: where fewer are like no other, rows repeat by nature."""
LEAST_OTHERS = 100
_KEY = 0
"""Hashes are compared with one another and with nothing else."""


@dataclass(frozen=True, slots=True, eq=False)
class CountedOnce:
    """Which rows count, and how many of them one payload was."""

    places: NDArray[np.intp]
    """Of the rows that count, ascending."""
    share: float
    """Of all rows, the largest that was counted once; 0 where none was."""


def counted_once(table: Table) -> CountedOnce:
    """The rows of *table*, each payload that is more than MOST_OF_ONE of them once."""
    hashes = PayloadHasher(table.number_names + table.cell_names, _KEY).hashes(table)
    _, first, place, counts = np.unique(hashes, return_index=True, return_inverse=True, return_counts=True)
    often = counts > MOST_OF_ONE * table.rows
    others = table.rows - int(counts[often].sum())
    alone = int(np.count_nonzero(counts[~often] == 1))
    if not often.any() or counts.max() < 2 or others < LEAST_OTHERS or alone < LEAST_ALONE * others:
        return CountedOnce(np.arange(table.rows), 0.0)
    counts_now = ~often[place]
    counts_now[first[often]] = True
    return CountedOnce(np.flatnonzero(counts_now), float(counts[often].max() / table.rows))


def rows_at(table: Table, once: CountedOnce, rows: int) -> Table:
    """Of *table* what counts *once*, where its rows go with the *rows* that were looked at."""
    return taken(table, once.places) if table.rows == rows else table
