"""One column, or one quantity of traffic, under watch: fires and resolves by windows of recent panes. Pure.

Evidence alone makes a shift pending. It fires when some window shows an effect that is surely beyond its gate, and is
over when a window about as long as it took to fire shows that the effect is gone.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.alerts import LifeCycle
from dashlight.judge.evidence.effects import Effects, back_inside, established, strength
from dashlight.judge.evidence.evidence import Firing
from dashlight.judge.evidence.hysteresis import Hysteresis, HysteresisState
from dashlight.records import Alert, AlertState
from dashlight.window.fitting import MOST_COUNT, fitted, refuse, within
from dashlight.window.layout import BLOCK_ROWS, STRUCTURAL_BINS

Counts: TypeAlias = NDArray[np.int64]

TELLING_ROWS = 100
"""Rows, or exchanges, from which on a share says something to people."""
ENOUGH_ROWS = 0.75
"""Part of the rows that it took to fire which a window must hold to resolve: windows come in powers of two only."""


@dataclass(frozen=True, slots=True, eq=False)
class RecentWindows:
    """What there is to see of one watched thing at the end of a pane."""

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

    def rows_of_last(self, panes: int) -> float:
        """About the rows of the last *panes* panes."""
        place = self.place_of(panes)
        return float(self.rows[place] * min(panes / self.panes[place], 1.0))

    def telling(self, age: int, rows: Counts) -> NDArray[np.bool_]:
        """Of which windows a share may be told, of the shape of *rows*, which are those behind the share.

        Of TELLING_ROWS at least, or of all since the onset *age* panes ago.
        """
        told = rows >= TELLING_ROWS
        told[self.place_of(age)] = True
        return np.asarray(told)

    def place_of(self, panes: int) -> int:
        """The shortest window of at least so many panes, or the longest there is."""
        return min(int(np.searchsorted(self.panes, panes)), len(self.panes) - 1)


@dataclass(frozen=True, slots=True, eq=False)
class FiredShift:
    """A shift that fired, as it was when it did."""

    firing: Firing
    """The detectors that last were over their threshold."""
    began: int
    """The last pane before the shortest window that showed it."""
    peak: Counts
    """The window that showed it best when it fired, shape (BINS,)."""
    rows: float
    """That it took to fire."""


@dataclass(frozen=True, slots=True, eq=False)
class ShiftWatchState:
    """What a ShiftWatch remembers between panes."""

    hysteresis: HysteresisState
    alert: Alert | None
    """As it was last told; None where none is in force."""
    since: int
    rows_to_evidence: float
    shift: FiredShift | None
    """The last that fired; None where none did."""


class ShiftWatch:
    """One column, or one quantity of traffic, and its alert."""

    def __init__(self) -> None:
        self.hysteresis = Hysteresis()
        self.life_cycle = LifeCycle()
        """Of its alert."""
        self.since = 0
        """The pane in which the evidence last was zero."""
        self._rows_to_evidence = 0.0
        self._shift: FiredShift | None = None

    @property
    def state(self) -> ShiftWatchState:
        """What is remembered: the arrays themselves."""
        return ShiftWatchState(
            self.hysteresis.state, self.life_cycle.alert, self.since, self._rows_to_evidence, self._shift
        )

    def restore(self, state: ShiftWatchState, *, pane: int, bins: int, possible: Firing) -> None:
        """Go on from *state* after pane number *pane*, -1 where there was none.

        Raises:
            ValueError: no sequence of panes ends there: counts are not of so many *bins*, detectors are not among
                those that are *possible*, or a number is out of range.
        """
        self.hysteresis.restore(state.hysteresis)
        self.life_cycle.restore(state.alert)
        refuse(
            "an alert is in force although nothing is pending or firing",
            where=state.alert is not None and not self.is_active,
        )
        self.since = within("the pane without evidence", state.since, -1, max(pane, 0))
        self._rows_to_evidence = within("rows of evidence", state.rows_to_evidence)
        self._shift = state.shift
        if state.shift is None:
            refuse("it fires without a shift", where=self.hysteresis.alert_state == "firing")
            return
        state.shift.firing.check(possible)
        within("the pane in which a shift began", state.shift.began, -1, pane)
        within("rows to fire", state.shift.rows)
        fitted("counts of a window", state.shift.peak, like=np.empty(bins, np.int64), least=0, most=MOST_COUNT)

    @property
    def is_active(self) -> bool:
        """Whether it is pending or firing."""
        return self.hysteresis.alert_state != "inactive"

    @property
    def peak(self) -> Counts | None:
        """What showed best what it fires at, shape (BINS,); None where it does not fire."""
        return self._shift.peak if self._shift and self.hysteresis.alert_state == "firing" else None

    def step(self, recent: RecentWindows) -> AlertState:
        """The state after one more pane: `resolved` once, where it was firing and the shift is over, then inactive."""
        firing = recent.firing
        if firing is not None and not self.is_active:
            self.since = recent.pane - firing.age
            self._rows_to_evidence = recent.rows_of_last(firing.age)
        return self.hysteresis.step(
            recent.pane,
            is_evident=firing is not None,
            fires=lambda: firing is not None and self._fires(recent, firing),
            gone_for=lambda: None if self._shift is None else self._gone_for(recent, self._shift),
        )

    def _fires(self, recent: RecentWindows, firing: Firing) -> bool:
        shown = recent.measure(firing, recent.windows)
        since = max(int(np.searchsorted(recent.panes, firing.age, side="right")) - 1, 0)
        sure = established(shown, since)
        # How values follow one another within less than a block, the hours of a day perhaps, was never measured.
        sure[recent.rows < BLOCK_ROWS[0]] &= shown.detectors < STRUCTURAL_BINS
        if not sure.any():
            if not recent.is_proof:
                return False
            sure[recent.place_of(firing.age)] = True
        best = np.where(sure, strength(shown), -np.inf).max(axis=1).argmax()
        first = sure.any(axis=1).argmax()
        rows = max(self._rows_to_evidence, float(recent.rows[first]))
        began = max(self.since, recent.pane - int(recent.panes[first]))
        self._shift = FiredShift(firing, began, recent.windows[best].copy(), rows)
        return True

    def _gone_for(self, recent: RecentWindows, shift: FiredShift) -> int | None:
        """The panes of a window that is back where it belongs, or of one without an effect where the evidence is gone."""
        enough = recent.rows >= ENOUGH_ROWS * shift.rows * self.hysteresis.patience
        enough[-1] = True  # there is no longer one
        # Panes from before the shift would dilute it.
        usable = np.flatnonzero(enough & (recent.panes <= recent.pane - shift.began))
        if not len(usable):
            return None
        windows = recent.windows[usable]
        if recent.firing is None:
            over = ~established(recent.measure(shift.firing, windows[:1])).any(axis=1)
        else:
            self._shift = replace(shift, firing=recent.firing)
            over = back_inside(recent.measure(recent.firing, np.concatenate([shift.peak[np.newaxis], windows])))
        return int(recent.panes[usable[over.argmax()]]) if over.any() else None
