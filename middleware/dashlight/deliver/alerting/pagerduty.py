"""PagerDuty's Events API v2: an incident there for each of ours, triggered and resolved.

Source: https://developer.pagerduty.com/docs/events-api-v2/trigger-events/
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

import msgspec

from dashlight.clock import Clock
from dashlight.deliver.alerting.attempts import Attempts, verdict
from dashlight.deliver.alerting.document import AlertContext, document, is_incident, severity, time_text
from dashlight.deliver.alerting.owed import Verdict
from dashlight.deliver.encoding.plain import Budget, plain_text
from dashlight.deliver.transport.urls import checked_url, joined
from dashlight.errors import SettingsError
from dashlight.records import Notice

PAGERDUTY = "https://events.pagerduty.com"
PATH = "/v2/enqueue"
VARIABLE = "DASHLIGHT_PAGERDUTY"
_MOST_SUMMARY, _MOST_KEY = 1024, 255
"""Characters that PagerDuty takes."""
_MOST_LINKS = 5
_ROUTING_KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")


class PagerDutyRoute:
    """One service of PagerDuty."""

    def __init__(self, name: str, attempts: Attempts, *, routing_key: str, context: AlertContext, clock: Clock) -> None:
        self._name = name
        self._attempts = attempts
        self._routing_key = routing_key
        self._context = context
        self._clock = clock

    @property
    def name(self) -> str:
        """Of its kind and its host."""
        return self._name

    def deliver(self, notice: Notice, /) -> Verdict:
        """One attempt to trigger or resolve it."""
        body = msgspec.json.encode(pagerduty_event(notice, self._context, routing_key=self._routing_key))
        return verdict(self._attempts.post(body, key=notice.id), at=self._clock.now())

    def repeat(self, in_force: Sequence[Notice], at: float, /) -> float | None:
        """None: PagerDuty reminds by itself."""
        del in_force, at
        return None

    def close(self) -> None:
        """Closes the connection."""
        self._attempts.close()


def pagerduty_event(notice: Notice, context: AlertContext, *, routing_key: str) -> dict[str, object]:
    """The event: what is changed triggers again under the key with which it began, which PagerDuty takes as news of it."""
    keyed: dict[str, object] = {"routing_key": routing_key, "dedup_key": dedup_key(notice, context)}
    if notice.transition == "resolved":
        return {**keyed, "event_action": "resolve"}
    links = [
        {"href": each, "text": f"trace {place}"} for place, each in enumerate(context.links(notice), 1) if "://" in each
    ]
    return {
        **keyed,
        "event_action": "trigger",
        "client": "Dashlight",
        "payload": {
            "summary": _cut(notice.summary, _MOST_SUMMARY),
            "source": _cut(" ".join(filter(None, (context.service, notice.endpoint))) or "dashlight", _MOST_KEY),
            "severity": severity(notice),
            "timestamp": time_text(notice.at),
            "component": _cut(notice.model, _MOST_KEY),
            "class": "incident" if is_incident(notice) else notice.alerts[0].source,
            "custom_details": document(notice, context),
        },
        "links": links[:_MOST_LINKS],
    }


def dedup_key(notice: Notice, context: AlertContext) -> str:
    """The key of the incident and the instance it is of: the end on one machine must not end what another still sees."""
    key = plain_text(f"{notice.key} {context.instance}".strip(), Budget())
    if len(key) <= _MOST_KEY:
        return key
    return f"{key[: _MOST_KEY - 65]} {hashlib.sha256(key.encode()).hexdigest()}"


def routing_of(text: str) -> tuple[str, str]:
    """(routing key, URL) of `key`, or of `key@https://events.eu.pagerduty.com` for another region.

    Raises:
        SettingsError: neither; it shows nothing of the key.
    """
    key, at, address = text.strip().partition("@")
    if not _ROUTING_KEY.fullmatch(key) or (at and not address):
        raise SettingsError(VARIABLE, "***", "a routing key, or key@https://events.eu.pagerduty.com")
    return key, joined(checked_url(address or PAGERDUTY, variable=VARIABLE), path=PATH)


def _cut(text: str, most: int) -> str:
    return plain_text(text, Budget())[:most]
