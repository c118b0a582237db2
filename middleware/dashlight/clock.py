"""The clock, as an argument: moments since the epoch and a monotonic reading; and moments as they are written."""

import math
import time
from datetime import UTC, datetime
from typing import Protocol


def moment_in(text: str) -> float:
    """Seconds since the epoch of *text*: that number, or a time of ISO 8601, UTC where it names no zone.

    NaN where it is neither. Takes time linear in *text*.
    """
    try:
        return float(text)
    except ValueError:
        pass
    try:
        read = datetime.fromisoformat(text)
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return math.nan


class Clock(Protocol):
    """What the acting stages ask for the time."""

    def now(self) -> float:
        """Seconds since the epoch."""
        ...

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back."""
        ...


class SystemClock:
    """The clocks of the operating system."""

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back."""
        return time.monotonic()
