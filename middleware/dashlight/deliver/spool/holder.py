"""What the spool of a process and its backlogs ask of one another, and of those who keep the books."""

from pathlib import Path
from typing import Literal, Protocol, TypeAlias

from dashlight.deliver.spool.segments import Kind, Segment

LossReason: TypeAlias = Literal["spool_full", "corrupt"]


class SpoolAccount(Protocol):
    """Who keeps the books of a signal. Safe for any thread."""

    def recover(self, count: int) -> None:
        """*count* entries were found that a dead process had spooled; they are spooled here now."""
        ...

    def lose_spooled(self, count: int, reason: LossReason) -> None:
        """*count* of those that are spooled are lost."""
        ...


class Holder(Protocol):
    """What of one signal waits in the spool; see `Backlog`."""

    account: SpoolAccount
    signal: str

    def accepts(self, kind: Kind) -> bool:
        """Whether it may send such records."""
        ...

    def add(self, segment: Segment) -> None:
        """Takes over what a dead process left."""
        ...

    def write(self, directory: Path, frame: bytes, count: int) -> None:
        """Appends to the segment that is being written; OSError where that is not possible."""
        ...

    def seal(self) -> None:
        """Completes the segment that is being written, if there is one."""
        ...

    def evict(self, path: Path) -> bool:
        """Gives up the segment at *path*; whether it is one of its own."""
        ...

    def reconcile(self, there: set[Path]) -> None:
        """Counts what others removed: all that is not among those that are *there*."""
        ...

    def holds(self, directory: Path) -> bool:
        """Whether something of it waits in *directory*."""
        ...

    def finish(self) -> None:
        """Completes what is written and brings it to the disk."""
        ...

    def forget(self) -> None:
        """Closes descriptors: what a forked child does at once."""
        ...
