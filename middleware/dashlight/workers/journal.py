"""A small file in which a process keeps what it has counted and not handed on, for whoever finds it dead."""

from __future__ import annotations

import logging
import os
import struct
import threading
import zlib
from collections import Counter
from dataclasses import replace
from pathlib import Path

from dashlight.counting.machine import OTHER_ENDPOINTS
from dashlight.counting.remains import Remains, Uncounted
from dashlight.errors import StateError
from dashlight.records import Outcome
from dashlight.store.locks import try_lock
from dashlight.store.private import DRAFT, count_trouble, make_directory, open_private
from dashlight.workers.layouts import REMAINS

logger = logging.getLogger(__name__)

JOURNAL = ".journal"
"""End of the names of such files; before it stands the process."""
SLOT_BYTES = 32 << 10
"""Of each of the two slots."""
_HEAD = struct.Struct("<QII")
"""Number of the writing, from 1; bytes of what follows; checksum of both."""
_SUMMED = struct.Struct("<QI")


class Journal:
    """The journal of this process: two slots that are written in turn, so that one of them is whole at any moment.

    What was written outlives the process, not the machine. The file is locked for as long as the process lives, and it has
    its full size from the start: a disk that fills up later takes nothing from it. It is written by one call, and not
    mapped into memory: a store into a mapped file that somebody has cut short kills the process, and so the app.
    Nothing here raises: what goes wrong is counted in `troubles` by its kind and said once.
    """

    def __init__(self, directory: Path, process: str) -> None:
        self._path = directory / f"{process}{JOURNAL}"
        self._descriptor = -1
        self._pid = os.getpid()
        self._sequence = 0
        self._is_tried = self._is_failing = False
        self._lock = threading.Lock()
        self.troubles: Counter[str] = Counter()
        """`not_written`."""

    def renew(self) -> None:
        """Sees, each pane, that the file is there; makes it anew where it was removed, or could not be made."""
        with self._lock:
            if self._descriptor < 0 or not self._is_there():
                self._try_to_make()

    def write(self, remains: Remains) -> bool:
        """Keeps *remains* in place of what was kept before; False where that cannot be."""
        with self._lock:
            if not self._is_tried:
                self._try_to_make()
            if self._descriptor < 0 or self._pid != os.getpid():
                return False
            sequence = self._sequence + 1
            try:
                blob = _blob(remains)
                summed = _SUMMED.pack(sequence, len(blob))
                slot = _HEAD.pack(sequence, len(blob), zlib.crc32(summed)) + blob
                # What a call leaves out is torn, and seen as that: the other slot is whole.
                is_kept = len(slot) <= SLOT_BYTES and len(slot) == os.pwrite(
                    self._descriptor, slot, sequence % 2 * SLOT_BYTES
                )
                sentence = f"{len(slot)} bytes do not fit into it"
            except (OSError, StateError) as error:
                is_kept, sentence = False, str(error)
            if not is_kept:
                count_trouble(self.troubles, "not_written", f"the journal cannot be written: {sentence}", logger=logger)
                return False
            self._sequence = sequence
            return True

    def close(self) -> None:
        """Ends the lock: what is in the file is left to others from now on."""
        with self._lock:
            self._close()

    def forget(self) -> None:
        """Closes the descriptor and leaves the parent's lock alone: what a forked child does at once."""
        # Another thread may hold the lock of the parent's; here there is none.
        self._lock = threading.Lock()
        self._close()

    def _try_to_make(self) -> None:
        """Makes the file; where that fails it is counted once, until it goes well again."""
        self._is_tried = True
        try:
            self._make()
        except (OSError, StateError) as error:
            if not self._is_failing:
                sentence = (
                    f"no journal can be kept: what is counted in a pane is lost if the process is killed: {error}"
                )
                count_trouble(self.troubles, "not_written", sentence, logger=logger)
            self._is_failing = True
        else:
            self._is_failing = False

    def _make(self) -> None:
        make_directory(self._path.parent)
        draft = self._path.with_name(f"{self._path.name}.{os.getpid()}{DRAFT}")
        draft.unlink(missing_ok=True)
        # Locked before it has its name: nobody takes it for a dead one's.
        descriptor = open_private(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL)
        is_made = False
        try:
            is_whole = os.write(descriptor, bytes(2 * SLOT_BYTES)) == 2 * SLOT_BYTES
            if is_whole and try_lock(descriptor, exclusive=True):
                draft.rename(self._path)
                is_made = True
        finally:
            if not is_made:
                os.close(descriptor)
                draft.unlink(missing_ok=True)
        if not is_made:
            raise StateError("not_written", "there is no room for it, or its file system cannot lock")
        self._close()
        self._descriptor, self._pid, self._sequence = descriptor, os.getpid(), 0

    def _is_there(self) -> bool:
        """Whether the open file is this process's own, and the one at the path, in its full size."""
        try:
            ours, found = os.fstat(self._descriptor), self._path.lstat()
        except OSError:
            return False
        is_whole = ours.st_size == 2 * SLOT_BYTES
        return self._pid == os.getpid() and is_whole and (ours.st_ino, ours.st_dev) == (found.st_ino, found.st_dev)

    def _close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def read_journal(blob: bytes, process: str) -> Remains | None:
    """What a journal of these bytes holds, of *process*: the newest writing that is whole; None where none was begun.

    Raises:
        StateError: of kind `other_version`, or `corrupt` where neither slot is whole, or is of another process.
    """
    if len(blob) != 2 * SLOT_BYTES:
        raise StateError("corrupt", f"a journal of {len(blob)} bytes: expected {2 * SLOT_BYTES}")
    if not any(blob):
        return None
    found: list[tuple[int, bytes]] = []
    for place in (0, SLOT_BYTES):
        sequence, size_bytes, checksum = _HEAD.unpack_from(blob, place)
        is_sound = zlib.crc32(_SUMMED.pack(sequence, size_bytes)) == checksum and size_bytes <= SLOT_BYTES - _HEAD.size
        if is_sound and sequence:
            begin = place + _HEAD.size
            found.append((sequence, blob[begin : begin + size_bytes]))
    refusal = StateError("corrupt", "a journal without a whole slot")
    for _, body in sorted(found, reverse=True):
        try:
            remains = REMAINS.thaw(body)
        except StateError as error:  # torn: the other one is the writing before
            refusal = error
            continue
        if remains.process == process:
            return remains
        refusal = StateError("corrupt", f"the journal of {remains.process}: expected that of {process}")
    raise refusal


def _blob(remains: Remains) -> bytes:
    """*remains* as bytes for a slot; where they are too many, without the names of endpoints."""
    blob = b"".join(REMAINS.freeze(remains))
    if len(blob) > SLOT_BYTES - _HEAD.size:
        panes = {number: _without_routes(pane) for number, pane in remains.panes.items()}
        blob = b"".join(REMAINS.freeze(replace(remains, panes=panes)))
    return blob


def _without_routes(pane: Uncounted) -> Uncounted:
    whole: Counter[Outcome] = Counter()
    for outcomes in pane.requests.values():
        whole.update(outcomes)
    return Uncounted({OTHER_ENDPOINTS: whole}, pane.counts)
