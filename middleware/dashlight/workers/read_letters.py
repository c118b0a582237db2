"""Letters that were read and are not judged yet, and which ones are counted already."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from dashlight.counting.machine import MachinePane, merged
from dashlight.metrics.losses import SignalFate
from dashlight.store.private import count_trouble
from dashlight.workers.mailbox import Letter, Mailbox

logger = logging.getLogger("dashlight")

_MOST_REMEMBERED = 256
"""Processes of which is remembered what was counted; those heard of last."""


class ReadLetters:
    """What the process that judges has read of the others' panes."""

    def __init__(self) -> None:
        self.counted: dict[str, int] = {}
        """Number of the last letter of each process that is counted."""
        self._unfitting: Counter[str] = Counter()
        self._read: list[tuple[Letter, MachinePane]] = []
        self._looked_at: set[str] = set()
        """Names of letters that were read, or could not be, for the pane that is to be judged."""

    @property
    def troubles(self) -> Mapping[SignalFate, int]:
        """Panes that did not fit."""
        return {SignalFate("files", "dropped", kind, "panes"): count for kind, count in self._unfitting.items()}

    def is_counted(self, letter: Letter) -> bool:
        """Whether *letter* was judged, here or by who judged before."""
        return letter.sequence <= self.counted.get(letter.worker, 0)

    def read(self, mailbox: Mailbox[MachinePane], waiting: Iterable[Letter]) -> None:
        """Reads those of *waiting* that are new."""
        new = [each for each in waiting if not self.is_counted(each) and each.name not in self._looked_at]
        self._looked_at.update(letter.name for letter in new)
        self._read += mailbox.read(new)

    def missing(self, processes: Collection[str], *, since_at: float) -> set[str]:
        """Those of *processes* of which nothing was read that ended after *since_at*."""
        statuses = [each for _, pane in self._read for each in pane.statuses.items()]
        return set(processes) - {process for process, status in statuses if status.ended_at > since_at}

    def taken(self) -> list[MachinePane]:
        """What was read; of each process is remembered what is counted."""
        panes = [pane for _, pane in self._read]
        for letter, _ in self._read:
            self.counted.pop(letter.worker, None)
            self.counted[letter.worker] = letter.sequence
        self.forget()
        return panes

    def tidy(self) -> None:
        """Forgets the processes that were heard of longest ago, where there are too many."""
        for forgotten in list(self.counted)[:-_MOST_REMEMBERED]:
            del self.counted[forgotten]

    def forget(self) -> None:
        """Forgets what was read and is not judged."""
        self._read.clear()
        self._looked_at.clear()

    def summed(self, panes: Sequence[MachinePane]) -> MachinePane:
        """The sum of *panes*, of which the first is this process's own; without those that do not fit, which are counted."""
        try:
            return merged(panes)
        except ValueError:
            whole, *others = panes
        for pane in others:
            try:
                whole = merged([whole, pane])
            except ValueError:
                sentence = f"{', '.join(pane.statuses)}: counts under other settings than the process that judges"
                count_trouble(self._unfitting, "unfitting", sentence, logger=logger)
        return whole
