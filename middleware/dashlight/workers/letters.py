"""How files in the mailbox are called: by poster, sequence and how far they are."""

import os
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from dashlight.store.private import DRAFT

POSTED, CLAIMED = ".pane", ".claimed"
"""Waiting for the reader; read, and not discarded yet."""
TAKEN, MERGED = ".taken", ".merged"
"""Taken back by its poster, to be merged; what several were merged to, before it is posted."""

WORKER = r"[A-Za-z0-9_.]{1,64}"
_LETTER = re.compile(rf"({WORKER})-(\d{{12,18}})")
_FILE = re.compile(rf"({WORKER})-(\d{{12,18}})(\.pane|\.claimed|\.taken|\.merged)(\..*{re.escape(DRAFT)})?")


@dataclass(frozen=True, slots=True)
class Found:
    """A file in the mailbox."""

    path: Path
    worker: str
    sequence: int
    state: str
    """One of the ends of names above, or DRAFT."""
    status: os.stat_result

    @property
    def name(self) -> str:
        """The name of the letter, however far it is."""
        return f"{self.worker}-{self.sequence:012}"


def name_of(worker: str, sequence: int, state: str) -> str:
    """The name of a file."""
    return f"{worker}-{sequence:012}{state}"


def is_worker(text: str) -> bool:
    """Whether *text* can name a worker."""
    return re.fullmatch(WORKER, text) is not None


def is_letter(text: str) -> bool:
    """Whether *text* is the name of a letter, and not a way out of the mailbox."""
    return _LETTER.fullmatch(text) is not None


def look(directory: Path) -> list[Found]:
    """The files in *directory* that are ours by their names; whatever else lies there is none of our business."""
    found: list[Found] = []
    with os.scandir(directory) as entries:
        for entry in entries:
            match = _FILE.fullmatch(entry.name)
            if match is None or not entry.is_file(follow_symlinks=False):
                continue
            worker, sequence, state, draft = match.groups()
            try:
                status = entry.stat(follow_symlinks=False)
            except FileNotFoundError:  # gone since
                continue
            found.append(Found(Path(entry.path), worker, int(sequence), DRAFT if draft else state, status))
    return found


def oldest_beyond(own: Sequence[Found], most_bytes: int) -> list[Found]:
    """The oldest of *own* without which the others hold *most_bytes* at most; never the newest."""
    size_bytes = 0
    beyond: list[Found] = []
    for place, each in enumerate(sorted(own, key=lambda found: -found.sequence)):
        size_bytes += each.status.st_size
        if place and size_bytes > most_bytes:
            beyond.append(each)
    return beyond


def lightest(own: Sequence[Found], most_bytes: int) -> list[Found]:
    """As many of *own* as hold *most_bytes* at most, the lightest, in the order in which they were posted."""
    size_bytes = 0
    chosen: list[Found] = []
    for each in sorted(own, key=lambda found: (found.status.st_size, found.sequence)):
        size_bytes += each.status.st_size
        if size_bytes > most_bytes:
            break
        chosen.append(each)
    return sorted(chosen, key=lambda found: found.sequence)


def overdue(waiting: Sequence[Path], *, at: float, most: int, seconds: float) -> list[Path]:
    """Of files that are *waiting* those that came more than *seconds* before *at*, and the oldest beyond *most*."""
    aged: list[tuple[float, Path]] = []
    for path in waiting:
        with suppress(OSError):  # gone since
            aged.append((abs(at - path.lstat().st_mtime), path))
    aged.sort()
    return [path for place, (age, path) in enumerate(aged) if place >= most or age > seconds]
