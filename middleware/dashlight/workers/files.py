"""The files by which the processes of a machine share: a lease, a mailbox, and what one of them writes for all."""

from __future__ import annotations

from collections.abc import Sequence

from dashlight.counting.kept_rows import MOST_PANE_BYTES
from dashlight.counting.machine import MachinePane, lightened, merged
from dashlight.errors import StateError
from dashlight.metrics.losses import SignalFate
from dashlight.store.private import make_directory
from dashlight.workers.dead_journals import DeadJournals
from dashlight.workers.found_remains import FoundRemains
from dashlight.workers.generations import CheckpointFiles
from dashlight.workers.journal import Journal
from dashlight.workers.layouts import BRIEFING, FIGURES, PANE, VIEW
from dashlight.workers.lease import Lease
from dashlight.workers.mailbox import Mailbox
from dashlight.workers.own_journal import OwnJournal
from dashlight.workers.record import SharedRecord
from dashlight.workers.rendezvous import Meeting


class SharedFiles:
    """The files by which the processes of a machine share."""

    def __init__(self, meeting: Meeting, process: str) -> None:
        """Opens them in the directory of *meeting*; StateError where that is not possible."""
        self._meeting = meeting
        path, said = meeting.path, set[str]()
        self.lease = Lease(path / "lease")
        self._panes = path / "panes"
        self.mailbox = Mailbox(self._panes, process, PANE, merge=_merged_letters, lighten=lightened, said=said)
        self.checkpoint = CheckpointFiles(path, said=said)
        self.briefing = SharedRecord(path / "briefing", BRIEFING, said=said)
        self.figures = SharedRecord(path / "figures", FIGURES, said=said)
        self.view = SharedRecord(path / "view", VIEW, said=said)
        self._journal_file = Journal(path / "journals", process)
        self.journal = OwnJournal(self._journal_file, process)
        self.remains = FoundRemains(DeadJournals(path / "journals", process), process)

    def enter(self) -> bool:
        """Whether the directories are there, made anew if need be."""
        try:
            if self._meeting.renew():
                make_directory(self._panes)
                self._journal_file.renew()
                return True
        except (OSError, StateError):  # what does not work is counted where it is used
            pass
        return False

    @property
    def has_lost_lease(self) -> bool:
        """Whether somebody else judges by now: the file of the lease was removed, and another took the new one."""
        return self.enter() and not self.lease.take()

    @property
    def troubles(self) -> dict[SignalFate, int]:
        """What went wrong, by file and kind."""
        by_file = {
            "lease": self.lease.troubles,
            "mailbox": self.mailbox.troubles,
            "checkpoint": self.checkpoint.troubles,
            "briefing": self.briefing.troubles,
            "figures": self.figures.troubles,
            "view": self.view.troubles,
            "journal": self._journal_file.troubles + self.remains.troubles,
        }
        return {
            SignalFate("files", "dropped", kind, name): count
            for name, troubles in by_file.items()
            for kind, count in troubles.items()
        }

    def leave(self) -> None:
        """Gives the lease to whoever asks next, and leaves."""
        self.lease.release()
        self._meeting.leave()

    def forget(self) -> None:
        """Closes what is the parent's: what a forked child does at once."""
        self.lease.forget()
        self.journal.forget()
        self._meeting.forget()


def _merged_letters(panes: Sequence[MachinePane]) -> MachinePane:
    return lightened(merged(panes), most_bytes=MOST_PANE_BYTES)
