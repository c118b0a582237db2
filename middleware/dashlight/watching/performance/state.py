"""What the watches of performance keep from pane to pane, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dashlight.counting.admission import AdmissionState
from dashlight.judge.implied_negatives import ImpliedNegativesState
from dashlight.judge.performance.estimates.record import RecordedWindow
from dashlight.judge.performance.feed import LabelFeedState
from dashlight.judge.performance.loss_judge import LossJudgeState
from dashlight.judge.performance.segments.losses import SegmentedLossesState
from dashlight.labels.rows import ModelKey
from dashlight.window.performance.course import PerformanceCourseState


@dataclass(frozen=True, slots=True, eq=False)
class PerformanceState:
    """Of `PerformanceWatch`."""

    reference: str
    """Version of the reference that it is compared with; empty where there is none, or the model is another."""
    is_other: bool
    """Whether the labels are of another task than the reference, which says nothing of them then."""
    hour_seconds: float
    """By which the course and the losses count."""
    course: PerformanceCourseState
    realised: LossJudgeState
    parted: LossJudgeState
    feed: LabelFeedState
    estimated: tuple[RecordedWindow, ...]
    implied: ImpliedNegativesState | None
    """None where silence is no label."""
    segments: SegmentedLossesState | None = None
    """None where nothing is a segment."""


@dataclass(frozen=True, slots=True, eq=False)
class PerformancesState:
    """Of `Performances`, without what belongs to one model."""

    cursor: int
    """Up to where the store of labels was read: what came before is counted, in the same checkpoint."""
    read_at: float
    admission: AdmissionState[ModelKey]
    places: Mapping[ModelKey, int] = field(default_factory=dict[ModelKey, int])
    """In the budget of false alarms."""
    unwatched_count: int = 0
