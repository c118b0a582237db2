"""DuckDB, held to the files that were named: no network, no extension from outside, bounded in memory and threads."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from dashlight.errors import MissingExtraError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    Database: TypeAlias = DuckDBPyConnection

MEMORY: Final = "2GB"
"""What does not fit lies in the temporary folder."""
MOST_THREADS: Final = 4

_PACKAGES: Final = ("duckdb", "narwhals", "pyarrow")


class QueryError(Exception):
    """A query failed; its text is the first line of what DuckDB says, without its advice."""


def open_database(files: Iterable[Path], folder: Path) -> Database:
    """A database in memory that may read *files* and what lies in *folder*, where it also puts what is too large.

    Raises:
        MissingExtraError: DuckDB, or what gives its rows as frames, is not installed.
    """
    for package in _PACKAGES:  # told now, not after a long scan
        if find_spec(package) is None:
            raise MissingExtraError(package, "cli")
    import duckdb

    database = duckdb.connect(
        ":memory:",
        config={
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "memory_limit": MEMORY,
            "threads": str(min(os.cpu_count() or 1, MOST_THREADS)),
            "temp_directory": str(folder / "spilled"),
        },
    )
    allowed = ", ".join(literal(str(path)) for path in files)
    database.execute(f"SET allowed_paths = [{allowed}]")
    database.execute(f"SET allowed_directories = [{literal(str(folder))}]")
    database.execute("SET enable_external_access = false")
    database.execute("SET lock_configuration = true")
    return database


def rows_of(database: Database, query: str) -> list[tuple[Any, ...]]:
    """The rows of *query*; QueryError where it fails."""
    import duckdb

    try:
        rows: list[tuple[Any, ...]] = database.execute(query).fetchall()
    except duckdb.Error as error:
        text = str(error).strip().splitlines()[0]
        raise QueryError(text.split(" Error: ", 1)[-1]) from error
    return rows


def batches_of(database: Database, query: str, batch_rows: int) -> Iterator[Any]:
    """The rows of *query* as batches of Arrow of about so many rows, read as they are asked for."""
    cursor = database.cursor()  # kept as long as its rows are: older ones close it with the last name for it
    rows: Any = cursor.sql(query)
    read_by = rows.to_arrow_reader if "to_arrow_reader" in dir(rows) else rows.fetch_arrow_reader  # its older name
    yield from read_by(batch_rows)


def literal(text: str) -> str:
    """*text* as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


def quoted(name: str) -> str:
    """*name* as SQL writes that of a column or a table."""
    return '"' + name.replace('"', '""') + '"'
