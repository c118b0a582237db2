"""The watch of a machine: every endpoint judged by what all processes counted, and its alerts from beginning to end."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from dashlight.counting.admission import Admission
from dashlight.counting.endpoint import EndpointPane, merged_endpoints
from dashlight.counting.machine import NOT_LEARNED, OTHER_ENDPOINTS, Briefing, MachinePane
from dashlight.counting.memory import MOST_ENDPOINTS, most_endpoints
from dashlight.counting.policy import Policy
from dashlight.counting.references import References
from dashlight.counting.remains import Remains
from dashlight.judge.alert_budget import Places, PlacesState
from dashlight.judge.alerts import Alerts, ended
from dashlight.judge.traffic.repetition import is_of_repeats
from dashlight.judge.words import printable
from dashlight.labels.news import LabelNews
from dashlight.metrics.losses import INBOX_FULL, TOO_MANY_ALERTS
from dashlight.metrics.totals import Totals
from dashlight.records import Alert
from dashlight.watching.endpoint import Snapshot, WatchedEndpoint
from dashlight.watching.memory import room_of
from dashlight.watching.model import ModelWatch
from dashlight.watching.performance.models import Performances, predictions_of, unknown_in
from dashlight.watching.processes import Processes
from dashlight.watching.remains import add_processes
from dashlight.watching.restoring import Lose, restore_each, restore_models, segment_states, tried
from dashlight.watching.rows import REPLACED
from dashlight.watching.slices.searches import SliceSearches
from dashlight.watching.state import MachineState, WatchedModel, WholeState
from dashlight.watching.versions.side_by_side import SideBySide
from dashlight.window.columns import Reference
from dashlight.window.fitting import within
from dashlight.window.reference.steps import Steps, finished

logger = logging.getLogger(__name__)

_MADE_ROOM, _UNASKED = "the endpoint made room for one with predictions", "the endpoint is no longer asked"
_NOT_TAKEN_OVER = "the statistics behind it could not be taken over"


class MachineWatch:
    """Judges the panes of a machine. Its state outlives the process: it is frozen after every pane, and thawed by the next."""

    def __init__(self, policy: Policy, references: References, *, at: float) -> None:
        self._policy, self._references = policy, references
        self.processes = Processes(policy)
        """As they told of themselves with the last pane."""
        self._endpoints: dict[str, WatchedEndpoint] = {}
        self._admission: Admission[str] = Admission(most_endpoints(policy), beside=OTHER_ENDPOINTS)
        self._ended_at: float | None = None
        """When the last pane ended that this process judged."""
        self._places, self._room = Places(), room_of(policy)
        self.alerts, self._searches = Alerts(), SliceSearches()  # of the machine, their incidents, and where these hurt
        self.performances = Performances(policy, self._performance_reference)
        """How good the models are whose labels come."""
        self.versions = SideBySide(self._performance_reference, policy)
        """Versions of models, compared."""
        self.totals = Totals(started_at=at)
        """What metrics count."""
        self.pane_count = 0
        """Panes judged so far."""

    @property
    def state(self) -> WholeState:
        """What outlives the process, with live arrays: to be written before the next pane is judged."""
        models = self._watched
        return WholeState(
            machine=MachineState(
                policy=self._policy,
                pane_count=self.pane_count,
                endpoints={route: endpoint.place for route, endpoint in self._endpoints.items()},
                admission=self._admission.state,
                in_flight=self.processes.crossings,
                alerts=self.alerts.state,
                statuses=self.processes.statuses,
                performances=self.performances.state,
            ),
            totals=self.totals.state,
            endpoints={route: endpoint.state for route, endpoint in self._endpoints.items()},
            comparisons={
                (*key, version): state
                for key, model in models.items()
                for version, state in model.comparison_states.items()
            },
            learners={key: learner for key, model in models.items() if (learner := model.learner_state) is not None},
            performances=self.performances.model_states,
            segments=segment_states(models),
            versions=self.versions.states,
        )

    def restore(self, state: WholeState, at: float, *, lose: Lose) -> Steps[list[Alert]]:
        """In steps: goes on from *state*, on a fresh watch; the alerts that end because nobody is left who judges them.

        A part that is missing, or does not fit and is handed to *lose*, begins anew and costs nothing else.

        Raises:
            ValueError: *state* came to be under another policy, or what holds its parts together does not fit.
        """
        machine = state.machine
        if machine.policy != self._policy:
            raise ValueError("the state of another policy")
        if machine.admission.keys != machine.endpoints.keys():
            raise ValueError("endpoints without a place, or places without an endpoint")
        self.pane_count = within("panes", machine.pane_count)
        self.processes.restore(machine.statuses, machine.in_flight)
        self._admission.restore(machine.admission)
        self.alerts.restore(machine.alerts)
        totals = state.totals
        if totals is not None and not tried("totals", lambda: self.totals.restore(totals), lose):
            self.totals = Totals(started_at=at)
        replaced: set[WatchedModel] = set()
        lost: list[str] = []
        for route in machine.endpoints:
            lost += () if (yield from self._restore_endpoint(route, state, replaced, lose)) else (route,)
        watched = self._watched
        restore_models(watched, state, lose)
        models = list(watched.values())
        places = tuple(place for route, place in machine.endpoints.items() if route != OTHER_ENDPOINTS)
        self._places.restore(PlacesState(tuple(model.place for model in models), places))
        self.performances.restore(machine.performances)
        restore_each("performance", self.performances.restore_model, state.performances, lose)
        restore_each("versions", self.versions.restore, state.versions, lose)
        judged = {key for model in models for key in model.in_force} | self.performances.in_force
        return self.alerts.observe(
            ended(alert, at, REPLACED if (alert.endpoint, alert.model, alert.version) in replaced else _NOT_TAKEN_OVER)
            for alert in self.alerts.in_force
            if alert.key not in judged and (_is_of_rows(alert) or alert.endpoint in lost)
        )

    def _restore_endpoint(self, route: str, state: WholeState, replaced: set[WatchedModel], lose: Lose) -> Steps[bool]:
        """Whether the endpoint goes on; adds the models whose reference was *replaced*."""
        place, part = state.machine.endpoints[route], state.endpoints.get(route)
        endpoint = self._endpoints[route] = self._watch(route, place)
        if part is None:
            return False
        try:
            for key in endpoint.restore(part):
                if key is None:
                    yield
                else:
                    replaced.add((route, *key))
        except Exception as error:  # a file can say anything: counted and told by *lose*
            lose("endpoint", error)
            self._endpoints[route] = self._watch(route, place)
            return False
        return True

    def close_pane(self, pane: MachinePane, at: float) -> list[Alert]:
        """Judges the *pane* of all processes that ended *at*; the alerts whose state changed."""
        return finished(self.close_pane_in_steps(pane, at))

    def close_pane_in_steps(
        self, pane: MachinePane, at: float, remains: Sequence[Remains] = (), news: LabelNews | None = None
    ) -> Steps[list[Alert]]:
        """As `close_pane`, with the *remains* of processes that ended, and the *news* of labels.

        Nothing else may be asked before the last step.
        """
        self.pane_count += 1
        self.processes.statuses = dict(pane.statuses)
        add_processes(self.totals, pane, remains)
        reported = [alert for route in self._admission.gone() for alert in self._let_go(route, at, _UNASKED)]
        counted, ended = self._admitted(pane, at)
        reported += ended
        for route, endpoint in self._endpoints.items():
            if route in counted:
                self.totals.add_outcomes(route, counted[route].outcomes)
                self.totals.add_generations(counted[route].generations)
            for alert in endpoint.close_pane(counted.get(route), at):
                if alert is None:
                    yield
                else:
                    reported.append(alert)
        for route, model, version in self._room.close():
            reported += self._endpoints[route].make_room((model, version), at)
        if news is not None:
            made = predictions_of(pane)
            for alert in self.performances.close_pane(news, at, predictions=made, unknown=unknown_in(pane)):
                if alert is None:
                    yield
                else:
                    reported.append(alert)
            self.totals.add_counts(self.performances.take_losses())
        yield from self.versions.close_pane(pane, news, at)
        self.totals.add_counts(self.versions.take_losses())
        reported += self.processes.judge(at)
        self._ended_at = at
        changed = self.alerts.observe(reported)
        self.totals.add_alerts(changed)
        changed = yield from self._searches.ask(changed, self.alerts, self._endpoints, self.performances.watches)
        lost = {TOO_MANY_ALERTS: self.alerts.take_refused(), NOT_LEARNED: self._room.learning.close()}
        self.totals.add_counts({fate: n for fate, n in (lost | self._searches.take_losses()).items() if n})
        return changed

    def replace_reference(self, reference: Reference, at: float) -> list[Alert]:
        """Compares with *reference* from now on; the alerts that end with the one before."""
        self._references = References(self._references.learned, reference)
        ended = [alert for each in self._endpoints.values() for alert in each.replace_reference(reference, at)]
        return self.alerts.observe([*ended, *self.performances.replace_reference(at)])

    @property
    def briefing(self) -> Briefing:
        """What is to be counted from now on."""
        return Briefing({route: endpoint.brief for route, endpoint in self._endpoints.items()})

    @property
    def in_force(self) -> tuple[Alert, ...]:
        """Alerts that are pending or firing."""
        return self.alerts.in_force

    def snapshots(self) -> Iterator[tuple[str, Snapshot]]:
        """The scores of the window, by endpoint."""
        processes, dropped_count = self.processes, self.totals.count(INBOX_FULL)
        in_flight_count, rate = processes.in_flight_count, processes.rate
        return self.performances.beside(
            (route, snapshot)
            for route, endpoint in self._endpoints.items()
            for snapshot in endpoint.snapshots(in_flight_count=in_flight_count, dropped_count=dropped_count, rate=rate)
        )

    @property
    def measured_models(self) -> set[WatchedModel]:
        """Models whose labels come, and those of which the reference says how good they were."""
        known = {key for key in self._watched if (one := self._performance_reference(key)) and one.performance}
        return known | self.performances.watches.keys()

    @property
    def _watched(self) -> dict[WatchedModel, ModelWatch]:
        return {(route, *key): model for route, each in self._endpoints.items() for key, model in each.models.items()}

    def _performance_reference(self, key: WatchedModel) -> Reference | None:
        """What the performance of a model is compared with: what its columns are, else the operator's reference."""
        endpoint = self._endpoints.get(key[0])
        model = None if endpoint is None else endpoint.models.get(key[1:])
        return self._references.given if model is None else model.reference

    def _admitted(self, pane: MachinePane, at: float) -> tuple[dict[str, EndpointPane], list[Alert]]:
        """What *pane* holds, by the endpoint that it is judged as, and the alerts of endpoints that made room for others.

        Each process has its own first MOST_ENDPOINTS, and tells of them whether they were asked or not. Those with
        predictions go first, and take the places of those without.
        """
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
                    made_room = each_gone in yielding
                    ended += self._let_go(each_gone, at, _MADE_ROOM if made_room else _UNASKED)
                    counted.pop(each_gone, None)
            counted[name] = merged_endpoints([counted[name], each]) if name in counted else each
            if name == OTHER_ENDPOINTS:
                # Their models have different columns: none is judged.
                models = counted[name].models.values()
                unwatched_rows = sum(model.row_count + model.left_out_rows for model in models)
                unwatched_rows += counted[name].unwatched_rows
                counted[name] = replace(counted[name], models={}, unwatched_rows=unwatched_rows)
            if name not in self._endpoints:
                # What is not judged costs no part of the budget.
                place = MOST_ENDPOINTS + 1 if name == OTHER_ENDPOINTS else self._places.next_endpoint()
                self._endpoints[name] = self._watch(name, place)
        self._admission.close(at)
        return counted, ended

    def _provisional(self, earned: Collection[str]) -> set[str]:
        """Endpoints that have not earned their places, nor are about to."""
        return {
            route
            for route, endpoint in self._endpoints.items()
            if not endpoint.models and route not in earned and route != OTHER_ENDPOINTS
        }

    def _let_go(self, route: str, at: float, why: str) -> list[Alert]:
        """Watches the endpoint no longer; its alerts in force, which end with that."""
        self._admission.forget(route)
        self._endpoints.pop(route).give_back()
        logger.info("%s: no longer watched: %s", printable(route), why)
        return [ended(alert, at, why) for alert in self.alerts.in_force if alert.endpoint == route]

    def _watch(self, route: str, place: int) -> WatchedEndpoint:
        named, since_at = (route, self._policy, self._references.of(route)), self._ended_at
        return WatchedEndpoint(*named, place=place, places=self._places, since_at=since_at, room=self._room)


def _is_of_rows(alert: Alert) -> bool:  # whether what was raised it is a part of its own
    return alert.source in {"drift", "break", "performance"} or bool(alert.segment) or is_of_repeats(alert)
