"""How much of the disk the spool takes, read from the disk itself, and what gives way first."""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from dashlight.deliver.spool.directories import QUARANTINE
from dashlight.deliver.spool.segments import SegmentName

LEAST_FREE_SHARE: Final = 0.05
"""Of the file system: below it nothing is written, for the app needs the rest more."""

FreeShare: TypeAlias = Callable[[Path], float]


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of the spool."""

    path: Path
    size_bytes: int
    changed_at: float
    name: SegmentName | None
    """None where it is no segment, or one that is set aside."""
    is_set_aside: bool


def stored_files(root: Path) -> list[StoredFile]:
    """All files of the spool, over all its processes."""
    return list(_below(root, depth=0))


def _below(directory: Path, *, depth: int) -> Iterator[StoredFile]:
    is_set_aside = depth > 0 and directory.name == QUARANTINE
    with suppress(OSError), os.scandir(directory) as entries:
        for entry in entries:
            with suppress(OSError):  # removed meanwhile
                status = entry.stat(follow_symlinks=False)
                if stat.S_ISREG(status.st_mode):
                    name = None if is_set_aside else SegmentName.read(entry.name)
                    yield StoredFile(Path(entry.path), status.st_size, status.st_mtime, name, is_set_aside)
                elif stat.S_ISDIR(status.st_mode) and not depth:
                    yield from _below(Path(entry.path), depth=1)


def victims(files: list[StoredFile]) -> list[StoredFile]:
    """What may give way, in that order: what was set aside as damaged, then complete segments, the oldest first."""
    aside = sorted((each for each in files if each.is_set_aside), key=lambda each: each.changed_at)
    complete = sorted(
        (
            (each.name.made_ms, each.name.number, str(each.path), each)
            for each in files
            if each.name is not None and each.name.count is not None
        ),
    )
    return [*aside, *(each for *_, each in complete)]


def free_share(directory: Path) -> float:
    """Which share of the file system of *directory* is free for this user; OSError where it cannot be told."""
    status = os.statvfs(directory)
    return status.f_bavail / status.f_blocks if status.f_blocks else 1.0
