"""All that one process counted in one pane, and the sum of several processes of a host."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from dashlight.counting.endpoints import EndpointBrief, EndpointCounter, EndpointPane, merged_endpoints
from dashlight.counting.models import ModelCounting

logger = logging.getLogger(__name__)

MOST_ENDPOINTS = 32
"""Endpoints with statistics of their own; the others are counted together, and the rows of their models not judged."""
OTHER_ENDPOINTS = "other"


@dataclass(frozen=True, slots=True)
class Standing:
    """How one process stood when its pane ended."""

    in_flight_count: int
    rate: float
    """Share of its exchanges that it analyses."""
    ended_at: float = 0.0
    """When its pane ended."""


@dataclass(frozen=True, slots=True, eq=False)
class HostPane:
    """What one process, or several together, counted in one pane."""

    endpoints: Mapping[str, EndpointPane]
    standings: Mapping[str, Standing]
    """By process."""
    counts: Mapping[str, int] = field(default_factory=dict[str, int])
    """What else happened, by what it was: what was lost and why."""


@dataclass(frozen=True, slots=True)
class Briefing:
    """What the judge of a host wants to be counted, by endpoint."""

    endpoints: Mapping[str, EndpointBrief] = field(default_factory=dict[str, EndpointBrief])


class HostCounter:
    """Counts the exchanges of one process, endpoint by endpoint."""

    def __init__(self, process: str, counting: ModelCounting) -> None:
        """*process* names this one among those of the host."""
        self._process = process
        self._counting = counting
        self._endpoints: dict[str, EndpointCounter] = {}
        self._briefing = Briefing()

    def endpoint(self, route: str) -> EndpointCounter:
        """The counter of the endpoint *route*."""
        found = self._endpoints.get(route)
        if found is None and len(self._endpoints) >= MOST_ENDPOINTS:
            return self._other_endpoints()
        if found is None:
            found = self._begun(route, EndpointCounter(route, self._counting))
        return found

    def follow(self, briefing: Briefing) -> None:
        """Counts what the judge wants from now on."""
        self._briefing = briefing
        for route, endpoint in self._endpoints.items():
            if route in briefing.endpoints:
                endpoint.follow(briefing.endpoints[route])

    def close(self, at: float, standing: Standing, counts: Mapping[str, int]) -> HostPane:
        """Ends the pane at *at*; *counts* is what else happened in it."""
        endpoints = {route: endpoint.close(at) for route, endpoint in self._endpoints.items()}
        return HostPane(endpoints, {self._process: replace(standing, ended_at=at)}, counts)

    def _other_endpoints(self) -> EndpointCounter:
        """What stands for all endpoints beyond the bound: their models have different columns, so none is judged."""
        found = self._endpoints.get(OTHER_ENDPOINTS)
        if found is None:
            logger.warning("more than %d endpoints: the others are counted together, without drift", MOST_ENDPOINTS)
            found = self._begun(OTHER_ENDPOINTS, EndpointCounter(OTHER_ENDPOINTS, self._counting, most_models=0))
        return found

    def _begun(self, route: str, endpoint: EndpointCounter) -> EndpointCounter:
        self._endpoints[route] = endpoint
        if route in self._briefing.endpoints:
            endpoint.follow(self._briefing.endpoints[route])
        return endpoint


def merged(panes: Sequence[HostPane]) -> HostPane:
    """What several processes counted, or one in several panes, as one pane; of a process its last standing counts."""
    if len(panes) == 1:
        return panes[0]
    endpoints: dict[str, list[EndpointPane]] = {}
    standings: dict[str, Standing] = {}
    counts: Counter[str] = Counter()
    for pane in panes:
        standings.update(pane.standings)
        counts.update(pane.counts)
        for route, endpoint in pane.endpoints.items():
            endpoints.setdefault(route, []).append(endpoint)
    return HostPane({route: merged_endpoints(alike) for route, alike in endpoints.items()}, standings, dict(counts))
