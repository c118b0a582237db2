"""How all rows do that are not in a segment, beside what moved there. Pure."""

from dataclasses import dataclass

import numpy as np

from dashlight.judge.evidence.effects import BACK_INSIDE, is_real
from dashlight.judge.evidence.windows import Counts
from dashlight.judge.words import percent

CLEARLY_MORE = 2.0
"""So many times as far as all others a segment must have moved to be news beside an alert of all rows."""


@dataclass(frozen=True, slots=True)
class EventShares:
    """The share of one event, 0 to 1, in the reference and now; NaN where there are no rows."""

    reference: float
    current: float

    @property
    def distance(self) -> float:
        """How far it moved, in Cohen's h, whichever way."""
        angles = np.arcsin(np.sqrt(np.clip([self.reference, self.current], 0.0, 1.0)))
        return float(2 * abs(angles[1] - angles[0]))


def shares_in(reference: tuple[float, int], current: tuple[float, int]) -> EventShares:
    """Of how many rows the event holds, of so many."""
    before, after = (held / rows if rows > 0 else float("nan") for held, rows in (reference, current))
    return EventShares(before, after)


def have_moved(others: EventShares, rows: tuple[int, int], *, phi: float, gate: float) -> bool:
    """Whether *others* surely moved, and so far that it matters, where so many *rows* of reference and of now hold them.

    *phi*: so many rows in a row are worth one. *gate*: the smallest shift worth waking somebody, in Cohen's h.
    """
    if not min(rows):
        return False
    error = np.sqrt(phi * (1 / rows[0] + 1 / rows[1]))
    return bool(is_real(np.array(others.distance), np.array(error))) and others.distance >= BACK_INSIDE * gate


def others_in_words(others: EventShares, *, moved: bool, of: str = "rows") -> str:
    """What follows on what was said of a segment; nothing where there are no others. They are *of* rows or exchanges."""
    if np.isnan(others.current) or np.isnan(others.reference):
        return ""
    if not moved:
        return f"; all other {of} are as before"
    return f"; all others moved as well, from {percent(others.reference)} to {percent(others.current)}"


def is_clearly_more(segment: float, others: float) -> bool:
    """Whether a segment moved clearly further than all others did, by distances: for then it is news beside the alert of all.

    Where there are no others (NaN) it is all rows itself, and never so.
    """
    return segment >= CLEARLY_MORE * others


def held_by(counts: Counts, bins: Counts) -> tuple[float, int]:
    """Rows in an event that holds these *bins* (1 where it does), of all rows."""
    return float(counts @ bins), int(counts.sum())
