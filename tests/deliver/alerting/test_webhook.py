from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dashlight.deliver.alerting.attempts import Attempts
from dashlight.deliver.alerting.webhook import REMIND_SECONDS, SLACK_REFUSALS, WebhookRoute
from dashlight.deliver.transport.answer import CollectorAnswer
from dashlight.records import Notice
from dashlight.testing import FakeClock

AT = 1_790_000_000.0


class Hurrying(FakeClock):
    """A second passes whenever it is looked at, so that nothing has to wait for one."""

    def monotonic(self) -> float:
        self.advance(1)
        return self.at


@pytest.fixture
def route(way: Any) -> WebhookRoute:
    return WebhookRoute(
        "webhook https://w",
        Attempts(lambda: way),
        write=lambda notice, reminder: [notice.id, notice.transition, reminder],
        clock=Hurrying(AT),
        hopeless=SLACK_REFUSALS,
    )


def test_each_transition_is_one_message_by_its_id(
    route: WebhookRoute, way: Any, incident: Callable[..., Notice]
) -> None:
    for transition in ("firing", "changed", "resolved"):
        assert route.deliver(incident(id=f"of {transition}", transition=transition)).outcome == "delivered"

    assert way.keys == ["of firing", "of changed", "of resolved"]
    assert [reminder for *_, reminder in way.requests] == [0, 0, 0]


def test_what_is_in_force_is_told_again_after_four_hours(
    route: WebhookRoute, way: Any, incident: Callable[..., Notice]
) -> None:
    told = incident(id="a", at=AT)

    for hours in (0, 1, 3.9, 4, 4.1, 7.9, 8.5, 9):
        route.repeat([told], AT + hours * 3600)

    assert way.requests == [["a", "firing", 1], ["a", "firing", 2]]
    assert way.keys == ["a.1", "a.2"]


def test_a_restart_reminds_of_nothing_before_its_time(
    route: WebhookRoute, way: Any, incident: Callable[..., Notice]
) -> None:
    old = incident(at=AT - 2.5 * REMIND_SECONDS)

    route.repeat([old], AT)
    assert way.requests == []
    route.repeat([old], AT + 0.6 * REMIND_SECONDS)
    assert len(way.requests) == 1


def test_a_reminder_that_does_not_arrive_is_tried_again(
    route: WebhookRoute, way: Any, incident: Callable[..., Notice]
) -> None:
    told = incident(at=AT)
    route.repeat([told], AT)
    way.answers = [CollectorAnswer(503), CollectorAnswer(200)]

    for seconds in (0, 60, 120):
        route.repeat([told], AT + REMIND_SECONDS + seconds)

    assert len(way.requests) == 2


def test_what_slack_says_of_a_webhook_that_is_gone_ends_it(
    route: WebhookRoute, way: Any, incident: Callable[..., Notice]
) -> None:
    way.answers = [CollectorAnswer(404)]

    assert route.deliver(incident()).outcome == "rejected"


def test_one_message_a_second_and_no_waiting_for_it_at_the_end(way: Any, incident: Callable[..., Notice]) -> None:
    still = FakeClock(AT)
    route = WebhookRoute("webhook", Attempts(lambda: way), write=lambda told, _: told.id, clock=still)

    assert route.deliver(incident()).outcome == "delivered"
    route.close()
    assert route.deliver(incident()).outcome == "retry"
    still.advance(1)
    assert route.deliver(incident()).outcome == "delivered"
    assert way.closed


def test_nobody_is_reminded_of_what_is_silenced_and_not_at_once_when_that_is_over(
    way: Any, incident: Callable[..., Notice]
) -> None:
    silenced = {incident().key}
    made = WebhookRoute(
        "w", Attempts(lambda: way), write=lambda told, _: told.id, clock=Hurrying(AT), is_quiet=silenced.__contains__
    )
    told = incident(at=AT)
    for hours in (0, 5):
        made.repeat([told], AT + hours * 3600)
    silenced.clear()
    made.repeat([told], AT + 7 * 3600)
    assert way.requests == []

    made.repeat([told], AT + 8 * 3600)
    assert len(way.requests) == 1
    assert made.deliver(told).outcome == "delivered"
