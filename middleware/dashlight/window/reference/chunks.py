"""The rows of a reference as they come: some at a time, of features and outputs."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeAlias

import numpy as np

from dashlight.records import Role, Table
from dashlight.window.tables import taken

Chunk: TypeAlias = Mapping[Role, Table]
"""The next rows of the features, of the outputs, or of both."""
Chunks: TypeAlias = Callable[[], Iterable[Chunk]]

_CELLS_A_STEP, _LEAST_ROWS_A_STEP = 20_000, 500


def parts_of(rows: Chunk) -> Iterator[Chunk]:
    """*rows* in their order, some at a time, so that no step of a reference takes long.

    All at once where features and outputs are not of one length: which of them belong together is then not known.
    """
    lengths = {table.rows for table in rows.values() if table.rows}
    if len(lengths) != 1:
        yield rows
        return
    columns = max(len(table.number_names) + len(table.cell_names) for table in rows.values())
    step = max(_LEAST_ROWS_A_STEP, _CELLS_A_STEP // max(columns, 1))
    for start in range(0, max(lengths), step):
        yield {role: taken(table, np.arange(start, min(start + step, table.rows))) for role, table in rows.items()}
