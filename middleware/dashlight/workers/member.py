"""The part of one process in the watch of its machine: it posts what it counted, or judges for all who did.

One process holds the lease and judges the sum of all panes. Should it end, however suddenly, another takes the lease,
reads the last checkpoint, and goes on with the panes that are not counted in it: none is counted twice, and of a pane
only what the ended process itself had not posted is lost.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from dashlight.clock import Clock
from dashlight.counting.machine import Briefing, MachinePane, merged
from dashlight.counting.policy import Policy
from dashlight.counting.references import References
from dashlight.counting.remains import Remains
from dashlight.deliver.alerting.owed import Owed
from dashlight.metrics.figures import Figures
from dashlight.metrics.losses import SignalFate
from dashlight.page.view import View
from dashlight.records import Alert
from dashlight.watching.machine import MachineWatch
from dashlight.window.columns import Reference
from dashlight.window.reference.steps import Result, Steps
from dashlight.workers.checkpoints import Checkpoint
from dashlight.workers.closing import Closing, Turn, judged
from dashlight.workers.files import SharedFiles
from dashlight.workers.inheritance import Inheritance, inherit, owe
from dashlight.workers.labels import LabelReader
from dashlight.workers.mailbox import Letter
from dashlight.workers.operator import Operator
from dashlight.workers.read_letters import ReadLetters
from dashlight.workers.record import Latest
from dashlight.workers.rendezvous import Meeting

logger = logging.getLogger("dashlight")

PATIENCE_SECONDS = 0.3
"""How long the others' panes are waited for, or a quarter of a pane where that is shorter."""
_LOOK_SECONDS = 0.05
"""How often it is looked whether they are there."""
_STEP_SECONDS = 0.01
"""How long judging goes on at a time: exchanges are analysed in between."""
_STEP_PAUSE_SECONDS = 0.01


