"""One message an incident: what is to be told of the alerts of a pane. Pure.

Told are states, not events: what is in force is compared with what was told last. Whoever begins anew, or goes on where
another died, tells what is missing and nothing twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from hashlib import blake2b

from dashlight.judge.incidents import MOST_NAMED, Incident, by_origin, label
from dashlight.judge.words import listed, span
from dashlight.records import Alert, Notice, Transition

MOST_MEMBERS = 20
"""Alerts in a notice; the others are counted."""
MOST_EXPLAINED = 10
"""Of them, those whose causes are told."""
_NAMED = 5
"""In the summary."""
# RFC 9562, section 5.7: below 48 bits of milliseconds stand version (7) and variant (binary 10), and what is to be random.
_FREE_BITS = (0xFFF << 64) | (1 << 62) - 1
_FIXED_BITS = (0x7 << 76) | (0b10 << 62)


def notices(
    changed: Sequence[Alert],
    *,
    incidents: Iterable[Incident],
    in_force: Iterable[Alert],
    told: Mapping[str, Notice],
    at: float,
) -> list[Notice]:
    """What is to be told at the moment *at*: of each incident at most one notice, what is over first.

    An alert that is pending is no notice. One that fires without an incident is a notice of its own.

    Args:
        changed: alerts whose state changed just now.
        incidents: those in force now.
        in_force: alerts in force now, of which those that fire are members of *incidents*, or of none.
        told: by key, the last notice of each incident that is not over, as it was told.
    """
    firing = {alert.key: alert for alert in in_force if alert.state == "firing"}
    members = {incident.key: [firing[key] for key in incident.members if key in firing] for incident in incidents}
    placed = {alert.key for alerts in members.values() for alert in alerts}
    loose = {key: alert for key, alert in firing.items() if key not in placed}
    for notice in told.values():
        # Of an incident that made room for others, some alerts go on.
        left = [loose.pop(alert.key) for alert in notice.alerts if alert.key in loose]
        if notice.key not in members and left:
            members[notice.key] = left
    members |= {key: [alert] for key, alert in loose.items()}
    found = _over(changed, alive=members, told=told, at=at)
    began = {alert.key for alert in changed if alert.state == "firing"}
    for key, alerts in members.items():
        if key not in told:
            found.append(_notice(key, "firing", by_origin(alerts), at))
        elif not began.isdisjoint(alert.key for alert in alerts):
            found.append(_notice(key, "changed", by_origin(alerts), at))
    return found


def notice_id(key: str, transition: Transition, at: float) -> str:
    """A UUIDv7 of the moment *at*, in whose other bits *key* and *transition* stand for chance: whoever makes it, the same."""
    digest = blake2b(f"{key}\n{transition}\n{at!r}".encode("utf-8", "surrogatepass"), digest_size=16).digest()
    bits = (max(int(at * 1000), 0) << 80) % 2**128 | int.from_bytes(digest, "big") & _FREE_BITS | _FIXED_BITS
    text = f"{bits:032x}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def _over(
    changed: Sequence[Alert], *, alive: Mapping[str, object], told: Mapping[str, Notice], at: float
) -> list[Notice]:
    """What is over: what was told and is not *alive* any more, and what ended although nobody knows whether it was told."""
    resolved = {alert.key: alert for alert in changed if alert.state == "resolved"}
    ended = {notice.key: notice.alerts for notice in told.values() if notice.key not in alive}
    known = {alert.key for notice in told.values() for alert in notice.alerts}
    for alert in resolved.values():
        key = alert.incident or alert.key
        if key not in alive and key not in told and alert.key not in known:
            ended[key] = (*ended.get(key, ()), alert)
    found: list[Notice] = []
    for key, alerts in ended.items():
        over = [resolved.get(alert.key, replace(alert, state="resolved", at=at)) for alert in alerts]
        count = told[key].alert_count if key in told else len(over)
        found.append(
            _notice(key, "resolved", over, at, count=count, last=[alert for alert in over if alert.key in resolved])
        )
    return found


def _notice(
    key: str,
    transition: Transition,
    alerts: Sequence[Alert],
    at: float,
    *,
    count: int = 0,
    last: Sequence[Alert] = (),
) -> Notice:
    """*alerts* come by likely origin; *last* are those of a resolved one that ended it."""
    labels = list(dict.fromkeys(map(label, alerts)))
    told = alerts[:MOST_MEMBERS]
    origin = alerts[0]
    return Notice(
        id=notice_id(key, transition, at),
        key=key,
        transition=transition,
        at=at,
        since_at=origin.since_at,
        endpoint=origin.endpoint,
        model=origin.model,
        version=origin.version,
        summary=_summary(alerts, at) if transition != "resolved" else _ending(alerts, last),
        alerts=tuple(_member(alert, place, key, labels) for place, alert in enumerate(told, start=1)),
        alert_count=max(count, len(alerts)),
    )


def _member(alert: Alert, place: int, key: str, labels: Sequence[str]) -> Alert:
    """*alert* as a notice holds it: with its place as it is now, and explained where it is one of the first."""
    if key == alert.key:
        return replace(alert, incident="", place=0, moved_with=())
    beside = tuple(each for each in labels if each != label(alert))[:MOST_NAMED]
    explained = alert if place <= MOST_EXPLAINED else replace(alert, causes=())
    return replace(explained, incident=key, place=place, moved_with=beside)


def _summary(alerts: Sequence[Alert], at: float) -> str:
    """The likeliest origin, what moved with it, how many columns, since when."""
    columns = {alert.column for alert in alerts if alert.column is not None}
    beside = list(dict.fromkeys(map(label, alerts)))[1:]
    # What was found for any of them tells where all of it comes from: it stands in place of "everywhere" and "none".
    located = next((alert.slice for alert in alerts if alert.slice is not None and alert.slice.state == "found"), None)
    own = alerts[0].slice
    parts = [alerts[0].summary if own is None or located is None else alerts[0].summary.removesuffix(own.summary)]
    parts += [located.summary.removeprefix("; ")] if located is not None and located.summary not in parts[0] else []
    parts += [f"with it moved {listed(beside, _NAMED)}"] if beside else []
    parts += [f"{len(columns)} columns in all"] if len(columns) > 1 else []
    if at - alerts[0].since_at >= 1:
        parts.append(f"began {_ago(at - alerts[0].since_at)} ago")
    return "; ".join(parts)


def _ending(alerts: Sequence[Alert], last: Sequence[Alert]) -> str:
    """What is said of the likeliest origin among those that ended *last*, and what is over besides."""
    teller = last[0] if last else alerts[0]
    beside = [each for each in dict.fromkeys(map(label, alerts)) if each != label(teller)]
    return teller.summary + (f"; over with it: {listed(beside, _NAMED)}" if beside else "")


def _ago(seconds: float) -> str:
    """A span of time that nobody needs to the second."""
    size = next((size for size in (86400.0, 3600.0, 60.0) if seconds >= size), 1.0)
    return span(round(seconds / size, 1 if seconds < 10 * size else None) * size)
