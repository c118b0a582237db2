"""From the cells of a table of DuckDB, read by the writings of their columns, to values: in a table of their own."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Final

from dashlight.cli.scan.cells_sql import odd, parts, value
from dashlight.cli.scan.database import run
from dashlight.window.columns import Writing

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

CELLS: Final = "cells"
"""The table of the columns as they came."""
VALUES: Final = "found"
"""The table of what was found in them."""
MOMENT: Final = "moment"
"""The column of that which orders the rows."""
_WITH_PARTS: Final = frozenset({"number", "time"})


def convert(
    database: DuckDBPyConnection,
    columns: Collection[str],
    writings: Mapping[str, Writing],
    *,
    odd_in: Collection[str],
    moment: str | None,
) -> None:
    """Makes the table VALUES out of the table CELLS, which goes.

    Args:
        database: Where both stand.
        columns: All columns.
        writings: Of those that are text.
        odd_in: Columns with odd cells, which stand in `odd_name` of the column.
        moment: The column that orders the rows; a copy of it is MOMENT.
    """
    written = writings.items()
    groups = [f"{parts(name, writing)} AS parts_{name}" for name, writing in written if writing.kind in _WITH_PARTS]
    values = [f"{value(name, writing, f'parts_{name}')} AS value_{name}" for name, writing in written]
    found = {name: f"value_{name}" if name in writings else name for name in columns}
    chosen = [f"{expression} AS {name}" for name, expression in found.items()]
    chosen += [f"{odd(name, found[name], writings[name])} AS {odd_name(name)}" for name in odd_in]
    chosen += [f"{found[moment]} AS {MOMENT}"] if moment is not None else []
    # One step after the other, for a structure or a value is asked for more than once.
    steps = f"SELECT {', '.join(['*', *groups])} FROM {CELLS}"
    steps = f"SELECT {', '.join(['*', *values])} FROM ({steps})"
    run(database, f"CREATE TABLE {VALUES} AS SELECT {', '.join(chosen)} FROM ({steps})")
    run(database, f"DROP TABLE {CELLS}")


def sort(database: DuckDBPyConnection) -> None:
    """Orders VALUES by MOMENT; rows of one moment stay as they were."""
    numbered = f"SELECT *, rowid AS place FROM {VALUES}"
    run(database, f"CREATE TABLE ordered AS SELECT * EXCLUDE (place) FROM ({numbered}) ORDER BY {MOMENT}, place")
    run(database, f"DROP TABLE {VALUES}")
    run(database, f"ALTER TABLE ordered RENAME TO {VALUES}")


def odd_name(column: str) -> str:
    """The column of the odd cells of *column*."""
    return f"odd_{column}"
