"""The spool of one process: its own directory, those that it took over, and one budget over all processes."""

import errno
import logging
import os
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal, TypeAlias

from dashlight.clock import Clock
from dashlight.deliver.spool.budget import LEAST_FREE_SHARE, FreeShare, StoredFile, free_share, stored_files, victims
from dashlight.deliver.spool.directories import OwnedDirectory, directories, is_owned, locked, remove_drafts
from dashlight.deliver.spool.holder import Holder
from dashlight.deliver.spool.records import Seal
from dashlight.deliver.spool.segments import Kind, Segment, SegmentName, remove_strays, unsettled_count
from dashlight.errors import StateError
from dashlight.store.private import count_trouble, make_directory

Fsync: TypeAlias = Literal["never", "segment", "batch"]

BUDGET_BYTES: Final = 256 * 2**20
LOOK_SECONDS: Final = 60.0
"""Between two looks for what dead processes left, and after a failure, until the disk is tried again."""
_LEAST_SEGMENT_BYTES, _MOST_SEGMENT_BYTES = 64 * 2**10, 4 * 2**20
_MOST_ADOPTED: Final = 64
"""Directories taken over at a time: each holds a descriptor open."""
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
_NO_LOCKS: Final = frozenset({errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS})
"""What network file systems say."""

logger = logging.getLogger(__name__)


def _no_step(_name: str) -> None:
    """Where nobody listens."""


