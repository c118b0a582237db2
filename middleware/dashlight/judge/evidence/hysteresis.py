"""One column's way from inactive over pending to firing, and back: the gate of the tolerance and the clearing rule. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.evidence.effects import Effects, back_inside, established, strength
from dashlight.judge.evidence.evidence import Firing
from dashlight.records import AlertState
from dashlight.window.layout import BLOCK_ROWS, STRUCTURAL_BINS

Counts: TypeAlias = NDArray[np.int64]

ENOUGH_ROWS = 0.75
"""Part of the rows that it took to fire which a window must hold to resolve: windows come in powers of two only."""
SOON = 16
"""What fires again within so many times the panes that resolved it needs twice as many rows to resolve."""
MOST_PATIENCE = 64
"""But never more than so many times the rows that it took to fire."""


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """What there is to see of one column at the end of a pane."""

    pane: int
    """Number of the pane, counted from 0."""
    firing: Firing | None
    """None where the evidence is below the threshold."""
    windows: Counts
    """Counts of the last 1, 2, 4, ... panes, shape (windows, BINS)."""
    panes: NDArray[np.intp]
    """How many panes each window holds."""
    measure: Callable[[Firing, Counts], Effects]
    """The effects of detectors in windows."""
    is_proof: bool = False
    """Whether evidence alone proves more than is tolerated, so that it fires whatever the windows show."""

    @property
    def rows(self) -> NDArray[np.int64]:
        """Rows in each window."""
        return np.asarray(self.windows.sum(1))


@dataclass(frozen=True, slots=True, eq=False)
class _Drift:
    """What is known of a drift that fired."""

    firing: Firing
    """The detectors that last were over their threshold."""
    pane: int
    """In which it fired."""
    began: int
    """The last pane before the shortest window that showed it."""
    peak: Counts
    """The window that showed it best then, shape (BINS,)."""
    rows: float
    """That it took to fire."""


class Watch:
    """What is remembered of one column between panes."""

    def __init__(self) -> None:
        self.state: AlertState = "inactive"
        self.since = 0
        """The pane in which the evidence last was zero."""
        self._rows_to_evidence = 0.0
        self._drift: _Drift | None = None
        self._patience = 1
        self._soon = -1
        """What fires up to this pane comes too soon after the last time."""

    def step(self, sight: Sight) -> AlertState:
        """The state after one more pane: `resolved` once, where it was firing and the drift is over, then inactive.

        Evidence alone makes it pending, where it is no proof; it fires when some window shows an effect that is surely
        beyond its gate.
        """
        if self._drift is not None:
            if self._is_over(self._drift, sight):
                self.state, self._drift = "inactive", None
                return "resolved"
        elif sight.firing is None:
            self.state = "inactive"
        else:
            if self.state == "inactive":
                self.since = sight.pane - sight.firing.age
                self._rows_to_evidence = _rows_of(sight, sight.firing.age)
            self._drift = self._drift_in(sight, sight.firing)
            self.state = "firing" if self._drift else "pending"
        return self.state

    def fired_for(self, pane: int) -> int:
        """Panes since it fired; 0 where it does not."""
        return pane - self._drift.pane if self._drift else 0

    def _drift_in(self, sight: Sight, firing: Firing) -> _Drift | None:
        found = sight.measure(firing, sight.windows)
        within = max(int(np.searchsorted(sight.panes, firing.age, side="right")) - 1, 0)
        sure = established(found, within)
        # How values follow one another within less than a block, the hours of a day perhaps, was never measured.
        sure[sight.rows < BLOCK_ROWS[0]] &= found.detectors < STRUCTURAL_BINS
        if not sure.any():
            if not sight.is_proof:
                return None
            sure[_place_of(sight, firing.age)] = True
        best = np.where(sure, strength(found), -np.inf).max(axis=1).argmax()
        first = sure.any(axis=1).argmax()
        self._patience = min(2 * self._patience, MOST_PATIENCE) if sight.pane <= self._soon else 1
        rows = max(self._rows_to_evidence, float(sight.rows[first]))
        began = max(self.since, sight.pane - int(sight.panes[first]))
        return _Drift(firing, sight.pane, began, sight.windows[best], rows)

    def _is_over(self, drift: _Drift, sight: Sight) -> bool:
        """Whether a recent window is back inside the band, or the evidence is gone and no such window contradicts."""
        enough = sight.rows >= ENOUGH_ROWS * drift.rows * self._patience
        enough[-1] = True  # there is no longer one
        # Panes from before the drift would dilute it.
        usable = np.flatnonzero(enough & (sight.panes <= sight.pane - drift.began))
        if not len(usable):
            return False
        windows = sight.windows[usable]
        if sight.firing is None:
            over = ~established(sight.measure(drift.firing, windows[:1])).any(axis=1)
        else:
            self._drift = replace(drift, firing=sight.firing)
            over = back_inside(sight.measure(sight.firing, np.concatenate([drift.peak[np.newaxis], windows])))
        if not over.any():
            return False
        self._soon = sight.pane + SOON * int(sight.panes[usable[over.argmax()]])
        return True


def _rows_of(sight: Sight, panes: int) -> float:
    """About the rows of the last *panes* panes."""
    place = _place_of(sight, panes)
    return float(sight.rows[place] * min(panes / sight.panes[place], 1.0))


def _place_of(sight: Sight, panes: int) -> int:
    """The shortest window of at least so many panes, or the longest there is."""
    return min(int(np.searchsorted(sight.panes, panes)), len(sight.panes) - 1)
