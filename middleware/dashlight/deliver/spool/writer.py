"""The segment that is being written: append only, and cut back where a write fails half way."""

import os
from collections.abc import Callable
from contextlib import suppress

from dashlight.deliver.spool.segments import Segment
from dashlight.store.private import open_private


class SegmentWriter:
    """Appends records to a new segment."""

    def __init__(self, segment: Segment, *, step: Callable[[str], None]) -> None:
        """OSError where the file cannot be made."""
        self.segment = segment
        self.size_bytes = self.count = 0
        self._step = step
        self._descriptor = open_private(segment.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND)
        step("segment made")

    def append(self, frame: bytes, count: int) -> None:
        """Writes *frame*, a record of *count* entries, whole or not at all; OSError where it cannot be."""
        left = memoryview(frame)
        try:
            while left:
                left = left[os.write(self._descriptor, left) :]
                self._step("record written")
        except OSError:
            with suppress(OSError):
                os.ftruncate(self._descriptor, self.size_bytes)
            raise
        self.size_bytes += len(frame)
        self.count += count

    def sync(self) -> None:
        """Has what was written reach the disk, and the name of the file too."""
        os.fsync(self._descriptor)
        directory = os.open(self.segment.directory, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)

    def seal(self) -> Segment:
        """Ends it, and gives the segment its lasting name."""
        self.forget()
        self.segment.seal(self.count)
        return self.segment

    def forget(self) -> None:
        """Closes the descriptor: what a forked child does at once."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
