"""From inactive over pending to firing, and back, with patience for what comes and goes. Pure.

What is evident, what is surely large enough to fire, and what shows that it is over differ from one watched thing to the
next; the order of the states, and the patience after a flap, do not.
"""

from collections.abc import Callable

from dashlight.records import AlertState

SOON = 16
"""What fires again within so many times the span that resolved it needs twice as much to resolve."""
MOST_PATIENCE = 64
"""But never more than so many times what it took to fire."""


class Hysteresis:
    """The state of one watched thing."""

    def __init__(self) -> None:
        self.state: AlertState = "inactive"
        self.fired_for = 0
        """Steps since it fired; 0 in the one in which it does, and where it does not fire."""
        self.patience = 1
        """Times what it took to fire that must be seen without it before it is over."""
        self._soon_until = -1.0

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
        if self.state == "firing":
            self.fired_for += 1
            gone = gone_for()
            if gone is None:
                return "firing"
            self._soon_until = now + SOON * gone
            self.state, self.fired_for = "inactive", 0
            return "resolved"
        if not is_evident:
            self.state = "inactive"
        elif not fires():
            self.state = "pending"
        else:
            self.state = "firing"
            self.patience = min(2 * self.patience, MOST_PATIENCE) if now <= self._soon_until else 1
        return self.state
