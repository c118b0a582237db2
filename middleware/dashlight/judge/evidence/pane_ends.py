"""When the last panes ended and how many rows came before them: to say since when. Pure."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashlight.window.fitting import LATEST_AT, fitted, refuse, within

PANES_REMEMBERED = 8192
"""Moments of so many panes are kept: most of a day at ten seconds a pane."""
_FIRST_CAPACITY = 64


@dataclass(frozen=True, slots=True, eq=False)
class PaneEndsState:
    """What PaneEnds remember."""

    closed: int
    rows: float
    ends: NDArray[np.float64]
    """When each pane ended and the rows before it, shape (capacity, 2); pane k stands at k modulo the capacity."""


class PaneEnds:
    """The ends of the last PANES_REMEMBERED panes."""

    def __init__(self) -> None:
        self.closed = 0
        """Panes so far."""
        self.rows = 0.0
        """Rows of all panes so far, where they are told."""
        self._ends: NDArray[np.float64] = np.zeros((_FIRST_CAPACITY, 2))
        """When each pane ended and the rows before it; pane k stands at k modulo the length."""

    @property
    def state(self) -> PaneEndsState:
        """What is remembered: the array itself."""
        return PaneEndsState(self.closed, self.rows, self._ends)

    def restore(self, state: PaneEndsState) -> None:
        """Go on from *state*; ValueError where the ends do not fit so many panes with so many rows."""
        self.closed = within("closed panes", state.closed)
        self.rows = within("rows of all panes", state.rows)
        capacity = _FIRST_CAPACITY
        while capacity < min(self.closed, PANES_REMEMBERED):
            capacity *= 2
        self._ends = fitted("ends of panes", state.ends, like=np.empty((capacity, 2)), least=-LATEST_AT)
        at, rows_before = self._ends.T
        refuse("a pane that ended too far in the future", where=at.max() > LATEST_AT)
        refuse(
            "rows before a pane that are negative or more than all rows",
            where=rows_before.min() < 0 or rows_before.max() > self.rows,
        )

    def add(self, at: float, rows: float = 0.0) -> None:
        """Take a pane with *rows* rows that ended *at*."""
        if self.closed == len(self._ends) < PANES_REMEMBERED:
            self._ends = np.concatenate([self._ends, np.zeros_like(self._ends)])
        self._ends[self.closed % len(self._ends)] = at, self.rows
        self.closed += 1
        self.rows += rows

    def ended_at(self, ago: int) -> float:
        """When the pane ended that *ago* others have followed; where that is forgotten, the earliest end that is not."""
        return float(self._ends[self._place(ago + 1), 0])

    def rows_of_last(self, panes: int) -> float:
        """Rows of the last *panes* panes, or of all that are remembered."""
        return self.rows - float(self._ends[self._place(panes), 1])

    def _place(self, panes: int) -> int:
        """Where the first of the last *panes* panes stands, at least one."""
        return (self.closed - min(panes, self.closed, len(self._ends))) % len(self._ends)
