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
"""In a row that do not show a break, after which it is over."""

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
        """Go on from *state*, which is of the same break; ValueError where no looks lead to it."""
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
    """What the screens saw of the categorical columns, some of them at each look."""
    waits: Mapping[Place, tuple[int, int]]
    """Of columns that looked odd for nothing: the number of that look, and for how many they are spared."""
    breaks: Mapping[Place, BreakState]
    partners: tuple[Place, ...]
    """Columns whose values stand in another one that is told."""