class Sharing:
    """Where the panes of one process go. Used by the analysis thread alone, but for `figures` and `view`."""

    def __init__(
        self,
        policy: Policy,
        references: References,
        *,
        meeting: Meeting | None,
        process: str,
        clock: Clock,
        owed: Owed | None = None,
        operator: Operator | None = None,
        labels: LabelReader | None = None,
    ) -> None:
        """*meeting* is where the machine's processes meet, None where this one is alone; *process* names it there.

        *owed* is what there is to tell, filled and opened where this process judges; *operator* is who silences some of it.
        *labels* reads the store that the processes share, None where there is none.
        """
        self._policy = policy
        self._references = references
        self._clock = clock
        self._process, self._labels = process, labels
        self._files = SharedFiles(meeting, process) if meeting is not None else None
        self.journal = None if self._files is None else self._files.journal
        """Where this process keeps what it has counted and not handed on; None where it meets nobody."""
        self._watch = MachineWatch(policy, references, at=clock.now()) if meeting is None else None
        self._pending: list[MachinePane] = []
        """Panes of this process that are not judged and not posted yet."""
        self._ended_at = self._judged_by = 0.0
        self._reading = ReadLetters()
        self.figures: Latest[Figures] = Latest(None if self._files is None else self._files.figures)
        self.view: Latest[View] = Latest(None if self._files is None else self._files.view)
        """What is shown of the machine, as figures and for people."""
        self.is_in = meeting is not None
        """Whether this process has a place among others of the machine now."""
        self._owed = Owed() if owed is None else owed
        self._operator = Operator(None, 0.0) if operator is None else operator
        if meeting is None:
            self._owed.open()
        self._taking_over: Steps[Inheritance] | None = None
        self._closing: Closing | None = None
        self._is_news = False
        """Whether the briefing is another since it was asked for last; only where this process judges."""

    def post(self, pane: MachinePane, at: float) -> None:
        """Hands on what this process counted in the pane that ended *at*."""
        files = self._files
        if files is None:
            self._pending.append(pane)
            return
        self._pending.append(files.journal.close_pane(pane))
        if files.enter():
            self.is_in = True
            if not files.lease.take():
                self._stand_down()
            elif self._watch is None:
                self._watch = MachineWatch(self._policy, self._references, at=at)
                self._taking_over = inherit(files.checkpoint, self._policy, self._references, self._owed, at=at)
        if self._watch is None and files.mailbox.post(merged(self._pending)):
            self._pending.clear()
            files.journal.hand_on(files.journal.number)
        elif len(self._pending) > 1:
            self._pending = [merged(self._pending)]
        self._ended_at = at
        self._judged_by = self._clock.monotonic() + min(PATIENCE_SECONDS, self._policy.pane_seconds / 4)

    def turn(self, at: float, *, at_once: bool = False) -> Turn | None:
        """Judges, where this process does and all panes are there or were waited for long enough.

        What takes long is done in steps: None, and the turn goes on with the next call. *at_once*: to its end.
        """
        watch, files = self._watch, self._files
        if watch is None or not (self._pending or self.is_judging):
            return None
        if files is not None and files.has_lost_lease:
            self._stand_down()
            return None
        if self._taking_over is not None:
            inherited = self._advanced(self._taking_over, at_once=at_once)
            if inherited is None:
                return None
            self._taking_over = None
            self._watch = watch = inherited.watch
            self._reading.counted, self._is_news = dict(inherited.counted), inherited.is_taken_over
            self._owed.open()
            owe(self._owed, inherited.over, watch, at, self._operator)
            if inherited.over:
                return Turn(watch, inherited.over, has_pane=False)
        if self._closing is None:
            waiting: list[Letter] = []
            if files is not None:
                # Before the mailbox is looked into: what an ended process posted is there by then.
                files.remains.look(at)
                waiting = files.mailbox.waiting()
                self._reading.read(files.mailbox, waiting)
                if self._are_missing(watch) and self._clock.monotonic() < self._judged_by:
                    return None
            own, self._pending = self._pending, []
            pane = self._reading.summed([*own, *self._reading.taken()])
            number, remains = 0, list[Remains]()
            if files is not None:
                unread = {letter.worker for letter in waiting if not self._reading.is_counted(letter)}
                running = watch.totals.accounts.running
                number, remains = files.journal.number, files.remains.take(running, heard=pane.statuses, unread=unread)
            self._closing = Closing(judged(watch, pane, at, remains, self._labels), own, waiting, number, remains)
        closing = self._closing
        try:
            alerts = self._advanced(closing.steps, at_once=at_once)
        except Exception:
            self._closing = None
            raise
        if alerts is None:
            return None
        self._closing = None
        owe(self._owed, alerts, watch, at, self._operator)
        if files is not None:
            self._references.learned.put_aside_refused()
            # What is in no checkpoint is counted again by whoever takes over. Those of another version stay as well.
            if files.checkpoint.write(Checkpoint(watch.state, self._reading.counted, self._owed.state)):
                files.mailbox.discard(letter.name for letter in closing.letters if self._reading.is_counted(letter))
                files.journal.hand_on(closing.number)
                files.remains.discard(closing.remains)
            files.briefing.write(watch.briefing)
            self._reading.tidy()
        # Only now: whoever goes on after a death has it in the checkpoint, under the id under which it leaves.
        self._owed.release()
        self._is_news = True
        return Turn(watch, alerts)

    @property
    def is_judging(self) -> bool:
        """Whether a turn has begun that goes on."""
        return self._closing is not None or self._taking_over is not None

    def _advanced(self, steps: Steps[Result], *, at_once: bool) -> Result | None:
        """What comes of *steps*; None where they are not over after _STEP_SECONDS."""
        until = self._clock.monotonic() + _STEP_SECONDS
        while True:
            try:
                next(steps)
            except StopIteration as end:
                result: Result = end.value
                return result
            if not at_once and self._clock.monotonic() >= until:
                return None

    def _stand_down(self) -> None:
        """Another process judges: what was begun here is its to judge."""
        if self._closing is not None:
            self._pending = [*self._closing.own, *self._pending]
        self._watch = self._taking_over = self._closing = None
        self._owed.clear()
        self._reading.forget()

    @property
    def wait_seconds(self) -> float:
        """How long until it is worth asking again whether it is this process's turn."""
        if self.is_judging:
            return _STEP_PAUSE_SECONDS
        return _LOOK_SECONDS if self._pending and self._watch is not None else float("inf")

    def briefing(self) -> Briefing | None:
        """What is to be counted from now on, where that is not what it was; else None."""
        if self._watch is not None:
            is_news, self._is_news = self._is_news, False
            return self._watch.briefing if is_news else None
        return self._files.briefing.changed() if self._files is not None else None

    @property
    def own_figures(self) -> Figures | None:
        """The latest figures where this process judges; else None."""
        return self.figures.own if self._watch is not None else None

    @property
    def has_checkpoint(self) -> bool:
        """Whether there is a file from which whoever judges next goes on."""
        return self._files is not None and self._files.checkpoint.path.exists()

    @property
    def reference(self) -> Reference | None:
        """The reference file that this process judges by, or would."""
        return self._references.given

    def replace_reference(self, reference: Reference, at: float) -> Sequence[Alert]:
        """Judges by *reference* from now on, or would; the alerts that end with the one before."""
        self._references = References(self._references.learned, reference)
        # What has begun ends with the reference with which it began.
        turn = self.turn(at, at_once=True) if self.is_judging else None
        ended: Sequence[Alert] = ()
        if self._watch is not None:
            ended = self._watch.replace_reference(reference, at)
            owe(self._owed, ended, self._watch, at, self._operator)
        return [*(() if turn is None else turn.alerts), *ended]

    @property
    def watch(self) -> MachineWatch | None:
        """The watch of the machine, where this process judges."""
        return self._watch

    @property
    def troubles(self) -> Mapping[SignalFate, int]:
        """What went wrong with the files and with reading labels, and which panes did not fit."""
        of_files = {} if self._files is None else self._files.troubles
        of_labels = {} if self._labels is None else dict(self._labels.troubles)
        return of_files | dict(self._reading.troubles) | of_labels

    def leave(self, last: MachinePane) -> None:
        """Posts what is not judged yet, *last* among it, for whoever judges next, and leaves the others."""
        files = self._files
        if files is None:
            return
        self.is_in = False
        if self.is_judging:
            self._stand_down()
        self._pending.append(files.journal.close_pane(last))
        if files.mailbox.post(merged(self._pending)):
            files.journal.hand_on(files.journal.number)
        files.journal.leave()
        if self._watch is not None:
            # What was answered meanwhile need not be told again by whoever goes on.
            files.checkpoint.write(Checkpoint(self._watch.state, self._reading.counted, self._owed.state))
        self._pending.clear()
        self._watch = None
        self._owed.clear()
        self._reading.forget()
        files.leave()

    def forget(self) -> None:
        """Lets go of what belongs to the parent process: what a forked child does at once."""
        self.is_in = False
        self._pending.clear()
        self.figures.forget()
        self.view.forget()
        if self._files is not None:
            self._files.forget()

    def _are_missing(self, watch: MachineWatch) -> bool:
        """Whether a process that was there last time has not told of the pane that is to be judged.

        What it told late of the pane before does not count: else it would be a pane late for ever.
        """
        since_at = self._ended_at - self._policy.pane_seconds / 2
        return bool(self._reading.missing(set(watch.processes) - {self._process}, since_at=since_at))
