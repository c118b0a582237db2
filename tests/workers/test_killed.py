"""A process may be killed at any step: what it had counted stays, and nothing of it is counted twice."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dashlight.counting.machine import MachineCounter, ProcessStatus
from dashlight.counting.policy import Policy
from dashlight.counting.references import References
from dashlight.counting.remains import Uncounted
from dashlight.judge.traffic.rules import parse_rules
from dashlight.metrics.accounts import Account
from dashlight.metrics.figures import Figure
from dashlight.records import Exchange
from dashlight.store.learned import LearnedReferences
from dashlight.testing import FakeClock
from dashlight.workers.found_remains import SILENT_PANES
from dashlight.workers.member import Sharing
from dashlight.workers.rendezvous import Meeting

PANE_SECONDS = 10.0
POLICY = Policy(pane_seconds=PANE_SECONDS, rules=parse_rules(""), reference_rows=400)
STEPS = frozenset({"open", "os.rename", "os.remove", "os.mkdir", "fcntl.flock", "os.listdir", "os.scandir"})
"""What a process asks of the system before anything changes in its files, or after."""
PROGRESS_BYTES = 4


def an_exchange(number: int) -> Exchange:
    return Exchange(
        number, "/predict", "POST", "/predict", b"", "http", None, "1.1", (), (), 200, "",
        "ok", 0.0, 0.05, 0.1, 100, 200, (), (), number, 1, 1, None,
    )  # fmt: skip


class Process:
    """One process: what it counts, and its part in the watch. Every exchange waits to be sent."""

    def __init__(self, name: str, directory: Path, clock: FakeClock) -> None:
        references = References(LearnedReferences(None), None)
        self.clock, self.count = clock, 0
        self.counter = MachineCounter(name, POLICY, references)
        meeting = Meeting.open(directory, "app")
        self.sharing = Sharing(POLICY, references, meeting=meeting, process=name, clock=clock)

    @property
    def accounts(self) -> dict[str, Account]:
        return {"events": Account(captured=self.count, queued=self.count)}

    def serve(self, count: int) -> None:
        self.counter.endpoint("/predict").count([an_exchange(number) for number in range(count)], {})
        self.count += count

    def note(self) -> None:
        assert self.sharing.journal is not None
        self.sharing.journal.note(Uncounted(self.counter.requests()), self.accounts)

    def end_pane(self) -> None:
        self.clock.advance(PANE_SECONDS - 1.0)
        at = self.clock.now()
        status = ProcessStatus(0, 1.0, accounts=self.accounts)
        self.sharing.post(self.counter.close(at, status, {}), at)
        # Long enough for the others.
        self.clock.advance(1.0)
        self.sharing.turn(at, at_once=True)

    def figures(self) -> dict[tuple[str, ...], float]:
        """What metrics say, where this process judges."""
        watch = self.sharing.watch
        assert watch is not None
        shown = watch.totals.figures(at=0.0, snapshots=(), alerts=(), gauges={}).figures
        return {(each.name.removeprefix("dashlight."), *last_two(each)): each.value for each in shown}


def last_two(figure: Figure) -> list[str]:
    return list(figure.attributes.values())[-2:]


def live(process: Process, tell: Callable[[int], None]) -> None:
    """Two panes and a half; *tell* is given how many exchanges are kept whatever happens."""
    for _ in range(3):
        process.serve(10)
        process.note()
        tell(process.count)
        process.serve(5)
        process.end_pane()
        process.note()
        tell(process.count)


def killed_at(step: int, directory: Path, at: float) -> tuple[int, int] | None:
    """A child that lives and is killed before its so manyth step; what it had kept and served. None: it was not."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:  # pragma: no cover - in the child
        seen = 0
        is_alive = False

        def hook(event: str, _: object) -> None:
            nonlocal seen
            if is_alive and event in STEPS:
                seen += 1
                if seen == step:
                    os.kill(os.getpid(), 9)

        logging.disable()
        sys.addaudithook(hook)
        process = Process(f"{os.getpid()}.child", directory, FakeClock(at))
        is_alive = True

        def tell(count: int) -> None:
            os.write(writing, count.to_bytes(PROGRESS_BYTES, "big"))

        live(process, tell)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as file:
        told = file.read()
    _, status = os.waitpid(child, 0)
    kept = int.from_bytes(told[-PROGRESS_BYTES:], "big")
    return (kept, kept + 15) if os.WIFSIGNALED(status) else None


