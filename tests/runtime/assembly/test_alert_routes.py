"""From settings to the routes for alerts: what is made, under which names, and what is a mistake."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from dashlight.deliver.alerting.document import AlertContext
from dashlight.deliver.alerting.sample import sample_notice
from dashlight.deliver.transport.answer import CollectorAnswer
from dashlight.deliver.transport.egress import Egress
from dashlight.deliver.transport.endpoints import Endpoint
from dashlight.errors import SettingsError
from dashlight.runtime.assembly.alert_routes import PlannedRoutes, planned_routes
from dashlight.settings import Settings
from dashlight.store.tries import CommandTries
from dashlight.testing import FakeClock

SLACK = "https://hooks.slack.com/services/T0/B0/hunter2"


def planned(environ: Mapping[str, str], *, egress: Egress | None = None) -> PlannedRoutes:
    return planned_routes(Settings.from_env(environ), environ, egress=egress or Egress())


class Sent:
    """Keeps what is sent where."""

    def __init__(self) -> None:
        self.requests: list[tuple[Endpoint, Any]] = []

    def connect(self, endpoint: Endpoint) -> Any:
        sent = self.requests

        class Connection:
            def __call__(self, body: bytes, *, content_type: str, key: str) -> CollectorAnswer:
                del content_type, key
                sent.append((endpoint, json.loads(body)))
                return CollectorAnswer(200)

            def close(self) -> None:
                pass

        return Connection()


def delivered(environ: Mapping[str, str]) -> list[tuple[Endpoint, Any]]:
    """What each route sends of a notice."""
    sent = Sent()
    routes = planned(environ).routes(
        AlertContext("shop", "m"), clock=FakeClock(), connect=sent.connect, tries=CommandTries(None)
    )
    for route in routes:
        assert route.deliver(sample_notice(0.0)).outcome == "delivered"
        route.close()
    return sent.requests


def names(environ: Mapping[str, str]) -> list[str]:
    routes = planned(environ).routes(
        AlertContext("shop", "m"), clock=FakeClock(), connect=Sent().connect, tries=CommandTries(None)
    )
    return [route.name for route in routes]


def test_without_settings_there_is_no_route() -> None:
    assert names({}) == []


def test_every_address_is_a_route_of_its_own_whose_name_shows_no_secret() -> None:
    environ = {
        "DASHLIGHT_ALERTMANAGER": "http://am-1:9093, http://am-2:9093/prefix/, http://am-1:9093, "
        "http://am-3?key=hunter2, http://am-3?key=hunter3",
        "DASHLIGHT_WEBHOOK": f"{SLACK}, https://hooks.slack.com/services/T0/B0/other, http://127.0.0.1:8080/hunter2",
        "DASHLIGHT_PAGERDUTY": "hunter2",
        "DASHLIGHT_ON_ALERT": "sh -c hunter2",
    }

    found = names(environ)

    assert [re.sub(r"#[0-9a-f]{4}", "#....", name) for name in found] == [
        "alertmanager http://am-1:9093",
        "alertmanager http://am-2:9093/prefix",
        "alertmanager http://am-3/api/v2/alerts?*** (#....)",
        "alertmanager http://am-3/api/v2/alerts?*** (#....)",
        "webhook https://hooks.slack.com (#....)",
        "webhook https://hooks.slack.com (#....)",
        "webhook http://127.0.0.1:8080 (#....)",
        "pagerduty https://events.pagerduty.com",
        "command",
    ]
    assert "hunter2" not in repr(list(planned(environ).webhooks.values()))


def test_an_address_has_its_name_in_whatever_company_and_order() -> None:
    one, two = "https://hooks.example/one", "https://hooks.example/two"
    alone = names({"DASHLIGHT_WEBHOOK": one})
    both = names({"DASHLIGHT_WEBHOOK": f"{two},{one}"})

    assert len(set(both)) == 2
    assert both == [*names({"DASHLIGHT_WEBHOOK": two}), *alone]


def test_each_gets_what_it_understands_with_its_own_headers() -> None:
    found = delivered(
        {
            "DASHLIGHT_ALERTMANAGER": "http://am:9093",
            "DASHLIGHT_ALERTMANAGER_HEADERS": "X-Scope-OrgID=team",
            "DASHLIGHT_WEBHOOK": f"{SLACK},https://example.com/hook",
            "DASHLIGHT_WEBHOOK_HEADERS": "Authorization=Bearer x",
            "DASHLIGHT_PAGERDUTY": "R0@https://events.eu.pagerduty.com",
        }
    )

    told = {endpoint.url: (dict(endpoint.headers), body) for endpoint, body in found}
    assert told["http://am:9093/api/v2/alerts"][0] == {"x-scope-orgid": "team"}
    assert told["http://am:9093/api/v2/alerts"][1][0]["labels"]["incident"] == "incident/test"
    assert set(told[SLACK][1]) == {"text", "blocks"}
    assert told["https://example.com/hook"][0] == {"authorization": "Bearer x"}
    assert told["https://example.com/hook"][1]["version"] == 1
    assert told["https://events.eu.pagerduty.com/v2/enqueue"][0] == {}
    assert told["https://events.eu.pagerduty.com/v2/enqueue"][1]["routing_key"] == "R0"


@pytest.mark.parametrize(("word", "kind"), [("slack", {"text", "blocks"}), ("json", {"version"})])
def test_the_format_of_webhooks_can_be_said(word: str, kind: set[str]) -> None:
    environ = {"DASHLIGHT_WEBHOOK": f"{SLACK},https://example.com/hook", "DASHLIGHT_WEBHOOK_FORMAT": word}

    assert all(kind <= set(body) for _, body in delivered(environ))


def test_a_template_is_used_for_every_webhook(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    path.write_text('{"say": "{{summary}}"}')
    environ = {"DASHLIGHT_WEBHOOK": f"{SLACK},https://example.com/hook", "DASHLIGHT_WEBHOOK_TEMPLATE": str(path)}

    assert [body for _, body in delivered(environ)] == [{"say": "this is a test: nothing has moved"}] * 2


def test_all_leave_by_the_same_way_out() -> None:
    egress = Egress(proxy="http://proxy:3128")
    plan = planned(
        {"DASHLIGHT_ALERTMANAGER": "http://am", "DASHLIGHT_WEBHOOK": SLACK, "DASHLIGHT_PAGERDUTY": "R0"}, egress=egress
    )

    endpoints = [*plan.alertmanagers.values(), *plan.webhooks.values(), *plan.pagerduty.values()]
    assert [each.egress for each in endpoints] == [egress] * 3


def test_a_command_sees_no_secrets_and_is_not_watched() -> None:
    environ = {
        "PATH": "/usr/bin:/bin",
        "HOME": "/home/x",
        "DASHLIGHT_ON_ALERT": "sh -c true",
        "DASHLIGHT_REFERENCE": "r.dlref",
        "DASHLIGHT_WEBHOOK": "https://example.com/hunter2",
        "DASHLIGHT_WEBHOOK_HEADERS": "a=hunter2",
        "DASHLIGHT_TOKEN": "hunter2-hunter2-hunter2",
        "DASHLIGHT_PROXY": "http://u:hunter2@p:1",
        "OTEL_EXPORTER_OTLP_HEADERS": "a=hunter2",
        "OTEL_EXPORTER_OTLP_TRACES_HEADERS": "a=hunter2",
        "OTEL_SERVICE_NAME": "shop",
        "_DASHLIGHT_RUN": "/hook",
    }

    seen = planned(environ).command_environ

    assert seen == {
        "PATH": "/usr/bin:/bin",
        "HOME": "/home/x",
        "DASHLIGHT_REFERENCE": "r.dlref",
        "OTEL_SERVICE_NAME": "shop",
    }


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"DASHLIGHT_ALERTMANAGER": "am:9093"}, "DASHLIGHT_ALERTMANAGER"),
        ({"DASHLIGHT_ALERTMANAGER": "http://u:hunter2@am"}, "DASHLIGHT_ALERTMANAGER"),
        ({"DASHLIGHT_ALERTMANAGER": "http://169.254.169.254/"}, "DASHLIGHT_ALERTMANAGER"),
        ({"DASHLIGHT_WEBHOOK": "ftp://example.com/hunter2"}, "DASHLIGHT_WEBHOOK"),
        ({"DASHLIGHT_WEBHOOK": "https://example.com/ok,/hunter2"}, "DASHLIGHT_WEBHOOK"),
        ({"DASHLIGHT_WEBHOOK": "http://[::ffff:169.254.169.254]/hunter2"}, "DASHLIGHT_WEBHOOK"),
        ({"DASHLIGHT_WEBHOOK_HEADERS": "a=hunter2\n"}, ""),
        ({"DASHLIGHT_WEBHOOK_HEADERS": "a=b\rhunter2"}, "DASHLIGHT_WEBHOOK_HEADERS"),
        ({"DASHLIGHT_ALERTMANAGER_HEADERS": "content-length=hunter2"}, "DASHLIGHT_ALERTMANAGER_HEADERS"),
        ({"DASHLIGHT_PAGERDUTY": "hunter2 hunter2"}, "DASHLIGHT_PAGERDUTY"),
        ({"DASHLIGHT_WEBHOOK_TEMPLATE": "/no/such/file"}, "DASHLIGHT_WEBHOOK_TEMPLATE"),
        ({"DASHLIGHT_ON_ALERT": "/no/such/program hunter2"}, "DASHLIGHT_ON_ALERT='/no/such/program'"),
        ({"DASHLIGHT_ON_ALERT": "TOKEN=hunter2 sh"}, r"DASHLIGHT_ON_ALERT='\*\*\*'"),
    ],
)
def test_a_mistake_names_its_variable_and_shows_no_secret(environ: dict[str, str], said: str) -> None:
    if not said:
        planned(environ)
        return
    with pytest.raises(SettingsError, match=said) as caught:
        planned(environ)

    assert "hunter2" not in str(caught.value)
