"""DuckDB, held to the files that were named: no network, no extension from outside, bounded in memory and threads."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dashlight.errors import MissingExtraError, ReferenceDataError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MEMORY: Final = "2GB"
"""What does not fit lies in the temporary folder."""
MOST_THREADS: Final = 4


def open_database(files: Iterable[Path], folder: Path) -> DuckDBPyConnection:
    """A database in memory that may read *files* and what lies in *folder*, where it also puts what is too large.

    Raises:
        MissingExtraError: DuckDB, or what gives its rows as frames, is not installed.
    """
    try:
        import duckdb
        import narwhals  # noqa: F401  # pyright: ignore[reportUnusedImport]  # missing here, not after a long scan
        import pyarrow  # noqa: F401, ICN001  # pyright: ignore[reportUnusedImport]
    except ImportError as error:
        raise MissingExtraError(error.name or "duckdb", "cli") from None
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


def run(database: DuckDBPyConnection, query: str) -> list[tuple[object, ...]]:
    """The rows of *query*; ReferenceDataError where the file cannot be read."""
    import duckdb

    try:
        rows: list[tuple[object, ...]] = database.execute(query).fetchall()
    except duckdb.Error as error:
        raise ReferenceDataError(f"cannot be read: {first_line(error)}") from error
    return rows


def first_line(error: Exception) -> str:
    """What DuckDB says of an *error*, without its advice."""
    text = str(error).strip().splitlines()[0]
    return text.split(" Error: ", 1)[-1]


def literal(text: str) -> str:
    """*text* as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"
