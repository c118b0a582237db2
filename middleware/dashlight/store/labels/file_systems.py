"""Whether a directory is on a file system of another machine, where files cannot be shared safely."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

_NETWORK: Final = frozenset(
    {"nfs", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "9p", "afs", "ceph", "lustre", "glusterfs", "ocfs2", "gfs2",
     "beegfs", "gpfs", "orangefs", "pvfs2", "ncpfs", "coda", "davfs", "virtiofs", "prl_fs", "vboxsf"}
)  # fmt: skip
_LOCAL_FUSE: Final = frozenset({"fuseblk", "fuse.fuse-overlayfs", "fuse.lxcfs"})
"""FUSE over a disk of this machine."""


def network_file_system(directory: Path, *, mounts: Path = Path("/proc/self/mounts")) -> str:
    """The type of the network file system that *directory* is on; empty where it is on none, or nobody says."""
    try:
        lines = mounts.read_text(errors="surrogateescape").splitlines()
        place = os.path.realpath(directory)
    except OSError:  # no Linux
        return ""
    best, kind = "", ""
    for line in lines:
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        mount = _unescaped(fields[1])
        # The last of several at one place lies on top.
        if (place == mount or place.startswith(mount.rstrip("/") + "/")) and len(mount) >= len(best):
            best, kind = mount, fields[2]
    is_remote = kind in _NETWORK or (kind.startswith("fuse") and kind not in _LOCAL_FUSE)
    return kind if is_remote else ""


def _unescaped(mount: str) -> str:
    for code, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        mount = mount.replace(code, character)
    return mount
