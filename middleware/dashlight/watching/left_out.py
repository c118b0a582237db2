"""Rows that say again what was just said, pane by pane: they are shown, and not judged."""

import numpy as np
from numpy.typing import NDArray

from dashlight.records import Score
from dashlight.window.fitting import refuse
from dashlight.window.panes import Panes, PanesState

Counts = NDArray[np.int64]


class LeftOut:
    """Counts of the rows of a comparison that are left out of what it judges; nothing is held before there is one."""

    def __init__(self) -> None:
        self._panes: Panes | None = None

    @property
    def state(self) -> PanesState | None:
        """What is remembered."""
        return None if self._panes is None else self._panes.state

    def restore(self, state: PanesState | None, judged: Panes) -> None:
        """Go on from *state*, beside the panes of *judged* rows; ValueError where it is of others."""
        if state is None:
            return
        self._panes = Panes(len(judged.current))
        self._panes.restore(state)
        refuse("repeated rows of other panes", where=self._panes.closed != judged.closed)

    def take(self, counts: Counts | None, at: float, judged: Panes) -> None:
        """Take the *counts* of the pane that ended *at*, None where no row was left out; *judged* has not taken it yet."""
        if self._panes is None and counts is not None:
            self._panes = judged.emptied()
        if self._panes is not None:
            if counts is not None:
                self._panes.add(counts)
            self._panes.close(at)

    def beside(self, counts: Counts, panes: int) -> tuple[Counts, list[Score]]:
        """*counts* of the judged rows of the last *panes* with those left out, and what share that is."""
        if self._panes is None:
            return counts, []
        left_out = self._panes.window(panes).counts
        whole = counts + left_out
        share = float(left_out.sum() / max(whole.sum(), 1))
        return whole, [Score(None, None, "left_out_share", share, share, share, int(whole.sum(1).max(initial=0)))]
