"""Doubles for tests: a clock that stands still, and a collector in memory."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class FakeClock:
    """A clock that moves only when told to."""

    at: float = 1_700_000_000.0
    """Seconds since the epoch."""

    def now(self) -> float:
        """Seconds since the epoch."""
        return self.at

    def monotonic(self) -> float:
        """The same reading, as a clock that never goes back."""
        return self.at

    def advance(self, seconds: float) -> None:
        """Moves on by *seconds*."""
        self.at += seconds
