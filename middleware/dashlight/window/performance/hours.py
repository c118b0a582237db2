"""What performance takes for an hour and for a day: shorter ones where the window that is shown is shorter than an hour. Pure."""

from dataclasses import dataclass
from math import ceil
from typing import Final

HOUR_SECONDS: Final = 3600.0
DAY_SECONDS: Final = 86400.0
_SHORTEST_SECONDS: Final = 0.25
_DAYS_KEPT: Final = 100.0
"""However short they are, so many at most, or as many as there are real ones: each may take 0.2 MB."""


@dataclass(frozen=True, slots=True)
class Hours:
    """By which labelled rows are counted and judged."""

    hour_seconds: float = HOUR_SECONDS
    hours_a_day: int = 24

    @property
    def day_seconds(self) -> float:
        """What is counted together once its hours are no longer kept apart."""
        return self.hour_seconds * self.hours_a_day


def kept_seconds(label_window_seconds: float) -> float:
    """How long counts stay: a tenth of the window of labels, at least a day, longer than it, when all labels have come."""
    return label_window_seconds + max(label_window_seconds / 10, DAY_SECONDS)


def hours_of(window_seconds: float, label_window_seconds: float) -> Hours:
    """Real hours and days where the window is an hour or more; else hours as long as the window, a quarter of a second at least.

    A day has 24 of them, or so many that about a hundred days hold all labels that may come.
    """
    if window_seconds >= HOUR_SECONDS:
        return Hours()
    hour_seconds = max(window_seconds, _SHORTEST_SECONDS)
    kept = kept_seconds(label_window_seconds)
    return Hours(hour_seconds, max(24, ceil(kept / hour_seconds / max(_DAYS_KEPT, kept / DAY_SECONDS))))
