"""The panes that processes of a machine post for the one of them that judges."""

import logging
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from dashlight.errors import StateError
from dashlight.store.frozen import Buffer
from dashlight.store.layout import Layout
from dashlight.store.private import DRAFT, count_trouble, is_abandoned, make_directory, read_private, write_private
from dashlight.store.refused import put_aside
from dashlight.workers.letters import (
    CLAIMED,
    MERGED,
    POSTED,
    TAKEN,
    Found,
    is_letter,
    is_worker,
    lightest,
    look,
    name_of,
    oldest_beyond,
    overdue,
)

logger = logging.getLogger(__name__)

MOST_OWN = 8
"""Panes of one worker that may wait; of more, several become one."""
MOST_UNMERGED = 64
"""Of them, where merging fails; the oldest beyond it are lost."""
MOST_FILES = 4096
"""Letters in the box; the oldest beyond it are lost."""
MOST_BYTES = 64 << 20
"""Of one letter, and of all of one worker that wait: the oldest beyond it are lost."""
MOST_MERGED_BYTES = MOST_BYTES // 2
"""Of letters that become one: to merge them, all are held in memory."""
MOST_OF_OTHERS = 64
"""Letters of other versions of dashlight that wait for a holder of that version."""
OTHERS_SECONDS = 3600.0
"""How long they wait."""

Pane = TypeVar("Pane")


@dataclass(frozen=True, slots=True)
class Letter:
    """One posted pane. Of each worker, sequences only grow: one at most as high as the last one counted was counted."""

    name: str
    worker: str
    sequence: int


