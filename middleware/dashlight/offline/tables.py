"""Tables of columns that nobody sent: vectors may stand among them as arrays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeGuard, cast

import numpy as np
from numpy.typing import NDArray

from dashlight.records import Cell, Table
from dashlight.window.tables import NO_EXCHANGE, Column, table_of_columns


def table_of(values: Mapping[str, Column], rows: int) -> Table:
    """A table of *values*, each of *rows* rows; arrays of vectors, of shape (rows, width), stand among its cells."""
    vectors = {name: each for name, each in values.items() if is_matrix(each)}
    table = table_of_columns({name: each for name, each in values.items() if name not in vectors})
    return replace(
        table,
        rows=rows,
        numbers=table.numbers.reshape(len(table.number_names), rows),
        cell_names=(*table.cell_names, *vectors),
        cells=(*table.cells, *cast("Iterable[list[Cell]]", vectors.values())),
        exchange=np.full(rows, NO_EXCHANGE, np.intp),
    )


def is_matrix(column: Column) -> TypeGuard[NDArray[Any]]:
    """Whether *column* is an array of vectors."""
    return isinstance(column, np.ndarray) and column.ndim == 2
