"""The journals of processes that ended: found by their locks, which end with a process however that ends."""

from __future__ import annotations

import logging
import os
import re
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from dashlight.counting.remains import Remains
from dashlight.errors import StateError
from dashlight.store.locks import try_lock
from dashlight.store.private import DRAFT, count_trouble, is_abandoned, open_private
from dashlight.workers.journal import JOURNAL, SLOT_BYTES, read_journal
from dashlight.workers.letters import WORKER

logger = logging.getLogger(__name__)

MOST_AT_ONCE = 256
"""Journals that are read for one pane; the others wait for the next."""
_JOURNAL = re.compile(rf"({WORKER}){re.escape(JOURNAL)}")


class DeadJournals:
    """What the processes left that run no longer. For the one that judges.

    Nothing here raises: what goes wrong is counted in `troubles` by its kind and said once.
    """

    def __init__(self, directory: Path, process: str) -> None:
        """*process* is this one, which is not looked at."""
        self._directory = directory
        self._process = process
        self._done: set[str] = set()
        """Processes whose journals are counted, and could not be removed."""
        self._refused: set[str] = set()
        """Names of journals that are counted as unusable."""
        self.alive: set[str] = set()
        """Processes whose journals were locked when it was last looked."""
        self.troubles: Counter[str] = Counter()
        """`unreadable`, `corrupt`, `other_version`."""

    def find(self, *, at: float) -> list[Remains]:
        """The remains of those that have ended and are not discarded; empty ones of those that left nothing readable."""
        found: list[Remains] = []
        self.alive.clear()
        for name in self._names():
            match = _JOURNAL.fullmatch(name)
            if match is None:
                if name.endswith(DRAFT):
                    self._tidy(self._directory / name, at)
                continue
            process = match[1]
            if process in {self._process, *self._done} or len(found) >= MOST_AT_ONCE:
                continue
            remains = self._read(name, process)
            if remains is None:
                self.alive.add(process)
            else:
                found.append(remains)
        return found

    def discard(self, processes: Iterable[str]) -> None:
        """Removes the journals of *processes*: what they hold is counted and kept."""
        for process in processes:
            path = self._directory / f"{process}{JOURNAL}"
            with suppress(OSError):
                path.unlink(missing_ok=True)
            if path.exists():
                self._done.add(process)

    def _names(self) -> list[str]:
        try:
            return sorted(os.listdir(self._directory))  # noqa: PTH208 - names are enough
        except OSError:  # nobody has kept a journal
            return []

    def _read(self, name: str, process: str) -> Remains | None:
        """What the process left; None where it lives, or is not ours to look at."""
        nothing = Remains(process)
        try:
            descriptor = open_private(self._directory / name, os.O_RDWR)
        except OSError as error:  # somebody else's, a link, or removed meanwhile
            if not isinstance(error, FileNotFoundError):
                self._refuse(name, "unreadable", error)
            return None
        try:
            if not try_lock(descriptor, exclusive=True):
                return None
            remains = read_journal(os.pread(descriptor, 2 * SLOT_BYTES + 1, 0), process)
        except StateError as error:
            self._refuse(name, error.kind, error)
            return nothing
        except OSError as error:
            self._refuse(name, "unreadable", error)
            return nothing
        finally:
            os.close(descriptor)
        return remains or nothing

    def _refuse(self, name: str, kind: str, error: Exception) -> None:
        if name not in self._refused:
            self._refused.add(name)
            count_trouble(
                self.troubles, kind, f"what a process left cannot be read and is lost: {error}", logger=logger
            )

    def _tidy(self, path: Path, at: float) -> None:
        with suppress(OSError):
            if is_abandoned(path.lstat(), at=at):
                path.unlink()
