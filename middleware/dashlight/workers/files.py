"""The files by which the processes of a host share: a lease, a mailbox, and what one of them writes for all."""

from __future__ import annotations

from collections.abc import Sequence

from dashlight.counting.kept_rows import MOST_PANE_BYTES
from dashlight.counting.machine import HostPane, lightened, merged
from dashlight.errors import DashlightError, StateError
from dashlight.metrics.figures import Figures, decode
from dashlight.store.pickled import PICKLED
from dashlight.store.private import make_directory
from dashlight.workers.layouts import BRIEFING, FIGURES, PANE
from dashlight.workers.lease import Lease
from dashlight.workers.mailbox import Mailbox
from dashlight.workers.record import SharedRecord
from dashlight.workers.rendezvous import Meeting


class SharedFiles:
    """The files by which the processes of a host share."""

    def __init__(self, meeting: Meeting, process: str) -> None:
        """Opens them in the directory of *meeting*; StateError where that is not possible."""
        self._meeting = meeting
        path = meeting.path
        self.lease = Lease(path / "lease")
        self._panes = path / "panes"
        self.mailbox = Mailbox(self._panes, process, PANE, merge=_merged_letters, lighten=lightened)
        self.checkpoint = SharedRecord(path / "checkpoint", PICKLED)
        self.briefing = SharedRecord(path / "briefing", BRIEFING)
        self.figures = SharedRecord(path / "figures", FIGURES)

    def enter(self) -> bool:
        """Whether the directories are there, made anew if need be."""
        try:
            if self._meeting.renew():
                make_directory(self._panes)
                return True
        except (OSError, StateError):  # what does not work is counted where it is used
            pass
        return False

    @property
    def has_lost_lease(self) -> bool:
        """Whether somebody else judges by now: the file of the lease was removed, and another took the new one."""
        return self.enter() and not self.lease.take()

    def latest_figures(self) -> Figures | None:
        """Those of the host; None where there are none yet, or none that can be read."""
        found = self.figures.read()
        try:
            return decode(found) if found is not None else None
        except DashlightError:
            return None

    @property
    def troubles(self) -> dict[str, int]:
        """What went wrong, by file and kind."""
        found: dict[str, int] = {}
        for name in ("lease", "mailbox", "checkpoint", "briefing", "figures"):
            for kind, count in getattr(self, name).troubles.items():
                found[f"{name} {kind}"] = count
        return found

    def leave(self) -> None:
        """Gives the lease to whoever asks next, and leaves."""
        self.lease.release()
        self._meeting.leave()

    def forget(self) -> None:
        """Closes what is the parent's: what a forked child does at once."""
        self.lease.forget()
        self._meeting.forget()


def _merged_letters(panes: Sequence[HostPane]) -> HostPane:
    return lightened(merged(panes), most_bytes=MOST_PANE_BYTES)
