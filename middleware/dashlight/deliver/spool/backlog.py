"""What of one signal waits in the spool: written by one thread, and read from the oldest on, a record at a time."""

from bisect import insort
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path

from dashlight.deliver.spool.holder import LossReason, SpoolAccount
from dashlight.deliver.spool.quarantine import set_aside
from dashlight.deliver.spool.records import Frame, SpoolRecord, packed, unpacked
from dashlight.deliver.spool.segments import Kind, Segment, SegmentName
from dashlight.deliver.spool.spool import Spool
from dashlight.deliver.spool.writer import SegmentWriter
from dashlight.errors import StateError

_ORDER = attrgetter("order")


@dataclass(slots=True)
class TakenRecord:
    """A record that is being sent."""

    record: SpoolRecord
    segment: Segment
    frame: Frame
    left_count: int
    """Entries of which nobody has said yet what became of them."""


class Backlog:
    """What of one *signal* waits on disk, in the format of one content type. One record is in hand at a time."""

    def __init__(self, spool: Spool, *, signal: str, content_type: str, account: SpoolAccount) -> None:
        """*account* keeps the books; the count that `append` adds to it is told by whoever appends."""
        self.spool = spool
        self.signal = signal
        self.account = account
        plain = Kind(signal, _word(content_type))
        self._kind = plain if spool.seal is None else Kind(signal, plain.format, spool.seal.id)
        self._kinds = {plain, self._kind}
        self._segments: list[Segment] = []
        self._writer: SegmentWriter | None = None
        self._in_hand: TakenRecord | None = None
        self._number = 0
        spool.join(self)

    @property
    def is_waiting(self) -> bool:
        """Whether there is something to take."""
        if self._in_hand is not None:
            return False
        return bool(self._segments) or self._writer is not None

    def append(self, record: SpoolRecord, *, booked: Callable[[], None]) -> bool:
        """Whether *record* was kept; *booked* is called before anyone else can take or lose it."""
        if not self.spool.is_usable:
            return False
        frame = packed(record, seal=self.spool.seal, label=self._kind.label)
        return self.spool.keep(self, frame, len(record.payloads), booked=booked)

    def take(self) -> TakenRecord | None:
        """The oldest record, from then on in hand until it is settled; None where there is none, or one is in hand."""
        with self.spool.lock:
            while self.is_waiting and not self.spool.is_closed:
                if not self._segments:
                    self.seal()
                    continue
                segment = self._segments[0]
                try:
                    found = segment.read()
                    record = None if found is None else self._unpacked(found[1], segment.name.kind)
                except FileNotFoundError:
                    self._lose(segment, "spool_full")
                    continue
                except (OSError, StateError):
                    self._lose(segment, "corrupt")
                    continue
                if found is None or record is None or len(record.payloads) != found[0].count:
                    # It ends before all is there that its name tells of.
                    self._lose(segment, "corrupt")
                    continue
                segment.in_hand_count = found[0].count
                self._in_hand = TakenRecord(record, segment, found[0], found[0].count)
                return self._in_hand
            return None

    def settle(self, taken: TakenRecord, count: int) -> None:
        """Notes of *count* entries of what is in hand that they need not be sent again; with the last, of the record."""
        with self.spool.lock:
            taken.left_count -= count
            if taken.left_count > 0 or taken is not self._in_hand:
                return
            segment = taken.segment
            self._in_hand, segment.in_hand_count = None, 0
            if segment.is_gone or self.spool.is_closed:
                return
            try:
                segment.settle(taken.frame)
            except (OSError, StateError) as error:
                self.spool.fail(error, kind="not_acknowledged")
            if segment.left_count <= 0:
                self._drop(segment)

    def give_back(self) -> bool:
        """Puts what is in hand back; whether it is still there for the next who looks."""
        with self.spool.lock:
            taken, self._in_hand = self._in_hand, None
            if taken is None:
                return False
            if not taken.segment.is_gone and not taken.segment.path.exists():
                self._lose(taken.segment, "spool_full")
            taken.segment.in_hand_count = 0
            return not taken.segment.is_gone

    def sync(self) -> None:
        """Waits until what was written has reached the disk, whatever the policy is."""
        with self.spool.lock:
            if self._writer is not None and not self.spool.is_closed:
                try:
                    self._writer.sync()
                except OSError as error:
                    self.spool.fail(error, kind="not_synced")

    def accepts(self, kind: Kind) -> bool:
        """Whether it may send such records."""
        return kind in self._kinds

    def add(self, segment: Segment) -> None:
        """Takes over what a dead process left."""
        self.account.recover(segment.left_count)
        insort(self._segments, segment, key=_ORDER)

    def write(self, directory: Path, frame: bytes, count: int) -> None:
        """Appends to the segment that is being written; OSError where that is not possible."""
        writer = self._writer
        if writer is not None and (
            writer.size_bytes + len(frame) > self.spool.segment_bytes or writer.segment.directory != directory
        ):
            self.seal()
        if self._writer is None:
            self._number += 1
            name = SegmentName(self._kind, self._number, int(self.spool.clock.now() * 1000), None)
            self._writer = SegmentWriter(Segment(directory, name, step=self.spool.step), step=self.spool.step)
        self._writer.append(frame, count)
        if self.spool.fsync == "batch":
            self._writer.sync()

    def seal(self) -> None:
        """Completes the segment that is being written, if there is one."""
        writer, self._writer = self._writer, None
        if writer is None:
            return
        if self.spool.fsync == "segment":
            with suppress(OSError):
                writer.sync()
        segment = writer.seal()
        if writer.count:
            insort(self._segments, segment, key=_ORDER)
        else:
            segment.remove()

    def evict(self, path: Path) -> bool:
        """Gives up the segment at *path*; whether it is one of its own."""
        segment = next((each for each in self._segments if each.path == path), None)
        if segment is None:
            return False
        self._lose(segment, "spool_full")
        return True

    def reconcile(self, there: set[Path]) -> None:
        """Counts what others removed: all that is not among those that are *there*."""
        for segment in [each for each in self._segments if each.path not in there]:
            self._lose(segment, "spool_full")
        writer = self._writer
        if writer is not None and writer.segment.path not in there:
            self._writer = None
            writer.forget()
            self.account.lose_spooled(writer.count, "spool_full")

    def holds(self, directory: Path) -> bool:
        """Whether something of it waits in *directory*."""
        return any(segment.directory == directory for segment in self._segments)

    def finish(self) -> None:
        """Completes what is written and brings it to the disk."""
        if self._writer is not None:
            self._writer.sync()
            self.seal()

    def forget(self) -> None:
        """Closes descriptors: what a forked child does at once."""
        if self._writer is not None:
            self._writer.forget()

    def _unpacked(self, content: bytes, kind: Kind) -> SpoolRecord:
        return unpacked(content, seal=self.spool.seal if kind.key_id else None, label=kind.label)

    def _lose(self, segment: Segment, reason: LossReason) -> None:
        try:
            if reason == "corrupt":
                set_aside(self.spool.root, segment)
            segment.remove()
        except (OSError, StateError) as error:
            self.spool.fail(error, kind="not_set_aside")
        segment.is_gone = True
        self.account.lose_spooled(segment.spooled_count, reason)
        self._drop(segment)

    def _drop(self, segment: Segment) -> None:
        self._segments.remove(segment)
        self.spool.leave_directory(segment.directory)


def _word(content_type: str) -> str:
    """A content type as a part of a name: `application/x-ndjson` is `x-ndjson`."""
    subtype = content_type.partition(";")[0].rpartition("/")[2].lower()
    return "".join(each if each.isascii() and each.isalnum() else "-" for each in subtype)
