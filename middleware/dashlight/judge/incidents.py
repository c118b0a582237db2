"""Alerts that began together are one incident, the likeliest origin first. Pure.

A broken source moves many columns at once, then the predictions, then the latency of whoever retries. Whoever is
woken wants one page that begins with the source, not a dozen in the order in which the evidence happened to add up.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from math import isfinite
from urllib.parse import quote, unquote

from dashlight.records import Alert
from dashlight.window.fitting import moment, refuse

SOON_SECONDS = 60.0
"""Changes so close in time count as one, however sharply each of them is dated."""
DOUBT = 0.25
"""Where nobody said how sure the beginning of a change is: this part of the time since then, on either side."""
MOST_INCIDENTS = 100
"""Incidents remembered at once; the oldest goes first."""
MOST_NAMED = 10
"""Alerts named beside another of the same incident."""


@dataclass(slots=True, eq=False)
class Incident:
    """Alerts of one endpoint that began together, as long as one of them fires."""

    key: str
    """The name of the incident for ever."""
    endpoint: str
    earliest_at: float
    """The change behind all of them began between this moment and the next."""
    latest_at: float
    members: dict[str, Alert] = field(default_factory=dict[str, Alert])
    """The alerts that fire, by key, without their causes, exemplars and slices."""


class Incidents:
    """The incidents of one monitor, as far as alerts of theirs are in force."""

    def __init__(self) -> None:
        self._incidents: dict[str, Incident] = {}
        self._incident_of: dict[str, Incident] = {}

    @property
    def state(self) -> tuple[Incident, ...]:
        """What outlives the process: the incidents, the oldest first."""
        return tuple(self._incidents.values())

    def restore(self, incidents: tuple[Incident, ...], firing: Collection[str]) -> None:
        """Go on with *incidents*, the state of another; *firing* are the keys of the alerts that fire.

        Raises:
            ValueError: incidents that cannot be, or that would never end.
        """
        refuse(f"{len(incidents)} incidents: expected {MOST_INCIDENTS} at most", where=len(incidents) > MOST_INCIDENTS)
        for incident in incidents:
            refuse(f"two incidents {incident.key}", where=incident.key in self._incidents)
            moment("beginning of an incident", incident.earliest_at)
            moment("beginning of an incident", incident.latest_at)
            wrong_order = incident.earliest_at > incident.latest_at
            refuse(f"{incident.key} begins at the latest before it begins at the earliest", where=wrong_order)
            refuse(f"{incident.key} without an alert", where=not incident.members)
            for key, alert in incident.members.items():
                refuse(f"{key} in {incident.key}, but not firing", where=key != alert.key or key not in firing)
                refuse(f"{key} in two incidents", where=key in self._incident_of)
                moment("state of an alert", alert.at)
                moment("beginning of a change", alert.since_at)
                self._incident_of[key] = incident
            self._incidents[incident.key] = incident

    def observe(self, changed: Sequence[Alert]) -> list[Alert]:
        """*changed* their state just now: each with its incident, its place in it and the others of it, if it has one.

        One that fires joins the incident of its endpoint that began at the same time, or begins one. One that is
        resolved leaves it; an incident ends with its last alert. Those of one incident come in order of place.
        """
        for alert in changed:
            if alert.state == "firing" and alert.key not in self._incident_of:
                self._incident_of[alert.key] = self._joined(alert)
            incident = self._incident_of.get(alert.key)
            if incident is not None:
                # Its place follows from the rest; what explains it is large, and kept once.
                incident.members[alert.key] = replace(alert, causes=(), exemplars=(), slice=None)
        placed = [self._placed(alert) for alert in changed]
        # One that is over and fires again at once is still in it.
        for alert in {alert.key: alert for alert in changed}.values():
            if alert.state != "firing" and alert.key in self._incident_of:
                self._leave(alert.key, self._incident_of[alert.key])
        return sorted(placed, key=lambda alert: alert.place)

    def _joined(self, alert: Alert) -> Incident:
        earliest_at, latest_at = began_between(alert)
        for incident in self._incidents.values():
            apart = max(earliest_at - incident.latest_at, incident.earliest_at - latest_at)
            if incident.endpoint == alert.endpoint and apart <= SOON_SECONDS:
                incident.earliest_at = min(incident.earliest_at, earliest_at)
                # Not wider: one alert of uncertain beginning must not join what has nothing to do with one another.
                incident.latest_at = max(min(incident.latest_at, latest_at), incident.earliest_at)
                return incident
        if len(self._incidents) >= MOST_INCIDENTS:
            oldest = next(iter(self._incidents.values()))
            for key in list(oldest.members):
                self._leave(key, oldest)
        key = self._unused("/".join(["incident", quote(alert.endpoint, safe=""), f"{alert.since_at:.0f}"]))
        self._incidents[key] = Incident(key, alert.endpoint, earliest_at, latest_at)
        return self._incidents[key]

    def _placed(self, alert: Alert) -> Alert:
        incident = self._incident_of.get(alert.key)
        if incident is None:
            return alert
        ordered = by_origin(incident.members.values())
        place = [member.key for member in ordered].index(alert.key) + 1
        labels = dict.fromkeys(name for member in ordered if (name := label(member)) != label(alert))
        return replace(alert, incident=incident.key, place=place, moved_with=tuple(labels)[:MOST_NAMED])

    def _unused(self, key: str) -> str:
        number = 2
        unused = key
        while unused in self._incidents:
            unused, number = f"{key}.{number}", number + 1
        return unused

    def _leave(self, key: str, incident: Incident) -> None:
        incident.members.pop(key, None)
        self._incident_of.pop(key, None)
        if not incident.members:
            self._incidents.pop(incident.key, None)


def began_between(alert: Alert) -> tuple[float, float]:
    """The two moments between which the change behind *alert* began, the earlier one first."""
    if isfinite(alert.since_earliest_at) and isfinite(alert.since_latest_at):
        # Where the clock was set back meanwhile, the pane that came first ended at the later moment.
        earliest_at, latest_at = sorted((alert.since_earliest_at, alert.since_latest_at))
        return earliest_at, latest_at
    doubt = DOUBT * max(alert.at - alert.since_at, 0.0)
    return alert.since_at - doubt, alert.since_at + doubt


def by_origin(alerts: Iterable[Alert]) -> list[Alert]:
    """*alerts* of one incident, the likeliest origin first.

    What surely began earlier comes first. Of what began together: a named break of a source explains the columns that
    moved with it, features explain outputs, data explain traffic; then the larger effect.
    """
    waiting = sorted(alerts, key=lambda alert: (began_between(alert)[1], alert.key))
    ordered: list[Alert] = []
    while waiting:
        # Those that may have begun before the first of them surely had.
        surely_at = began_between(waiting[0])[1]
        together = [alert for alert in waiting if began_between(alert)[0] <= surely_at]
        waiting = [alert for alert in waiting if began_between(alert)[0] > surely_at]
        ordered += sorted(together, key=lambda alert: (_distance_from_source(alert), -abs(alert.score), alert.key))
    return ordered


_PERFORMANCE = {"realised": "performance", "parted": "what the scores mean"}
"""Last parts of keys, in words."""


def label(alert: Alert) -> str:
    """What *alert* is about, in a word or two: its column, or the last part of its key, and of which segment."""
    key = alert.key.removesuffix(f"/{quote(alert.segment, safe='')}") if alert.segment else alert.key
    name = alert.column if alert.column is not None else unquote(key.rsplit("/", 1)[-1])
    if alert.source == "performance":
        name = _PERFORMANCE.get(name, name)
    return f"{name} ({alert.segment})" if alert.segment else name


def _distance_from_source(alert: Alert) -> int:
    """How many steps the thing that *alert* is about stands behind the sources of the data."""
    if alert.source == "break":
        return 0
    if alert.source == "drift":
        return 3 if alert.role == "output" else 1 if alert.column is not None else 2
    return 4 if alert.source == "traffic" else 5
