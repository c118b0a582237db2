"""Counts of the labels in a list, `x.count[LABEL]`: where the list was told and the label not, there were none of it. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from dashlight.records import Cell, Table
from dashlight.window.values import is_listed

_COUNT = "count"


def completed(table: Table, known: Collection[str] = ()) -> Table:
    """*table*, 0 for what a row that was counted, or is sparse, does not say; of the *known* columns those that it lacks too.

    An empty list `x` counts as none where others are told as `x.count`.
    """
    if table.is_sparse:
        table = _with_zeros(table, [name for name in known if name not in _names(table)], np.zeros(table.rows))
    names = [*table.number_names, *(name for name in known if name not in table.number_names)]
    totals: dict[str, list[str]] = {name: [] for name in names if name == _COUNT or name.endswith(f".{_COUNT}")}
    if not totals:
        return table
    for name in names:
        labels = totals.get(name.rpartition("[")[0])
        if labels is not None:
            labels.append(name)
    numbers = dict(zip(table.number_names, table.numbers, strict=True))
    cells = dict(zip(table.cell_names, table.cells, strict=True))
    for total, labels in totals.items():
        counted = numbers.get(total, np.full(table.rows, np.nan))
        items = total.removesuffix(f".{_COUNT}")
        is_empty = _are_empty(cells.get(items), table.rows)
        if is_empty.any():
            counted = np.where(is_empty & np.isnan(counted), 0.0, counted)
            if items not in known and all(cell is None or cell == [] for cell in cells[items]):
                del cells[items]
        if np.isnan(counted).all():
            continue
        numbers[total] = counted
        for name in labels:
            held = numbers.get(name, np.full(table.rows, np.nan))
            numbers[name] = np.where(np.isnan(held) & ~np.isnan(counted), 0.0, held)
    return _table(table, numbers, cells)


def _are_empty(cells: Sequence[Cell] | None, rows: int) -> NDArray[np.bool_]:
    if cells is None:
        return np.zeros(rows, np.bool_)
    return np.array([is_listed(cell) and len(cell) == 0 for cell in cells], np.bool_)


def _with_zeros(table: Table, names: Sequence[str], zeros: NDArray[np.float64]) -> Table:
    numbers = dict(zip(table.number_names, table.numbers, strict=True))
    numbers.update(dict.fromkeys(names, zeros))
    return _table(table, numbers, dict(zip(table.cell_names, table.cells, strict=True)))


def _table(table: Table, numbers: Mapping[str, NDArray[np.float64]], cells: Mapping[str, Sequence[Cell]]) -> Table:
    return replace(
        table,
        number_names=tuple(numbers),
        numbers=np.array(list(numbers.values()), np.float64).reshape(len(numbers), table.rows),
        cell_names=tuple(cells),
        cells=tuple(cells.values()),
    )


def _names(table: Table) -> frozenset[str]:
    return frozenset((*table.number_names, *table.cell_names))
