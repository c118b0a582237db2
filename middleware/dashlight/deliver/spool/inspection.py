"""The spool seen from outside: what is in it, whether it is whole, and removing what nobody owns.

Looks only, and so works while its owners live; `drop` takes the lock of each directory first.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from dashlight.deliver.spool.directories import QUARANTINE, OwnedDirectory, directories, is_owned
from dashlight.deliver.spool.records import content_of, frames
from dashlight.deliver.spool.segments import Segment, SegmentName, unsettled_count
from dashlight.errors import StateError
from dashlight.store.private import open_private


@dataclass(frozen=True, slots=True)
class SegmentReport:
    """One segment."""

    path: Path
    name: SegmentName
    size_bytes: int
    waiting_count: int
    """Entries that nobody has delivered, as its name and headers tell."""
    is_owned: bool
    """Whether the process that wrote it, or took it over, lives."""


def segments(root: Path) -> Iterator[SegmentReport]:
    """The segments of all processes, directory by directory, each from the oldest on."""
    for directory in directories(root):
        has_owner = is_owned(directory)
        names = [name for name in map(SegmentName.read, _listed(directory)) if name is not None]
        for name in sorted(names, key=lambda each: (each.made_ms, each.number)):
            path = directory / str(name)
            with suppress(OSError):  # removed meanwhile
                yield SegmentReport(path, name, path.lstat().st_size, unsettled_count(path, name), has_owner)


def set_aside_files(root: Path) -> list[Path]:
    """The damaged segments that were set aside."""
    return [root / QUARANTINE / each for each in _listed(root / QUARANTINE)]


def damage(report: SegmentReport) -> str:
    """What is wrong with a segment, empty where nothing is; every record of it is read."""
    found_count = 0
    try:
        descriptor = open_private(report.path, os.O_RDONLY)
    except OSError as error:
        return "" if isinstance(error, FileNotFoundError) else str(error)
    try:
        for frame in frames(descriptor):
            content_of(descriptor, frame)
            found_count += frame.count
    except (OSError, StateError) as error:
        # Its owner may be writing just now.
        return "" if report.name.count is None and report.is_owned else f"after {found_count} entries: {error}"
    finally:
        os.close(descriptor)
    if report.name.count is not None and found_count < report.name.count:
        return f"{found_count} of {report.name.count} entries"
    return ""


def drop(root: Path) -> int:
    """Removes everything whose owner is dead, and what was set aside; how many waiting entries that costs."""
    dropped_count = 0
    for directory in directories(root):
        owned = OwnedDirectory.adopt(directory)
        if owned is None:
            continue
        for each in _listed(directory):
            name = SegmentName.read(each)
            if name is not None:
                dropped_count += unsettled_count(directory / each, name)
                Segment(directory, name, step=_no_step).remove()
        owned.leave()
    for path in set_aside_files(root):
        path.unlink(missing_ok=True)
    return dropped_count


def _listed(directory: Path) -> list[str]:
    with suppress(OSError):
        return sorted(os.listdir(directory))  # noqa: PTH208 - names are all that is wanted
    return []


def _no_step(_name: str) -> None:
    """Where nobody listens."""
