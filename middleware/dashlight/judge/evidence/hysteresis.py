"""From inactive over pending to firing, and back, with patience for what comes and goes. Pure.

What is evident, what is surely large enough to fire, and what shows that it is over differ from one watched thing to the
next; the order of the states, and the patience after a flap, do not.
"""

from collections.abc import Callable
from dataclasses import dataclass

from dashlight.records import AlertState
from dashlight.window.fitting import MOST_COUNT, refuse, within

SOON = 16
"""What fires again within so many times the span that resolved it needs twice as much to resolve."""
MOST_PATIENCE = 64
"""But never more than so many times what it took to fire."""


@dataclass(frozen=True, slots=True)
class HysteresisState:
    """What a Hysteresis remembers between steps."""

    alert_state: AlertState
    """Never `resolved`: that is news of one step."""
    fired_for: int
    patience: int
    soon_until: float
    """Until when, counted as `Hysteresis.step` does, what fires again comes soon; -1 where it never was over."""


class Hysteresis:
    """The state of one watched thing."""

    def __init__(self) -> None:
        self.alert_state: AlertState = "inactive"
        self.fired_for = 0
        """Steps since it fired; 0 in the one in which it does, and where it does not fire."""
        self.patience = 1
        """Times what it took to fire that must be seen without it before it is over."""
        self._soon_until = -1.0

    @property
    def state(self) -> HysteresisState:
        """What is remembered."""
        return HysteresisState(self.alert_state, self.fired_for, self.patience, self._soon_until)

    def restore(self, state: HysteresisState) -> None:
        """Go on from *state*; ValueError where no sequence of steps ends there."""
        refuse("a state of resolved: expected inactive, pending or firing", where=state.alert_state == "resolved")
        self.alert_state = state.alert_state
        is_firing = state.alert_state == "firing"
        self.fired_for = within("panes since it fired", state.fired_for, 0, MOST_COUNT if is_firing else 0)
        self.patience = within("patience", state.patience, 1, MOST_PATIENCE)
        self._soon_until = within("the end of what counts as soon", state.soon_until, -1, (1 + SOON) * MOST_COUNT)

    def step(
        self, now: float, *, is_evident: bool, fires: Callable[[], bool], gone_for: Callable[[], float | None]
    ) -> AlertState:
        """The state after one more pane: `resolved` once, where it was firing and is over, then inactive.

        Args:
            now: panes, rows or seconds so far; it counts as *gone_for* does.
            is_evident: whether there is evidence at all; without, nothing is pending.
            fires: whether what is evident surely is large enough; asked where there is evidence and it does not fire.
            gone_for: for how long it surely has been over; None where it goes on. Asked where it fires.
        """
        if self.alert_state == "firing":
            self.fired_for += 1
            gone = gone_for()
            if gone is None:
                return "firing"
            self._soon_until = float(now + SOON * gone)
            self.alert_state, self.fired_for = "inactive", 0
            return "resolved"
        if not is_evident:
            self.alert_state = "inactive"
        elif not fires():
            self.alert_state = "pending"
        else:
            self.alert_state = "firing"
            self.patience = min(2 * self.patience, MOST_PATIENCE) if now <= self._soon_until else 1
        return self.alert_state