@pytest.mark.parametrize("role", ["judges", "posts"])
def test_a_process_that_is_killed_at_any_step_leaves_its_counts_and_none_twice(role: str, tmp_path: Path) -> None:
    step, outcomes = 0, set[int]()
    while True:
        # Each step at first, where the interesting ones are; then every third.
        step += 1 if step < 40 else 3
        directory, at = tmp_path / f"{step}", 1_700_000_000.0
        clock = FakeClock(at)
        other = Process("2.other", directory, clock) if role == "posts" else None
        if other is not None:
            other.end_pane()
        found = killed_at(step, directory, clock.now())
        if found is None:
            break
        clock.at = at + 5 * PANE_SECONDS
        heir = other or Process("3.heir", directory, clock)
        for _ in range(3):
            heir.end_pane()

        figures, (kept, served) = heir.figures(), found
        counted = figures.get(("requests", "/predict", "ok"), 0)
        assert kept <= counted <= served, step
        assert figures.get(("captured", "events"), 0) >= kept, step
        assert figures.get(("captured", "events"), 0) == figures.get(("dropped", "events", "killed"), 0) or kept == 0
        outcomes.add(int(counted))
        heir.sharing.forget()

    assert step > 20
    assert len(outcomes) >= 5


def test_what_is_left_is_added_once_whoever_judges_next(tmp_path: Path) -> None:
    clock = FakeClock()
    judge, worker = Process("1.a", tmp_path, clock), Process("2.b", tmp_path, clock)
    judge.end_pane()
    worker.serve(4)
    worker.note()
    die(worker)

    for _ in range(3):
        judge.end_pane()
    die(judge)
    heir = Process("3.c", tmp_path, clock)
    for _ in range(3):
        heir.end_pane()

    assert heir.figures()["requests", "/predict", "ok"] == 4
    assert heir.figures()["dropped", "exchanges", "killed"] == 4
    assert heir.figures()["dropped", "events", "killed"] == 4
    assert list(journal_of(heir).parent.iterdir()) == [journal_of(heir)]


def test_a_killed_worker_is_told_of_with_what_it_took_along(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    clock = FakeClock()
    judge, worker = Process("1.a", tmp_path, clock), Process("2222.b", tmp_path, clock)
    judge.end_pane()
    worker.serve(4000)
    worker.note()
    die(worker)

    with caplog.at_level(logging.WARNING):
        judge.end_pane()
        judge.end_pane()

    assert caplog.messages == [
        (
            "worker 2222 was killed: 4,000 requests are counted without their latencies and rows, "
            "4,000 events that waited in its memory are lost"
        )
    ]


def test_a_worker_that_left_by_itself_is_not_called_killed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    clock = FakeClock()
    judge, worker = Process("1.a", tmp_path, clock), Process("2.b", tmp_path, clock)
    judge.end_pane()
    worker.serve(4)
    worker.sharing.leave(worker.counter.close(clock.now(), ProcessStatus(0, 1.0, accounts=worker.accounts), {}))
    worker.note()
    die(worker)

    with caplog.at_level(logging.WARNING):
        judge.end_pane()
        judge.end_pane()

    assert caplog.messages == []
    assert judge.figures()["requests", "/predict", "ok"] == 4
    assert judge.figures()["dropped", "events", "shutdown"] == 4


def test_a_worker_without_a_journal_has_ended_once_it_is_silent_for_long(tmp_path: Path) -> None:
    clock = FakeClock()
    judge, worker = Process("1.a", tmp_path, clock), Process("2.b", tmp_path, clock)
    judge.end_pane()
    worker.serve(4)
    worker.end_pane()
    judge.end_pane()
    die(worker)
    journal_of(worker).unlink()
    for _ in range(SILENT_PANES - 1):
        judge.end_pane()
    assert judge.figures()["pending", "events", "queued"] == 4

    judge.end_pane()
    judge.end_pane()

    assert judge.figures()["pending", "events", "queued"] == 0
    assert judge.figures()["dropped", "events", "killed"] == 4


def test_panes_that_cannot_be_posted_stay_in_the_journal(tmp_path: Path) -> None:
    clock = FakeClock()
    judge, worker = Process("1.a", tmp_path, clock), Process("2.b", tmp_path, clock)
    judge.end_pane()
    mailbox = Path(judge_directory(judge)) / "panes"
    mailbox.chmod(0o777)  # which is not private: nobody uses it
    for _ in range(7):
        worker.serve(3)
        worker.end_pane()
    worker.serve(2)
    worker.note()
    die(worker)
    mailbox.chmod(0o700)

    judge.end_pane()
    judge.end_pane()

    assert judge.figures()["requests", "/predict", "ok"] == 23


def judge_directory(process: Process) -> str:
    assert process.sharing._files is not None
    return str(process.sharing._files._meeting.path)


def journal_of(process: Process) -> Path:
    assert process.sharing.journal is not None
    return process.sharing.journal._journal._path


def die(process: Process) -> None:
    """Ends at once: the system frees its locks, and whatever was counted and not kept is gone."""
    assert process.sharing._files is not None
    process.sharing._files.lease.release()
    assert process.sharing.journal is not None
    process.sharing.journal._journal.close()
    process.sharing._files._meeting.forget()
