"""From the cells of a table of DuckDB, read by the writings of their columns, to values: in a table of their own."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Final

from dashlight.cli.scan.cells_sql import odd, parts, plain_value, value
from dashlight.cli.scan.database import rows_of
from dashlight.window.columns import Writing

if TYPE_CHECKING:
    from dashlight.cli.scan.database import Database

CELLS: Final = "cells"
"""The table of the columns as they came."""
VALUES: Final = "found"
"""The table of what was found in them."""
MOMENT: Final = "moment"
"""The column of that which orders the rows."""
_WITH_PARTS: Final = frozenset({"number", "time"})


def convert(
    database: Database,
    columns: Collection[str],
    writings: Mapping[str, Writing],
    *,
    plain: Collection[str],
    odd_in: Collection[str],
    moment: str | None,
) -> None:
    """Makes the table VALUES out of the table CELLS, which goes.

    Args:
        database: Where both stand.
        columns: All columns.
        writings: Of those that are text.
        plain: Columns all of whose cells are plain, see `plain_value`.
        odd_in: Columns with odd cells, which stand in `odd_name` of the column.
        moment: The column that orders the rows; a copy of it is MOMENT.
    """
    written = writings.items()
    with_parts = {name for name, writing in written if writing.kind in _WITH_PARTS and name not in plain}
    groups = [f"{parts(name, writing)} AS parts_{name}" for name, writing in written if name in with_parts]
    values = [
        f"{plain_value(name, writing)} AS value_{name}"
        if writing.kind in _WITH_PARTS and name in plain
        else f"{value(name, writing, f'parts_{name}')} AS value_{name}"
        for name, writing in written
    ]
    found = {name: f"value_{name}" if name in writings else name for name in columns}
    chosen = [f"{expression} AS {name}" for name, expression in found.items()]
    chosen += [f"{odd(name, found[name], writings[name])} AS {odd_name(name)}" for name in odd_in]
    chosen += [f"{found[moment]} AS {MOMENT}"] if moment is not None else []
    # One step after the other, for a structure or a value is asked for more than once.
    steps = f"SELECT {', '.join(['*', *groups])} FROM {CELLS}"
    steps = f"SELECT {', '.join(['*', *values])} FROM ({steps})"
    rows_of(database, f"CREATE TABLE {VALUES} AS SELECT {', '.join(chosen)} FROM ({steps})")
    rows_of(database, f"DROP TABLE {CELLS}")


def sort(database: Database) -> None:
    """Orders VALUES by MOMENT; rows of one moment stay as they were."""
    numbered = f"SELECT *, rowid AS place FROM {VALUES}"
    rows_of(database, f"CREATE TABLE ordered AS SELECT * EXCLUDE (place) FROM ({numbered}) ORDER BY {MOMENT}, place")
    rows_of(database, f"DROP TABLE {VALUES}")
    rows_of(database, f"ALTER TABLE ordered RENAME TO {VALUES}")


def odd_name(column: str) -> str:
    """The column of the odd cells of *column*."""
    return f"odd_{column}"
