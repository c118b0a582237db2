"""Tables out of named columns, and many tables into one."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dashlight.records import Cell, Table
from dashlight.window.values import numbers_of

NO_EXCHANGE = -1
"""Stands in Table.exchange for rows that no exchange brought."""

Column: TypeAlias = Sequence[Cell] | NDArray[Any]

_PLAIN_NUMBERS = frozenset({int, float, type(None)})


def table_of_columns(columns: Mapping[str, Column]) -> Table:
    """A table of *columns*, all of one length; ValueError where they are not."""
    lengths = {len(values) for values in columns.values()}
    if len(lengths) > 1:
        raise ValueError(f"columns of one table must be of one length, not of {sorted(lengths)}")
    rows = lengths.pop() if lengths else 0
    numbers: dict[str, NDArray[np.float64]] = {}
    cells: dict[str, Sequence[Cell]] = {}
    for name, values in columns.items():
        if isinstance(values, np.ndarray) and values.dtype.kind in "iuf":
            numbers[name] = values.astype(np.float64)
            continue
        listed: Sequence[Cell] = values.tolist() if isinstance(values, np.ndarray) else values
        if set(map(type, listed)) <= _PLAIN_NUMBERS:
            numbers[name] = numbers_of(listed)[0]
        else:
            cells[name] = listed
    return table_of_kinds(numbers, cells, rows)


def table_of_kinds(numbers: Mapping[str, NDArray[np.float64]], cells: Mapping[str, Sequence[Cell]], rows: int) -> Table:
    """A table of that many *rows* with columns of *numbers* and columns of *cells*, each by its name."""
    return Table(
        rows=rows,
        number_names=tuple(numbers),
        numbers=np.array(list(numbers.values()), np.float64).reshape(len(numbers), rows),
        cell_names=tuple(cells),
        cells=tuple(cells.values()),
        exchange=np.full(rows, NO_EXCHANGE, np.intp),
    )


def joined(tables: Sequence[Table]) -> Table:
    """The rows of all *tables* in their order; a column that one of them lacks is null in its rows."""
    numeric = dict.fromkeys(name for table in tables for name in table.number_names)
    worded = dict.fromkeys(name for table in tables for name in table.cell_names)
    by_name = [_by_name(table) for table in tables]
    columns: dict[str, Column] = {}
    for name in numeric | worded:
        pieces = [
            held[name] if name in held else np.full(table.rows, 0.0 if table.is_sparse else np.nan)
            for table, held in zip(tables, by_name, strict=True)
        ]
        if name in worded:
            columns[name] = [cell for piece in pieces for cell in _listed(piece)]
        else:
            columns[name] = np.concatenate([np.asarray(piece, np.float64) for piece in pieces])
    return replace(table_of_columns(columns), is_sparse=bool(tables) and all(table.is_sparse for table in tables))


def _by_name(table: Table) -> dict[str, Column]:
    held: dict[str, Column] = dict(zip(table.number_names, table.numbers, strict=True))
    held.update(zip(table.cell_names, table.cells, strict=True))
    return held


def _listed(piece: Column) -> Sequence[Cell]:
    if isinstance(piece, np.ndarray):
        return [None if number != number else number for number in piece.tolist()]  # noqa: PLR0124  # NaN
    return piece


def selected(table: Table, names: Collection[str]) -> Table:
    """The columns *names* of *table*, in the table's order."""
    numeric = [place for place, name in enumerate(table.number_names) if name in names]
    worded = [place for place, name in enumerate(table.cell_names) if name in names]
    return Table(
        rows=table.rows,
        number_names=tuple(table.number_names[place] for place in numeric),
        numbers=table.numbers[numeric],
        cell_names=tuple(table.cell_names[place] for place in worded),
        cells=tuple(table.cells[place] for place in worded),
        exchange=table.exchange,
        is_sparse=table.is_sparse,
    )


def renamed(table: Table, names: Mapping[str, str]) -> Table:
    """*table* with other *names*, old to new, for its columns; a name that it has already is not given twice."""
    taken_names = {*table.number_names, *table.cell_names}
    wanted = {old: new for old, new in names.items() if old in taken_names and new not in taken_names}
    if not wanted:
        return table
    return replace(
        table,
        number_names=tuple(wanted.get(name, name) for name in table.number_names),
        cell_names=tuple(wanted.get(name, name) for name in table.cell_names),
    )


def without_nulls(table: Table, known: Collection[str] = ()) -> Table:
    """*table* without the columns that are null in every row, where others are not; the *known* ones stay."""
    named = {name for name, row in zip(table.number_names, table.numbers, strict=True) if not np.isnan(row).all()}
    named |= {name for name, cells in zip(table.cell_names, table.cells, strict=True) if any(map(_is_told, cells))}
    names = {*table.number_names, *table.cell_names}
    kept = named.union(known)
    return table if not named or names <= kept else selected(table, kept)


def _is_told(cell: Cell) -> bool:
    return cell is not None


def taken(table: Table, rows: NDArray[np.intp]) -> Table:
    """The *rows* of *table*, in the order given."""
    places = rows.tolist()
    return Table(
        rows=len(places),
        number_names=table.number_names,
        numbers=table.numbers[:, rows],
        cell_names=table.cell_names,
        cells=tuple([cells[place] for place in places] for cells in table.cells),
        exchange=table.exchange[rows],
        is_sparse=table.is_sparse,
    )
