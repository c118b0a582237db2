"""Processes of one host: one judges what all of them counted, and another goes on where it ends."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from dashlight.counting.machine import Briefing, MachineCounter, MachinePane, ProcessStatus
from dashlight.counting.policy import Policy
from dashlight.counting.references import References
from dashlight.deliver.alerting.owed import DELIVERED, Owed
from dashlight.judge.traffic.rules import parse_rules
from dashlight.metrics.figures import Figures
from dashlight.metrics.losses import SignalFate
from dashlight.records import Alert, Exchange, Outcome, Prediction, Transition
from dashlight.store.frozen import sealed, unsealed
from dashlight.store.learned import LearnedReferences
from dashlight.window.columns import Reference
from dashlight.window.reference.build import build_reference_from_columns
from dashlight.window.reference.steps import Steps
from dashlight.window.tables import table_of_columns
from dashlight.workers.checkpoints import GENERATION, Checkpoint, CheckpointLayout
from dashlight.workers.closing import Turn
from dashlight.workers.generations import CheckpointFiles
from dashlight.workers.layouts import FIGURES, PANE
from dashlight.workers.mailbox import Mailbox
from dashlight.workers.member import PATIENCE_SECONDS, Sharing
from dashlight.workers.rendezvous import Meeting

BEGAN_AT, PANE_SECONDS = 1_700_000_000.0, 10.0
CHECKPOINT = f"checkpoint-{GENERATION}"


def trouble(part: str, kind: str) -> SignalFate:
    return SignalFate("files", "dropped", kind, part)


def an_exchange(number: int, outcome: Outcome = "ok") -> Exchange:
    return Exchange(
        number, "/predict", "POST", "/predict", b"", "http", None, "1.1", (), (), 500 if outcome == "error" else 200, "",
        outcome, BEGAN_AT, 0.05, 0.1, 100, 200, (), (), number, 1, 1, None,
    )  # fmt: skip


@dataclass
class TwoClocks:
    """One that can be set, and one that never goes back."""

    at: float = BEGAN_AT
    passed: float = 0.0

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.passed

    def advance(self, seconds: float) -> None:
        self.at += seconds
        self.passed += seconds


POLICY = Policy(pane_seconds=PANE_SECONDS, rules=parse_rules("error_rate>30%"), reference_rows=400)


def given(reference: Reference | None) -> References:
    return References(LearnedReferences(None), reference)


class Process:
    """One process of the host: what it counts, and its part in the watch."""

    def __init__(
        self,
        name: str,
        meeting: Meeting | None,
        clock: TwoClocks,
        references: References | None = None,
        policy: Policy = POLICY,
    ) -> None:
        self.name, self.clock = name, clock
        references = references or given(None)
        self.counter = MachineCounter(name, policy, references)
        self.owed = Owed(["route"])
        self.sharing = Sharing(policy, references, meeting=meeting, process=name, clock=clock, owed=self.owed)
        self.alerts: list[Alert] = []
        self.briefings: list[Briefing] = []
        self._rng = np.random.default_rng(len(name) + ord(name[0]))
        self._numbers = iter(range(1, 1_000_000))

    def serve(self, exchanges: int = 1, *, failing: int = 0) -> Process:
        made = [an_exchange(next(self._numbers)) for _ in range(exchanges)]
        made += [an_exchange(next(self._numbers), "error") for _ in range(failing)]
        self.counter.endpoint("/predict").count(made, {})
        return self

    def predict(self, rows: int, *, age: float = 40.0, answers: bool = False) -> Process:
        """Exchanges of one row each, of which the answers say something or nothing."""
        held = {"age": self._rng.normal(age, 10, rows), "income": self._rng.gamma(4, 500, rows)}
        features = replace(table_of_columns(held), exchange=np.arange(rows))
        made = [an_exchange(next(self._numbers)) for _ in range(rows)]
        endpoint = self.counter.endpoint("/predict")
        outputs = table_of_columns({"score": self._rng.random(rows)} if answers else {})
        outputs = replace(outputs, exchange=np.arange(outputs.rows))
        endpoint.add(Prediction("/predict", "risk", "", "plain", features, outputs), made)
        endpoint.count(made, {})
        return self

    def post(self) -> Process:
        at = self.clock.now()
        self.sharing.post(self.counter.close(at, ProcessStatus(1, 1.0), {}), at)
        return self

    def look(self) -> Turn | None:
        turn = self.sharing.turn(self.clock.now())
        if turn is not None:
            self.alerts += turn.alerts
            if not turn.has_pane:  # what the judge before had to tell
                return self.look()
        briefing = self.sharing.briefing()
        if briefing is not None:
            self.briefings.append(briefing)
            self.counter.follow(briefing)
        return turn

    def leave(self) -> None:
        at = self.clock.now()
        self.sharing.leave(self.counter.close(at, ProcessStatus(0, 1.0), {}))

    def die(self) -> None:
        """Ends at once: the system frees the lease and the membership, and whatever was counted is gone."""
        assert self.sharing._files is not None
        self.sharing._files.lease.release()
        self.sharing._files._meeting.forget()

    def deliver(self) -> list[tuple[str, Transition]]:
        """What the route is handed and takes: ids and transitions."""
        found: list[tuple[str, Transition]] = []
        while self.owed.is_open and (notice := self.owed.next("route")) is not None:
            found.append((notice.id, notice.transition))
            self.owed.settle("route", notice.id, DELIVERED)
        return found

    @property
    def judges(self) -> bool:
        return self.sharing.watch is not None

    @property
    def counted(self) -> int:
        """Exchanges of the window, as this process judges them."""
        watch = self.sharing.watch
        assert watch is not None
        return sum(
            score.rows
            for _, snapshot in watch.snapshots()
            for score in snapshot.scores
            if not snapshot.model and score.statistic == "error_rate"
        )

    @property
    def states(self) -> list[tuple[str, str]]:
        return [(alert.source, alert.state) for alert in self.alerts]


class Workers:
    """Processes that meet in one directory, and their clock."""

    def __init__(self, path: Path) -> None:
        self.clock, self.path = TwoClocks(), path
        self.made: list[Process] = []

    def start(self, name: str, references: References | None = None, policy: Policy = POLICY) -> Process:
        meeting = Meeting.open(self.path, "app")
        references = references or References(LearnedReferences(meeting.path))
        self.made.append(Process(name, meeting, self.clock, references, policy))
        return self.made[-1]

    @property
    def directory(self) -> Path:
        (found,) = [each for each in self.path.iterdir() if each.name.startswith("app-")]
        return found

    @property
    def letters(self) -> list[Path]:
        return sorted((self.directory / "panes").glob("*.pane"))

    def end_pane(self, *processes: Process) -> None:
        """All of *processes* end their pane in time, one judges, and all hear of it."""
        self.clock.advance(PANE_SECONDS)
        for each in processes:
            each.post()
        for each in (*processes, *processes):
            each.look()


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[Workers]:
    made = Workers(tmp_path)
    yield made
    for each in made.made:
        each.sharing.forget()


def judge_of(processes: Sequence[Process]) -> Process:
    (judge,) = [each for each in processes if each.judges]
    return judge


@pytest.mark.parametrize("number", [2, 4])
def test_one_process_judges_and_the_panes_of_all_are_counted_once(workers: Workers, number: int) -> None:
    processes = [workers.start(name) for name in "abcd"[:number]]

    for pane in range(5):
        for place, each in enumerate(processes):
            each.serve(10**place)
        workers.end_pane(*processes)
        judge = judge_of(processes)
        assert judge is processes[0]
        assert judge.counted == (pane + 1) * int("1" * number)

    assert workers.letters == []
    assert set(judge.sharing.watch.processes) == set("abcd"[:number])  # type: ignore[union-attr]
    assert judge.sharing.watch.pane_count == 5  # type: ignore[union-attr]


def test_a_process_that_is_alone_judges_for_itself() -> None:
    clock = TwoClocks()
    alone = Process("a", None, clock)

    for _ in range(3):
        clock.advance(PANE_SECONDS)
        assert alone.serve(5, failing=5).post().look() is not None

    assert (alone.counted, alone.states, len(alone.briefings)) == (30, [("threshold", "firing")], 3)
    assert (alone.sharing.troubles, alone.sharing.is_in) == ({}, False)
    alone.leave()
    alone.sharing.forget()
    assert alone.judges


def test_a_first_pane_judges_without_knowing_whom_to_wait_for(workers: Workers) -> None:
    a, b = workers.start("a"), workers.start("b")
    workers.clock.advance(PANE_SECONDS)

    assert a.serve(1).post().look() is not None
    b.serve(10).post()
    assert b.look() is None

    workers.end_pane(a.serve(100), b.serve(1000))
    assert a.counted == 1111


def test_a_process_that_is_late_is_waited_for_and_counted_in_time(workers: Workers) -> None:
    a, b = workers.start("a"), workers.start("b")
    workers.end_pane(a, b)
    workers.clock.advance(PANE_SECONDS)

    a.serve(1).post()
    assert a.look() is None
    assert 0 < a.sharing.wait_seconds <= PATIENCE_SECONDS
    workers.clock.advance(PATIENCE_SECONDS / 2)
    assert a.look() is None
    b.serve(10).post()
    turn = a.look()

    assert turn is not None
    assert a.counted == 11
    assert a.sharing.wait_seconds == float("inf")


def test_who_is_not_there_after_the_patience_is_counted_in_the_next_pane(workers: Workers) -> None:
    a, b = workers.start("a"), workers.start("b")
    workers.end_pane(a, b)
    workers.clock.advance(PANE_SECONDS)
    a.serve(1).post()
    assert a.look() is None

    workers.clock.advance(PATIENCE_SECONDS)
    assert a.look() is not None
    assert a.counted == 1
    b.serve(10).post()
    assert a.look() is None

    workers.end_pane(a.serve(100), b.serve(1000))
    assert a.counted == 1111
    # It is known to be there again.
    assert set(a.sharing.watch.processes) == {"a", "b"}  # type: ignore[union-attr]


def test_who_was_late_once_is_not_late_for_ever(workers: Workers) -> None:
    a, b = workers.start("a"), workers.start("b")
    for _ in range(3):
        # The judge is always the first to end its pane.
        workers.clock.advance(PANE_SECONDS)
        a.serve(1).post().look()
        b.serve(10).post()
        a.look()
    assert a.counted == 33

    workers.clock.advance(PANE_SECONDS)
    a.serve(1).post().look()
    workers.clock.advance(PATIENCE_SECONDS)
    a.look()
    b.serve(10).post()
    assert a.counted == 34
    for pane in (1, 2):
        workers.clock.advance(PANE_SECONDS)
        a.serve(1).post().look()
        b.serve(10).post()
        a.look()
        assert a.counted == 34 + 11 * pane + (10 if pane == 2 else 0)


def test_a_process_that_is_gone_is_waited_for_once(workers: Workers) -> None:
    a, b = workers.start("a"), workers.start("b")
    workers.end_pane(a, b)
    b.die()
    workers.clock.advance(PANE_SECONDS)
    a.post()
    workers.clock.advance(PATIENCE_SECONDS)
    assert a.look() is not None

    workers.clock.advance(PANE_SECONDS)
    assert a.post().look() is not None


def test_where_the_judge_dies_another_goes_on_and_nothing_but_its_own_pane_is_lost(workers: Workers) -> None:
    a, b, c = (workers.start(name) for name in "abc")
    for _ in range(3):
        workers.end_pane(a.serve(1), b.serve(10), c.serve(100))
    assert a.counted == 333

    a.serve(1_000)
    a.die()
    workers.end_pane(b.serve(10), c.serve(100))

    workers.clock.advance(PATIENCE_SECONDS)
    judge = judge_of([b, c])
    judge.look()
    assert judge is b
    assert judge.counted == 443
    workers.end_pane(b.serve(10), c.serve(100))
    assert judge.counted == 553
    assert workers.letters == []


def test_alerts_that_are_in_force_are_known_to_whoever_judges_next(workers: Workers) -> None:
    a, b = workers.start("a"), workers.start("b")
    workers.end_pane(a.serve(1, failing=9), b.serve(1, failing=9))
    assert a.states == [("threshold", "firing")]
    workers.end_pane(a.serve(1, failing=9), b.serve(1, failing=9))

    a.die()
    workers.end_pane(b.serve(1, failing=9))
    workers.clock.advance(PATIENCE_SECONDS)
    b.look()
    assert b.states == []
    assert [alert.state for alert in b.sharing.watch.in_force] == ["firing"]  # type: ignore[union-attr]

    workers.end_pane(b.serve(500))
    assert b.states == [("threshold", "resolved")]


@dataclass
class Hurried(TwoClocks):
    """A clock by which a step takes longer than judging may go on at a time."""

    is_hurried: bool = True

    def monotonic(self) -> float:
        self.passed += 0.02 * self.is_hurried
        return self.passed


def looks_until_judged(process: Process) -> int:
    """How often *process* has to be asked until its turn is over; in between it counts on."""
    looks = 1
    while process.look() is None:
        process.counter.endpoint("/predict").count([an_exchange(looks)], {})
        looks += 1
    return looks


def test_what_takes_long_is_judged_in_steps_with_exchanges_counted_in_between() -> None:
    hurried, at_once = (Process("a", None, clock) for clock in (Hurried(), Hurried(is_hurried=False)))
    looks: dict[Process, list[int]] = {hurried: [], at_once: []}

    for process, counted in looks.items():
        for pane in range(6):
            process.clock.advance(PANE_SECONDS)
            process.predict(200, age=40.0 if pane < 4 else 80.0, answers=True).post()
            counted.append(looks_until_judged(process))

    # The reference of 400 rows is complete with the second pane.
    assert looks[at_once] == [1] * 6
    assert looks[hurried][1] > 20
    assert max(looks[hurried][2:]) <= 10
    assert hurried.states == at_once.states == [("drift", "firing")]
    assert [each.summary for each in hurried.alerts] == [each.summary for each in at_once.alerts]


def learned(workers: Workers, process: Process) -> None:
    for _ in range(3):
        process.predict(200, answers=True)
        workers.end_pane(process)


def test_a_checkpoint_is_taken_over_in_steps_too(workers: Workers) -> None:
    a = workers.start("a")
    learned(workers, a)
    before = a.counted
    a.die()
    workers.clock = Hurried(workers.clock.at, workers.clock.passed)
    b = workers.start("b")

    workers.clock.advance(PANE_SECONDS)
    b.predict(50, answers=True).post()
    looks = looks_until_judged(b)

    assert looks > 3
    assert b.counted == before + 50
    assert b.sharing.watch is not None
    assert b.sharing.watch.pane_count == 4


@pytest.mark.parametrize("does", ["leave", "lose the lease"])
def test_a_pane_that_is_half_judged_is_judged_by_another_once(workers: Workers, does: str) -> None:
    workers.clock = Hurried()
    a, b = workers.start("a"), workers.start("b")
    workers.clock.advance(PANE_SECONDS)
    a.serve(400).predict(400, answers=True).post()
    assert [a.look() for _ in range(5)] == [None] * 5
    assert a.sharing.is_judging
    b.serve(30).post()

    if does == "leave":
        a.leave()
    else:
        assert a.sharing._files is not None
        a.sharing._files.lease.release()
        b.sharing._files.lease.take()  # type: ignore[union-attr]
        assert a.look() is None
        a.post()
    workers.clock.advance(PANE_SECONDS)
    b.post()
    workers.clock.passed += 2 * PATIENCE_SECONDS
    looks_until_judged(b)

    assert not a.judges
    assert b.counted == 830


class Broken:
    """A watch that cannot judge."""

    processes = ()

    def close_pane_in_steps(self, pane: MachinePane, at: float, *more: object) -> Steps[list[Alert]]:
        yield
        raise ArithmeticError(pane, at, more)


def test_a_pane_that_cannot_be_judged_is_not_tried_again() -> None:
    process = Process("a", None, Hurried())
    process.sharing._watch = Broken()  # type: ignore[assignment]
    process.serve().post()

    assert process.sharing.turn(0.0) is None
    assert process.sharing.is_judging
    with pytest.raises(ArithmeticError):
        process.sharing.turn(0.0)
    assert not process.sharing.is_judging
    assert process.sharing.turn(0.0) is None


def test_a_reference_that_is_replaced_while_a_pane_is_judged_waits_for_its_end() -> None:
    process = Process("a", None, Hurried())
    process.clock.advance(PANE_SECONDS)
    process.predict(400, answers=True).serve(failing=900).post()
    assert process.look() is None
    other = build_reference_from_columns({"age": np.arange(300.0)}, {}, rng=np.random.default_rng(3), created_at=0.0)

    told = process.sharing.replace_reference(other, process.clock.now())

    assert [(alert.source, alert.state) for alert in told] == [("threshold", "firing")]
    assert not process.sharing.is_judging


def failing(*processes: Process) -> list[Process]:
    return [each.serve(1, failing=9) for each in processes]


def test_what_is_owed_is_handed_out_by_who_judges_alone(workers: Workers) -> None:
    a, b = workers.start("a"), workers.start("b")
    workers.end_pane(*failing(a, b))

    assert [transition for _, transition in a.deliver()] == ["firing"]
    assert b.deliver() == []
    assert b.owed.state.notices == ()


def test_alone_a_process_delivers_what_it_finds() -> None:
    alone = Process("a", None, TwoClocks())
    alone.serve(1, failing=9).post().look()

    assert [transition for _, transition in alone.deliver()] == ["firing"]


def test_an_alert_is_told_by_another_where_the_judge_died_before_it_told_it(workers: Workers) -> None:
    a, b = workers.start("a"), workers.start("b")
    workers.end_pane(*failing(a, b))
    (notice,) = a.owed.state.notices

    a.die()
    workers.end_pane(*failing(b))

    assert b.deliver() == [(notice.id, "firing")]


def test_an_alert_is_told_again_under_its_id_where_the_judge_died_before_it_noted_the_answer(workers: Workers) -> None:
    a, b = workers.start("a"), workers.start("b")
    workers.end_pane(*failing(a, b))
    told = a.deliver()

    a.die()
    workers.end_pane(*failing(b))

    assert len(told) == 1
    assert b.deliver() == told


def test_an_alert_is_not_told_again_where_its_answer_was_noted(workers: Workers) -> None:
    a, b = workers.start("a"), workers.start("b")
    workers.end_pane(*failing(a, b))
    a.deliver()
    workers.end_pane(*failing(a, b))

    a.die()
    workers.end_pane(*failing(b))

    assert b.deliver() == []
    assert [notice.transition for notice in b.owed.in_force()] == ["firing"]


def test_what_was_told_by_a_judge_that_left_in_order_is_not_told_again(workers: Workers) -> None:
    a, b = workers.start("a"), workers.start("b")
    workers.end_pane(*failing(a, b))
    a.deliver()

    a.leave()
    workers.end_pane(*failing(b))

    assert b.states == []
    assert b.deliver() == []


def test_what_a_judge_that_leaves_still_owes_is_delivered_by_the_next(workers: Workers) -> None:
    a = workers.start("a")
    workers.end_pane(*failing(a))
    (notice,) = a.owed.state.notices
    a.leave()
    assert a.deliver() == []

    b = workers.start("b")
    workers.end_pane(b.serve(1))

    assert b.deliver()[:1] == [(notice.id, "firing")]


def test_nothing_is_handed_out_before_a_checkpoint_holds_it(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    a = workers.start("a")
    workers.end_pane(a.serve(1))
    seen: list[object] = []
    write = CheckpointFiles.write

    def watched(files: CheckpointFiles, checkpoint: Checkpoint) -> bool:
        assert checkpoint.owed is not None
        seen.append((len(checkpoint.owed.notices), a.owed.next("route")))
        return write(files, checkpoint)

    monkeypatch.setattr(CheckpointFiles, "write", watched)
    workers.end_pane(*failing(a))

    assert seen == [(1, None)]
    assert len(a.deliver()) == 1


def test_where_no_checkpoint_can_be_written_alerts_are_delivered_all_the_same(workers: Workers) -> None:
    a = workers.start("a")
    workers.end_pane(a.serve(1))
    (workers.directory / CHECKPOINT).unlink()
    (workers.directory / CHECKPOINT).mkdir()

    workers.end_pane(*failing(a))

    assert len(a.deliver()) == 1


def test_a_change_of_settings_loses_nothing_that_is_owed_and_ends_what_is_in_force(workers: Workers) -> None:
    a = workers.start("a")
    workers.end_pane(*failing(a))
    (notice,) = a.owed.state.notices
    a.leave()

    b = workers.start("b", policy=replace(POLICY, rules=parse_rules("error_rate>95%")))
    workers.end_pane(b.serve(10))

    told = b.deliver()
    assert told[0] == (notice.id, "firing")
    assert [transition for _, transition in told] == ["firing", "resolved"]
    assert b.owed.in_force() == ()


def test_a_part_of_what_is_owed_that_cannot_be_read_is_said_and_what_is_in_force_told_anew(
    workers: Workers, caplog: pytest.LogCaptureFixture
) -> None:
    a = workers.start("a")
    workers.end_pane(*failing(a))
    a.leave()
    path = workers.directory / CHECKPOINT
    parts = [replace(part, version=99) if part.name == "owed" else part for part in unsealed(path.read_bytes())]
    path.write_bytes(b"".join(sealed(parts)))

    b = workers.start("b")
    workers.end_pane(*failing(b))
    workers.clock.advance(PATIENCE_SECONDS)
    b.look()

    assert [transition for _, transition in b.deliver()] == ["firing"]
    errors = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert errors == ["which alerts routes had not answered for is lost: what is in force is told anew"]


def test_what_is_owed_in_a_way_that_cannot_be_is_said_and_costs_nothing_else(
    workers: Workers, caplog: pytest.LogCaptureFixture
) -> None:
    a = workers.start("a")
    workers.end_pane(*failing(a))
    a.leave()
    path, layout = workers.directory / CHECKPOINT, CheckpointLayout()
    checkpoint = layout.thaw(path.read_bytes())
    assert checkpoint.owed is not None
    spoilt = replace(checkpoint.owed, in_force=checkpoint.owed.in_force * 2)
    path.write_bytes(b"".join(layout.freeze(replace(checkpoint, owed=spoilt))))

    b = workers.start("b")
    workers.end_pane(*failing(b))
    workers.clock.advance(PATIENCE_SECONDS)
    b.look()

    assert b.counted == 20
    assert [transition for _, transition in b.deliver()] == ["firing"]
    assert b.sharing.troubles == {trouble("checkpoint", "corrupt"): 1}
    assert any(record.levelno == logging.ERROR for record in caplog.records)


def test_a_judge_that_dies_between_its_checkpoint_and_the_removal_of_the_letters_counts_none_twice(
    workers: Workers, tmp_path: Path
) -> None:
    a, b = workers.start("a"), workers.start("b")
    workers.end_pane(a.serve(1), b.serve(10))
    workers.clock.advance(PANE_SECONDS)
    a.serve(100).post()
    b.serve(1000).post()
    shutil.copytree(workers.directory / "panes", tmp_path / "copy")
    a.look()
    a.die()
    for letter in (tmp_path / "copy").iterdir():
        letter.rename(workers.directory / "panes" / letter.name)
    assert len(workers.letters) == 1

    workers.end_pane(b.serve(10_000))
    workers.clock.advance(PATIENCE_SECONDS)
    b.look()

    assert b.counted == 11_111
    assert workers.letters == []


def test_a_judge_that_dies_while_it_counts_loses_none_of_the_others_panes(workers: Workers) -> None:
    a, b, c = (workers.start(name) for name in "abc")
    workers.end_pane(a.serve(1), b.serve(10), c.serve(100))
    workers.clock.advance(PANE_SECONDS)
    a.post()
    b.serve(1000).post()
    c.serve(10_000).post()
    assert a.sharing._files is not None
    mailbox = a.sharing._files.mailbox
    assert len(mailbox.read(mailbox.waiting())) == 2
    a.die()

    workers.end_pane(b, c)
    workers.clock.advance(PATIENCE_SECONDS)
    b.look()

    assert b.counted == 11_111
    assert workers.letters == []


def test_who_leaves_hands_its_last_pane_on_also_where_it_judged(workers: Workers) -> None:
    a, b = workers.start("a"), workers.start("b")
    workers.end_pane(a.serve(1), b.serve(10))

    a.serve(100).leave()
    assert not a.judges
    workers.end_pane(b.serve(1000))
    workers.clock.advance(PATIENCE_SECONDS)
    b.look()

    assert b.counted == 1111
    assert a.sharing.is_in is False


def test_panes_that_wait_to_be_judged_are_handed_on_by_who_leaves(workers: Workers) -> None:
    a, b = workers.start("a"), workers.start("b")
    workers.end_pane(a, b)
    workers.clock.advance(PANE_SECONDS)
    a.serve(1).post()
    assert a.look() is None

    a.serve(10).leave()
    workers.end_pane(b.serve(100))
    workers.clock.advance(PATIENCE_SECONDS)
    b.look()

    assert b.counted == 111


def test_the_last_one_out_leaves_what_the_next_start_takes_up(workers: Workers) -> None:
    a, b = workers.start("a"), workers.start("b")
    for _ in range(3):
        workers.end_pane(a.serve(1, failing=9), b.serve(1, failing=9))
    a.serve(1).leave()
    b.serve(1).leave()
    workers.clock.advance(100.0)

    c, d = workers.start("c"), workers.start("d")
    workers.end_pane(c.serve(1, failing=9), d.serve(1, failing=9))
    workers.clock.advance(PATIENCE_SECONDS)
    judge = judge_of([c, d])
    judge.look()

    assert judge.counted == 60 + 2 + 20
    assert judge.states == []
    assert [alert.state for alert in judge.sharing.watch.in_force] == ["firing"]  # type: ignore[union-attr]


def test_who_comes_back_after_it_left_is_in_again(workers: Workers) -> None:
    a = workers.start("a")
    workers.end_pane(a.serve(1))
    a.leave()

    workers.end_pane(a.serve(10))

    assert a.judges
    assert a.sharing.is_in
    assert a.counted == 11


def test_under_other_settings_it_begins_anew_and_that_is_said(
    workers: Workers, caplog: pytest.LogCaptureFixture
) -> None:
    a = workers.start("a")
    workers.end_pane(a.serve(100))
    a.leave()

    b = workers.start("b", policy=replace(POLICY, rules=parse_rules("error_rate>1%")))
    workers.end_pane(b.serve(10))

    assert b.counted == 10
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == [
        "the kept statistics were made under other settings: beginning anew"
    ]


@pytest.mark.parametrize("what", ["the panes", "an alert"])
def test_where_a_checkpoint_is_read_and_cannot_be_taken_over_its_alerts_end(workers: Workers, what: str) -> None:
    a = workers.start("a")
    for _ in range(3):
        workers.end_pane(a.serve(1, failing=9))
    a.leave()
    path, layout = workers.directory / CHECKPOINT, CheckpointLayout()
    checkpoint = layout.thaw(path.read_bytes())
    machine = checkpoint.state.machine
    (firing,) = machine.alerts.in_force
    in_force: tuple[Alert, ...] = (firing, replace(firing, key="threshold/other", state="pending"))
    if what == "an alert":
        in_force += (replace(firing, key="threshold/broken", since_at=float("nan")),)
    spoilt = replace(machine, pane_count=-1, alerts=replace(machine.alerts, in_force=in_force))
    path.write_bytes(b"".join(layout.freeze(replace(checkpoint, state=replace(checkpoint.state, machine=spoilt)))))

    b = workers.start("b")
    workers.end_pane(b.serve(10))

    assert b.counted == 10
    assert [(alert.key, alert.state) for alert in b.alerts] == [(firing.key, "resolved")]
    assert b.alerts[0].summary.startswith("the statistics behind it could not be taken over; it was: ")
    assert b.sharing.troubles == {trouble("checkpoint", "corrupt"): 1}


def test_a_checkpoint_that_is_damaged_is_said_once_and_begun_anew(
    workers: Workers, caplog: pytest.LogCaptureFixture
) -> None:
    a = workers.start("a")
    workers.end_pane(a.serve(100))
    a.leave()
    checkpoint = workers.directory / CHECKPOINT
    blob = bytearray(checkpoint.read_bytes())
    blob[len(blob) // 2] ^= 0xFF
    checkpoint.write_bytes(blob)

    b = workers.start("b")
    for _ in range(3):
        workers.end_pane(b.serve(10))
        workers.clock.advance(PATIENCE_SECONDS)
        b.look()

    assert b.counted == 30
    assert b.sharing.troubles == {trouble("checkpoint", "corrupt"): 1}
    assert len([record for record in caplog.records if record.levelno >= logging.WARNING]) == 1


def test_a_pane_that_is_damaged_is_lost_alone_and_that_is_counted(
    workers: Workers, caplog: pytest.LogCaptureFixture
) -> None:
    a, b = workers.start("a"), workers.start("b")
    workers.end_pane(a.serve(1), b.serve(10))
    for _ in range(2):
        workers.clock.advance(PANE_SECONDS)
        a.serve(100).post()
        b.serve(1000).post()
        (letter,) = workers.letters
        letter.write_bytes(letter.read_bytes()[:-9])
        a.look()
        workers.clock.advance(PATIENCE_SECONDS)
        a.look()

    workers.end_pane(a, b.serve(10_000))

    assert a.counted == 10_211
    assert a.sharing.troubles == {trouble("mailbox", "corrupt"): 2}
    assert workers.letters == []
    assert len([record for record in caplog.records if record.levelno >= logging.WARNING]) == 1


def test_a_pane_of_another_version_stays_for_whoever_can_read_it_and_nobody_waits(
    workers: Workers, caplog: pytest.LogCaptureFixture
) -> None:
    a, b = workers.start("a"), workers.start("b")
    workers.end_pane(a.serve(1), b.serve(10))
    workers.clock.advance(PANE_SECONDS)
    a.post()
    b.serve(1000).post()
    (letter,) = workers.letters
    blob = bytearray(letter.read_bytes())
    blob[4] += 1  # the number of the format
    letter.write_bytes(blob)

    a.look()
    for _ in range(3):
        workers.clock.advance(PANE_SECONDS)
        a.serve(100).post()
        workers.clock.advance(PATIENCE_SECONDS)
        assert a.look() is not None

    assert a.counted == 311
    assert [path.name for path in workers.letters] == [letter.name]
    assert a.sharing.troubles == {trouble("mailbox", "other_version"): 1}
    assert len([record for record in caplog.records if record.levelno >= logging.WARNING]) == 1
    blob[4] -= 1
    letter.write_bytes(blob)
    workers.end_pane(a, b)
    assert a.counted == 1311


def test_where_no_pane_can_be_posted_it_is_kept_until_it_can(
    workers: Workers, caplog: pytest.LogCaptureFixture
) -> None:
    a, b = workers.start("a"), workers.start("b")
    workers.end_pane(a.serve(1), b.serve(10))
    panes = workers.directory / "panes"
    panes.rmdir()
    panes.write_text("in the way")

    for _ in range(3):
        workers.clock.advance(PANE_SECONDS)
        b.serve(100).post().look()
        a.serve(1000).post()
        workers.clock.advance(PATIENCE_SECONDS)
        a.look()
    assert a.counted == 3011
    assert b.sharing.troubles[trouble("mailbox", "not_written")] == 3

    panes.unlink()
    panes.mkdir(mode=0o700)
    workers.end_pane(a, b)
    assert a.counted == 3311
    said = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(said) == len(set(said))


def test_where_the_checkpoint_cannot_be_written_the_judging_goes_on(
    workers: Workers, caplog: pytest.LogCaptureFixture
) -> None:
    a, b = workers.start("a"), workers.start("b")
    workers.end_pane(a.serve(1), b.serve(10))
    (workers.directory / CHECKPOINT).unlink()
    (workers.directory / CHECKPOINT).mkdir()

    for _ in range(3):
        workers.end_pane(a.serve(1), b.serve(10))

    assert a.counted == 44
    assert a.sharing.troubles == {trouble("checkpoint", "not_written"): 3}
    assert len([record for record in caplog.records if record.levelno >= logging.WARNING]) == 1


def test_a_directory_that_was_removed_is_made_anew(workers: Workers) -> None:
    a, b = workers.start("a"), workers.start("b")
    workers.end_pane(a.serve(1), b.serve(10))
    shutil.rmtree(workers.directory)

    for _ in range(2):
        workers.end_pane(a.serve(100), b.serve(1000))
        workers.clock.advance(PATIENCE_SECONDS)
        for each in (a, b):
            each.look()
    workers.end_pane(a, b)

    assert judge_of([a, b]).counted >= 2200


@pytest.mark.parametrize("seconds", [-3600.0, 86_400.0], ids=["an hour back", "a day forward"])
def test_a_clock_that_is_set_does_not_stop_the_counting(workers: Workers, seconds: float) -> None:
    a, b = workers.start("a"), workers.start("b")
    for _ in range(3):
        workers.end_pane(a.serve(1), b.serve(10))

    workers.clock.at += seconds
    for _ in range(3):
        workers.end_pane(a.serve(1, failing=1), b.serve(10, failing=10))

    assert a.counted == 33 + 66
    assert ("threshold", "firing") in a.states
    a.die()
    workers.end_pane(b.serve(1000))
    workers.clock.advance(PATIENCE_SECONDS)
    b.look()
    assert b.counted == 1099


def test_who_lost_the_lease_judges_no_more(workers: Workers) -> None:
    a, b = workers.start("a"), workers.start("b")
    workers.end_pane(a.serve(1), b.serve(10))
    a.sharing._files.lease.release()  # type: ignore[union-attr]

    workers.clock.advance(PANE_SECONDS)
    b.serve(100).post()
    a.serve(1000).post()
    for each in (a, b):
        each.look()

    assert judge_of([a, b]) is b
    assert b.counted == 1111


def versions_counted(process: Process) -> tuple[str, ...]:
    """References that the process counts the rows of the model against."""
    model = process.counter.endpoint("/predict")._models["risk", ""]
    return tuple(model._counters)


def test_a_reference_that_the_judge_learned_is_what_all_count_against_from_then_on(workers: Workers) -> None:
    processes = [workers.start(name) for name in "abc"]
    a, *others = processes
    workers.end_pane(*[each.predict(200) for each in processes])

    (version,) = versions_counted(a)

    assert version
    assert [versions_counted(each) for each in others] == [(version,)] * 2
    for _ in range(4):
        workers.end_pane(*[each.predict(60, age=70.0) for each in processes])
    assert ("drift", "firing") in a.states
    (age,) = [alert for alert in a.alerts if alert.column == "age" and alert.state == "firing"][:1]
    assert age.rows % 180 == 0


def test_a_learned_reference_that_is_forgotten_is_learned_anew_by_all(workers: Workers) -> None:
    processes = [workers.start(name) for name in "abc"]
    workers.end_pane(*[each.predict(200) for each in processes])
    (before,) = versions_counted(processes[0])
    next(workers.directory.glob("reference-*.json")).unlink()

    workers.end_pane(*[each.predict(20) for each in processes])
    assert [versions_counted(each) for each in processes] == [()] * 3
    workers.end_pane(*[each.predict(200, age=70.0) for each in processes])

    (after,) = versions_counted(processes[0])
    assert after != before
    assert [versions_counted(each) for each in processes] == [(after,)] * 3
    for _ in range(5):
        workers.end_pane(*[each.predict(60, age=70.0) for each in processes])
    assert not any(alert.state == "firing" for alert in processes[0].alerts)


def test_directions_reach_the_other_processes(workers: Workers) -> None:
    rng = np.random.default_rng(1)
    held = {"age": rng.normal(40, 10, 2500), "income": rng.gamma(4, 500, 2500)}
    reference = build_reference_from_columns(held, {}, rng=rng, created_at=0.0)
    processes = [workers.start(name, given(reference)) for name in "ab"]

    for _ in range(3):
        workers.end_pane(*[each.predict(150, age=43.0) for each in processes])

    (judges, counts) = (
        each.briefings[-1].endpoints["/predict"].models["risk", ""].directions[reference.version][""]
        for each in processes
    )
    assert judges.number == counts.number > 1
    assert judges.weights.any()
    assert judges.weights.tolist() == counts.weights.tolist()


def test_a_process_that_starts_later_hears_at_once_what_is_to_be_counted(workers: Workers) -> None:
    a = workers.start("a")
    workers.end_pane(a.predict(500))

    b = workers.start("b")
    b.look()
    b.predict(5)

    assert versions_counted(b) == versions_counted(a)


def test_a_briefing_is_handed_out_once(workers: Workers) -> None:
    a, b = workers.start("a"), workers.start("b")
    workers.end_pane(a, b)
    assert (len(a.briefings), len(b.briefings)) == (1, 1)

    for each in (a, b):
        each.look()

    assert (len(a.briefings), len(b.briefings)) == (1, 1)


def test_a_reference_that_a_newer_process_has_ends_the_alerts_of_the_one_before(workers: Workers) -> None:
    def reference(age: float) -> Reference:
        rng = np.random.default_rng(int(age))
        held = {"age": rng.normal(age, 10, 1000), "income": rng.gamma(4, 500, 1000)}
        return build_reference_from_columns(held, {}, rng=rng, created_at=age)

    a = workers.start("a", given(reference(40.0)))
    for _ in range(3):
        workers.end_pane(a.predict(200, age=80.0))
    assert ("drift", "firing") in a.states
    a.leave()

    b = workers.start("b", given(reference(80.0)))
    for _ in range(5):
        workers.end_pane(b.predict(200, age=80.0))

    drift = [alert for alert in b.alerts if alert.source == "drift"]
    assert drift
    assert {alert.state for alert in drift} == {"resolved"}
    assert all(alert.summary.startswith("the reference was replaced") for alert in drift)


def test_figures_are_those_of_the_judge_whichever_process_is_asked(workers: Workers) -> None:
    a, b = workers.start("a"), workers.start("b")
    assert a.sharing.figures.read() is b.sharing.figures.read() is None
    workers.end_pane(a, b)

    a.sharing.figures.keep(Figures(BEGAN_AT, 5.0, (), ()))

    for each in (a, b):
        found = each.sharing.figures.read()
        assert found is not None
        assert (found.at, found.started_at) == (BEGAN_AT, 5.0)
    assert (a.sharing.own_figures is None, b.sharing.own_figures) == (False, None)
    (workers.directory / "figures").write_bytes(b"nothing that one can read")
    assert b.sharing.figures.read() is None
    assert b.sharing.troubles == {trouble("figures", "corrupt"): 1}


def test_figures_are_written_as_they_are_read_without_a_pickle(workers: Workers) -> None:
    a = workers.start("a")
    workers.end_pane(a)

    a.sharing.figures.keep(Figures(BEGAN_AT, 5.0, (), ()))

    assert (workers.directory / "figures").read_bytes() == b"".join(FIGURES.freeze(Figures(BEGAN_AT, 5.0, (), ())))


def test_what_is_forgotten_holds_no_lease_and_no_membership(workers: Workers) -> None:
    a, b = workers.start("a"), workers.start("b")
    workers.end_pane(a, b)

    a.sharing.forget()
    workers.end_pane(b.serve(5))

    assert b.judges


def test_more_processes_come_and_go_than_are_remembered(workers: Workers) -> None:
    judge = workers.start("judge")
    workers.end_pane(judge)
    for number in range(300):
        pane = MachinePane({}, {f"w{number}": ProcessStatus(2, 1.0)})
        assert Mailbox(workers.directory / "panes", f"w{number}", PANE, merge=lambda panes: panes[0]).post(pane)

    workers.end_pane(judge)

    assert judge.sharing.watch is not None
    assert judge.sharing.watch.processes.in_flight_count == 1 + 2 * 300
    assert workers.letters == []
    assert len(judge.sharing._reading.counted) == 256


def test_a_process_under_other_settings_is_left_out_and_costs_no_other(
    workers: Workers, caplog: pytest.LogCaptureFixture
) -> None:
    rng = np.random.default_rng(2)
    held = {"age": rng.normal(40, 10, 1000), "income": rng.gamma(4, 500, 1000)}
    references = given(build_reference_from_columns(held, {}, rng=rng, created_at=0.0))
    ignoring = replace(POLICY, ignored=("income",))
    a, b, c = workers.start("a", references), workers.start("b", references, ignoring), workers.start("c", references)

    for _ in range(3):
        workers.end_pane(a.predict(1), b.predict(10), c.predict(100))

    assert a.counted == 303
    assert a.sharing.troubles == {trouble("panes", "unfitting"): 3}
    assert len([record for record in caplog.records if record.levelno >= logging.WARNING]) == 1


def test_panes_that_nobody_judges_for_long_are_merged_and_counted_once(workers: Workers) -> None:
    a, b = workers.start("a"), workers.start("b")
    workers.end_pane(a.serve(1), b.serve(10))

    for _ in range(30):
        workers.clock.advance(PANE_SECONDS)
        b.serve(100).post()
    assert len(workers.letters) < 10
    workers.end_pane(a, b)

    assert a.counted == 3011


def test_where_the_directory_cannot_be_had_the_judge_goes_on_alone_and_the_others_keep_what_they_counted(
    workers: Workers,
) -> None:
    a, b = workers.start("a"), workers.start("b")
    workers.end_pane(a.serve(1), b.serve(10))
    directory = workers.directory
    shutil.rmtree(directory)
    directory.write_text("in the way")

    for _ in range(2):
        workers.clock.advance(PANE_SECONDS)
        for each, exchanges in ((a, 100), (b, 1000)):
            each.serve(exchanges).post()
        workers.clock.advance(PATIENCE_SECONDS)
        a.look()
        b.look()
    # What was posted before the directory went is gone with it.
    assert a.counted in {201, 211}
    kept = a.counted
    directory.unlink()
    workers.end_pane(a, b)
    workers.clock.advance(PATIENCE_SECONDS)
    for each in (a, b):
        each.look()

    judge = judge_of([a, b])
    assert judge.counted == (kept + 2000 if judge is a else 2000)


def test_alone_a_process_shows_its_own_figures() -> None:
    alone = Process("a", None, TwoClocks())
    assert alone.sharing.figures.read() is None

    alone.sharing.figures.keep(Figures(BEGAN_AT, 5.0, (), ()))

    assert alone.sharing.figures.read() == alone.sharing.own_figures == Figures(BEGAN_AT, 5.0, (), ())
    alone.sharing.forget()
    assert alone.sharing.figures.read() is None


def test_what_a_process_learned_beside_a_file_is_counted_against_by_all(workers: Workers) -> None:
    rng = np.random.default_rng(3)
    held = {"age": rng.normal(40, 10, 1000), "income": rng.gamma(4, 500, 1000)}
    reference = build_reference_from_columns(held, {}, rng=rng, created_at=0.0)
    a, b = (workers.start(name, References(LearnedReferences(workers.path), reference)) for name in "ab")

    for _ in range(2):
        workers.end_pane(a.predict(300, answers=True), b.predict(300, answers=True))

    for each in (a, b):
        assert len(versions_counted(each)) == 2
    assert versions_counted(a) == versions_counted(b)
    assert versions_counted(a)[0] == reference.version
