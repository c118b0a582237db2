"""The parent process, known by more than its number, which another process may get."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
"""Where the system tells of its processes, if it does."""


@dataclass(frozen=True, slots=True)
class Parent:
    """A process, told from every other one of this machine where there is a /proc."""

    pid: int
    started: str
    """Clock ticks between the boot and its start; empty where that is not known."""
    boot: str
    """Which boot of the machine; empty where that is not known."""

    @classmethod
    def of_this_process(cls, *, proc: Path = PROC) -> Parent:
        """The parent of this process; the process itself where its parent is out of sight, as in a container."""
        pid = os.getppid() or os.getpid()
        return cls(pid, _started(pid, proc), _boot(proc))

    @classmethod
    def read(cls, text: bytes) -> Parent | None:
        """The parent that `str` wrote as *text*; None where it wrote none."""
        parts = text.decode(errors="replace").split("\n")
        if len(parts) != 3 or not parts[0].isdecimal():
            return None
        return cls(int(parts[0]), parts[1], parts[2])

    def __str__(self) -> str:
        return f"{self.pid}\n{self.started}\n{self.boot}"

    def is_gone(self, *, proc: Path = PROC) -> bool:
        """Whether the process has ended, or is of another boot."""
        if self.boot != _boot(proc):
            return True
        if self.started:
            return _started(self.pid, proc) != self.started
        try:
            with suppress(PermissionError):  # there is one, of somebody else
                os.kill(self.pid, 0)  # no signal: only asks whether there is such a process
        except (ProcessLookupError, OverflowError):
            return True
        return False


def _started(pid: int, proc: Path) -> str:
    try:
        status = (proc / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return ""
    # After the name of the program, which may hold spaces and parentheses; the 22nd field of all. Source: proc(5).
    return " ".join(status.rpartition(")")[2].split()[19:20])


def _boot(proc: Path) -> str:
    try:
        return (proc / "sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