class Spool:
    """Files below *root* that outlive the process, within *budget_bytes* over all its processes.

    Nothing here raises: what goes wrong is counted in `troubles` by its kind and said once, and for a minute everything
    stays in memory. *fsync* says when the disk itself is waited for: `never` bears the end of the process, however it
    ends; `segment` and `batch` bear a power cut, save the last segment, or nothing. *seal* encrypts. *step* hears of each
    step between two of which a process may be killed.
    """

    def __init__(
        self,
        root: Path,
        *,
        clock: Clock,
        budget_bytes: int = BUDGET_BYTES,
        fsync: Fsync = "never",
        seal: Seal | None = None,
        free_share: FreeShare = free_share,
        step: Callable[[str], None] = _no_step,
    ) -> None:
        self.root = root
        self.budget_bytes = budget_bytes
        self.segment_bytes = min(max(_LEAST_SEGMENT_BYTES, budget_bytes // 256), _MOST_SEGMENT_BYTES)
        self.fsync = fsync
        self.seal = seal
        self.clock = clock
        self.step = step
        self.lock = threading.RLock()
        """Held for every change; the deliveries of a process share it."""
        self.troubles: Counter[str] = Counter()
        """`unusable`, `disk_full`, `not_locked` and `not_written`: batches stayed in memory; `not_acknowledged`: one may
        come twice; `not_read`, `not_set_aside`: a segment is left where it is; `not_synced`: a power cut may cost it."""
        self._free_share = free_share
        self._holders: list[Holder] = []
        self._home: OwnedDirectory | None = None
        self._adopted: dict[Path, OwnedDirectory] = {}
        self._root_lock = -1
        self._pid = os.getpid()
        self.is_closed = False
        """Whether it has ended: others may own the directories."""
        self._look_at = self._usable_at = float("-inf")
        self._told: set[Kind] = set()

    @property
    def is_usable(self) -> bool:
        """Whether it is worth trying: the last attempt did not fail within the last minute."""
        return not self.is_closed and self._pid == os.getpid() and self.clock.monotonic() >= self._usable_at

    @property
    def look_at(self) -> float:
        """When `look` wants to be called, on the monotonic clock."""
        return float("inf") if self.is_closed else self._look_at

    def join(self, holder: Holder) -> None:
        """Takes in one signal; before the first look."""
        self._holders.append(holder)

    def look(self) -> None:
        """Takes over what dead processes left, where it is time to look."""
        with self.lock:
            if self.is_closed or self._pid != os.getpid() or self.clock.monotonic() < self._look_at:
                return
            self._look_at = self.clock.monotonic() + LOOK_SECONDS
            try:
                self._enter()
                with locked(self.root, self._hold):  # where nothing can be locked, that is said at the start
                    pass
                remove_drafts(self.root, at=self.clock.now())
                for path in directories(self.root):
                    if len(self._adopted) >= _MOST_ADOPTED:
                        break
                    is_ours = path in self._adopted or (self._home is not None and path == self._home.path)
                    owned = None if is_ours else OwnedDirectory.adopt(path)
                    if owned is not None:
                        self._take_over(owned)
            except (OSError, StateError) as error:
                self.fail(error)

    def keep(self, holder: Holder, frame: bytes, count: int, *, booked: Callable[[], None]) -> bool:
        """Writes one record of *count* entries, having made room for it; *booked* is called before anyone sees it.

        False where that is not possible.
        """
        with self.lock:
            if not self.is_usable:
                return False
            try:
                self._enter()
                self._spare_the_disk()
                with locked(self.root, self._hold):
                    self._make_room(len(frame))
                    holder.write(self._own_directory(), frame, count)
                booked()
            except (OSError, StateError) as error:
                self.fail(error)
                return False
            return True

    def leave_directory(self, directory: Path) -> None:
        """Lets go of a directory that was taken over, once nothing in it is left to send."""
        owned = self._adopted.get(directory)
        if owned is not None and not any(holder.holds(directory) for holder in self._holders):
            del self._adopted[directory]
            owned.leave()

    def fail(self, error: OSError | StateError, *, kind: str = "") -> None:
        """Counts what went wrong; unless it is of a *kind* of its own, nothing is written for a minute."""
        if not kind:
            self._usable_at = self.clock.monotonic() + LOOK_SECONDS
            kind = error.kind if isinstance(error, StateError) else "not_written"
            number = error.errno if isinstance(error, OSError) else 0
            kind = "disk_full" if number in _FULL else "not_locked" if number in _NO_LOCKS else kind
        what = "what was delivered cannot be noted" if kind == "not_acknowledged" else "what waits stays in memory"
        count_trouble(self.troubles, kind, f"the spool {self.root}: {what}: {error}", logger=logger)

    def close(self) -> None:
        """Brings what is written to the disk, and gives the directories to whoever looks next."""
        with self.lock:
            if self.is_closed or self._pid != os.getpid():
                return
            self.is_closed = True
            for holder in self._holders:
                try:
                    holder.finish()
                except OSError as error:
                    self.fail(error)
            for owned in self._owned():
                owned.leave()

    def forget(self) -> None:
        """Closes what is the parent's, without any lock: what a forked child does at once."""
        self.is_closed = True
        for holder in self._holders:
            holder.forget()
        for owned in self._owned():
            owned.forget()
        if self._root_lock >= 0:
            os.close(self._root_lock)

    def _owned(self) -> list[OwnedDirectory]:
        return [*self._adopted.values(), *([self._home] if self._home is not None else [])]

    def _hold(self, descriptor: int) -> None:
        self._root_lock = descriptor

    def _enter(self) -> None:
        make_directory(self.root)

    def _own_directory(self) -> Path:
        if self._home is None or not self._home.is_there:
            if self._home is not None:
                self._home.forget()
            self._home = OwnedDirectory.make(self.root, step=self.step)
            self.step("directory named")
        return self._home.path

    def _take_over(self, owned: OwnedDirectory) -> None:
        self._adopted[owned.path] = owned
        remove_strays(owned.path)
        names = [name for name in map(SegmentName.read, sorted(os.listdir(owned.path))) if name is not None]  # noqa: PTH208 - names
        for name in names:
            holder = next((each for each in self._holders if each.accepts(name.kind)), None)
            if holder is None:
                self._tell(name, unsettled_count(owned.path / str(name), name))
                continue
            try:
                segment = Segment.found(owned.path, name, step=self.step)
            except OSError as error:
                self.fail(error, kind="not_read")
                continue
            if segment is not None:
                holder.add(segment)
        # What is of no use to us may be to the next who looks.
        self.leave_directory(owned.path)

    def _tell(self, name: SegmentName, count: int) -> None:
        if name.kind not in self._told and count:
            self._told.add(name.kind)
            logger.warning(
                "%d or more %s in the spool are of another format, destination or key (%s): they are kept, and not sent",
                count,
                name.kind.signal,
                name.kind,
            )

    def _spare_the_disk(self) -> None:
        if self._free_share(self.root) < LEAST_FREE_SHARE:
            raise OSError(errno.ENOSPC, f"less than {LEAST_FREE_SHARE:.0%} of the file system is free")

    def _make_room(self, wanted_bytes: int) -> None:
        """Gives up as much as *wanted_bytes* take, the oldest first; StateError where all of the budget is too little."""
        is_sealed = False
        while not self._frees(wanted_bytes):
            # What is still being written is the newest: it gives way last.
            if is_sealed or wanted_bytes > self.budget_bytes:
                raise StateError("unusable", f"{wanted_bytes} bytes do not fit into {self.budget_bytes}")
            for holder in self._holders:
                holder.seal()
            is_sealed = True

    def _frees(self, wanted_bytes: int) -> bool:
        files = stored_files(self.root)
        there = {each.path for each in files}
        for holder in self._holders:
            holder.reconcile(there)
        room_bytes = self.budget_bytes - sum(each.size_bytes for each in files)
        # A record that would not fit into all of it is no reason to lose the rest.
        for victim in victims(files) if wanted_bytes <= self.budget_bytes else ():
            if room_bytes >= wanted_bytes:
                break
            self._evict(victim)
            room_bytes += victim.size_bytes
        return room_bytes >= wanted_bytes

    def _evict(self, victim: StoredFile) -> None:
        if victim.name is None:
            victim.path.unlink(missing_ok=True)
            return
        if any(holder.evict(victim.path) for holder in self._holders):
            return
        directory = victim.path.parent
        if directory in self._adopted or not is_owned(directory):
            # Its owner is dead, so that nobody else counts it.
            account = next((each.account for each in self._holders if each.signal == victim.name.kind.signal), None)
            count = unsettled_count(victim.path, victim.name)
            if account is not None:
                account.recover(count)
                account.lose_spooled(count, "spool_full")
        # The owner of a living process misses it, and counts it then.
        Segment(directory, victim.name, step=self.step).remove()
