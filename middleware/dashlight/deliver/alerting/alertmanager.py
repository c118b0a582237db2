"""Alertmanager's API v2: alerts by stable labels, sent again while they are in force and for a while after their end.

Alertmanager knows an alert by its labels alone, so nothing that changes stands in them: one alert for each incident, by its
key. It forgets what it is not told again, and a restart makes it forget what ended: hence both repetitions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from dashlight.clock import Clock
from dashlight.deliver.alerting.attempts import Attempts, verdict
from dashlight.deliver.alerting.document import AlertContext, is_incident, severity, time_text
from dashlight.deliver.alerting.owed import Verdict
from dashlight.deliver.encoding.cloudevents import timestamp
from dashlight.deliver.encoding.plain import Budget, plain_text
from dashlight.deliver.encoding.slices import slice_words
from dashlight.deliver.transport.answer import CollectorAnswer
from dashlight.deliver.transport.health import Health
from dashlight.records import Notice

PATH = "/api/v2/alerts"
REPEAT_SECONDS = 60.0
LASTS_SECONDS = 4 * REPEAT_SECONDS
"""An alert that is not told again ends by itself after this long: Prometheus allows itself as much."""
RESOLVED_SECONDS = 900.0
"""How long an end is told again: Alertmanager may have been away."""
_MOST_RESOLVED = 1000
_MOST_SENT = 100
"""Alerts of a request."""
_MOST_DESCRIBED = 10
_REFUSED_FOR_CONTENT = frozenset({400, 413, 415, 422})


class AlertmanagerRoute:
    """One Alertmanager. Every member of a cluster is a route of its own: what one misses, the others need not have."""

    def __init__(self, name: str, attempts: Attempts, *, context: AlertContext, clock: Clock) -> None:
        self._name = name
        self._attempts = attempts
        self._context = context
        self._clock = clock
        self._health = Health(f"repeated alerts for {name}")
        self._labels: dict[str, Mapping[str, str]] = {}
        self._resolved: dict[str, Notice] = {}
        self._rejected: set[str] = set()
        """Ids of notices that it does not take."""
        self._due_at = float("-inf")

    @property
    def name(self) -> str:
        """Of its kind and its address."""
        return self._name

    def deliver(self, notice: Notice, /) -> Verdict:
        """One attempt to tell it."""
        at = self._clock.now()
        found = verdict(self._post([notice], at), at=at)
        if found.outcome == "rejected":
            self._rejected.add(notice.id)
        if notice.transition != "resolved":
            self._resolved.pop(notice.key, None)
        elif found.outcome == "delivered":
            self._resolved[notice.key] = notice
            while len(self._resolved) > _MOST_RESOLVED:
                del self._resolved[next(iter(self._resolved))]
        return found

    def repeat(self, in_force: Sequence[Notice], at: float, /) -> float | None:
        """Tells what is in force, and what ended lately, once a minute."""
        if self._due_at - REPEAT_SECONDS <= at < self._due_at:
            return self._due_at
        self._due_at = at + REPEAT_SECONDS
        firing = {notice.key for notice in in_force}
        self._resolved = {
            key: each
            for key, each in self._resolved.items()
            if key not in firing and abs(at - each.at) < RESOLVED_SECONDS
        }
        told = [*in_force, *self._resolved.values()]
        self._labels = {key: self._labels[key] for each in told if (key := each.key) in self._labels}
        self._rejected &= {each.id for each in told}
        wanted = [each for each in told if each.id not in self._rejected]
        for first in range(0, len(wanted), _MOST_SENT):
            if not self._tell_again(wanted[first : first + _MOST_SENT], at):
                break
        return self._due_at

    def close(self) -> None:
        """Closes the connection."""
        self._attempts.close()

    def _tell_again(self, notices: Sequence[Notice], at: float) -> bool:
        """Whether Alertmanager was there. One bad alert has it answer 400 to all, so that they are then sent one by one."""
        answer = self._post(notices, at)
        if answer.status in _REFUSED_FOR_CONTENT:
            refused = [each for each in notices if self._post([each], at).status in _REFUSED_FOR_CONTENT]
            self._rejected |= {each.id for each in refused}
            if refused:
                self._health.lost(str(answer), count=len(refused), at=self._clock.monotonic())
        elif verdict(answer, at=at).outcome == "delivered":
            self._health.delivered()
        else:
            self._health.failed(answer)
            return False
        return True

    def _post(self, notices: Sequence[Notice], at: float) -> CollectorAnswer:
        alerts = [alert(each, self._context, labels=self._labels_of(each), at=at) for each in notices]
        return self._attempts.post(msgspec.json.encode(alerts), key=f"{notices[0].id}.{len(notices)}.{at:.0f}")

    def _labels_of(self, notice: Notice) -> Mapping[str, str]:
        """Those with which it began: an incident may be about another model once more is known of it."""
        return self._labels.setdefault(notice.key, alert_labels(notice, self._context))


def alert(notice: Notice, context: AlertContext, *, labels: Mapping[str, str], at: float) -> dict[str, object]:
    """A PostableAlert of API v2 as it is sent *at*, seconds since the epoch."""
    is_over = notice.transition == "resolved"
    # Of an end always the same moment: where our clock is ahead of its own, a later one would begin the alert anew.
    ends_at = min(notice.at, at) if is_over else at + LASTS_SECONDS
    began_at = notice.since_at if 0 <= notice.since_at <= ends_at else min(at, ends_at)
    return {
        "labels": labels,
        "annotations": alert_annotations(notice, context),
        "startsAt": timestamp(began_at),
        "endsAt": timestamp(ends_at),
    }


def alert_labels(notice: Notice, context: AlertContext) -> dict[str, str]:
    """By what Alertmanager knows and routes it: names that it allows, nothing empty, nothing that changes."""
    one = None if is_incident(notice) else notice.alerts[0]
    found = {
        "alertname": "DashlightIncident" if one is None else f"Dashlight{one.source.capitalize()}",
        "severity": severity(notice),
        "service": context.service,
        "service_instance_id": context.instance,
        "model": notice.model,
        "endpoint": notice.endpoint,
        "incident": notice.key,
        "column": "" if one is None else one.column or "",
        "segment": "" if one is None else one.segment,
    }
    return _told(found)


def alert_annotations(notice: Notice, context: AlertContext) -> dict[str, str]:
    """What people read, which may change."""
    summaries = [each.summary for each in notice.alerts[:_MOST_DESCRIBED]]
    left_out = notice.alert_count - len(summaries)
    described = "\n".join([*summaries, *([f"and {left_out} more"] if left_out > 0 else [])])
    found = {
        "summary": notice.summary,
        "description": described,
        "since": time_text(notice.since_at),
        "model_version": notice.version,
        "alert_count": str(notice.alert_count),
        "slice": slice_words(notice),
        "traces": "\n".join(context.links(notice)),
        "notice_id": notice.id,
    }
    return _told(found)


def _told(texts: Mapping[str, str]) -> dict[str, str]:
    """Without what is empty, which means to Alertmanager that it is not there."""
    plain = {name: plain_text(text, Budget()) for name, text in texts.items()}
    return {name: text for name, text in plain.items() if text.strip()}
