"""Where heartbeats go, as the setting says."""

from __future__ import annotations

import pytest

from dashlight.deliver.transport.egress import Egress
from dashlight.deliver.transport.endpoints import Endpoint
from dashlight.errors import SettingsError
from dashlight.runtime.assembly.heartbeats import planned_heartbeats
from dashlight.settings import Settings

ALERTS = Endpoint("http://alerts:9093/api/v2/alerts", headers={"x-scope": "1"})


def planned(text: str, **alertmanagers: Endpoint) -> dict[str, tuple[str, str]]:
    settings = Settings.from_env({"DASHLIGHT_HEARTBEAT": text, "DASHLIGHT_ALERTMANAGER_HEADERS": "x-scope=2"})
    found = planned_heartbeats(settings, alertmanagers=alertmanagers, egress=Egress())
    return {name: (each.kind, each.endpoint.url) for name, each in found.items()}


def test_an_address_is_a_dead_man_service_unless_it_is_alertmanagers_own() -> None:
    assert planned("https://hc.example/ping/hunter2, http://am:9093/api/v2/alerts,https://hc.example/ping/hunter2") == {
        "heartbeat 1: https://hc.example/***": ("webhook", "https://hc.example/ping/hunter2"),
        "heartbeat 2: http://am:9093/api/v2/alerts": ("alertmanager", "http://am:9093/api/v2/alerts"),
    }


def test_the_word_means_every_alertmanager_that_gets_alerts() -> None:
    assert planned("Alertmanager", a=ALERTS, b=ALERTS) == {
        "heartbeat 1: http://alerts:9093/api/v2/alerts": ("alertmanager", ALERTS.url),
        "heartbeat 2: http://alerts:9093/api/v2/alerts": ("alertmanager", ALERTS.url),
    }


def test_without_the_setting_there_is_none() -> None:
    assert planned("") == {}


@pytest.mark.parametrize(
    "text",
    [
        "https://user:hunter2@hc.example/ping",
        "ftp://hc.example/hunter2",
        "https:///ping/hunter2",
        "http://169.254.169.254/hunter2",
        "hc.example/hunter2",
        "alertmanagers/hunter2",
    ],
)
def test_an_address_that_cannot_be_used_is_a_mistake_that_shows_none_of_it(text: str) -> None:
    with pytest.raises(SettingsError, match=r"DASHLIGHT_HEARTBEAT='\*\*\*': expected http or https URLs") as caught:
        planned(text)

    assert "hunter2" not in str(caught.value)


def test_the_word_without_an_alertmanager_is_a_mistake() -> None:
    with pytest.raises(SettingsError, match="expected DASHLIGHT_ALERTMANAGER beside it"):
        planned("alertmanager")
