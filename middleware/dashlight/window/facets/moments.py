"""Moments that come as text where the reference counts them in seconds: JSON has no type for them. Pure."""

import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from dashlight.records import Cell, Table
from dashlight.window.columns import ColumnReference

EARLIEST: Final = 1e8
"""Seconds since the epoch, in 1973: a column whose numbers are all later may hold moments."""

_MOMENT = re.compile(
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})(?:[T ](?P<time>[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?)"
    r"(?:Z|(?P<zone>[+-][0-9]{2}):?(?P<minutes>[0-9]{2}))?)?"
)
_LONGEST = 40


def moment_columns(columns: Sequence[ColumnReference]) -> frozenset[str]:
    """Names of those of *columns* that may count moments in seconds."""
    return frozenset(column.name for column in columns if column.kind == "numeric" and column.low >= EARLIEST)


def seconds_of(text: str) -> float | None:
    """Seconds since the epoch of *text*, as ISO 8601 writes a moment (UTC where it names no zone); None for anything else."""
    found = _MOMENT.fullmatch(text) if len(text) <= _LONGEST else None
    if found is None:
        return None
    try:
        moment = np.datetime64(f"{found['day']}T{found['time'] or '00:00'}", "us")
    except ValueError:  # a thirteenth month
        return None
    offset = 0
    if found["zone"]:
        sign = -1 if found["zone"].startswith("-") else 1
        offset = sign * (3600 * abs(int(found["zone"])) + 60 * int(found["minutes"]))
    return float(moment.astype(np.int64)) / 1e6 - offset


def with_moments(table: Table, names: Collection[str]) -> Table:
    """*table* with seconds in place of the moments that the columns *names* hold as text, where all of a column are some."""
    found: dict[str, list[float]] = {}
    for name, cells in zip(table.cell_names, table.cells, strict=True):
        seconds = [_seconds(cell) for cell in cells] if name in names and str in set(map(type, cells)) else [None]
        if None not in seconds:
            found[name] = [value for value in seconds if value is not None]
    if not found:
        return table
    kept = [at for at, name in enumerate(table.cell_names) if name not in found]
    return replace(
        table,
        number_names=(*table.number_names, *found),
        numbers=np.concatenate([table.numbers, np.array(list(found.values()), np.float64)]),
        cell_names=tuple(table.cell_names[at] for at in kept),
        cells=tuple(table.cells[at] for at in kept),
    )


def _seconds(cell: Cell) -> float | None:
    if isinstance(cell, str):
        return seconds_of(cell)
    if cell is None:
        return float("nan")
    return float(cell) if isinstance(cell, int | float) and not isinstance(cell, bool) else None
