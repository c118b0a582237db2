"""Which processes have ended, by their journals or because nothing is heard of them, and what they left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from dashlight.counting.remains import Remains
from dashlight.workers.dead_journals import DeadJournals

SILENT_PANES = 30
"""Panes in which nothing is heard of a process that keeps no journal, before it is taken for ended."""


class FoundRemains:
    """What is left of the processes of a machine that have ended. For the one that judges."""

    def __init__(self, journals: DeadJournals, process: str) -> None:
        """*process* is this one, which has not."""
        self._journals = journals
        self._process = process
        self._found: list[Remains] = []
        self._silent: dict[str, int] = {}
        """For how many panes nothing was heard of whom."""

    @property
    def troubles(self) -> Counter[str]:
        """What went wrong with the journals, by kind."""
        return self._journals.troubles

    def look(self, at: float) -> None:
        """Looks for those that have ended by now."""
        self._found = self._journals.find(at=at)

    def take(self, running: Sequence[str], *, heard: Collection[str], unread: Collection[str]) -> list[Remains]:
        """What is left of those that had ended when it was last looked: for one pane, to be called once for each.

        *running* are those that are not known to have ended, *heard* those that told something in the pane; *unread* those
        of which something waits to be read, which comes first.
        """
        silent = set(running) - {self._process, *heard, *self._journals.alive}
        self._silent = {process: self._silent.get(process, 0) + 1 for process in sorted(silent)}
        gone = [Remains(process) for process, panes in self._silent.items() if panes >= SILENT_PANES]
        ended = {each.process: each for each in (*gone, *self._found)}
        return [each for process, each in ended.items() if process not in unread]

    def discard(self, remains: Sequence[Remains]) -> None:
        """Removes *remains*: they are counted and kept."""
        self._journals.discard(each.process for each in remains)
