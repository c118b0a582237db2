"""Segments: files of records, their names, and how far each has been delivered."""

import os
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from dashlight.deliver.spool.records import Frame, content_of, frame_at, frames
from dashlight.errors import StateError
from dashlight.store.private import open_private, read_private

_NAME = re.compile(r"([a-z]+)\.([a-z0-9-]+)\.([0-9a-f]*)\.(\d{10})\.(\d{13})\.(?:open|(\d{1,10})\.seg)")
_ACK, _ACK_DRAFT = ".ack", ".ack-draft"
_MOST_ACK_BYTES = 100


@dataclass(frozen=True, slots=True)
class Kind:
    """What tells records that may be sent from those that may not: what they are, in which format, under which key."""

    signal: str
    """`spans` or `events`."""
    format: str
    """Of the requests, by their content type."""
    key_id: str = ""
    """Of the key with which they are sealed; empty where they are not."""

    def __str__(self) -> str:
        return f"{self.signal}.{self.format}.{self.key_id}"

    @property
    def label(self) -> bytes:
        """What a seal is bound to."""
        return str(self).encode()


@dataclass(frozen=True, slots=True)
class SegmentName:
    """What the name of a segment says."""

    kind: Kind
    number: int
    made_ms: int
    """When it was begun, in milliseconds since the epoch: the order in which all segments go."""
    count: int | None
    """Entries in it; None where it is still written to."""

    @classmethod
    def read(cls, name: str) -> "SegmentName | None":
        """What *name* says; None where it is not that of a segment."""
        found = _NAME.fullmatch(name)
        if found is None:
            return None
        count = None if found[6] is None else int(found[6])
        return cls(Kind(found[1], found[2], found[3]), int(found[4]), int(found[5]), count)

    @property
    def stem(self) -> str:
        """What stays the same when it is sealed."""
        return f"{self.kind}.{self.number:010d}.{self.made_ms:013d}"

    def __str__(self) -> str:
        return f"{self.stem}.open" if self.count is None else f"{self.stem}.{self.count}.seg"


class Segment:
    """One sealed segment, and how far it has been settled. *step* hears of each step that a kill may come after."""

    def __init__(self, directory: Path, name: SegmentName, *, step: Callable[[str], None]) -> None:
        """Of a segment that was never sealed because its writer died, the entries are counted by the headers."""
        self.directory = directory
        self.name = name
        self.in_hand_count = 0
        """Entries that are being sent now."""
        self.is_gone = False
        """Whether it was removed, to make room or because it is damaged."""
        self._count = name.count or 0
        self._step = step
        self._acked_offset = self._acked_count = 0

    @classmethod
    def found(cls, directory: Path, name: SegmentName, *, step: Callable[[str], None]) -> "Segment | None":
        """The one that another process left; None where nothing in it is left to do. OSError where it cannot be read."""
        segment = cls(directory, name, step=step)
        if name.count is None:
            segment.seal(_counted(segment.path))
        acked = _acked(directory / f"{name.stem}{_ACK}")
        if acked is not None:
            segment._believe(*acked)
        if segment.left_count <= 0:
            segment.remove()
            return None
        return segment

    @property
    def path(self) -> Path:
        """Where it stands."""
        return self.directory / str(self.name)

    @property
    def order(self) -> tuple[int, int]:
        """The oldest first."""
        return self.name.made_ms, self.name.number

    @property
    def left_count(self) -> int:
        """Entries that are not settled, those in hand among them."""
        return self._count - self._acked_count

    @property
    def spooled_count(self) -> int:
        """Entries that are neither settled nor in hand."""
        return self.left_count - self.in_hand_count

    def seal(self, count: int) -> None:
        """Gives it the name of one that is complete, and holds *count* entries."""
        self._count = count
        named = replace(self.name, count=count)
        with suppress(OSError):  # where nothing can be renamed, it can still be read and sent
            self.path.rename(self.directory / str(named))
            self.name = named
        self._step("segment sealed")

    def read(self) -> tuple[Frame, bytes] | None:
        """The first record that is not settled, None at the end.

        StateError where it is damaged, FileNotFoundError where somebody removed the segment, to make room.
        """
        descriptor = open_private(self.path, os.O_RDONLY)
        try:
            frame = frame_at(descriptor, self._acked_offset)
            return None if frame is None else (frame, content_of(descriptor, frame))
        finally:
            os.close(descriptor)

    def settle(self, frame: Frame) -> None:
        """Notes that *frame*, and so everything before it, need never be sent again; removes what is settled wholly."""
        self._acked_offset, self._acked_count = frame.end, self._acked_count + frame.count
        if self.left_count <= 0:
            self.remove()
            return
        draft = self.directory / f"{self.name.stem}{_ACK_DRAFT}"
        draft.unlink(missing_ok=True)
        descriptor = open_private(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        try:
            os.write(descriptor, f"{self._acked_offset} {self._acked_count}\n".encode())
        finally:
            os.close(descriptor)
        self._step("ack written")
        draft.rename(self.directory / f"{self.name.stem}{_ACK}")
        self._step("ack named")

    def remove(self) -> None:
        """Removes it, and only then what was noted of it: the other way round, a kill would send all of it again."""
        self.path.unlink(missing_ok=True)
        self._step("segment removed")
        (self.directory / f"{self.name.stem}{_ACK}").unlink(missing_ok=True)
        self._step("ack removed")

    def _believe(self, offset: int, count: int) -> None:
        """Takes up an acknowledgement, where a record ends at *offset*: a power cut may leave any bytes in its file."""
        descriptor = open_private(self.path, os.O_RDONLY)
        acked_count = 0
        try:
            with suppress(StateError):
                for frame in frames(descriptor):
                    acked_count += frame.count
                    if frame.end >= offset:
                        if (frame.end, acked_count) == (offset, count):
                            self._acked_offset, self._acked_count = offset, count
                        return
        finally:
            os.close(descriptor)


def remove_strays(directory: Path) -> None:
    """Removes what was noted of segments that are gone, and drafts: a process was killed between two steps."""
    with suppress(OSError):
        names = [path.name for path in directory.iterdir()]
        stems = {name.stem for name in map(SegmentName.read, names) if name is not None}
        for each in names:
            if each.endswith(_ACK_DRAFT) or (each.endswith(_ACK) and each.removesuffix(_ACK) not in stems):
                (directory / each).unlink(missing_ok=True)


def unsettled_count(path: Path, name: SegmentName) -> int:
    """Entries of the segment at *path* that nobody has settled, by its name and its acknowledgement alone."""
    acked = _acked(path.with_name(f"{name.stem}{_ACK}"))
    try:
        count = _counted(path) if name.count is None else name.count
    except OSError:
        return 0
    return max(count - (0 if acked is None else acked[1]), 0)


def _counted(path: Path) -> int:
    """Entries of a segment by its headers; a damaged header counts as one entry, for how many it was nobody knows."""
    descriptor = open_private(path, os.O_RDONLY)
    count = 0
    try:
        for frame in frames(descriptor):
            count += frame.count
    except StateError:
        count += 1
    finally:
        os.close(descriptor)
    return count


def _acked(path: Path) -> tuple[int, int] | None:
    """Offset and number of entries up to which a segment is settled, as noted at *path*; None where nothing is."""
    try:
        blob, _ = read_private(path, most_bytes=_MOST_ACK_BYTES)
        offset, count = bytes(blob).split()
        return int(offset), int(count)
    except (OSError, ValueError):
        return None
