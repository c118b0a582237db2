"""The watch of a machine: every endpoint judged by what all processes counted, and its alerts from beginning to end."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator
from dataclasses import replace

from dashlight.counting.admission import Admission
from dashlight.counting.endpoint import EndpointPane, merged_endpoints
from dashlight.counting.machine import MOST_ENDPOINTS, OTHER_ENDPOINTS, Briefing, MachinePane, ProcessStatus
from dashlight.counting.policy import Policy
from dashlight.counting.references import References
from dashlight.judge.alert_budget import Places
from dashlight.judge.alerts import Alerts
from dashlight.judge.traffic.scores import quantities_of_process
from dashlight.judge.traffic.thresholds import ThresholdJudge
from dashlight.judge.words import printable
from dashlight.metrics.losses import INBOX_FULL, TOO_MANY_ALERTS
from dashlight.metrics.totals import Totals
from dashlight.records import Alert
from dashlight.watching.endpoint import Snapshot, WatchedEndpoint
from dashlight.window.columns import Reference

logger = logging.getLogger(__name__)


class MachineWatch:
    """Judges the panes of a machine. Its state outlives the process: it is frozen after every pane, and thawed by the next."""

    def __init__(self, policy: Policy, references: References, *, at: float) -> None:
        self._policy = policy
        self._references: References | None = references
        self._in_flight = ThresholdJudge([rule for rule in policy.rules if rule.quantity == "in_flight"])
        self._endpoints: dict[str, WatchedEndpoint] = {}
        self._admission: Admission[str] = Admission(MOST_ENDPOINTS, beside=OTHER_ENDPOINTS)
        self._ended_at: float | None = None
        """When the last pane ended that this process judged."""
        self._places = Places()
        self._alerts = Alerts()
        self._statuses: dict[str, ProcessStatus] = {}
        self.totals = Totals(started_at=at)
        """What metrics count."""
        self.pane_count = 0
        """Panes judged so far."""

    def __getstate__(self) -> dict[str, object]:
        """What outlives the process: all but what there is to compare with, which has files of its own."""
        return {**self.__dict__, "_references": None}

    def can_resume(self, policy: Policy) -> bool:
        """Whether its statistics were made under *policy*, or one equal to it; under another it has to begin anew."""
        return self._policy == policy

    def resume(self, policy: Policy, references: References, at: float) -> list[Alert]:
        """Goes on in another process; the alerts that end where a reference is another one by now."""
        self._policy, self._references, self._ended_at = policy, references, None
        reported = [alert for endpoint in self._endpoints.values() for alert in endpoint.resume(policy, references, at)]
        return self._alerts.observe(reported)

    def close_pane(self, pane: MachinePane, at: float) -> list[Alert]:
        """Judges the *pane* of all processes that ended *at*; the alerts whose state changed."""
        self.pane_count += 1
        self._statuses = dict(pane.statuses)
        self.totals.add_counts(pane.counts)
        reported = [alert for route in self._admission.gone() for alert in self._let_go(route, at)]
        counted, ended = self._admitted(pane, at)
        reported += ended
        for route, endpoint in self._endpoints.items():
            if route in counted:
                self.totals.add_outcomes(route, counted[route].outcomes)
            reported += endpoint.close_pane(counted.get(route), at)
        reported += self._in_flight.update(quantities_of_process(in_flight=self.in_flight_count), at)
        self._ended_at = at
        changed = self._alerts.observe(reported)
        self.totals.add_alerts(changed)
        self.totals.add_counts({TOO_MANY_ALERTS: self._alerts.take_refused()})
        return changed

    def replace_reference(self, reference: Reference, at: float) -> list[Alert]:
        """Compares with *reference* from now on; the alerts that end with the one before."""
        if self._references is not None:
            self._references = References(self._references.learned, reference)
        reported = [
            alert for endpoint in self._endpoints.values() for alert in endpoint.replace_reference(reference, at)
        ]
        return self._alerts.observe(reported)

    @property
    def briefing(self) -> Briefing:
        """What is to be counted from now on."""
        return Briefing({route: endpoint.brief for route, endpoint in self._endpoints.items()})

    @property
    def processes(self) -> tuple[str, ...]:
        """Those whose pane was in the last one."""
        return tuple(self._statuses)

    @property
    def in_flight_count(self) -> int:
        """Requests that had begun and not ended, in all processes, at the end of the last pane."""
        return sum(status.in_flight_count for status in self._statuses.values())

    @property
    def rate(self) -> float:
        """Share of the exchanges that is analysed, on average over the processes."""
        rates = [status.rate for status in self._statuses.values()]
        return sum(rates) / len(rates) if rates else 1.0

    @property
    def in_force(self) -> tuple[Alert, ...]:
        """Alerts that are pending or firing."""
        return self._alerts.in_force

    def snapshots(self) -> Iterator[tuple[str, Snapshot]]:
        """The scores of the window, by endpoint."""
        dropped_count = self.totals.count(INBOX_FULL)
        for route, endpoint in self._endpoints.items():
            snapshots = endpoint.snapshots(
                in_flight_count=self.in_flight_count, dropped_count=dropped_count, rate=self.rate
            )
            for snapshot in snapshots:
                yield route, snapshot

    def _admitted(self, pane: MachinePane, at: float) -> tuple[dict[str, EndpointPane], list[Alert]]:
        """What *pane* holds, by the endpoint that it is judged as, and the alerts of endpoints that made room for others.

        Each process has its own first MOST_ENDPOINTS, and tells of them whether they were asked or not. Those with
        predictions go first, and take the places of those without.
        """
        if self._references is None:
            raise RuntimeError("thawed and not resumed")
        counted: dict[str, EndpointPane] = {}
        asked = {route for route, each in pane.endpoints.items() if each.was_asked}
        ended: list[Alert] = []
        earned = {route for route in asked if pane.endpoints[route].has_predictions}
        for route, each in sorted(pane.endpoints.items(), key=lambda item: item[0] not in earned):
            if route not in self._endpoints and route not in asked:
                continue
            name = route
            if route in asked:
                yielding = self._provisional(earned) if route in earned and route not in self._endpoints else ()
                gone = self._admission.admit(route, asked=asked, yielding=yielding)
                if gone is None:
                    name = OTHER_ENDPOINTS
                    self._admission.admit(name)
                for each_gone in gone or ():
                    if each_gone in yielding:
                        ended += self._let_go(each_gone, at, "the endpoint made room for one with predictions")
                    else:
                        ended += self._let_go(each_gone, at)
                    counted.pop(each_gone, None)
            counted[name] = merged_endpoints([counted[name], each]) if name in counted else each
            if name == OTHER_ENDPOINTS:
                # Their models have different columns: none is judged.
                unwatched_rows = sum(model.row_count for model in counted[name].models.values())
                unwatched_rows += counted[name].unwatched_rows
                counted[name] = replace(counted[name], models={}, unwatched_rows=unwatched_rows)
            if name not in self._endpoints:
                self._endpoints[name] = WatchedEndpoint(
                    name, self._policy, self._references, places=self._places, since_at=self._ended_at
                )
        self._admission.close(at)
        return counted, ended

    def _provisional(self, earned: Collection[str]) -> set[str]:
        """Endpoints that have not earned their places, nor are about to."""
        return {
            route
            for route, endpoint in self._endpoints.items()
            if not endpoint.has_models and route not in earned and route != OTHER_ENDPOINTS
        }

    def _let_go(self, route: str, at: float, why: str = "the endpoint is no longer asked") -> list[Alert]:
        """Watches the endpoint no longer; its alerts in force, which end with that."""
        self._admission.forget(route)
        self._endpoints.pop(route).give_back()
        logger.info("%s: no longer watched: %s", printable(route), why)
        return [
            replace(alert, state="resolved", at=at, summary=f"{why}; it was: {alert.summary}")
            for alert in self._alerts.in_force
            if alert.endpoint == route
        ]
