"""Files and directories that only this user can read, and that nobody else can slip us."""

import logging
import os
import stat
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import TypeAlias

from dashlight.errors import StateError

Signature: TypeAlias = tuple[int, int, int]
"""Inode, moment of the last change in nanoseconds, size in bytes."""
OTHER_VERSION = "other_version"
"""The kind of trouble with files that another release wrote."""
OF_ANOTHER_RELEASE = "what another release of Dashlight wrote begins anew here, learned references are kept"
DRAFT = ".draft"
"""End of the name of a file that is being written."""
ABANDONED_SECONDS = 600.0
"""After which a draft, or any other step between two, is the work of a process that died: a step takes milliseconds."""

_SAFELY = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)
"""Neither through a link, nor inherited by a program that is started, nor waiting for whoever opens a pipe."""
_numbers: Iterator[int] = count()


def make_directory(path: Path) -> None:
    """Makes *path* for this user alone, or sees that it is so; StateError otherwise, OSError where it cannot be made."""
    with suppress(FileExistsError):
        path.mkdir(mode=0o700)
    status = path.lstat()
    _check_owner(path, status, (os.geteuid(),))
    if status.st_mode & 0o022:
        raise StateError("unusable", f"{path} can be written by others: expected a directory of mode 0700")


def check_shared_directory(path: Path) -> None:
    """Sees that *path* is a directory in which a private one can be made; StateError otherwise.

    A volume of a container belongs to root and may be open to all: what is private in it is checked by itself.
    """
    _check_owner(path, path.lstat(), (os.geteuid(), 0))


def _check_owner(path: Path, status: os.stat_result, owners: tuple[int, ...]) -> None:
    if stat.S_ISLNK(status.st_mode):
        raise StateError("unusable", f"{path} is a symbolic link: expected a directory")
    if not stat.S_ISDIR(status.st_mode):
        raise StateError("unusable", f"{path} is not a directory")
    if status.st_uid not in owners:
        raise StateError("unusable", f"{path} belongs to user {status.st_uid}: expected {owners[0]}")


def open_private(path: Path, flags: int) -> int:
    """A descriptor of the file at *path*, made for this user alone where *flags* say to make it.

    OSError where it cannot be opened, is no file, or belongs to somebody else.
    """
    descriptor = os.open(path, flags | _SAFELY, 0o600)
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid():
        os.close(descriptor)
        raise PermissionError(f"{path} is not a file of this user")
    return descriptor


def read_private(path: Path, *, most_bytes: int) -> tuple[bytearray, Signature]:
    """The content of the file at *path* and by what it is known; OSError where it is larger than *most_bytes*, too."""
    with os.fdopen(open_private(path, os.O_RDONLY), "rb", buffering=0) as file:
        status = os.fstat(file.fileno())
        if status.st_size > most_bytes:
            raise OSError(f"{path} has {status.st_size} bytes: expected at most {most_bytes}")
        return bytearray(file.readall()), (status.st_ino, status.st_mtime_ns, status.st_size)


def write_private(path: Path, *pieces: bytes | memoryview) -> Signature:
    """Puts *pieces* at *path*, whole or not at all; by what the file is known. OSError where it cannot be written."""
    # Numbered, so that two threads do not write the same draft.
    draft = path.with_name(f"{path.name}.{os.getpid()}-{next(_numbers)}{DRAFT}")
    try:
        with os.fdopen(open_private(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "wb", buffering=0) as file:
            for piece in pieces:
                left = memoryview(piece).cast("B")
                while left:
                    left = left[file.write(left) :]
            status = os.fstat(file.fileno())
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    return status.st_ino, status.st_mtime_ns, status.st_size


def is_abandoned(status: os.stat_result, *, at: float) -> bool:
    """Whether a file was made or renamed so long before *at*, or after it, that nobody works on it any more."""
    return abs(at - status.st_ctime) > ABANDONED_SECONDS


def count_trouble(
    troubles: Counter[str], kind: str, sentence: str, *, logger: logging.Logger, said: set[str] | None = None
) -> None:
    """Counts one trouble of *kind* in *troubles*; the first of its kind becomes a warning that says *sentence*.

    Files of another release come together: one sentence tells of all that share *said*.
    """
    troubles[kind] += 1
    if kind == OTHER_VERSION and said is not None:
        if kind in said:
            return
        said.add(kind)
        sentence = f"{sentence}; {OF_ANOTHER_RELEASE}"
    if troubles[kind] == 1:
        logger.warning("%s (said once, counted from now on)", sentence)


def signature(path: Path) -> Signature:
    """The signature of the file at *path*; OSError where it cannot be seen."""
    status = path.stat()
    return status.st_ino, status.st_mtime_ns, status.st_size
