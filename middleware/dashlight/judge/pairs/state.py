"""What the judge of pairs remembers between panes. Pure."""

from dataclasses import dataclass

import numpy as np

from dashlight.judge.evidence.cusum import CusumState
from dashlight.judge.evidence.hysteresis import HysteresisState
from dashlight.judge.evidence.null import Floats
from dashlight.judge.evidence.pane_ends import PaneEndsState
from dashlight.judge.pairs.effects import PairScalesState, Places
from dashlight.judge.pairs.moved import MovedColumnsState
from dashlight.records import Alert
from dashlight.window.fitting import fitted, refuse, within

MOST_MEASURED = 16
"""Pairs with evidence that are measured at the end of a pane, those with most of it: a tenth of a millisecond each."""


@dataclass(frozen=True, slots=True, eq=False)
class PairDrift:
    """What is known of a joint drift that fired."""

    pairs: Places
    """At most MOST_MEASURED, at least one."""
    peaks: Floats
    """How far each of *pairs* surely was at the most, in Cohen's h, with its sign."""
    began: float
    """Rows seen when it began."""
    took: float
    """Rows from then until it fired."""

    def check(self, pairs: int, rows: float) -> None:
        """Raises ValueError where it cannot be a drift of some of so many *pairs* within so many *rows*."""
        moved = self.pairs.size
        within("pairs that moved", moved, 1, MOST_MEASURED)
        fitted("pairs that moved", self.pairs, like=np.empty(moved, np.intp), least=0, most=pairs - 1)
        refuse("a pair that moved twice", where=len(np.unique(self.pairs)) != moved)
        fitted("peaks", self.peaks, like=np.empty(moved), least=-np.pi, most=np.pi)
        refuse("a pair that moved nowhere", where=not self.peaks.all())
        within("rows before a drift", self.began, 0, rows)
        within("rows until it fired", self.took, 1, rows)


@dataclass(frozen=True, slots=True, eq=False)
class PairJudgeState:
    """What a PairJudge remembers between panes."""

    scales: PairScalesState
    moved: MovedColumnsState
    bank: CusumState
    ends: PaneEndsState
    hysteresis: HysteresisState
    alert: Alert | None
    """As it was last told; None where none is in force."""
    drift: PairDrift | None
    """None where it does not fire."""
