"""Gives memory that was freed back to the system: learning a reference takes several times what is kept of it."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

SLACK_BYTES: Final = 16_000_000
"""Growth of resident memory from which it is worth looking for what was freed: that takes some milliseconds."""


class FreedMemory:
    """Has the allocator give back what it holds, where resident memory has grown since it last did."""

    def __init__(
        self, *, resident_bytes: Callable[[], int] | None = None, trim: Callable[[], object] | None = None
    ) -> None:
        """By default, and where the system has neither, nothing: glibc keeps freed memory, others may not."""
        self._resident_bytes = resident_bytes or _resident_bytes
        self._trim = trim or _glibc_trim()
        self._least_bytes = self._resident_bytes()

    def give_back(self) -> None:
        """To be called now and then. It reads one file, and mostly that is all."""
        if self._resident_bytes() > self._least_bytes + SLACK_BYTES:
            self._trim()
            self._least_bytes = self._resident_bytes()


def _resident_bytes() -> int:
    """Resident memory of this process; 0 where the system does not tell."""
    try:
        return int(Path("/proc/self/statm").read_bytes().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, AttributeError, IndexError, ValueError):
        return 0


def _glibc_trim() -> Callable[[], object]:
    """What glibc calls `malloc_trim(0)`, without the interpreter's lock; nothing with another C library."""
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError, TypeError):
        return lambda: None
    return lambda: trim(0)
