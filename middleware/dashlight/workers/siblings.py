"""Whether another process of the same server is about to come: one that was started, and has not entered yet."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path

_PROCESSES = Path("/proc")
_NUMBER = re.compile(rb"\d+")
_ENDED = frozenset({"X", "Z"})


def is_anybody_coming(entered: Collection[int]) -> bool:
    """Whether a child of our parent runs the same command as we do and is none of *entered*, by their process ids.

    A server that replaces its workers starts the new ones before it ends the old ones, and a start takes longer than an
    end. False where the system does not tell.
    """
    ours = _command(os.getpid())
    if ours is None:
        return False
    known = {*entered, os.getpid()}
    return any(pid not in known and _command(pid) == ours for pid in _children(os.getppid()))


def _children(parent: int) -> Iterator[int]:
    for path in _PROCESSES.iterdir():
        if not path.name.isdigit():
            continue
        with suppress(OSError, ValueError, IndexError):  # it ended meanwhile
            # The name of the command stands in parentheses and may hold anything.
            state, its_parent = (path / "stat").read_text(errors="replace").rpartition(")")[2].split()[:2]
            if int(its_parent) == parent and state not in _ENDED:
                yield int(path.name)


def _command(pid: int) -> bytes | None:
    """The command line of a process, its numbers left out: those of descriptors and workers differ."""
    try:
        return _NUMBER.sub(b"0", (_PROCESSES / str(pid) / "cmdline").read_bytes())
    except OSError:
        return None
