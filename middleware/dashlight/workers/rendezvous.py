"""The directory where the processes of one application on this machine meet."""

from __future__ import annotations

import hashlib
import logging
import os
import re
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from dashlight.errors import StateError
from dashlight.store.locks import try_lock
from dashlight.store.private import check_shared_directory, make_directory, open_private, read_private
from dashlight.workers.parent import Parent
from dashlight.workers.siblings import is_anybody_coming

logger = logging.getLogger(__name__)

MEMBERS = "members"
"""The file that everyone who is in holds shared, and on which the first wrote whose children they are."""
APPLICATION = "application"
"""The file that says what is served, for people."""

ENTERED = "entered"
"""The process ids of all who ever entered."""

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9]+")
_TRIES, _PAUSE_SECONDS = 50, 0.01
"""How often and how far apart somebody who is removing the directory is waited for: that takes milliseconds."""
_TOUCHED_SECONDS = 3600.0
"""How old the members file may become: what tidies temporary directories spares what was used of late."""
_MOST_ENTERED_BYTES = 1 << 16
"""Of the list of those who entered; a longer one is begun anew."""
_SHARED_BY_ALL = (Path("/var/tmp"), Path("/dev/shm"))  # noqa: S108 - what is made there is private
_NAMELESS_SECONDS = 86400.0
"""After which a directory that does not say whose it was is nobody's."""


class Meeting:
    """A private directory, and this process's being in it. Made by `open`."""

    def __init__(self, path: Path, entry: Entry, *, application: str, is_lasting: bool) -> None:
        self.path = path
        self.is_lasting = is_lasting
        self.is_first = entry.is_first
        """Whether nobody else was in when this process entered."""
        self._application = application
        self._descriptor = entry.descriptor
        self._pid = os.getpid()

    @classmethod
    def open(cls, state_dir: Path | None, application: str) -> Meeting:
        """The directory of *application* below *state_dir*, or a temporary one for the children of one parent.

        Where the usual place for the temporary one cannot be used, because somebody else was there first, say, it is
        another one, the same for all of them, which the first of them says.

        Raises:
            StateError: where none can be made, is private, and lies on a file system that can lock.
        """
        if not hasattr(os, "geteuid"):  # pragma: no cover - Windows
            raise StateError("unusable", "files cannot be kept private on this system: each process goes on alone")
        try:
            return cls._open(state_dir, application)
        except (OSError, StateError) as error:
            where = f"DASHLIGHT_STATE_DIR={str(state_dir)!r}" if state_dir is not None else "the temporary directory"
            raise StateError("unusable", f"{where}: {error}") from None

    @classmethod
    def _open(cls, state_dir: Path | None, application: str) -> Meeting:
        parent = Parent.of_this_process()
        if state_dir is not None:
            for each in reversed([level for level in (state_dir, *state_dir.parents) if not level.exists()]):
                each.mkdir(mode=0o700, exist_ok=True)
            check_shared_directory(state_dir)
            path = state_dir / f"{_slug(application)}-{_digest(application)}"
            return cls(path, _enter(path, application, parent), application=application, is_lasting=True)
        troubles: list[str] = []
        for place in temporary_directories():
            house = place / f"dashlight-{os.geteuid()}"
            path = house / _digest(application, str(parent))
            try:
                make_directory(house)
                _remove_deserted(house, but=path)
                entry = _enter(path, application, parent)
            except (OSError, StateError) as error:
                troubles.append(str(error))
                continue
            if troubles and entry.is_first:
                logger.warning("%s; the processes of this server meet in %s instead", "; ".join(troubles), house)
            return cls(path, entry, application=application, is_lasting=False)
        raise StateError("unusable", "; ".join(troubles))

    def renew(self) -> bool:
        """Sees, each pane, that the directory is there and this process in it; makes it anew where it was removed.

        False where it cannot be. In a forked child it enters as a member of its own.
        """
        try:
            if self._pid == os.getpid() and _is_at(self.path / MEMBERS, self._descriptor):
                if abs(time.time() - os.fstat(self._descriptor).st_mtime) > _TOUCHED_SECONDS:
                    os.utime(self._descriptor)
                    _spare(self.path)
                return True
            self.forget()
            self._descriptor = _enter(self.path, self._application, Parent.of_this_process()).descriptor
            self._pid = os.getpid()
        except (OSError, StateError):
            return False
        return True

    def leave(self) -> None:
        """Leaves; the last one out of a temporary directory removes it. Nothing where this process has left.

        A server that replaces all its workers has started the new ones by then: for them the directory stays.
        """
        # A child's copy of the descriptor shares the parent's lock, which is not the child's to change.
        if self._descriptor >= 0 and self._pid == os.getpid() and not self.is_lasting:
            with suppress(OSError):
                # Looked for first: whoever comes meanwhile waits for as long as the members file is locked.
                is_awaited = is_anybody_coming(_entered(self.path))
                is_ours = _is_at(self.path / MEMBERS, self._descriptor)
                if is_ours and not is_awaited and try_lock(self._descriptor, exclusive=True):
                    _remove(self.path)
        self.forget()

    def forget(self) -> None:
        """Closes the descriptor and leaves the parent's membership alone: what a forked child does at once."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class Entry(NamedTuple):
    """A process's being in a directory."""

    descriptor: int
    """Of the members file, which it holds shared."""
    is_first: bool
    """Whether nobody else was in."""


