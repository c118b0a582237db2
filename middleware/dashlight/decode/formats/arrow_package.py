"""The parts of pyarrow, which the extra `parquet` brings; None where it is not installed."""

from typing import Any

from dashlight.decode.rows.extras import optional_module


def arrow_module() -> Any | None:
    """Types, arrays and tables."""
    return optional_module("pyarrow")


def ipc_module() -> Any | None:
    """Arrow's stream and file formats."""
    return optional_module("pyarrow.ipc")


def feather_module() -> Any | None:
    """Arrow's file format on a disk, compressed or not, and the one before it."""
    return optional_module("pyarrow.feather")


def parquet_module() -> Any | None:
    """Parquet files."""
    return optional_module("pyarrow.parquet")
