"""The life cycle of alerts: inactive, pending, firing, resolved. Pure.

A judge reports how things stand; only what changes goes on. An alert that fires cannot become pending again, one that
was pending and passes leaves nothing to resolve, and one that is resolved begins anew.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from urllib.parse import quote

from dashlight.judge.incidents import Incidents
from dashlight.records import Alert, AlertSource

MOST_ALERTS = 2000
"""More alerts than anybody reads; what begins beyond that is counted, not kept."""
MOST_RESOLVED = 100


def alert_key(source: AlertSource, *parts: str) -> str:
    """The name of an alert for ever: of the rule or the method, the model, the endpoint, the column."""
    return "/".join([source, *(quote(part, safe="") for part in parts)])


def transition(known: Alert | None, reported: Alert) -> Alert | None:
    """What *known* becomes when a judge has *reported*; None where there is nothing to keep.

    The moment at which a state began stays, as does the moment at which the change began, until the alert is over.
    """
    if known is None or known.state in {"resolved", "inactive"}:
        return reported if reported.state in {"pending", "firing"} else None
    if reported.state in {"resolved", "inactive"}:
        return _as_began(replace(reported, state="resolved" if known.state == "firing" else "inactive"), known)
    if known.state == "firing" or reported.state == "pending":
        return _as_began(replace(reported, state=known.state, at=known.at), known)
    return replace(reported, since_at=known.since_at)


def _as_began(reported: Alert, known: Alert) -> Alert:
    """*reported*, whose state is as it was *known*, with what is known of how it began."""
    return replace(
        reported,
        since_at=known.since_at,
        since_earliest_at=known.since_earliest_at,
        since_latest_at=known.since_latest_at,
        incident=known.incident,
        place=known.place,
        moved_with=known.moved_with,
    )


class Alerts:
    """The alerts of one monitor: those in force, and the last that were resolved."""

    def __init__(self, most: int = MOST_ALERTS, most_resolved: int = MOST_RESOLVED) -> None:
        self._most = most
        self._in_force: dict[str, Alert] = {}
        self._resolved: deque[Alert] = deque(maxlen=most_resolved)
        self._incidents = Incidents()
        self.refused_count = 0
        """Alerts that began while there were too many."""

    def observe(self, reported: Iterable[Alert]) -> list[Alert]:
        """Take what judges have *reported*; the alerts whose state changed, those of one incident by likely origin.

        What began together in one report is told with the whole of its incident known.
        """
        changed: list[Alert] = []
        for report in reported:
            known = self._in_force.get(report.key)
            now = transition(known, report)
            if now is None:
                continue
            if known is None and len(self._in_force) >= self._most:
                self.refused_count += 1
                continue
            self._in_force[now.key] = now
            if known is None or now.state != known.state:
                changed.append(now)
        placed = self._incidents.observe(changed)
        for alert in placed:
            self._keep(alert)
        return placed

    def _keep(self, alert: Alert) -> None:
        if alert.state in {"pending", "firing"}:
            self._in_force[alert.key] = alert
            return
        del self._in_force[alert.key]
        if alert.state == "resolved":
            self._resolved.appendleft(alert)

    @property
    def in_force(self) -> tuple[Alert, ...]:
        """Alerts that are pending or firing: firing ones first, then by when they began."""
        return tuple(sorted(self._in_force.values(), key=lambda alert: (alert.state != "firing", alert.at, alert.key)))

    @property
    def resolved(self) -> tuple[Alert, ...]:
        """The last alerts that were resolved, newest first."""
        return tuple(self._resolved)
