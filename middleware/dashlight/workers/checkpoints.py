"""The checkpoint: all that a judge knows, in parts. A part that cannot be read is lost alone, but for the first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from dashlight.deliver.alerting.owed import OwedState
from dashlight.errors import StateError
from dashlight.judge.alerts import check_alert, ended
from dashlight.judge.notices import MOST_MEMBERS
from dashlight.metrics.totals import TotalsState
from dashlight.records import Alert, Notice
from dashlight.store.frozen import FORMAT, Buffer, Part, sealed, unsealed
from dashlight.store.layout import Layout
from dashlight.watching.learner import LearnerState
from dashlight.watching.performance.state import PerformanceState
from dashlight.watching.segments.state import SegmentsState
from dashlight.watching.state import Compared, ComparisonState, EndpointState, MachineState, WatchedModel, WholeState
from dashlight.watching.versions.group import VersionedModel, VersionGroupState
from dashlight.window.fitting import moment, within


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """The state of a machine after a pane."""

    state: WholeState
    counted: Mapping[str, int]
    """Number of the last pane of each process that is counted in it."""
    owed: OwedState | None = None
    """What routes have not answered for; None where it could not be read."""
    lost: tuple[StateError, ...] = ()
    """Why parts could not be read; these are missing in *state*."""

    def ended_alerts(self, at: float, reason: str) -> list[Alert]:
        """Of the alerts in force, as the file has them, those that fire and can be told, each once and ended at *at*."""
        firing: dict[str, Alert] = {}
        for alert in self.state.machine.alerts.in_force:
            with suppress(ValueError):
                check_alert(alert)
                if alert.state == "firing":
                    firing[alert.key] = ended(alert, at, reason)
        return list(firing.values())


@dataclass(frozen=True, slots=True, eq=False)
class _Machine:
    state: MachineState
    counted: Mapping[str, int]


@dataclass(frozen=True, slots=True, eq=False)
class _Owed:
    """Which notices are owed and in force, by their ids; they are parts of their own, a few dozen in each."""

    routes: Mapping[str, tuple[str, ...]]
    in_force: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Notices:
    notices: tuple[Notice, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Endpoint:
    name: str
    state: EndpointState


@dataclass(frozen=True, slots=True, eq=False)
class _Comparison:
    of: Compared
    state: ComparisonState


@dataclass(frozen=True, slots=True, eq=False)
class _Learner:
    of: WatchedModel
    state: LearnerState


@dataclass(frozen=True, slots=True, eq=False)
class _Performance:
    of: WatchedModel
    state: PerformanceState


@dataclass(frozen=True, slots=True, eq=False)
class _Segments:
    of: Compared
    state: SegmentsState


@dataclass(frozen=True, slots=True, eq=False)
class _Versions:
    of: VersionedModel
    state: VersionGroupState


def _check_machine(machine: _Machine) -> None:
    for count in machine.counted.values():
        within("number of a pane", count)


def _check_notices(value: _Notices) -> None:
    within("notices in one part", len(value.notices), 1, _NOTICES_A_PART)
    for notice in value.notices:
        moment("a transition", notice.at)
        moment("the beginning of a change", notice.since_at)
        within("alerts", notice.alert_count, 1)
        within("alerts that are told", len(notice.alerts), 1, MOST_MEMBERS)
        for alert in notice.alerts:
            check_alert(alert)


_MACHINE: Layout[_Machine] = Layout("machine", 1, _Machine, _check_machine)
_OWED: Layout[_Owed] = Layout("owed", 1, _Owed)
_NOTICES: Layout[_Notices] = Layout("notices", 1, _Notices, _check_notices)
_TOTALS: Layout[TotalsState] = Layout("totals", 1, TotalsState)
_ENDPOINT: Layout[_Endpoint] = Layout("endpoint", 1, _Endpoint)
_COMPARISON: Layout[_Comparison] = Layout("comparison", 1, _Comparison)
_LEARNER: Layout[_Learner] = Layout("learner", 1, _Learner)
_PERFORMANCE: Layout[_Performance] = Layout("performance", 1, _Performance)
_SEGMENTS: Layout[_Segments] = Layout("segments", 1, _Segments)
_VERSIONS: Layout[_Versions] = Layout("versions", 1, _Versions)
_PARTS = (
    _MACHINE, _OWED, _NOTICES, _TOTALS, _ENDPOINT, _COMPARISON, _LEARNER, _PERFORMANCE, _SEGMENTS, _VERSIONS,
)  # fmt: skip
LAYOUTS: Mapping[str, Layout[Any]] = {layout.name: layout for layout in _PARTS}
"""Of the parts of a checkpoint, by name. What a change of a part means for its version: see `Layout`."""
_NOTICES_A_PART = 50
"""A part has a size that it must not exceed."""
GENERATION = FORMAT + sum(layout.version for layout in LAYOUTS.values())
"""Grows with every version of a part: releases that write checkpoints of one generation read one another's."""


