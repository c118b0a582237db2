"""What a watch keeps from pane to pane, as plain data. References and settings are not in it: they have files of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from dashlight.counting.admission import AdmissionState
from dashlight.counting.endpoint import ModelKey
from dashlight.counting.exemplars import ExemplarsState
from dashlight.counting.machine import ProcessStatus
from dashlight.counting.policy import Policy
from dashlight.judge.alerts import AlertsState
from dashlight.judge.breaks.state import BreakJudgeState
from dashlight.judge.columns.judge import DriftJudgeState
from dashlight.judge.directions.judge import DirectionJudgeState
from dashlight.judge.pairs.state import PairJudgeState
from dashlight.judge.traffic.course import TrafficCourseState
from dashlight.judge.traffic.repetition import RepetitionState
from dashlight.judge.traffic.silence import SilenceState
from dashlight.judge.traffic.thresholds import CrossingState
from dashlight.metrics.totals import TotalsState
from dashlight.records import Alert
from dashlight.watching.learner import LearnerState
from dashlight.watching.performance.state import PerformancesState, PerformanceState
from dashlight.watching.presence import PresenceState
from dashlight.watching.segments.state import SegmentsState
from dashlight.watching.versions.group import VersionedModel, VersionGroupState
from dashlight.window.outcome_panes import OutcomePanesState
from dashlight.window.panes import PanesState
from dashlight.window.recent.values import RecentValuesState
from dashlight.window.trace_ids import Trace

WatchedModel: TypeAlias = tuple[str, str, str]
"""An endpoint, a model, its version."""
Compared: TypeAlias = tuple[str, str, str, str]
"""A watched model, and the version of the reference that it is compared with."""


@dataclass(frozen=True, slots=True, eq=False)
class JointState:
    """Of `JointComparison`."""

    pairs: PairJudgeState | None
    directions: Mapping[str, DirectionJudgeState]
    """By the name of the direction."""


@dataclass(frozen=True, slots=True, eq=False)
class ComparisonState:
    """Of `Comparison`."""

    panes: PanesState
    repeated: PanesState | None
    """Rows that say again what was just said; None before there was one."""
    repetition: RepetitionState
    judge: DriftJudgeState
    joint: JointState
    breaks: BreakJudgeState
    recent: RecentValuesState
    exemplars: ExemplarsState
    in_force: tuple[Alert, ...]
    ended_at: float | None
    rows: NDArray[np.float64]
    """Of every column so far, shape (columns,)."""
    unknown_columns: tuple[str, ...]
    presence: PresenceState


@dataclass(frozen=True, slots=True, eq=False)
class ModelState:
    """Of `ModelWatch`, without its comparisons and what it learns from."""

    place: int
    file: str
    """Version of the operator's reference; empty where there is none."""
    compared: tuple[str, ...]
    """Versions of the references in force, in the order in which they came."""
    is_learning: bool
    is_matching_told: bool
    """Under which names the columns of traffic were found."""
    refused: Mapping[str, int]


@dataclass(frozen=True, slots=True, eq=False)
class EndpointState:
    """Of `WatchedEndpoint`."""

    models: Mapping[ModelKey, ModelState]
    admission: AdmissionState[ModelKey]
    outcomes: OutcomePanesState
    course: TrafficCourseState
    silence: SilenceState
    limits: tuple[tuple[CrossingState, ...], ...]
    """Rules that are crossed, by the time and the exchanges that they hold for, shortest first."""
    traces: Mapping[str, tuple[Trace, ...]]
    told_unsteady: bool
    mistakes: Mapping[str, int]
    undecodable: Mapping[str, int]
    unwatched_rows: int
    told_excluded: bool = False
    was_readable: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class MachineState:
    """Of `MachineWatch` itself."""

    policy: Policy
    """Under which all of the state came to be: it goes on under an equal one only."""
    pane_count: int
    endpoints: Mapping[str, int]
    """The place of each endpoint, in the order in which they came."""
    admission: AdmissionState[str]
    in_flight: tuple[CrossingState, ...]
    alerts: AlertsState
    statuses: Mapping[str, ProcessStatus]
    performances: PerformancesState | None = None
    """None where no label was ever looked for."""


@dataclass(frozen=True, slots=True, eq=False)
class WholeState:
    """Of a machine, part by part. What a part is missing for begins anew, and nothing else."""

    machine: MachineState
    totals: TotalsState | None = None
    endpoints: Mapping[str, EndpointState] = field(default_factory=dict[str, EndpointState])
    comparisons: Mapping[Compared, ComparisonState] = field(default_factory=dict[Compared, ComparisonState])
    learners: Mapping[WatchedModel, LearnerState] = field(default_factory=dict[WatchedModel, LearnerState])
    performances: Mapping[WatchedModel, PerformanceState] = field(default_factory=dict[WatchedModel, PerformanceState])
    segments: Mapping[Compared, SegmentsState] = field(default_factory=dict[Compared, SegmentsState])
    versions: Mapping[VersionedModel, VersionGroupState] = field(
        default_factory=dict[VersionedModel, VersionGroupState]
    )
