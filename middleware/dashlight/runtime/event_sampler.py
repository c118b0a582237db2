"""Which exchanges become events: a share of all, and failures within a rate limit."""

import random
from collections.abc import Callable

FAILURES_A_SECOND = 10.0
_BURST_SECONDS = 10.0


class EventSampler:
    """Decides for each exchange whether it is sent as an event.

    *rate* (0 to 1) of all are. Failures are sent always, up to ten a second over time and a hundred at once: a
    service that fails throughout must not flood its collector.
    """

    def __init__(self, rate: float, *, draw: Callable[[], float] = random.random) -> None:
        self._rate = rate
        self._draw = draw
        self._allowance = FAILURES_A_SECOND * _BURST_SECONDS
        self._asked_at = 0.0
        self.sampled_out = 0
        """Exchanges that were not kept."""

    def keeps(self, *, failed: bool, at: float) -> bool:
        """Whether the exchange of the moment *at* (seconds since the epoch) is kept."""
        # Drawn in any case, so that failures do not change which others are kept.
        if self._draw() < self._rate or (failed and self._rate > 0 and self._spend(at)):
            return True
        self.sampled_out += 1
        return False

    def _spend(self, at: float) -> bool:
        gained = max(0.0, at - self._asked_at) * FAILURES_A_SECOND
        self._allowance = min(FAILURES_A_SECOND * _BURST_SECONDS, self._allowance + gained)
        self._asked_at = max(self._asked_at, at)
        if self._allowance < 1:
            return False
        self._allowance -= 1
        return True
