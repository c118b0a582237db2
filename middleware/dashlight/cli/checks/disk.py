"""Whether the state directory can hold what must outlive the server, and the clock of this machine can be right."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from dashlight.cli.checks.observation import Observation
from dashlight.errors import StateError
from dashlight.store.locks import try_lock
from dashlight.store.private import check_shared_directory

_STATE = "state directory"
_MOUNTS = Path("/proc/self/mountinfo")
_OVER_A_NETWORK = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "fuse.glusterfs", "ceph", "afs"}
)
_LEAST_FREE_SHARE, _LEAST_FREE_BYTES = 0.05, 64 * 2**20
_LEAST_PLAUSIBLE_AT, _MOST_PLAUSIBLE_AT = 1_700_000_000.0, 4_102_444_800.0
"""November 2023 and the year 2100."""


def state_findings(state_dir: str, *, mounts: Path = _MOUNTS) -> Iterator[Observation]:
    """What is to be known of DASHLIGHT_STATE_DIR; an empty one keeps nothing. Nothing stays there that was not there."""
    if not state_dir:
        sentence = (
            "what is learned, alerts that are owed and figures end with the server: DASHLIGHT_STATE_DIR is not set"
        )
        yield Observation("missing", _STATE, sentence)
        return
    directory = Path(state_dir)
    if not directory.is_absolute():
        yield Observation(
            "unusual", _STATE, f"{state_dir} is no absolute path: it depends on where the server is started"
        )
    existing = next((each for each in (directory, *directory.absolute().parents) if _is_there(each)), Path("/"))
    if existing != directory:
        can = os.access(existing, os.W_OK | os.X_OK) and existing.is_dir()
        sentence = f"{state_dir} is not there and {'would be made' if can else 'cannot be made'} in {existing}"
        yield Observation("ok" if can else "wrong", _STATE, sentence)
        if not can:
            return
    else:
        try:
            check_shared_directory(directory)
        except StateError as error:
            yield Observation("wrong", _STATE, str(error))
            return
        if directory.stat().st_mode & stat.S_IWOTH and not directory.stat().st_mode & stat.S_ISVTX:
            yield Observation(
                "unusual", _STATE, f"{state_dir} can be written by everybody, who can remove what lies there"
            )
    yield from _usable(existing)
    yield from _room(existing)
    kind = _file_system(existing.resolve(), mounts)
    if kind in _OVER_A_NETWORK:
        yield Observation(
            "unusual", _STATE, f"{state_dir} lies on {kind}: locks over a network fail, and each machine has its own"
        )


def clock_findings(at: float | None = None) -> Iterator[Observation]:
    """Whether *at*, by default now, can be the time of day."""
    now = time.time() if at is None else at
    if not _LEAST_PLAUSIBLE_AT < now < _MOST_PLAUSIBLE_AT:
        yield Observation(
            "wrong", "clock", f"this machine says {time.strftime('%Y-%m-%d %H:%M', time.gmtime(now))} UTC"
        )


def _is_there(path: Path) -> bool:
    return os.path.lexists(path)


def _usable(directory: Path) -> Iterator[Observation]:
    """Whether a file can be made and locked there."""
    try:
        with tempfile.TemporaryFile(dir=directory) as file:
            file.write(b"dashlight check")
            file.flush()
            if not try_lock(file.fileno(), exclusive=True):
                yield Observation("wrong", _STATE, f"{directory}: a new file is locked by somebody")
                return
    except (OSError, StateError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        yield Observation(
            "wrong", _STATE, f"no file can be made and locked in {directory} by user {os.geteuid()}: {reason}"
        )
        return
    yield Observation("ok", _STATE, f"files can be made and locked in {directory}")


def _room(directory: Path) -> Iterator[Observation]:
    try:
        usage = shutil.disk_usage(directory)
    except OSError:
        return
    if usage.total and usage.free < max(_LEAST_FREE_SHARE * usage.total, _LEAST_FREE_BYTES):
        sentence = f"{usage.free / 2**20:,.0f} MiB of {usage.total / 2**20:,.0f} MiB are free at {directory}"
        yield Observation("unusual", _STATE, sentence)


def _file_system(path: Path, mounts: Path) -> str:
    """The type of the file system that *path* lies on; empty where the system does not tell."""
    try:
        lines = mounts.read_text(errors="replace").splitlines()
    except OSError:
        return ""
    found, longest = "", -1
    for line in lines:
        # Source: proc(5). Before ` - ` the mount point is the fifth field, behind it the type is the first.
        before, _, behind = line.partition(" - ")
        fields = before.split()
        if len(fields) < 5 or not behind:
            continue
        point = Path(fields[4].replace("\\040", " "))
        if path.is_relative_to(point) and len(point.parts) > longest:
            found, longest = behind.split()[0], len(point.parts)
    return found
