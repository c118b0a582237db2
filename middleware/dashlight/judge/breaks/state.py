"""What the judge of breaks remembers between panes. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.alerts import LifeCycle
from dashlight.judge.breaks.sight import BreakKind
from dashlight.judge.evidence.hysteresis import Hysteresis, HysteresisState
from dashlight.records import Alert, Role
from dashlight.window.fitting import moment, within

LOOKS_TO_RESOLVE = 2
"""A break is over after so many looks in a row that do not show it."""

Place: TypeAlias = tuple[Role, str]
"""A column, by role and name."""


@dataclass(frozen=True, slots=True)
class BreakState:
    """What is remembered of a Break."""

    kind: BreakKind
    since_at: float
    hysteresis: HysteresisState
    alert: Alert | None
    """As it was last told; None where none is in force."""
    missed: int


@dataclass(slots=True)
class Break:
    """One break that is pending or firing."""

    kind: BreakKind
    since_at: float
    hysteresis: Hysteresis = field(default_factory=Hysteresis)
    life_cycle: LifeCycle = field(default_factory=LifeCycle)
    missed: int = 0
    """Looks in a row that did not show it."""

    @property
    def state(self) -> BreakState:
        """What is remembered."""
        return BreakState(self.kind, self.since_at, self.hysteresis.state, self.life_cycle.alert, self.missed)

    def restore(self, state: BreakState) -> None:
        """Go on from *state*, which is of the same break; ValueError where no sequence of looks ends there."""
        self.since_at = moment("the beginning of a break", state.since_at)
        self.hysteresis.restore(state.hysteresis)
        self.life_cycle.restore(state.alert)
        self.missed = within("looks without a break", state.missed, 0, LOOKS_TO_RESOLVE)


@dataclass(frozen=True, slots=True, eq=False)
class BreakJudgeState:
    """What a BreakJudge remembers beside the recent rows."""

    pane: int
    """Number of the last, counted from 0; -1 where there was none."""
    rows_seen: Mapping[Role, int]
    """At the last look."""
    odd_words: Mapping[Role, NDArray[np.bool_]]
    """Of the screens, see `Screen.odd_words`."""
    waits: Mapping[Place, tuple[int, int]]
    """Of columns that looked odd and were not broken: the number of that look, and how many looks they are left alone."""
    breaks: Mapping[Place, BreakState]
    partners: tuple[Place, ...]
    """Second columns of swapped pairs, which are told at the first."""
