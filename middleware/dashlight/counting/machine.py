"""All that one process counted in one pane, and the sum of several processes of a machine."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from dashlight.counting.admission import Admission
from dashlight.counting.claims import Claim
from dashlight.counting.endpoint import (
    EndpointBrief,
    EndpointCounter,
    EndpointPane,
    ModelKey,
    merged_endpoints,
)
from dashlight.counting.kept_rows import MOST_PANE_BYTES, LearningRoom, bounded_rows
from dashlight.counting.memory import MOST_ENDPOINTS, NO_ROOM, most_endpoints, most_models_of
from dashlight.counting.model import ModelPane
from dashlight.counting.policy import Policy
from dashlight.counting.references import References
from dashlight.metrics.accounts import Account
from dashlight.metrics.losses import SignalFate
from dashlight.records import Outcome

logger = logging.getLogger(__name__)

OTHER_ENDPOINTS = "other"
"""What stands for them, and for whatever is no prediction: probes, files, scanners."""
NOT_COMPARED = SignalFate("rows", "dropped", "reference_not_found")
"""What rows are counted as whose reference the process that served them cannot find."""
NOT_LEARNED = SignalFate("rows", "dropped", "learning_full")
"""As what rows are counted that were too many to be kept for a reference: it is learned from later ones as well."""


@dataclass(frozen=True, slots=True)
class ProcessStatus:
    """How one process stood when its pane ended."""

    in_flight_count: int
    rate: float
    """Share of its exchanges that it analyses."""
    ended_at: float = 0.0
    """When its pane ended."""
    waiting_count: int = 0
    """Of those in flight, the requests whose answer has not begun."""
    answered_count: int = 0
    """Exchanges that ended in the pane, without probes and paths that nobody serves."""
    accounts: Mapping[str, Account] = field(default_factory=dict[str, Account])
    """Where all that it has captured is, by signal."""
    number: int = 0
    """Of the pane, from 1; where several are merged, of the last."""


@dataclass(frozen=True, slots=True, eq=False)
class MachinePane:
    """What one process, or several together, counted in one pane."""

    endpoints: Mapping[str, EndpointPane]
    statuses: Mapping[str, ProcessStatus]
    """By process."""
    counts: Mapping[SignalFate, int] = field(default_factory=dict[SignalFate, int])
    """What was delivered, and what was lost and why."""


@dataclass(frozen=True, slots=True)
class Briefing:
    """What the judge of a machine wants to be counted, by endpoint."""

    endpoints: Mapping[str, EndpointBrief] = field(default_factory=dict[str, EndpointBrief])


class MachineCounter:
    """Counts the exchanges of one process, endpoint by endpoint."""

    def __init__(self, process: str, policy: Policy, references: References) -> None:
        """*process* names this one among those of the machine."""
        self._process = process
        self._policy = policy
        self._references = references
        # A quarter is left to rows that are learned from.
        pane_bytes = min(MOST_PANE_BYTES, policy.counting_bytes // 4)
        self._room = LearningRoom(pane_bytes, models_bytes=policy.counting_bytes * 3 // 4)
        self._endpoints: dict[str, EndpointCounter] = {}
        self._admission: Admission[str] = Admission(most_endpoints(policy), beside=OTHER_ENDPOINTS)
        self._evicted: list[EndpointCounter] = []
        """Of this pane: those that made room before it was over."""
        self._told_full = False
        self._briefing = Briefing()

    def endpoint(self, route: str, claim: Claim = "earned") -> EndpointCounter:
        """The counter of the endpoint *route*, or of all others together where it has no place and gets none."""
        known = self._endpoints.get(route)
        if route == OTHER_ENDPOINTS or (known is None and claim == "none"):
            return self._other_endpoints()
        is_new = known is None and claim == "earned"
        gone = self._admission.admit(route, yielding=self._provisional() if is_new else ())
        if gone is None:
            if not self._told_full:
                self._told_full = True
                told = "more than %d endpoints: the others are counted together, not judged%s"
                most = most_endpoints(self._policy)
                logger.warning(told, most, "; DASHLIGHT_MEMORY says how many" if most < MOST_ENDPOINTS else "")
            return self._other_endpoints()
        for each in gone:
            self._endpoints[each].give_back()
            self._evicted.append(self._endpoints.pop(each))
        return known or self._begun(route)

    def follow(self, briefing: Briefing) -> None:
        """Counts what the judge wants from now on."""
        self._briefing = briefing
        for route, endpoint in self._endpoints.items():
            if route in briefing.endpoints:
                endpoint.follow(briefing.endpoints[route])

    def requests(self) -> Mapping[str, Mapping[Outcome, int]]:
        """Exchanges of the pane that fills, by endpoint and outcome."""
        found = {route: dict(each.outcomes) for route, each in self._endpoints.items() if each.outcomes}
        for evicted in self._evicted:
            found[OTHER_ENDPOINTS] = dict(Counter(found.get(OTHER_ENDPOINTS, {})) + Counter(evicted.outcomes))
        return found

    def close(self, at: float, status: ProcessStatus, counts: Mapping[SignalFate, int]) -> MachinePane:
        """Ends the pane at *at*; *counts* is what was delivered and lost in it."""
        endpoints = {route: endpoint.close(at) for route, endpoint in self._endpoints.items()}
        if self._evicted:
            # They have no rows: what happened there is counted with the others.
            others = [self._other_endpoints().close(at), *(each.close(at) for each in self._evicted)]
            endpoints[OTHER_ENDPOINTS] = merged_endpoints([endpoints.get(OTHER_ENDPOINTS, others[0]), *others[1:]])
            self._evicted.clear()
        self._admission.close(at)
        room = self._room
        uncompared, room.uncompared_rows = room.uncompared_rows, 0
        unwatched, room.left_out_rows = room.left_out_rows, 0
        lost = {NOT_LEARNED: room.empty(), NOT_COMPARED: uncompared, NO_ROOM: unwatched}
        found = {**counts, **{key: count for key, count in lost.items() if count}}
        return MachinePane(endpoints, {self._process: replace(status, ended_at=at)}, found)

    def _other_endpoints(self) -> EndpointCounter:
        """What stands for all endpoints without a place: their models have different columns, so none is judged."""
        return self._endpoints.get(OTHER_ENDPOINTS) or self._begun(OTHER_ENDPOINTS, most_models=0)

    def _provisional(self) -> set[str]:
        """Endpoints that have not earned their places, as far as this process and the judge know."""
        briefs = self._briefing.endpoints
        return {
            route
            for route, endpoint in self._endpoints.items()
            if not endpoint.has_models and not (route in briefs and briefs[route].models)
        }

    def _begun(self, route: str, *, most_models: int | None = None) -> EndpointCounter:
        most_models = most_models_of(route) if most_models is None else most_models
        endpoint = EndpointCounter(route, self._policy, self._references.of(route), self._room, most_models=most_models)
        self._endpoints[route] = endpoint
        if route in self._briefing.endpoints:
            endpoint.follow(self._briefing.endpoints[route])
        return endpoint


def merged(panes: Sequence[MachinePane]) -> MachinePane:
    """What several processes counted, or one in several panes, as one pane; of a process its last status counts."""
    if len(panes) == 1:
        return panes[0]
    endpoints: dict[str, list[EndpointPane]] = {}
    statuses: dict[str, ProcessStatus] = {}
    counts: Counter[SignalFate] = Counter()
    for pane in panes:
        statuses.update(pane.statuses)
        counts.update(pane.counts)
        for route, endpoint in pane.endpoints.items():
            endpoints.setdefault(route, []).append(endpoint)
    return MachinePane({route: merged_endpoints(alike) for route, alike in endpoints.items()}, statuses, dict(counts))


def lightened(pane: MachinePane, *, most_bytes: int = 0) -> MachinePane:
    """*pane* with no more than *most_bytes* of rows to learn from; what is left out is counted in it."""
    endpoints: dict[str, EndpointPane] = {}
    left_out = 0
    for route, endpoint in pane.endpoints.items():
        models: dict[ModelKey, ModelPane] = {}
        for key, model in endpoint.models.items():
            rows = bounded_rows(model.rows, most_bytes)
            most_bytes -= sum(each.size_bytes for each in rows)
            left_out += sum(each.row_count for each in model.rows[len(rows) :])
            models[key] = replace(model, rows=rows)
        endpoints[route] = replace(endpoint, models=models)
    counts = Counter(pane.counts)
    counts[NOT_LEARNED] += left_out
    return MachinePane(endpoints, pane.statuses, dict(counts) if left_out else pane.counts)
