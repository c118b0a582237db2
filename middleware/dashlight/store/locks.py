"""Locks on open files, which end with the process that holds them, however it ends."""

from __future__ import annotations

from dashlight.errors import StateError

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows
    fcntl = None  # type: ignore[assignment]


def try_lock(descriptor: int, *, exclusive: bool) -> bool:
    """Whether the file is locked now, without waiting for whoever holds it; OSError where the file system cannot lock.

    The lock belongs to the open file: a forked child shares it, and closing the last copy ends it.
    """
    if fcntl is None:  # pragma: no cover - Windows
        raise StateError("unusable", "files cannot be locked on this system: each process goes on alone")
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def unlock(descriptor: int) -> None:
    """Ends the lock for everyone who shares the open file, a forked child too."""
    if fcntl is not None:  # pragma: no branch - Windows
        fcntl.flock(descriptor, fcntl.LOCK_UN)
