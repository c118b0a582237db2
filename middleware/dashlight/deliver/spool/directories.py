"""Directories of the spool: each has one owner, who holds a lock that ends with its process, however that ends."""

import os
import shutil
import uuid
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import sleep
from typing import Final

from dashlight.store.locks import try_lock
from dashlight.store.private import is_abandoned, make_directory, open_private

LOCK: Final = "lock"
QUARANTINE: Final = "quarantine"
_PREFIX, _NEW = "w-", ".new"
_TRIES, _PAUSE_SECONDS = 50, 0.002
"""How long the lock of the whole spool is waited for: its holder writes one record."""


class OwnedDirectory:
    """A directory of which this process holds the lock."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor

    @classmethod
    def make(cls, root: Path, *, step: Callable[[str], None]) -> "OwnedDirectory":
        """A new one below *root*. It gets its name once it is locked: nobody ever sees it without an owner.

        OSError or StateError where it cannot be made or locked.
        """
        path = root / f"{_PREFIX}{os.getpid()}-{uuid.uuid4().hex[:8]}"
        draft = path.with_name(path.name + _NEW)
        make_directory(draft)
        step("directory made")
        descriptor = open_private(draft / LOCK, os.O_RDWR | os.O_CREAT)
        try:
            try_lock(descriptor, exclusive=True)  # nobody else knows of it yet
            step("directory locked")
            draft.rename(path)
        except BaseException:
            os.close(descriptor)
            raise
        return cls(path, descriptor)

    @classmethod
    def adopt(cls, path: Path) -> "OwnedDirectory | None":
        """The one at *path*, if its owner is gone; None where it is not, or where there is none any more."""
        try:
            # Made where it is missing: its owner died while removing the directory.
            descriptor = open_private(path / LOCK, os.O_RDWR | os.O_CREAT)
        except OSError:
            return None
        with suppress(OSError):
            if try_lock(descriptor, exclusive=True) and _is_at(path / LOCK, descriptor):
                return cls(path, descriptor)
        os.close(descriptor)
        return None

    @property
    def is_there(self) -> bool:
        """Whether nobody has removed it."""
        return _is_at(self.path / LOCK, self._descriptor)

    def leave(self) -> None:
        """Gives it up, and removes it where nothing is in it but the lock."""
        with suppress(OSError):
            if self.is_there and os.listdir(self.path) == [LOCK]:  # noqa: PTH208 - names are all that is wanted
                (self.path / LOCK).unlink()
                self.path.rmdir()
        self.forget()

    def forget(self) -> None:
        """Closes the descriptor: what a forked child does at once, or the lock would outlive the parent."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def directories(root: Path) -> list[Path]:
    """Those of all owners, the living and the dead."""
    return sorted(path for path in root.glob(f"{_PREFIX}*") if path.suffix != _NEW)


def is_owned(path: Path) -> bool:
    """Whether a process holds the lock of the directory at *path*; looks, and takes nothing."""
    try:
        descriptor = open_private(path / LOCK, os.O_RDONLY)
    except OSError:
        return False
    try:
        # Shared: two that look at the same time do not take each other for the owner.
        return not try_lock(descriptor, exclusive=False)
    except OSError:
        return True
    finally:
        os.close(descriptor)


def remove_drafts(root: Path, *, at: float) -> None:
    """Removes directories whose makers died before these had a name; *at* in seconds since the epoch."""
    for path in root.glob(f"{_PREFIX}*{_NEW}"):
        with suppress(OSError):
            if is_abandoned(path.lstat(), at=at) and not is_owned(path):
                shutil.rmtree(path)


@contextmanager
def locked(root: Path, hold: Callable[[int], None]) -> Generator[None]:
    """Holds the lock of the whole spool, so that all its processes keep one budget; *hold* is told the descriptor.

    Who cannot get it soon goes on without: a process that was stopped must not stop the others.
    """
    descriptor = open_private(root / LOCK, os.O_RDWR | os.O_CREAT)
    hold(descriptor)
    try:
        for _ in range(_TRIES):
            if try_lock(descriptor, exclusive=True):
                break
            sleep(_PAUSE_SECONDS)
        yield
    finally:
        hold(-1)
        os.close(descriptor)


def _is_at(path: Path, descriptor: int) -> bool:
    """Whether the open file is the one at *path*."""
    try:
        found, ours = path.lstat(), os.fstat(descriptor)
    except OSError:
        return False
    return (found.st_dev, found.st_ino) == (ours.st_dev, ours.st_ino)
