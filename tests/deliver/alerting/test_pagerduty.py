from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dashlight.deliver.alerting.attempts import Attempts
from dashlight.deliver.alerting.document import AlertContext
from dashlight.deliver.alerting.pagerduty import PagerDutyRoute, dedup_key, routing_of
from dashlight.deliver.transport.answer import CollectorAnswer
from dashlight.errors import SettingsError
from dashlight.records import Notice
from dashlight.testing import FakeClock


@pytest.fixture
def route(way: Any, context: AlertContext) -> PagerDutyRoute:
    way.answers = [CollectorAnswer(202)]
    return PagerDutyRoute("pagerduty", Attempts(lambda: way), routing_key="R0", context=context, clock=FakeClock())


def test_an_incident_is_triggered_changed_and_resolved_by_one_key(
    route: PagerDutyRoute, way: Any, incident: Callable[..., Notice]
) -> None:
    for transition in ("firing", "changed", "resolved"):
        assert route.deliver(incident(transition=transition)).outcome == "delivered"

    assert [each["event_action"] for each in way.requests] == ["trigger", "trigger", "resolve"]
    assert {each["dedup_key"] for each in way.requests} == {"incident/%2Fpredict/1789999000 machine-1"}
    assert {each["routing_key"] for each in way.requests} == {"R0"}


def test_a_trigger_says_what_happened(route: PagerDutyRoute, way: Any, incident: Callable[..., Notice]) -> None:
    route.deliver(incident())

    payload = way.requests[0]["payload"]
    assert payload["summary"] == incident().summary
    assert (payload["source"], payload["component"], payload["severity"]) == ("shop /predict", "fraud", "warning")
    assert payload["timestamp"] == "2026-09-21T14:13:20Z"
    assert payload["custom_details"]["alerts"][0]["column"] == "age"
    assert way.requests[0]["links"] == [
        {"href": "https://traces.example/trace/0af7651916cd43dd8448eb211c80319c", "text": "trace 1"}
    ]


def test_what_is_too_long_for_it_is_cut_and_a_key_stays_its_own(
    route: PagerDutyRoute, way: Any, incident: Callable[..., Notice], context: AlertContext
) -> None:
    route.deliver(incident(summary="x" * 5000, key="k" * 500))

    assert len(way.requests[0]["payload"]["summary"]) == 1024
    assert len(way.requests[0]["dedup_key"]) <= 255
    assert dedup_key(incident(key="k" * 500), context) != dedup_key(incident(key="k" * 501), context)


def test_two_machines_with_an_alert_of_one_key_do_not_end_each_others(incident: Callable[..., Notice]) -> None:
    assert dedup_key(incident(), AlertContext("s", "a")) != dedup_key(incident(), AlertContext("s", "b"))


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("R0UTINGKEY", "https://events.pagerduty.com/v2/enqueue"),
        (" R0UTINGKEY@https://events.eu.pagerduty.com ", "https://events.eu.pagerduty.com/v2/enqueue"),
        ("R0UTINGKEY@http://127.0.0.1:8080/v2/enqueue", "http://127.0.0.1:8080/v2/enqueue"),
    ],
)
def test_a_region_may_stand_behind_the_key(text: str, url: str) -> None:
    assert routing_of(text) == ("R0UTINGKEY", url)


@pytest.mark.parametrize(
    "text", ["hunter2 x", "hunter2@", "@https://x", "hunter2@events.eu", "hunter2@http://169.254.169.254"]
)
def test_what_is_no_key_is_a_mistake_that_does_not_show_it(text: str) -> None:
    with pytest.raises(SettingsError, match="DASHLIGHT_PAGERDUTY") as caught:
        routing_of(text)

    assert "hunter2" not in str(caught.value)