class CheckpointLayout:
    """How a checkpoint becomes bytes, and bytes a checkpoint again."""

    def freeze(self, value: Checkpoint, /) -> list[Buffer]:
        """The file in pieces, to be written before the watch goes on. StateError where something is no plain data."""
        whole = value.state
        parts = [_MACHINE.part(_Machine(whole.machine, value.counted))]
        parts += [] if value.owed is None else _owed_parts(value.owed)
        parts += [] if whole.totals is None else [_TOTALS.part(whole.totals)]
        parts += [_ENDPOINT.part(_Endpoint(name, state)) for name, state in whole.endpoints.items()]
        parts += [_COMPARISON.part(_Comparison(of, state)) for of, state in whole.comparisons.items()]
        parts += [_LEARNER.part(_Learner(of, state)) for of, state in whole.learners.items()]
        parts += [_PERFORMANCE.part(_Performance(of, state)) for of, state in whole.performances.items()]
        parts += [_SEGMENTS.part(_Segments(of, state)) for of, state in whole.segments.items()]
        parts += [_VERSIONS.part(_Versions(of, state)) for of, state in whole.versions.items()]
        return sealed(parts)

    def thaw(self, blob: bytes | bytearray | memoryview, /) -> Checkpoint:
        """The checkpoint that *blob* holds, without the parts that cannot be read.

        Raises:
            StateError: of kind `other_version` where its first part is of a version that cannot be read, else `corrupt`.
        """
        parts = unsealed(blob)
        if not parts:
            raise StateError("corrupt", "a checkpoint without parts")
        machine = _MACHINE.value(parts[0])
        totals: TotalsState | None = None
        owed: _Owed | None = None
        notices: list[Notice] = []
        endpoints: dict[str, EndpointState] = {}
        comparisons: dict[Compared, ComparisonState] = {}
        learners: dict[WatchedModel, LearnerState] = {}
        performances: dict[WatchedModel, PerformanceState] = {}
        segments: dict[Compared, SegmentsState] = {}
        versions: dict[VersionedModel, VersionGroupState] = {}
        lost: list[StateError] = []
        for part in parts[1:]:
            layout = LAYOUTS.get(part.name)
            if layout is None:  # of a newer release, which can do without it
                continue
            # Apart from the file: else what is kept of one part would hold all others in memory.
            arrays = [memoryview(bytearray(array)) for array in part.arrays]
            try:
                value = layout.value(replace(part, arrays=arrays))
            except StateError as error:
                lost.append(error)
                continue
            if isinstance(value, _Endpoint):
                endpoints[value.name] = value.state
            elif isinstance(value, _Comparison):
                comparisons[value.of] = value.state
            elif isinstance(value, _Learner):
                learners[value.of] = value.state
            elif isinstance(value, _Performance):
                performances[value.of] = value.state
            elif isinstance(value, _Segments):
                segments[value.of] = value.state
            elif isinstance(value, _Versions):
                versions[value.of] = value.state
            elif isinstance(value, TotalsState):
                totals = value
            elif isinstance(value, _Owed):
                owed = value
            elif isinstance(value, _Notices):
                notices += value.notices
        state = WholeState(machine.state, totals, endpoints, comparisons, learners, performances, segments, versions)
        return Checkpoint(state, machine.counted, _owed_of(owed, notices, lost), tuple(lost))


def _owed_parts(owed: OwedState) -> list[Part]:
    begins = range(0, len(owed.notices), _NOTICES_A_PART)
    notices = [owed.notices[begin : begin + _NOTICES_A_PART] for begin in begins]
    return [_OWED.part(_Owed(owed.routes, owed.in_force)), *(_NOTICES.part(_Notices(each)) for each in notices)]


def _owed_of(owed: _Owed | None, notices: Sequence[Notice], lost: list[StateError]) -> OwedState | None:
    """What was owed, without the notices that could not be read, of which *lost* tells then."""
    if owed is None:
        return None
    known = {notice.id for notice in notices}
    wanted = {each for ids in (*owed.routes.values(), owed.in_force) for each in ids}
    if missing := wanted - known:
        lost.append(StateError("corrupt", f"{len(missing)} notices that are owed are missing"))
    routes = {route: tuple(each for each in ids if each in known) for route, ids in owed.routes.items()}
    return OwedState(tuple(notices), routes, tuple(each for each in owed.in_force if each in known))
