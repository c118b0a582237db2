"""Rows as Tables: numbers in one array, everything else in lists."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dashlight.decode.rows.jsonvalue import NUMBER_TYPES
from dashlight.privacy.names import REDACTED, is_personal
from dashlight.records import Cell, Table

_IDENTIFYING = 1e8
"""From nine digits on a number under a personal name is a telephone or card number, not a quantity."""


def table_of(
    names: Sequence[str], columns: Sequence[Sequence[Cell]], exchange: Sequence[int], *, is_sparse: bool = False
) -> Table:
    """The table of *columns*: each goes to the numbers where all its values are int, float or null.

    Args:
        names: One for each column, all different.
        columns: Values by column, as many as there are rows.
        exchange: For each row the place of its exchange.
        is_sparse: Whether rows leave out what is 0.
    """
    number_names: list[str] = []
    numbers: list[NDArray[np.float64]] = []
    cell_names: list[str] = []
    cells: list[Sequence[Cell]] = []
    for name, column in zip(names, columns, strict=True):
        array = as_numbers(column)
        if array is None:
            cell_names.append(name)
            cells.append(column)
        else:
            number_names.append(name)
            numbers.append(array)
    return Table(
        rows=len(exchange),
        number_names=tuple(number_names),
        numbers=np.array(numbers, dtype=np.float64).reshape(len(numbers), len(exchange)),
        cell_names=tuple(cell_names),
        cells=tuple(cells),
        exchange=np.array(exchange, dtype=np.intp),
        is_sparse=is_sparse,
    )


def as_numbers(column: Sequence[Cell]) -> NDArray[np.float64] | None:
    """*column* as floats, null as NaN; None where a value is neither, or larger than any float."""
    if not NUMBER_TYPES.issuperset(map(type, column)):
        return None
    try:
        return np.array(column, dtype=np.float64)
    except OverflowError:
        return None


def joined(tables: Sequence[Table]) -> Table:
    """*tables* one below the other in the order of their exchanges: the union of their columns, missing as null or as 0.

    It is sparse where all are. A column that is numbers in one and cells in another becomes cells.
    """
    if len(tables) == 1:
        return tables[0]
    exchange = np.concatenate([table.exchange for table in tables])
    order = np.argsort(exchange, kind="stable")
    union = dict.fromkeys(name for table in tables for name in (*table.number_names, *table.cell_names))
    in_cells = {name for table in tables for name in table.cell_names}
    number_names = tuple(name for name in union if name not in in_cells)
    cell_names = tuple(name for name in union if name in in_cells)
    numbers = np.full((len(number_names), len(exchange)), np.nan)
    row_of = {name: row for row, name in enumerate(number_names)}
    cells: dict[str, list[Cell]] = {name: [] for name in cell_names}
    start = 0
    for table in tables:
        stop = start + table.rows
        if table.is_sparse:
            numbers[:, start:stop] = 0.0
        for name, values in zip(table.number_names, table.numbers, strict=True):
            if name in row_of:
                numbers[row_of[name], start:stop] = values
            else:
                cells[name].extend(_as_cells(values))
        for name, column in zip(table.cell_names, table.cells, strict=True):
            cells[name].extend(column)
        for column in cells.values():
            column.extend([None] * (stop - len(column)))
        start = stop
    places: list[int] = order.tolist()
    return Table(
        rows=len(exchange),
        number_names=number_names,
        numbers=numbers[:, order],
        cell_names=cell_names,
        cells=tuple([column[place] for place in places] for column in cells.values()),
        exchange=exchange[order],
        is_sparse=all(table.is_sparse for table in tables),
    )


def shielded(table: Table) -> Table:
    """*table* without the texts and the long numbers that stand under personal names; null stays null."""
    at_risk = [
        row
        for row, name in enumerate(table.number_names)
        if is_personal(name) and bool(np.any(np.abs(table.numbers[row]) >= _IDENTIFYING))
    ]
    if not at_risk and not any(map(is_personal, table.cell_names)):
        return table
    kept = [row for row in range(len(table.number_names)) if row not in at_risk]
    hidden = tuple(_hidden(_as_cells(table.numbers[row])) for row in at_risk)
    return Table(
        rows=table.rows,
        number_names=tuple(table.number_names[row] for row in kept),
        numbers=table.numbers[kept],
        cell_names=table.cell_names + tuple(table.number_names[row] for row in at_risk),
        cells=(
            *(
                _hidden(column) if is_personal(name) else column
                for name, column in zip(table.cell_names, table.cells, strict=True)
            ),
            *hidden,
        ),
        exchange=table.exchange,
        is_sparse=table.is_sparse,
    )


def _as_cells(numbers: NDArray[np.float64]) -> list[Cell]:
    values: list[float] = numbers.tolist()
    return [None if math.isnan(value) else value for value in values]


def _hidden(column: Sequence[Cell]) -> list[Cell]:
    return [value if value is None or isinstance(value, bool) else REDACTED for value in column]
