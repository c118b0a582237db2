"""The lease: of the processes of a machine, the one that judges for all."""

import logging
import os
from collections import Counter
from contextlib import suppress
from pathlib import Path

from dashlight.errors import StateError
from dashlight.store.locks import try_lock, unlock
from dashlight.store.private import count_trouble, open_private

logger = logging.getLogger(__name__)


class Lease:
    """A lock on a file that at most one process holds; the end of the holder, of whatever kind, frees it.

    Nothing here raises: what goes wrong is counted in `troubles` by its kind and said once.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = -1
        self._pid = 0
        """Who took it: a forked child has a copy of the descriptor and no lease."""
        self.troubles: Counter[str] = Counter()
        """`not_locked`: the file could not be made or locked."""

    @property
    def held(self) -> bool:
        """Whether this process took it last time; `take` says whether it still counts."""
        return self._descriptor >= 0 and self._pid == os.getpid()

    def take(self) -> bool:
        """Whether this process holds the lease from now on; a few microseconds, to be asked each pane."""
        if self.held and self._is_there():
            return True
        # Of a parent, or of a file that was removed or replaced under us: another process may hold the new one.
        self.forget()
        descriptor, is_locked = -1, False
        try:
            descriptor = open_private(self._path, os.O_RDWR | os.O_CREAT)
            is_locked = try_lock(descriptor, exclusive=True)
        except (OSError, StateError) as error:
            sentence = f"{self._path.name} cannot be locked: {error}"
            count_trouble(self.troubles, "not_locked", sentence, logger=logger)
        self._descriptor, self._pid = descriptor, os.getpid()
        # Where it was replaced between opening and locking, the next pane tries again.
        if is_locked and self._is_there():
            return True
        self.forget()
        return False

    def release(self) -> None:
        """Gives the lease to whoever asks next; nothing where this process does not hold it."""
        if self.held:
            with suppress(OSError):
                unlock(self._descriptor)  # also where a child that never forgot keeps a copy open
        self.forget()

    def forget(self) -> None:
        """Closes the descriptor and leaves the lock alone: what a forked child does at once.

        As long as a child's copy is open, the lock outlives the parent.
        """
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _is_there(self) -> bool:
        """Whether the file that is locked is the one at the path."""
        try:
            ours, found = os.fstat(self._descriptor), self._path.lstat()
        except OSError:
            return False
        return (ours.st_ino, ours.st_dev) == (found.st_ino, found.st_dev)