def _enter(path: Path, application: str, parent: Parent) -> Entry:
    """Makes *path* where it is not there, and enters it."""
    for _ in range(_TRIES):
        path.parent.lstat()  # nobody makes it meanwhile, so that it is no use to try again
        with suppress(FileNotFoundError):  # removed since
            make_directory(path)
            descriptor = open_private(path / MEMBERS, os.O_RDWR | os.O_CREAT)
            try:
                # Of several that enter at once one has it to itself, before it makes room for the others.
                is_first = try_lock(descriptor, exclusive=True)
                # Somebody may have removed the file before it was locked: then it is not the one where others meet.
                if try_lock(descriptor, exclusive=False) and _is_at(path / MEMBERS, descriptor):
                    if os.fstat(descriptor).st_size == 0:
                        os.write(descriptor, str(parent).encode())  # siblings of the same parent write the same
                    _describe(path / APPLICATION, application)
                    _note_entry(path / ENTERED)
                    return Entry(descriptor, is_first)
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)
        time.sleep(_PAUSE_SECONDS)
    raise StateError("unusable", f"{path} is being removed by another process, which does not come to an end")


def _spare(directory: Path) -> None:
    """Has the files in *directory* look used: the token and what was learned are written once and are read seldom."""
    for path in list(directory.iterdir()):
        if path.name == MEMBERS:
            continue
        with suppress(OSError):  # replaced or removed meanwhile
            status = path.lstat()
            # Not opened: to close a file ends the locks that this process has on it, and SQLite locks the labels'.
            if stat.S_ISREG(status.st_mode):
                # When it was changed stays: by that one is told from another.
                os.utime(path, ns=(time.time_ns(), status.st_mtime_ns), follow_symlinks=False)


def _describe(path: Path, application: str) -> None:
    with suppress(FileExistsError):
        descriptor = open_private(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        with os.fdopen(descriptor, "wb") as file:
            file.write(application.encode(errors="surrogatepass"))


def _note_entry(path: Path) -> None:
    descriptor = open_private(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        if os.fstat(descriptor).st_size > _MOST_ENTERED_BYTES:
            os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
    finally:
        os.close(descriptor)


def _entered(path: Path) -> set[int]:
    blob, _ = read_private(path / ENTERED, most_bytes=2 * _MOST_ENTERED_BYTES)
    return {int(line) for line in bytes(blob).split() if line.isdigit()}


def _remove_deserted(house: Path, *, but: Path) -> None:
    """Removes what processes left that were killed: where nobody is in, and whose parent is gone."""
    for path in list(house.iterdir()):
        if path == but:
            continue
        with suppress(OSError, StateError):  # another process removes it too, or it is not ours
            descriptor = open_private(path / MEMBERS, os.O_RDWR)
            try:
                if try_lock(descriptor, exclusive=True) and _is_deserted(descriptor):
                    _remove(path)
            finally:
                os.close(descriptor)


def _is_deserted(descriptor: int) -> bool:
    parent = Parent.read(os.pread(descriptor, 256, 0))
    if parent is not None:
        return parent.is_gone()
    return abs(time.time() - os.fstat(descriptor).st_mtime) > _NAMELESS_SECONDS


def _remove(path: Path) -> None:
    """Removes the directory, whose members file the caller holds exclusively: that file last, it keeps others out."""
    for each in os.scandir(path):
        if each.is_dir(follow_symlinks=False):
            shutil.rmtree(each.path, ignore_errors=True)
        elif each.name != MEMBERS:
            os.unlink(each.path)  # noqa: PTH108 - what scandir gives
    (path / MEMBERS).unlink()
    path.rmdir()  # refuses where somebody entered since, who then keeps it


def _is_at(path: Path, descriptor: int) -> bool:
    """Whether the open file is the one at *path*."""
    try:
        found, ours = path.lstat(), os.fstat(descriptor)
    except OSError:
        return False
    return (found.st_dev, found.st_ino) == (ours.st_dev, ours.st_ino)


def temporary_directories() -> Iterator[Path]:
    """Where to try, in this order: first where only this user can have put anything, if there is such a place.

    The second of everybody's is none that programs clean, and the last may be the only one that is not full.
    """
    if _is_own(Path(os.environ.get("XDG_RUNTIME_DIR", "")), others=0o077):
        yield Path(os.environ["XDG_RUNTIME_DIR"])
    with suppress(FileNotFoundError):  # it tries to write in each, too
        yield Path(tempfile.gettempdir())
    for own in (os.environ.get("XDG_CACHE_HOME", ""), f"{os.environ.get('HOME', '')}/.cache"):
        if _is_own(Path(own), others=0o022):
            yield Path(own)
    for shared in _SHARED_BY_ALL:
        if shared.is_dir():
            yield shared


def _is_own(directory: Path, *, others: int) -> bool:
    """Whether *directory* is an absolute one of this user, and none of the modes *others* is allowed."""
    try:
        status = directory.lstat()
    except (OSError, ValueError):
        return False
    is_ours = status.st_uid == os.geteuid() and not status.st_mode & others
    return (
        directory.is_absolute() and stat.S_ISDIR(status.st_mode) and is_ours and os.access(directory, os.W_OK | os.X_OK)
    )


def _slug(application: str) -> str:
    """What a person recognises of it; what it leaves out, the digest tells apart."""
    return _NOT_IN_NAMES.sub("-", application).strip("-")[:60].strip("-") or "application"


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode(errors="surrogatepass")).hexdigest()[:16]
