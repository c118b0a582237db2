"""How good the model was by what Dashlight showed: measured as labels came, and estimated before; by month and by segment."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from examples.flights.flights import HELD_OUT
from examples.flights.truth import BATCH_SECONDS, DELAY_SECONDS

LABELLED_SECONDS = DELAY_SECONDS + BATCH_SECONDS
"""After a flight was asked about, about so much later its label is counted."""
SCORED_SECONDS = 0.5
"""Likewise it is part of an estimate."""
OUTSIDE = "outside_reference_rate"
MEASURES = ("accuracy", "brier")
SEASONS: Mapping[str, tuple[str, ...]] = {
    "Jan-Mar": (HELD_OUT, "03"),
    "Apr-Jun": ("04", "05", "06"),
    "Jul-Sep": ("07", "08", "09"),
    "Oct-Dec": ("10", "11", "12"),
}
"""Parts of the replay that are shown together, where a month has few flights."""


@dataclass(frozen=True, slots=True)
class ShownFigures:
    """Figures of the model as they arrived at the collector."""

    at: float
    values: Mapping[str, tuple[float, int]]
    """By statistic: the value, and the rows that it is made of."""
    accuracy: Mapping[str, tuple[float, int]] = field(default_factory=dict[str, tuple[float, int]])
    """Likewise the accuracy by segment, as `origin=LGA`."""


@dataclass(slots=True)
class Mean:
    """A mean by rows."""

    total: float = 0.0
    rows: int = 0

    def add(self, value: float, rows: int) -> None:
        """Count a value of so many rows."""
        self.total += value * rows
        self.rows += rows

    @property
    def value(self) -> float | None:
        """None where there is nothing to take it of."""
        return self.total / self.rows if self.rows else None


@dataclass(slots=True)
class MonthPerformance:
    """What was shown of one month."""

    realised: dict[str, Mean] = field(default_factory=lambda: {name: Mean() for name in MEASURES})
    estimated: dict[str, Mean] = field(default_factory=lambda: {name: Mean() for name in MEASURES})
    outside: Mean = field(default_factory=Mean)
    """Share of the rows that lie outside the reference, where it was known."""

    def add_realised(self, figures: ShownFigures) -> None:
        """Count what labels said."""
        _add(self.realised, figures, "")

    def add_estimated(self, figures: ShownFigures) -> None:
        """Count what was estimated, or that nothing could be."""
        _add(self.estimated, figures, "estimated_")
        if OUTSIDE in figures.values:
            self.outside.add(*figures.values[OUTSIDE])

    def verdict(self, measure: str) -> str:
        """How far the estimate of a *measure* was off, or why there was none."""
        realised, estimated = self.realised[measure].value, self.estimated[measure].value
        outside = self.outside.value
        if estimated is None:
            return "none yet" if outside is None else f"none: outside the reference ({outside:.0%} of the rows)"
        if realised is None:
            return "no labels"
        return f"off by {estimated - realised:+.3f}"


def _add(means: Mapping[str, Mean], figures: ShownFigures, prefix: str) -> None:
    for name, mean in means.items():
        if prefix + name in figures.values:
            mean.add(*figures.values[prefix + name])


@dataclass(slots=True)
class SegmentAccuracy:
    """What was shown of one segment."""

    parts: dict[str, Mean] = field(default_factory=dict[str, Mean])
    """Accuracy by part of the replay."""

    def add(self, part: str, value: float, rows: int) -> None:
        """Count an accuracy of so many rows."""
        self.parts.setdefault(part, Mean()).add(value, rows)

    @property
    def rows(self) -> int:
        """All that were counted."""
        return sum(mean.rows for mean in self.parts.values())

    def season(self, name: str) -> Mean:
        """The accuracy in one of SEASONS."""
        whole = Mean()
        for part in SEASONS[name]:
            mean = self.parts.get(part, Mean())
            whole.total += mean.total
            whole.rows += mean.rows
        return whole
