"""What stands behind the inbox, as the Monitor sees it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from dashlight.metrics.losses import SignalFate
from dashlight.records import Exchange


class Analysis(Protocol):
    """What the analysis thread drives: decode, count, judge, and what goes to delivery."""

    def analyse(self, exchanges: Sequence[Exchange]) -> Mapping[int, str]:
        """Decodes these exchanges and counts their rows; returns, by prediction id, the failures found inside."""
        ...

    def count(self, exchanges: Sequence[Exchange], failures: Mapping[int, str]) -> None:
        """Counts every exchange exactly: outcome, latency, traffic; makes the spans and events of some."""
        ...

    def count_excluded(self, exchanges: Sequence[Exchange]) -> None:
        """Counts exchanges of excluded URLs: nothing else is made of them."""
        ...

    def tick(
        self,
        at: float,
        *,
        lost: Mapping[SignalFate, int],
        in_flight_count: int,
        rate: float,
        waiting_count: int = 0,
    ) -> float:
        """Closes the pane if it is due; returns the seconds until the next one is.

        *lost* is what was lost before analysis, and in it, since the start; *waiting_count* are the requests in flight
        whose answer has not begun.
        """
        ...

    def flush(self, timeout_seconds: float) -> int:
        """Sends what is waiting; returns how many are still waiting then."""
        ...

    def tell_lost(self) -> None:
        """Logs what could not be sent: the process may end now without telling anybody. From any thread."""
        ...

    def leave(self) -> None:
        """Leaves what was counted to the machine's other processes; whatever comes later comes back to them."""
        ...

    def close(self, timeout_seconds: float) -> None:
        """Sends what it can and stops."""
        ...

    def forget(self) -> None:
        """Lets go of what belongs to the parent process: what a forked child does at once."""
        ...
