"""By what a file that was replaced is told from the one that was read."""

from pathlib import Path
from typing import TypeAlias

Signature: TypeAlias = tuple[int, int, int]
"""Inode, moment of the last change in nanoseconds, size in bytes."""


def signature(path: Path) -> Signature:
    """The signature of the file at *path*; OSError where it cannot be seen."""
    status = path.stat()
    return status.st_ino, status.st_mtime_ns, status.st_size
