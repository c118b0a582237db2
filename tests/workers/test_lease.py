"""One process at most holds the lease, and whatever ends it frees the lease."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dashlight.workers.lease import Lease

ANSWERING = """
import sys
from pathlib import Path
from dashlight.workers.lease import Lease
lease = Lease(Path(sys.argv[1]))
for line in sys.stdin:
    print(getattr(lease, line.strip())(), flush=True)
"""


class Other:
    """Another process with a lease on the same file, which does what it is told."""

    def __init__(self, path: Path) -> None:
        command = [sys.executable, "-c", ANSWERING, str(path)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def do(self, what: str) -> str:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{what}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lease"


@pytest.fixture
def another(path: Path) -> Iterator[Callable[[], Other]]:
    started: list[Other] = []

    def start() -> Other:
        started.append(Other(path))
        return started[-1]

    yield start
    for other in started:
        other.kill()


@pytest.fixture
def lease(path: Path) -> Iterator[Lease]:
    lease = Lease(path)
    yield lease
    lease.release()


def in_a_fork(answer: Callable[[], object]) -> bool:
    """What *answer* says in a forked child."""
    pid = os.fork()
    if pid == 0:
        os._exit(0 if answer() else 1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_one_of_two_processes_holds_it(lease: Lease, another: Callable[[], Other]) -> None:
    other = another()

    assert lease.take()
    assert other.do("take") == "False"
    assert lease.held


def test_whoever_holds_it_goes_on_holding_it(lease: Lease) -> None:
    assert [lease.take() for _ in range(3)] == [True, True, True]


def test_nobody_holds_what_was_never_taken(lease: Lease) -> None:
    assert not lease.held


def test_a_released_lease_is_the_next_ones(lease: Lease, another: Callable[[], Other]) -> None:
    other = another()
    lease.take()

    lease.release()

    assert other.do("take") == "True"
    assert not lease.held
    assert not lease.take()


def test_a_holder_that_is_killed_frees_it(lease: Lease, another: Callable[[], Other]) -> None:
    other = another()
    other.do("take")
    assert not lease.take()

    other.kill()

    assert lease.take()


def test_releasing_what_is_not_held_changes_nothing(lease: Lease, another: Callable[[], Other]) -> None:
    other = another()
    other.do("take")

    lease.release()

    assert not lease.take()


def test_only_this_user_can_open_it(lease: Lease, path: Path) -> None:
    lease.take()

    assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_that_was_removed_is_noticed_and_made_anew(lease: Lease, path: Path) -> None:
    lease.take()

    path.unlink()

    assert lease.take()
    assert path.exists()


def test_a_holder_of_a_file_that_was_replaced_holds_nothing(
    lease: Lease, path: Path, another: Callable[[], Other]
) -> None:
    lease.take()
    path.unlink()
    assert another().do("take") == "True"

    assert not lease.take()
    assert not lease.held


def test_a_forked_child_does_not_hold_what_its_parent_holds(lease: Lease) -> None:
    lease.take()

    assert not in_a_fork(lambda: lease.held or lease.take())
    assert lease.held


def test_a_child_that_releases_or_forgets_takes_nothing_from_its_parent(
    lease: Lease, another: Callable[[], Other]
) -> None:
    lease.take()

    in_a_fork(lease.release)
    in_a_fork(lease.forget)

    assert another().do("take") == "False"


def test_a_child_that_forgot_does_not_keep_the_lease_of_a_parent_that_ended(path: Path, lease: Lease) -> None:
    script = """
import os, sys
from pathlib import Path
from dashlight.workers.lease import Lease
lease = Lease(Path(sys.argv[1]))
lease.take()
pid = os.fork()
if pid == 0:
    lease.forget()
    print("forgotten", flush=True)
    sys.stdin.read()
    os._exit(0)
os.waitpid(pid, 0)
"""
    command = [sys.executable, "-c", script, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdin is not None
        assert holder.stdout.readline() == b"forgotten\n"

        holder.send_signal(signal.SIGKILL)
        holder.wait()

        assert lease.take()
        holder.stdin.close()  # ends the child


def test_a_holder_frees_it_although_a_child_keeps_a_copy_open(lease: Lease, another: Callable[[], Other]) -> None:
    lease.take()
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(writing)
        os.read(reading, 1)
        os._exit(0)

    lease.release()

    assert another().do("take") == "True"
    os.close(writing)
    os.close(reading)
    os.waitpid(pid, 0)


@pytest.mark.parametrize("way", ["directory", "link", "pipe", "no parent"])
def test_what_cannot_be_locked_is_counted_and_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, way: str
) -> None:
    path = tmp_path / "lease"
    if way == "directory":
        path.mkdir()
    elif way == "link":
        (tmp_path / "elsewhere").touch()
        path.symlink_to(tmp_path / "elsewhere")
    elif way == "pipe":
        os.mkfifo(path)
    else:
        path = tmp_path / "not there" / "lease"
    lease = Lease(path)

    assert [lease.take() for _ in range(3)] == [False, False, False]
    assert lease.troubles == {"not_locked": 3}
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage().startswith("lease cannot be locked: ")
