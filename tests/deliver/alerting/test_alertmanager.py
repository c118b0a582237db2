from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from dashlight.deliver.alerting.alertmanager import AlertmanagerRoute
from dashlight.deliver.alerting.attempts import Attempts
from dashlight.deliver.alerting.document import AlertContext
from dashlight.deliver.transport.answer import CollectorAnswer
from dashlight.records import Notice
from dashlight.testing import FakeClock

AT = 1_790_000_000.0
NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(AT)


@pytest.fixture
def route(way: Any, context: AlertContext, clock: FakeClock) -> AlertmanagerRoute:
    return AlertmanagerRoute("alertmanager http://am", Attempts(lambda: way), context=context, clock=clock)


def labels(way: Any) -> list[dict[str, str]]:
    return [each["labels"] for request in way.requests for each in request]


def keys_sent(way: Any) -> list[list[str]]:
    return [[each["labels"]["incident"] for each in request] for request in way.requests]


def test_an_incident_is_one_alert_by_labels_that_never_change(
    route: AlertmanagerRoute, way: Any, incident: Callable[..., Notice]
) -> None:
    route.deliver(incident())

    [sent] = way.requests[0]
    assert sent["labels"] == {
        "alertname": "DashlightIncident",
        "severity": "warning",
        "service": "shop",
        "service_instance_id": "machine-1",
        "model": "fraud",
        "endpoint": "/predict",
        "incident": "incident/%2Fpredict/1789999000",
    }
    assert sent["annotations"]["summary"] == incident().summary
    assert sent["annotations"]["description"] == f"{incident().alerts[0].summary}\nb"
    assert sent["annotations"]["traces"] == "https://traces.example/trace/0af7651916cd43dd8448eb211c80319c"
    assert sent["annotations"]["since"] == "2026-09-21T13:56:40Z"
    assert sent["startsAt"] == "2026-09-21T13:56:40.000000Z"
    # Four times as long as until it is told again.
    assert sent["endsAt"] == "2026-09-21T14:17:20.000000Z"


def test_an_alert_without_incident_says_what_it_is(
    route: AlertmanagerRoute, way: Any, incident: Callable[..., Notice], alert: Callable[..., Any]
) -> None:
    one = alert(key="threshold/x", source="threshold", column=None, incident="", place=0)
    route.deliver(incident(key="threshold/x", alerts=(one,), alert_count=1))

    [found] = labels(way)
    assert (found["alertname"], found["severity"]) == ("DashlightThreshold", "critical")
    assert "column" not in found


def test_a_label_is_never_empty_and_its_name_always_allowed(
    route: AlertmanagerRoute, way: Any, incident: Callable[..., Notice], alert: Callable[..., Any]
) -> None:
    one = alert(key="drift/x", column="\ud800 <!channel>\n", model="", incident="", place=0)
    route.deliver(incident(key="drift/x", alerts=(one,), model=" ", endpoint="", alert_count=1))

    [found] = labels(way)
    assert all(NAME.fullmatch(name) and value.strip() for name, value in found.items())
    assert {"model", "endpoint"}.isdisjoint(found)
    assert found["column"] == "\ufffd <!channel>\n"


def test_labels_stay_those_with_which_it_began(
    route: AlertmanagerRoute, way: Any, incident: Callable[..., Notice]
) -> None:
    route.deliver(incident())
    route.deliver(incident(id="2", transition="changed", model="other"))
    route.deliver(incident(id="3", transition="resolved", model="third"))

    assert [each["model"] for each in labels(way)] == ["fraud"] * 3


def test_an_end_is_told_at_once_and_again_for_a_quarter_of_an_hour(
    route: AlertmanagerRoute, way: Any, clock: FakeClock, incident: Callable[..., Notice]
) -> None:
    route.deliver(incident())
    route.deliver(incident(id="2", transition="resolved"))
    assert way.requests[1][0]["endsAt"] == "2026-09-21T14:13:20.000000Z"

    for _ in range(30):
        route.repeat([], clock.now())
        clock.advance(60)

    assert len(way.requests) == 2 + 15
    assert {request[0]["endsAt"] for request in way.requests[1:]} == {"2026-09-21T14:13:20.000000Z"}


def test_what_is_in_force_is_told_once_a_minute(
    route: AlertmanagerRoute, way: Any, incident: Callable[..., Notice]
) -> None:
    in_force = [incident(), incident(id="2", key="incident/b")]

    due_at = route.repeat(in_force, AT)
    assert due_at == AT + 60
    assert route.repeat(in_force, AT + 59) == due_at
    route.repeat(in_force, AT + 60)

    assert keys_sent(way) == [[incident().key, "incident/b"]] * 2


def test_a_clock_that_is_set_back_does_not_silence_it(
    route: AlertmanagerRoute, way: Any, incident: Callable[..., Notice]
) -> None:
    route.repeat([incident()], AT)
    route.repeat([incident()], AT - 86400)

    assert len(way.requests) == 2


def test_nothing_is_resolved_again_that_has_begun_again(
    route: AlertmanagerRoute, way: Any, incident: Callable[..., Notice]
) -> None:
    route.deliver(incident(transition="resolved"))
    route.repeat([incident(id="2")], AT)

    assert [each["endsAt"] > each["startsAt"] for each in way.requests[1]] == [True]
    assert len(way.requests[1]) == 1


def test_one_bad_alert_does_not_take_the_others_along(
    route: AlertmanagerRoute, way: Any, incident: Callable[..., Notice]
) -> None:
    way.answer_to = lambda body: CollectorAnswer(400) if any(e["labels"]["incident"] == "bad" for e in body) else None
    in_force = [incident(), incident(id="2", key="bad"), incident(id="3", key="c")]

    route.repeat(in_force, AT)
    assert keys_sent(way)[1:] == [[incident().key], ["bad"], ["c"]]

    way.requests.clear()
    route.repeat(in_force, AT + 60)
    assert keys_sent(way) == [[incident().key, "c"]]


def test_what_it_refuses_is_rejected_and_not_repeated(
    route: AlertmanagerRoute, way: Any, incident: Callable[..., Notice]
) -> None:
    way.answers = [CollectorAnswer(400)]

    assert route.deliver(incident()).outcome == "rejected"
    route.repeat([incident()], AT)
    assert len(way.requests) == 1


def test_many_are_told_a_hundred_at_a_time_and_none_to_whom_is_away(
    route: AlertmanagerRoute, way: Any, incident: Callable[..., Notice]
) -> None:
    in_force = [incident(id=str(number), key=f"incident/{number}") for number in range(250)]

    route.repeat(in_force, AT)
    assert [len(request) for request in way.requests] == [100, 100, 50]

    way.requests.clear()
    way.answers = [CollectorAnswer(failure="unreachable")]
    route.repeat(in_force, AT + 60)
    assert len(way.requests) == 1


def test_a_change_that_began_in_the_future_or_never_begins_now(
    route: AlertmanagerRoute, way: Any, incident: Callable[..., Notice]
) -> None:
    for since_at in (AT + 500, float("nan"), float("-inf")):
        route.deliver(replace(incident(), since_at=since_at))

    assert {request[0]["startsAt"] for request in way.requests} == {"2026-09-21T14:13:20.000000Z"}
