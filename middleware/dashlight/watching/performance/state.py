"""What the watches of performance keep from pane to pane, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dashlight.counting.admission import AdmissionState
from dashlight.labels.rows import ModelKey
from dashlight.watching.performance.coverage import CoverageState
from dashlight.watching.performance.delays import DelaysState


@dataclass(frozen=True, slots=True, eq=False)
class PerformanceState:
    """Of `PerformanceWatch`."""

    reference: str
    """Version of the reference that it was compared with; empty where there was none."""
    delays: DelaysState
    coverage: CoverageState | None
    """None while it is not known."""
    labelled_count: int


@dataclass(frozen=True, slots=True, eq=False)
class PerformancesState:
    """Of `Performances`, without what belongs to one model."""

    cursor: int
    """Up to where the store of labels was read: what came before is counted, in the same checkpoint."""
    admission: AdmissionState[ModelKey]
    places: Mapping[ModelKey, int] = field(default_factory=dict[ModelKey, int])
    """In the budget of false alarms."""
    unwatched_count: int = 0
