"""Where heartbeats go, as DASHLIGHT_HEARTBEAT says."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from dashlight.clock import Clock
from dashlight.deliver.alerting.alertmanager import PATH
from dashlight.deliver.alerting.attempts import Attempts
from dashlight.deliver.alerting.document import AlertContext
from dashlight.deliver.alerting.heartbeat import Heartbeat, HeartbeatKind
from dashlight.deliver.transport.egress import Egress
from dashlight.deliver.transport.endpoints import Endpoint, checked_headers
from dashlight.deliver.transport.urls import checked_url
from dashlight.errors import SettingsError
from dashlight.settings import Settings, variable_of

if TYPE_CHECKING:  # it loads when it starts
    from dashlight.deliver.delivery import Connect

ALERTMANAGER = "alertmanager"
"""The word for all that DASHLIGHT_ALERTMANAGER names."""
_VARIABLE = variable_of("heartbeat")


class PlannedHeartbeat(NamedTuple):
    """One address."""

    kind: HeartbeatKind
    endpoint: Endpoint


NO_HEARTBEATS: Mapping[str, PlannedHeartbeat] = {}


def planned_heartbeats(
    settings: Settings, *, alertmanagers: Mapping[str, Endpoint], egress: Egress
) -> Mapping[str, PlannedHeartbeat]:
    """By names that may be shown. An address that ends as Alertmanager's API does is one; any other is a webhook.

    Raises:
        SettingsError: an address that cannot be used, which it does not show, or `alertmanager` where there is none.
    """
    found: list[PlannedHeartbeat] = []
    headers = checked_headers(variable_of("alertmanager_headers"), settings.alertmanager_headers)
    for each in dict.fromkeys(settings.heartbeat):
        if each.lower() == ALERTMANAGER:
            if not alertmanagers:
                raise SettingsError(_VARIABLE, each, "DASHLIGHT_ALERTMANAGER beside it")
            found += [PlannedHeartbeat("alertmanager", endpoint) for endpoint in alertmanagers.values()]
            continue
        try:
            url = checked_url(each, variable=_VARIABLE)
        except SettingsError:
            wanted = "http or https URLs between commas, without credentials, or alertmanager"
            raise SettingsError(_VARIABLE, "***", wanted) from None
        if urlsplit(url).path.rstrip("/").endswith(PATH):
            found.append(PlannedHeartbeat("alertmanager", Endpoint(url, headers=headers, egress=egress)))
        else:
            found.append(PlannedHeartbeat("webhook", Endpoint(url, egress=egress, is_secret=True)))
    return {f"heartbeat {number}: {each.endpoint.shown}": each for number, each in enumerate(found, start=1)}


def heartbeats_of(
    planned: Mapping[str, PlannedHeartbeat],
    context: AlertContext,
    *,
    clock: Clock,
    pane_seconds: float,
    connect: Connect,
) -> list[Heartbeat]:
    """One for each address; none has opened a connection or started a thread."""
    return [
        Heartbeat(
            name,
            each.kind,
            Attempts(partial(connect, each.endpoint)),
            context=context,
            clock=clock,
            pane_seconds=pane_seconds,
        )
        for name, each in planned.items()
    ]
