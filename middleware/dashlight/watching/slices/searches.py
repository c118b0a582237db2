"""Where it hurts, asked once an incident: of its likeliest origin, and again as its rows grow, until a slice is found."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from dashlight.errors import traced
from dashlight.judge.alerts import Alerts
from dashlight.judge.incidents import Incident, by_origin
from dashlight.judge.words import printable
from dashlight.metrics.losses import SignalFate
from dashlight.records import Alert, Role, Slice
from dashlight.watching.endpoint import WatchedEndpoint
from dashlight.watching.performance.model import PerformanceWatch
from dashlight.watching.slices.history import MOST_SINCE
from dashlight.watching.slices.questions import Hurting, find_lost, find_slice, hurting_of, rows_since
from dashlight.watching.state import WatchedModel
from dashlight.window.reference.steps import Steps

logger = logging.getLogger(__name__)

MOST_SEARCHES = 4
"""Of one alert: when its incident begins, and three times more."""
GROWN = 2.0
"""So many times as many rows are worth another search."""


@dataclass(slots=True)
class _Search:
    """How often a slice was searched for one alert of an incident."""

    key: str
    """Of the alert."""
    rows: int = 0
    """Among so many the last time."""
    count: int = 0
    is_over: bool = False

    def is_due(self, rows: int) -> bool:
        """Whether *rows* are worth a search."""
        if self.count == 0:
            return True
        return not self.is_over and self.count < MOST_SEARCHES and GROWN * self.rows <= min(rows, MOST_SINCE)


@dataclass(slots=True)
class _Asked:
    """What an incident was asked so far."""

    of: dict[Hurting, _Search] = field(default_factory=dict[Hurting, _Search])
    """By what hurts: of the first alert of each kind."""
    is_over: bool = False


class SliceSearches:
    """The searches of a machine's incidents. No part of its state: whoever judges on asks anew what is not answered."""

    def __init__(self) -> None:
        self._asked: dict[str, _Asked] = {}
        self.mistakes: Counter[str] = Counter()
        """Searches that failed, by the type of the error, and are not told in metrics yet: they cost the slice alone."""
        self._told: set[str] = set()

    def ask(
        self,
        changed: Sequence[Alert],
        alerts: Alerts,
        endpoints: Mapping[str, WatchedEndpoint],
        performances: Mapping[WatchedModel, PerformanceWatch],
    ) -> Steps[list[Alert]]:
        """In steps: *changed* with the slices that were found, and the alerts in force to which one came later.

        *performances* have the losses of each model whose labels come.
        """
        incidents = alerts.incidents
        for key in self._asked.keys() - {incident.key for incident in incidents}:
            del self._asked[key]
        told = {alert.key: alert for alert in changed}
        for incident in incidents:
            asked, endpoint = self._asked.setdefault(incident.key, _Asked()), endpoints.get(incident.endpoint)
            if asked.is_over or endpoint is None:
                continue
            for found in (yield from self._asked_of(incident, asked, alerts, endpoint, performances)):
                if found.key in told or (found.slice is not None and found.slice.state == "found"):
                    told[found.key] = found
        return list(told.values())

    def take_losses(self) -> dict[SignalFate, int]:
        """Searches that failed since this was last asked."""
        lost = {SignalFate("slices", "mistake", kind): count for kind, count in self.mistakes.items()}
        self.mistakes.clear()
        return lost

    def _asked_of(
        self,
        incident: Incident,
        asked: _Asked,
        alerts: Alerts,
        endpoint: WatchedEndpoint,
        performances: Mapping[WatchedModel, PerformanceWatch],
    ) -> Steps[list[Alert]]:
        """The alerts of *incident* for which a slice was searched now, with what was found: none any more after one was."""
        in_force = {alert.key: alert for alert in alerts.in_force}
        members = by_origin(in_force[key] for key in incident.members if key in in_force)
        located: list[Alert] = []
        if not asked.of and (_has_a_story(members) or any(map(_is_found, members))):
            asked.is_over = True
            return located
        for alert in members:
            hurting = hurting_of(alert)
            if hurting is None:
                continue
            moved: set[tuple[Role | None, str | None]] = {
                (each.role, each.column) for each in members if each.source == "drift" and each.key != alert.key
            }
            question = _asked_by(alert, hurting, endpoint, performances, moved)
            if question is None:
                continue
            rows, steps = question
            search = asked.of.setdefault(hurting, _Search(alert.key))
            if search.key != alert.key or not search.is_due(rows):
                continue
            search.rows, search.count = rows, search.count + 1
            found = yield from self._tried(alert, steps)
            now = None if found is None else alerts.locate(alert.key, found)
            if found is None or now is None:
                search.is_over = True
                continue
            located.append(now)
            asked.is_over = found.state == "found"
            if asked.is_over:
                break
        return located

    def _tried(self, alert: Alert, steps: Steps[Slice | None]) -> Steps[Slice | None]:
        try:
            return (yield from steps)
        except Exception as mistake:
            kind = type(mistake).__name__
            self.mistakes[kind] += 1
            if kind not in self._told:
                self._told.add(kind)
                told = printable(alert.endpoint), traced(mistake)
                logger.error("%s: no slice could be searched: %s", *told)  # noqa: TRY400 - no message
            return None


def _has_a_story(members: Sequence[Alert]) -> bool:
    """Whether a break of a source is the origin, which says itself what happened."""
    return any(alert.source == "break" for alert in members[:1])


def _is_found(alert: Alert) -> bool:
    return alert.slice is not None and alert.slice.state == "found"


def _asked_by(
    alert: Alert,
    hurting: Hurting,
    endpoint: WatchedEndpoint,
    performances: Mapping[WatchedModel, PerformanceWatch],
    moved: Collection[tuple[Role | None, str | None]],
) -> tuple[int, Steps[Slice | None]] | None:
    """Among how many rows *alert* asks, and the steps of the search; None where nobody has such rows.

    Of traffic those of the model of the endpoint with the most sampled rows since the change.
    """
    model = endpoint.models.get((alert.model, alert.version))
    compared = () if model is None else model.comparisons
    if hurting == "lost":
        watch = performances.get((alert.endpoint, alert.model, alert.version))
        if watch is None:
            return None
        hidden = frozenset(name for each in compared for name in each.hidden)
        return len(watch.parts.slice_rows(alert.since_at).losses), find_lost(alert, watch.parts, hidden)
    if hurting == "drifted":
        found = [each for each in compared if alert.key in each.in_force]
    else:
        found = [each for model in endpoint.models.values() for each in model.comparisons]
    comparison = max(found, key=lambda each: rows_since(each, alert), default=None)
    return (
        None if comparison is None else (rows_since(comparison, alert), find_slice(alert, hurting, comparison, moved))
    )