class Mailbox(Generic[Pane]):
    """Letters of many posters for one reader: whoever holds the lease.

    A letter is *posted* until the reader has it, then *claimed* until it is discarded; a reader that died in between
    leaves it claimed for the next one. Until it is claimed its poster may take it back, to merge it with later ones.
    Nothing here raises: what goes wrong is counted in `troubles` by its kind and said once.
    """

    def __init__(
        self,
        directory: Path,
        worker: str,
        layout: Layout[Pane],
        *,
        merge: Callable[[Sequence[Pane]], Pane],
        lighten: Callable[[Pane], Pane] | None = None,
        said: set[str] | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        """*worker* names this start of this process and no other one ever, *merge* makes one pane of several.

        *lighten* leaves out of a pane that is too large for a letter what can be done without. *said*: see `count_trouble`.

        Raises:
            ValueError: *worker* is not made of letters, digits, `_` and `.`, 64 at most.
            StateError: the directory cannot be made or is not private.
        """
        if not is_worker(worker):
            raise ValueError(f"worker {worker!r}: expected at most 64 letters, digits, '_' and '.'")
        self._directory = directory
        self._worker = worker
        self._layout = layout
        self._merge = merge
        self._lighten = lighten
        self._said = said
        self._now = now
        self._others: set[str] = set()
        """Names of letters of other versions that are counted."""
        self.troubles: Counter[str] = Counter()
        """`not_written`, `not_merged`, `unreadable`, `corrupt`, `other_version`; `too_large`, of which something was left
        out; and what was removed unread: `too_many`, `too_many_of_other_versions`, `too_large_together`."""
        try:
            make_directory(directory)
            found = look(directory)
        except OSError as error:
            raise StateError("unusable", f"the mailbox cannot be used: {error}") from None
        own = [each for each in found if each.worker == worker]
        self._sequence = max((each.sequence for each in own), default=0)

    def post(self, pane: Pane) -> bool:
        """Leaves *pane* for whoever judges; False where it could not be left: then it is still the caller's."""
        try:
            self._write(POSTED, self._pieces(pane))
        except Exception as error:  # *lighten* is not ours
            self._trouble("not_written", f"a pane could not be posted: {error}")
            return False
        own = self._own()
        if len(own) > MOST_OWN or sum(each.status.st_size for each in own) > MOST_BYTES:
            chosen = lightest(own, MOST_MERGED_BYTES)
            if len(chosen) > 1:
                self._merge_own(chosen)
                own = self._own()
        for lost in oldest_beyond(own, MOST_BYTES):
            self._remove(lost.path)
            self._trouble("too_large_together", "panes that nobody reads are too large together: the oldest are lost")
        return True

    def waiting(self) -> list[Letter]:
        """The letters that nobody has discarded, of each worker in the order in which they were posted."""
        at = self._now()
        found = self._restored(self._look(), at)
        letters = [each for each in found if each.state in (POSTED, CLAIMED)]
        if len(letters) > MOST_FILES:
            letters.sort(key=lambda each: each.status.st_mtime_ns, reverse=True)
            for oldest in letters[MOST_FILES:]:
                self._remove(oldest.path)
                self._trouble("too_many", f"more than {MOST_FILES} panes wait: the oldest are lost")
            del letters[MOST_FILES:]
        self._tidy(found, at)
        self._others &= {each.name for each in letters}
        letters.sort(key=lambda each: (each.worker, each.sequence))
        return [Letter(each.name, each.worker, each.sequence) for each in letters]

    def read(self, letters: Iterable[Letter]) -> list[tuple[Letter, Pane]]:
        """Claims *letters* and gives what they hold; leaves out those taken back, unusable, or of another version.

        What is unusable is put aside. What is of another version stays for a holder of that version, for an hour.
        """
        panes: list[tuple[Letter, Pane]] = []
        others: list[Path] = []
        for letter in letters:
            path = self._path_of(letter)
            try:
                pane = self._content(path)
            except FileNotFoundError:  # taken back
                continue
            except (OSError, StateError) as error:
                if isinstance(error, StateError) and error.kind == "other_version":
                    self._note_other(letter.name, error)
                    others.append(path)
                else:
                    self._lose(error)
                    put_aside(path)
                continue
            # Claimed only now: what is of another version remains its poster's. One that is gone was taken back.
            if self._move(path, letter.worker, letter.sequence, CLAIMED):
                panes.append((letter, pane))
        for path in overdue(others, at=self._now(), most=MOST_OF_OTHERS, seconds=OTHERS_SECONDS):
            self._remove(path)
            self._trouble("too_many_of_other_versions", "panes of another version found no reader and are lost")
        return panes

    def discard(self, names: Iterable[str]) -> None:
        """Removes the letters of these names: what they hold is counted and kept."""
        for name in names:
            if is_letter(name):
                self._remove(self._directory / f"{name}{CLAIMED}")
                self._remove(self._directory / f"{name}{POSTED}")

    def _pieces(self, pane: Pane) -> list[Buffer]:
        """*pane* as bytes for a letter, lightened if need be; StateError where they are too many even so."""
        pieces = self._layout.freeze(pane)
        size_bytes = sum(map(len, pieces))
        if size_bytes > MOST_BYTES and self._lighten is not None:
            self._trouble("too_large", f"a pane of {size_bytes} bytes is too large to be posted whole")
            pieces = self._layout.freeze(self._lighten(pane))
            size_bytes = sum(map(len, pieces))
        if size_bytes > MOST_BYTES:
            raise StateError("not_written", f"a pane of {size_bytes} bytes is larger than {MOST_BYTES}")
        return pieces

    def _write(self, state: str, pieces: Sequence[Buffer], sequence: int = 0) -> None:
        if not sequence:
            self._sequence += 1
        path = self._directory / name_of(self._worker, sequence or self._sequence, state)
        try:
            write_private(path, *pieces)
        except FileNotFoundError:  # the mailbox was removed, and its directory may have been made anew
            make_directory(self._directory)
            write_private(path, *pieces)

    def _merge_own(self, own: Sequence[Found]) -> None:
        """Makes one letter of the posted ones in *own*.

        Each step is a rename, so that one who dies leaves either the old letters or the new one: the old ones are
        TAKEN, the new one is written whole as MERGED, the old ones are removed, the new one is POSTED.
        """
        self._sequence += 1
        sequence, taken, panes = self._sequence, list[Found](), list[Pane]()
        for each in sorted(own, key=lambda found: found.sequence):
            if self._move(each.path, each.worker, each.sequence, TAKEN):  # else the reader was there first
                path = each.path.with_suffix(TAKEN)
                try:
                    panes.append(self._content(path))
                except (OSError, StateError) as error:
                    self._lose(error)
                    self._remove(path)
                else:
                    taken.append(each)
        if not panes:
            return
        try:
            self._write(MERGED, self._pieces(self._merge(panes)), sequence)
        except Exception as error:  # *merge* is not ours: what it raises must not cost the panes
            self._trouble("not_merged", f"waiting panes could not be merged: {type(error).__name__}: {error}")
            for each in taken[:-MOST_UNMERGED]:
                self._remove(each.path.with_suffix(TAKEN))
                self._trouble("too_many", "panes could neither be merged nor read by anybody: the oldest are lost")
            for each in taken[-MOST_UNMERGED:]:
                self._move(each.path.with_suffix(TAKEN), each.worker, each.sequence, POSTED)
            return
        for each in taken:
            self._remove(each.path.with_suffix(TAKEN))
        # Where this fails, the reader finds it whole later.
        self._move(self._directory / name_of(self._worker, sequence, MERGED), self._worker, sequence, POSTED)

    def _move(self, path: Path, worker: str, sequence: int, state: str) -> bool:
        """Whether the file is in another state now; not where somebody else has moved it."""
        try:
            path.rename(self._directory / name_of(worker, sequence, state))
        except OSError:
            return False
        return True

    def _content(self, path: Path) -> Pane:
        return self._layout.thaw(read_private(path, most_bytes=MOST_BYTES)[0])

    def _lose(self, error: OSError | StateError) -> None:
        kind, verb = (error.kind, "used") if isinstance(error, StateError) else ("unreadable", "read")
        self._trouble(kind, f"a pane cannot be {verb} and is lost: {error}")

    def _restored(self, found: Sequence[Found], at: float) -> list[Found]:
        """*found* with what a poster left that died while it merged: the new letter if it is whole, else the old ones."""
        left = [each for each in found if each.state in (TAKEN, MERGED) and is_abandoned(each.status, at=at)]
        if not left:
            return list(found)
        whole = {each.worker: each.sequence for each in left if each.state == MERGED}
        for each in left:
            if each.state == TAKEN and each.sequence < whole.get(each.worker, 0):
                self._remove(each.path)
        for each in left:
            with suppress(OSError):  # removed just now
                each.path.rename(each.path.with_suffix(POSTED))
        return self._look()

    def _tidy(self, found: Iterable[Found], at: float) -> None:
        for each in found:
            if each.state == DRAFT and is_abandoned(each.status, at=at):
                self._remove(each.path)

    def _note_other(self, name: str, error: StateError) -> None:
        if name not in self._others:
            self._others.add(name)
            self._trouble(error.kind, f"panes wait for a process that can read them: {error}")

    def _path_of(self, letter: Letter) -> Path:
        claimed = self._directory / name_of(letter.worker, letter.sequence, CLAIMED)
        return claimed if claimed.exists() else claimed.with_suffix(POSTED)

    def _own(self) -> list[Found]:
        """What this worker posted and nobody has claimed."""
        return [each for each in self._look() if each.worker == self._worker and each.state == POSTED]

    def _look(self) -> list[Found]:
        try:
            return look(self._directory)
        except OSError as error:
            self._trouble("unreadable", f"the mailbox cannot be looked into: {error}")
            return []

    def _remove(self, path: Path) -> None:
        with suppress(OSError):  # somebody else did, or nobody can
            os.unlink(path)  # noqa: PTH108 - beside the others

    def _trouble(self, kind: str, sentence: str) -> None:
        count_trouble(self.troubles, kind, sentence, logger=logger, said=self._said)
