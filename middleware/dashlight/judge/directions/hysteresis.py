"""The way of a learned direction from inactive over pending to firing, and back. Pure.

Its effects are means of the scores of recent rows, each scored along a direction that was learned before it: what is
measured on the rows that taught the direction looks larger than it is.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.evidence.effects import BACK_BY_HALF, BACK_INSIDE, CERTAIN, CLEAR_OF_GATE, CLEAR_OF_NOISE
from dashlight.judge.evidence.hysteresis import ENOUGH_ROWS, MOST_PATIENCE, SOON
from dashlight.records import AlertState

Floats: TypeAlias = NDArray[np.float64]

SCALES = (100, 400, 1600, 6400, 25_600)
"""Rows of which the recent windows are made: a row counts less by 1/e for each of them that came after it."""
_SCALES = np.array(SCALES, np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
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
        self.state: AlertState = "inactive"
        self.fired_for = 0
        """Panes since it fired; 0 in the pane in which it does."""
        self._gate = gate
        self._sums = np.zeros((len(SCALES), memories))
        self._rows = np.zeros(len(SCALES))
        self._squares = np.zeros(len(SCALES))
        self.effect = (0.0, 0)
        """While pending or firing: the largest effect by its lower bound, in deviations, and about how many rows show it."""
        self._peak, self._rows_to_fire = 0.0, 0.0
        self._seen, self._soon, self._patience = 0, -1, 1

    def step(self, standing: Standing) -> AlertState:
        """The state after one more pane: `resolved` once, where it was firing and the drift is over, then inactive."""
        self._take(standing)
        if self.state == "firing":
            self.fired_for += 1
            if self._is_over(standing):
                self.state = "inactive"
                self._begin_anew()
                return "resolved"
        elif not standing.is_evident:
            self.state = "inactive"
        else:
            self.state = "firing" if self._fires(standing) else "pending"
        return self.state

    def _take(self, standing: Standing) -> None:
        self._seen += standing.rows
        kept = np.exp(-standing.rows / _SCALES)
        self._sums *= kept[:, np.newaxis]
        self._sums += standing.scores
        self._rows = kept * self._rows + standing.rows
        self._squares = kept * kept * self._squares + standing.rows

    def _found(self, standing: Standing) -> _Effects:
        rows = self._rows**2 / self._squares
        found = _Effects(
            rows=rows,
            sizes=self._sums / self._rows[:, np.newaxis],
            errors=np.sqrt(standing.phi / rows[:, np.newaxis] + standing.reference_variance),
        )
        scale, memory = np.unravel_index((found.sizes - CLEAR_OF_GATE * found.errors).argmax(), found.sizes.shape)
        self.effect = float(found.sizes[scale, memory]), round(float(rows[scale]))
        return found

    def _fires(self, standing: Standing) -> bool:
        found = self._found(standing)
        sure = _established(found, self._gate)
        if not sure.any():
            return False
        self._patience = min(2 * self._patience, MOST_PATIENCE) if self._seen <= self._soon else 1
        self._rows_to_fire = max(float(standing.rows_of_evidence), float(found.rows[sure.argmax()]))
        self._peak, self.fired_for = _surely(found), 0
        self._begin_anew()  # rows from before the drift would dilute what is over and what is not
        return True

    def _is_over(self, standing: Standing) -> bool:
        """Whether a scale of about as many rows as it took to fire is back inside, or shows no drift and nor do the bets."""
        found = self._found(standing)
        self._peak = max(self._peak, _surely(found))
        wanted = min(ENOUGH_ROWS * self._rows_to_fire * self._patience, float(SCALES[-1]))
        usable = found.rows >= wanted
        if not usable.any():
            return False
        scale = int(usable.argmax())
        errors = found.errors[scale]
        excess = np.maximum(found.sizes[scale] - standing.natural, 0.0)
        gone = excess + CERTAIN * errors <= max(BACK_INSIDE * self._gate, BACK_BY_HALF * self._peak)
        unproven = excess - errors < self._gate
        unseen = not standing.is_evident and not _established(found, self._gate)[scale]
        if not unseen and not (gone & unproven).all():
            return False
        self._soon = self._seen + SOON * round(float(found.rows[scale]))
        return True

    def _begin_anew(self) -> None:
        self._sums[:] = 0.0
        self._rows[:] = 0.0
        self._squares[:] = 0.0


def _surely(found: _Effects) -> float:
    """The largest effect that there surely is."""
    return float((found.sizes - CERTAIN * found.errors).max())


def _established(found: _Effects, gate: float) -> NDArray[np.bool_]:
    """Scales at which some effect is surely there and surely beyond the gate, shape (scales,)."""
    real = found.sizes > CLEAR_OF_NOISE * found.errors
    return np.asarray((real & (found.sizes - CLEAR_OF_GATE * found.errors >= gate)).any(1))
