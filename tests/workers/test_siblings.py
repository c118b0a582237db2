"""A worker that was started and has not entered yet is waited for by those who leave."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dashlight.workers.siblings import is_anybody_coming

PATIENCE_SECONDS = 20.0
WORKER = """
import sys
sys.stdin.readline()
from dashlight.workers.rendezvous import Meeting
meeting = Meeting.open(None, "shop")
print(meeting.path, flush=True)
for line in sys.stdin:
    print(getattr(meeting, line.strip())(), flush=True)
"""


class Worker:
    """A child of this process, which enters when it is told to."""

    def __init__(self, number: int) -> None:
        command = [sys.executable, "-c", WORKER, f"--worker-id={number}"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def do(self, what: str) -> str:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{what}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()


@pytest.fixture
def worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], Worker]]:
    """Starts workers, and ends them with the test."""
    (tmp_path / "run").mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    started: list[Worker] = []

    def start(number: int) -> Worker:
        started.append(Worker(number))
        return started[-1]

    yield start
    for each in started:
        each.process.kill()
        each.process.communicate()


def is_running_it(worker: Worker) -> bool:
    """Whether the child has become the program: until then its command line is ours."""
    return b"--worker-id" in Path(f"/proc/{worker.process.pid}/cmdline").read_bytes()


def until(is_there: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := is_there()) and time.monotonic() < deadline:
        time.sleep(0.01)
    return found


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the system does not tell of its processes")
def test_the_directory_stays_for_a_worker_that_is_on_its_way_and_goes_with_the_last_one(
    worker: Callable[[int], Worker],
) -> None:
    old, new = worker(1), worker(22)
    assert until(lambda: is_running_it(new))
    place = Path(old.do("enter"))

    old.do("leave")
    assert place.exists()

    assert Path(new.do("enter")) == place
    new.do("leave")
    assert not place.exists()


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the system does not tell of its processes")
def test_a_worker_that_has_ended_is_not_waited_for(worker: Callable[[int], Worker]) -> None:
    old, dead = worker(1), worker(2)
    assert until(lambda: is_running_it(dead))
    dead.process.kill()
    # It stays a zombie for as long as nobody asks what became of it.
    assert until(lambda: Path(f"/proc/{dead.process.pid}/cmdline").read_bytes() == b"")
    place = Path(old.do("enter"))

    old.do("leave")

    assert not place.exists()


def test_of_all_who_run_the_same_command_nobody_is_coming_who_has_entered() -> None:
    everybody = {int(path.name) for path in Path("/proc").glob("[0-9]*")}

    assert not is_anybody_coming(everybody)
