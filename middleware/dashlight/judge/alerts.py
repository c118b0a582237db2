"""The life cycle of alerts: inactive, pending, firing, resolved. Pure.

A judge steps the life cycle of each thing that it watches and gets the news of it. The alerts of all judges meet in
`Alerts`, where only what changes goes on. An alert that fires cannot become pending again, one that was pending and
passes leaves nothing to resolve, and one that is resolved begins anew.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from math import isnan
from urllib.parse import quote

from dashlight.judge.incidents import Incident, Incidents
from dashlight.judge.located import located
from dashlight.records import Alert, AlertSource, AlertState, Cause, Role, Slice
from dashlight.window.fitting import moment, refuse, within

MOST_ALERTS = 2000
"""More alerts than anybody reads; what begins beyond that is counted, not kept."""
MOST_RESOLVED = 100


def alert_key(source: AlertSource, *parts: str) -> str:
    """The name of an alert for ever: of the rule or the method, the model, the endpoint, the column."""
    return "/".join([source, *(quote(part, safe="") for part in parts)])


def is_renewed(fired_for: int) -> bool:
    """Whether an alert that has fired for so many panes is described anew: after 1, 2, 4, ... of them."""
    return fired_for > 0 and fired_for & (fired_for - 1) == 0


def check_alert(alert: Alert) -> None:
    """Raises ValueError where *alert*, read from a file, has a moment or a count that cannot be delivered."""
    moment("the beginning of a state", alert.at)
    moment("the beginning of a change", alert.since_at)
    for at in (alert.since_earliest_at, alert.since_latest_at):
        if not isnan(at):
            moment("the beginning of a change", at)
    within("rows of an alert", alert.rows)
    within("a place in an incident", alert.place)


def ended(alert: Alert, at: float, reason: str = "") -> Alert:
    """*alert*, over since the moment *at*: resolved if it fired, else inactive. A *reason* goes before what it was."""
    state: AlertState = "resolved" if alert.state == "firing" else "inactive"
    summary = f"{reason}; it was: {alert.summary}" if reason else alert.summary
    return replace(alert, state=state, at=at, summary=summary)


@dataclass(frozen=True, slots=True)
class Phase:
    """The state of an alert, and when it began."""

    state: AlertState
    at: float
    """When the state began."""
    since_at: float
    """When the change itself began, as well as can be told."""


@dataclass(frozen=True, slots=True)
class AlertWriter:
    """Writes the alerts of one source: they all name the same model and endpoint."""

    source: AlertSource
    model: str = ""
    version: str = ""
    endpoint: str = ""

    def key(self, *parts: str) -> str:
        """The key that ends with *parts*. Traffic belongs to the endpoint: its keys name no model."""
        origin = (self.endpoint,) if self.source == "traffic" else (self.model, self.endpoint)
        return alert_key(self.source, *origin, *parts)

    def write(
        self,
        *parts: str,
        phase: Phase,
        summary: str,
        rows: int,
        score: float,
        column: str | None = None,
        role: Role | None = None,
        causes: tuple[Cause, ...] = (),
    ) -> Alert:
        """The alert whose key ends with *parts*."""
        return Alert(
            key=self.key(*parts),
            source=self.source,
            model=self.model,
            version=self.version,
            endpoint=self.endpoint,
            column=column,
            role=role,
            state=phase.state,
            summary=summary,
            at=phase.at,
            since_at=phase.since_at,
            rows=rows,
            score=score,
            causes=causes,
        )


class LifeCycle:
    """The alert of one watched thing, from its beginning to its end."""

    def __init__(self) -> None:
        self.alert: Alert | None = None
        """As it was last told; None where none is in force."""

    @property
    def is_firing(self) -> bool:
        """Whether an alert is in force that fires."""
        return self.alert is not None and self.alert.state == "firing"

    def restore(self, alert: Alert | None) -> None:
        """Go on with *alert*, as it was last told; ValueError where it is not in force."""
        if alert is not None:
            refuse(
                f"an alert that is {alert.state}: expected pending or firing",
                where=alert.state not in {"pending", "firing"},
            )
            check_alert(alert)
        self.alert = alert

    def step(
        self, phase: Phase, describe: Callable[[Phase], Alert] | None, *, over: str = "", fired_for: int = 0
    ) -> list[Alert]:
        """The news after one more pane: the alert where its state changed, or where it fires on and is renewed.

        The moment at which the change began stays as it was first told.

        Args:
            phase: how the watched thing stands now.
            describe: writes the alert; None where there is nothing to describe it by now.
            over: the reason that is told where the phase is resolved or inactive.
            fired_for: panes since it fired, see `is_renewed`.
        """
        if phase.state in {"inactive", "resolved"}:
            return self.end(phase.at, over)
        told = self.alert
        is_same = told is not None and told.state == phase.state
        if describe is None or (is_same and not (phase.state == "firing" and is_renewed(fired_for))):
            return []
        if told is not None:
            phase = replace(phase, since_at=told.since_at)
        self.alert = describe(phase)
        return [self.alert]

    def end(self, at: float, reason: str = "") -> list[Alert]:
        """The alert in force, if there is one, over since *at* for this *reason*."""
        told, self.alert = self.alert, None
        return [] if told is None else [ended(told, at, reason)]


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
    begun = replace(
        reported,
        since_at=known.since_at,
        since_earliest_at=known.since_earliest_at,
        since_latest_at=known.since_latest_at,
        incident=known.incident,
        place=known.place,
        moved_with=known.moved_with,
    )
    if known.slice is None or reported.slice is not None:
        return begun
    return located(begun, known.slice) if reported.state == "firing" else replace(begun, slice=known.slice)


@dataclass(frozen=True, slots=True, eq=False)
class AlertsState:
    """What outlives the process of `Alerts`."""

    in_force: tuple[Alert, ...]
    """In the order in which they began."""
    resolved: tuple[Alert, ...]
    """Newest first."""
    incidents: tuple[Incident, ...]
    """The oldest first."""
    refused_count: int


class Alerts:
    """The alerts of one monitor: those in force, and the last that were resolved."""

    def __init__(self, most: int = MOST_ALERTS, most_resolved: int = MOST_RESOLVED) -> None:
        self._most = most
        self._in_force: dict[str, Alert] = {}
        self._resolved: deque[Alert] = deque(maxlen=most_resolved)
        self._incidents = Incidents()
        self._refused_count = 0

    @property
    def state(self) -> AlertsState:
        """What outlives the process."""
        return AlertsState(
            in_force=tuple(self._in_force.values()),
            resolved=self.resolved,
            incidents=self._incidents.state,
            refused_count=self._refused_count,
        )

    def restore(self, state: AlertsState) -> None:
        """Go on from *state*; ValueError where no reports lead to it."""
        within("alerts in force", len(state.in_force), 0, self._most)
        within("resolved alerts", len(state.resolved), 0, self._resolved.maxlen or 0)
        for alert in state.in_force:
            refuse(f"{alert.key} in force, but {alert.state}", where=alert.state not in {"pending", "firing"})
            refuse(f"{alert.key} in force twice", where=alert.key in self._in_force)
            check_alert(alert)
            self._in_force[alert.key] = alert
        for alert in state.resolved:
            refuse(f"{alert.key} resolved, but {alert.state}", where=alert.state != "resolved")
            check_alert(alert)
        self._resolved.extend(state.resolved)
        self._incidents.restore(state.incidents, {alert.key for alert in state.in_force if alert.state == "firing"})
        self._refused_count = within("alerts too many", state.refused_count)

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
                self._refused_count += 1
                continue
            self._in_force[now.key] = now
            if known is None or now.state != known.state:
                changed.append(now)
        placed = self._incidents.observe(changed)
        for alert in placed:
            self._keep(alert)
        return placed

    def locate(self, key: str, found: Slice) -> Alert | None:
        """The alert of *key* with the slice that was *found* for it; None where it is in force no more."""
        alert = self._in_force.get(key)
        if alert is None:
            return None
        self._in_force[key] = located(alert, found)
        return self._in_force[key]

    def take_refused(self) -> int:
        """How many alerts began while there were too many, since this was last asked."""
        count, self._refused_count = self._refused_count, 0
        return count

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
    def incidents(self) -> tuple[Incident, ...]:
        """The incidents of those that fire, the oldest first."""
        return self._incidents.state

    @property
    def resolved(self) -> tuple[Alert, ...]:
        """The last alerts that were resolved, newest first."""
        return tuple(self._resolved)
