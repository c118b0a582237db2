"""A learned direction under watch: fires and resolves by the scores of recent rows, on several scales. Pure.

Its effects are means of the scores of recent rows, each scored along a direction that was learned before it: what is
measured on the rows that taught the direction looks larger than it is.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.alerts import LifeCycle
from dashlight.judge.evidence.effects import CERTAIN, CLEAR_OF_GATE, is_beyond, is_gone, is_real
from dashlight.judge.evidence.fading import FadingRows
from dashlight.judge.evidence.hysteresis import Hysteresis
from dashlight.judge.evidence.shift_watch import ENOUGH_ROWS
from dashlight.records import AlertState

Floats: TypeAlias = NDArray[np.float64]

SCALES = (100, 400, 1600, 6400, 25_600)
"""Rows of which the recent windows are made: a row counts less by 1/e for each of them that came after it."""


@dataclass(frozen=True, slots=True, eq=False)
class PaneScores:
    """What there is to see at the end of a pane; the arrays of shape (memories,)."""

    is_evident: bool
    rows: int
    """Of the pane."""
    rows_of_evidence: int
    """Since the leading bet last stood at nothing."""
    scores: Floats
    """Sum of the scores of the pane, less their mean without drift."""
    phi: Floats
    reference_variance: Floats
    """Squared standard error of the mean without drift."""
    natural: Floats
    """Effect that the slow movement of the reference explains."""


@dataclass(frozen=True, slots=True, eq=False)
class _Effects:
    """What the scales show of each memory's direction."""

    rows: Floats
    """Shape (scales,): how many rows of equal weight each is worth."""
    sizes: Floats
    """Shape (scales, memories), as are *errors*: mean score less its mean without drift, and its standard error."""
    errors: Floats


class DirectionWatch:
    """What is remembered of a learned direction between panes."""

    def __init__(self, memories: int, *, gate: float) -> None:
        """*gate* is the smallest effect worth waking somebody, in deviations of the score."""
        self.hysteresis = Hysteresis()
        self.life_cycle = LifeCycle()
        """Of its alert."""
        self._gate = gate
        self._fading = FadingRows(np.array(SCALES, np.float64))
        self._sums = np.zeros((len(SCALES), memories))
        self.effect = (0.0, 0)
        """While pending or firing: the largest effect by its lower bound, in deviations, and about how many rows show it."""
        self._peak, self._rows_to_fire = 0.0, 0.0
        self._seen = 0

    def step(self, pane: PaneScores) -> AlertState:
        """The state after one more pane: `resolved` once, where it was firing and the drift is over, then inactive."""
        self._seen += pane.rows
        self._sums *= self._fading.add(pane.rows)[:, np.newaxis]
        self._sums += pane.scores
        state = self.hysteresis.step(
            self._seen,
            is_evident=pane.is_evident,
            fires=lambda: self._fires(pane),
            gone_for=lambda: self._gone_for(pane),
        )
        if state == "resolved" or (state == "firing" and not self.hysteresis.fired_for):
            # Rows from before the change would dilute what is over and what is not.
            self._sums[:] = 0.0
            self._fading.clear()
        return state

    def _found(self, pane: PaneScores) -> _Effects:
        rows = self._fading.rows
        found = _Effects(
            rows=rows,
            sizes=self._sums / self._fading.weight[:, np.newaxis],
            errors=np.sqrt(pane.phi / rows[:, np.newaxis] + pane.reference_variance),
        )
        scale, memory = np.unravel_index((found.sizes - CLEAR_OF_GATE * found.errors).argmax(), found.sizes.shape)
        self.effect = float(found.sizes[scale, memory]), round(float(rows[scale]))
        return found

    def _fires(self, pane: PaneScores) -> bool:
        found = self._found(pane)
        sure = _established(found, self._gate)
        if not sure.any():
            return False
        self._rows_to_fire = max(float(pane.rows_of_evidence), float(found.rows[sure.argmax()]))
        self._peak = _surely(found)
        return True

    def _gone_for(self, pane: PaneScores) -> int | None:
        """The rows of a scale, about as many as it took to fire, that is back inside, or shows no drift and nor do the bets."""
        found = self._found(pane)
        self._peak = max(self._peak, _surely(found))
        wanted = min(ENOUGH_ROWS * self._rows_to_fire * self.hysteresis.patience, float(SCALES[-1]))
        usable = found.rows >= wanted
        if not usable.any():
            return None
        scale = int(usable.argmax())
        errors = found.errors[scale]
        excess = np.maximum(found.sizes[scale] - pane.natural, 0.0)
        is_back = is_gone(excess, errors, self._gate, self._peak) & ~is_beyond(excess, errors, self._gate)
        is_unseen = not pane.is_evident and not _established(found, self._gate)[scale]
        return round(float(found.rows[scale])) if is_unseen or is_back.all() else None


def _surely(found: _Effects) -> float:
    """The largest effect that there surely is."""
    return float((found.sizes - CERTAIN * found.errors).max())


def _established(found: _Effects, gate: float) -> NDArray[np.bool_]:
    """Scales at which some effect is surely there and surely beyond the gate, shape (scales,)."""
    sure = is_real(found.sizes, found.errors) & is_beyond(found.sizes, found.errors, gate)
    return np.asarray(sure.any(1))
