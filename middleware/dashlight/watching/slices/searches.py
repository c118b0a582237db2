"""Where it hurts, asked once an incident: of its likeliest origin, and again as its rows grow, until a slice is found."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dashlight.errors import traced
from dashlight.judge.alerts import Alerts
from dashlight.judge.incidents import Incident, by_origin
from dashlight.judge.words import printable
from dashlight.records import Alert, Role, Slice
from dashlight.watching.endpoint import WatchedEndpoint
from dashlight.watching.rows import Comparison
from dashlight.watching.slices.history import MOST_SINCE
from dashlight.watching.slices.questions import Hurting, find_slice, hurting_of, rows_since
from dashlight.window.reference.steps import Steps

logger = logging.getLogger(__name__)

MOST_SEARCHES = 4
"""Of one incident: when it begins, and three times more."""
GROWN = 2.0
"""So many times as many rows are worth another search."""


@dataclass(slots=True)
class _Asked:
    """What an incident was asked so far."""

    rows: dict[Hurting, tuple[str, int]] = field(default_factory=dict[Hurting, tuple[str, int]])
    """By what hurts: of which alert, by its key, and among how many rows that was searched last."""
    searches: int = 0
    is_over: bool = False


class SliceSearches:
    """The searches of a machine's incidents. No part of its state: whoever judges on asks anew what is not answered."""

    def __init__(self) -> None:
        self._asked: dict[str, _Asked] = {}
        self.mistakes: Counter[str] = Counter()
        """Searches that failed, by the type of the error: they cost the slice alone."""

    def ask(
        self, changed: Sequence[Alert], alerts: Alerts, endpoints: Mapping[str, WatchedEndpoint]
    ) -> Steps[list[Alert]]:
        """In steps: *changed* with the slices that were found, and the alerts in force to which one came later."""
        incidents = alerts.incidents
        for key in self._asked.keys() - {incident.key for incident in incidents}:
            del self._asked[key]
        told = {alert.key: alert for alert in changed}
        for incident in incidents:
            asked = self._asked.setdefault(incident.key, _Asked())
            found = yield from self._asked_of(incident, asked, alerts, endpoints)
            if found is not None and (found.key in told or (found.slice is not None and found.slice.state == "found")):
                told[found.key] = found
        return list(told.values())

    def _asked_of(
        self, incident: Incident, asked: _Asked, alerts: Alerts, endpoints: Mapping[str, WatchedEndpoint]
    ) -> Steps[Alert | None]:
        """The alert of *incident* with its slice; None where none was searched now."""
        endpoint = endpoints.get(incident.endpoint)
        if asked.is_over or asked.searches >= MOST_SEARCHES or endpoint is None:
            return None
        in_force = {alert.key: alert for alert in alerts.in_force}
        members = [in_force[key] for key in incident.members if key in in_force]
        if asked.searches == 0 and (_has_a_story(members) or any(_is_found(alert) for alert in members)):
            asked.is_over = True
            return None
        for alert in by_origin(members):
            hurting = hurting_of(alert)
            comparison = None if hurting is None else _compared(alert, hurting, endpoint)
            if hurting is None or comparison is None:
                continue
            key, before = asked.rows.get(hurting, (alert.key, 0))
            if (
                key == alert.key
                and before <= MOST_SINCE / GROWN
                and (rows := rows_since(comparison, alert)) >= GROWN * before
            ):
                break
        else:
            return None
        asked.rows[hurting], asked.searches = (alert.key, rows), asked.searches + 1
        moved = {(each.role, each.column) for each in members if each.source == "drift" and each.key != alert.key}
        found = yield from self._tried(alert, hurting, comparison, moved)
        if found is None:
            return None
        asked.is_over = found.state in {"found", "everywhere"}
        return alerts.locate(alert.key, found)

    def _tried(
        self, alert: Alert, hurting: Hurting, comparison: Comparison, moved: set[tuple[Role | None, str | None]]
    ) -> Steps[Slice | None]:
        try:
            return (yield from find_slice(alert, hurting, comparison, moved))
        except Exception as mistake:
            kind = type(mistake).__name__
            self.mistakes[kind] += 1
            if self.mistakes[kind] == 1:
                told = printable(alert.endpoint), traced(mistake)
                logger.error("%s: no slice could be searched: %s", *told)  # noqa: TRY400 - no message
            return None


def _has_a_story(members: Sequence[Alert]) -> bool:
    """Whether a break of a source is the origin, which says itself what happened."""
    return any(alert.source == "break" for alert in by_origin(members)[:1])


def _is_found(alert: Alert) -> bool:
    return alert.slice is not None and alert.slice.state in {"found", "everywhere"}


def _compared(alert: Alert, hurting: Hurting, endpoint: WatchedEndpoint) -> Comparison | None:
    """What has the rows of *alert*: of traffic the model of the endpoint with the most sampled rows since the change."""
    if hurting == "drifted":
        model = endpoint.models.get((alert.model, alert.version))
        return None if model is None else next((each for each in model.comparisons if alert.key in each.in_force), None)
    found = [each for model in endpoint.models.values() for each in model.comparisons]
    return max(found, key=lambda each: rows_since(each, alert), default=None)
