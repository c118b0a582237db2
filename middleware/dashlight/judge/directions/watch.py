"""A learned direction under watch: fires and resolves by the scores of recent rows, on several scales. Pure.

Its effects are means of the scores of recent rows, each scored along a direction that was learned before it: what is
measured on the rows that taught the direction looks larger than it is.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.alerts import LifeCycle
from dashlight.judge.directions.null import CLIP
from dashlight.judge.evidence.effects import CERTAIN, CLEAR_OF_GATE, is_beyond, is_gone, is_real
from dashlight.judge.evidence.fading import FadingRows, FadingRowsState
from dashlight.judge.evidence.hysteresis import Hysteresis, HysteresisState
from dashlight.judge.evidence.shift_watch import ENOUGH_ROWS
from dashlight.records import Alert, AlertState
from dashlight.window.fitting import fitted, refuse, within

Floats: TypeAlias = NDArray[np.float64]

SCALES = (100, 400, 1600, 6400, 25_600)
"""Rows of which the recent windows are made: a row counts less by 1/e for each of them that came after it."""


@dataclass(frozen=True, slots=True, eq=False)
class PaneScores:
    """What a pane's end shows of a direction; the arrays have shape (memories,)."""

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
    """The effect that slow movement, as in the reference, explains."""


@dataclass(frozen=True, slots=True, eq=False)
class _Effects:
    """What the scales show of each memory's direction."""

    rows: Floats
    """Shape (scales,): how many rows of equal weight each is worth."""
    sizes: Floats
    """Shape (scales, memories), as are *errors*: mean score less its mean without drift, and its standard error."""
    errors: Floats


FURTHEST = 2 * CLIP * (1 + 1e-6)
"""Largest that an effect can be: a score, and its mean without drift, lie within CLIP."""


@dataclass(frozen=True, slots=True, eq=False)
class DirectionWatchState:
    """What a DirectionWatch remembers between panes."""

    hysteresis: HysteresisState
    alert: Alert | None
    """As it was last told; None where none is in force."""
    fading: FadingRowsState
    sums: Floats
    """Shape (scales, memories): of the scores less their mean without drift, each weighed by how recent it is."""
    peak: float
    """The largest effect that there surely was since it fired."""
    rows_to_fire: float
    rows_seen: int


class DirectionWatch:
    """Whether a learned direction's drift is pending, firing or over, by what it remembers of the panes before."""

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
        self._rows_seen = 0

    @property
    def state(self) -> DirectionWatchState:
        """What is remembered: the arrays themselves."""
        return DirectionWatchState(
            hysteresis=self.hysteresis.state,
            alert=self.life_cycle.alert,
            fading=self._fading.state,
            sums=self._sums,
            peak=self._peak,
            rows_to_fire=self._rows_to_fire,
            rows_seen=self._rows_seen,
        )

    def restore(self, state: DirectionWatchState) -> None:
        """Go on from *state*; ValueError where no panes of so many memories lead to it."""
        self.hysteresis.restore(state.hysteresis)
        self.life_cycle.restore(state.alert)
        alert_state = "inactive" if state.alert is None else state.alert.state
        refuse("an alert in another state than what it is of", where=alert_state != self.hysteresis.alert_state)
        self._fading.restore(state.fading)
        self._sums = fitted("sums of scores", state.sums, like=self._sums)
        furthest = FURTHEST * self._fading.weight[:, np.newaxis]
        refuse("sums of scores larger than their rows'", where=(np.abs(self._sums) > furthest).any())
        self._peak = within("the largest effect", state.peak, 0, FURTHEST)
        self._rows_to_fire = within("rows to fire", state.rows_to_fire)
        self._rows_seen = within("rows seen", state.rows_seen)

    def step(self, pane: PaneScores) -> AlertState:
        """The state after one more pane: `resolved` once, where it was firing and the drift is over, then inactive."""
        self._rows_seen += pane.rows
        self._sums *= self._fading.add(pane.rows)[:, np.newaxis]
        self._sums += pane.scores
        state = self.hysteresis.step(
            self._rows_seen,
            is_evident=pane.is_evident,
            fires=lambda: self._fires(pane),
            gone_for=lambda: self._gone_for(pane),
        )
        if state == "resolved" or (state == "firing" and not self.hysteresis.fired_for):
            # Rows from before the change would dilute what is over and what is not.
            self._sums[:] = 0.0
            self._fading.clear()
        return state

    def _effects(self, pane: PaneScores) -> _Effects:
        rows = self._fading.rows
        effects = _Effects(
            rows=rows,
            sizes=self._sums / self._fading.weight[:, np.newaxis],
            errors=np.sqrt(pane.phi / rows[:, np.newaxis] + pane.reference_variance),
        )
        scale, memory = np.unravel_index((effects.sizes - CLEAR_OF_GATE * effects.errors).argmax(), effects.sizes.shape)
        self.effect = float(effects.sizes[scale, memory]), round(float(rows[scale]))
        return effects

    def _fires(self, pane: PaneScores) -> bool:
        effects = self._effects(pane)
        sure = _established(effects, self._gate)
        if not sure.any():
            return False
        self._rows_to_fire = max(float(pane.rows_of_evidence), float(effects.rows[sure.argmax()]))
        self._peak = _surely(effects)
        return True

    def _gone_for(self, pane: PaneScores) -> int | None:
        """The rows of a scale, about as many as it took to fire, that is back inside, or shows no drift and nor do the bets."""
        effects = self._effects(pane)
        self._peak = max(self._peak, _surely(effects))
        wanted = min(ENOUGH_ROWS * self._rows_to_fire * self.hysteresis.patience, float(SCALES[-1]))
        usable = effects.rows >= wanted
        if not usable.any():
            return None
        scale = int(usable.argmax())
        errors = effects.errors[scale]
        excess = np.maximum(effects.sizes[scale] - pane.natural, 0.0)
        is_back = is_gone(excess, errors, self._gate, self._peak) & ~is_beyond(excess, errors, self._gate)
        is_unseen = not pane.is_evident and not _established(effects, self._gate)[scale]
        return round(float(effects.rows[scale])) if is_unseen or is_back.all() else None


def _surely(effects: _Effects) -> float:
    """The largest effect that there surely is."""
    return float((effects.sizes - CERTAIN * effects.errors).max())


def _established(effects: _Effects, gate: float) -> NDArray[np.bool_]:
    """Scales at which some effect is surely there and surely beyond the gate, shape (scales,)."""
    sure = is_real(effects.sizes, effects.errors) & is_beyond(effects.sizes, effects.errors, gate)
    return np.asarray(sure.any(1))
