from __future__ import annotations

import logging

import pytest

from dashlight.deliver.transport.answer import CollectorAnswer
from dashlight.deliver.transport.health import Health


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG, "dashlight")
    return caplog


def levels(lines: pytest.LogCaptureFixture) -> list[str]:
    return [line.levelname for line in lines.records]


def test_one_warning_when_it_begins_to_fail_and_one_word_when_it_recovers(lines: pytest.LogCaptureFixture) -> None:
    health = Health("events for http://collector")

    for _ in range(5):
        health.failed(CollectorAnswer(503))
    health.delivered()
    health.delivered()

    assert levels(lines) == ["WARNING", "INFO"]
    assert lines.messages[0].startswith("events for http://collector cannot be delivered (status 503)")
    assert lines.messages[1] == "events for http://collector are delivered again"


def test_a_failure_after_a_recovery_is_said_again(lines: pytest.LogCaptureFixture) -> None:
    health = Health("events")

    health.failed(CollectorAnswer(503))
    health.delivered()
    health.failed(CollectorAnswer(503))

    assert levels(lines) == ["WARNING", "INFO", "WARNING"]


def test_a_mistake_of_configuration_is_an_error_every_ten_minutes(lines: pytest.LogCaptureFixture) -> None:
    health = Health("events")

    for at in (0.0, 60.0, 599.0, 600.0, 660.0):
        health.misconfigured(CollectorAnswer(401), at=at)

    assert levels(lines) == ["ERROR", "ERROR"]


def test_a_mistake_that_was_put_right_and_made_again_is_said_again(lines: pytest.LogCaptureFixture) -> None:
    health = Health("events")

    health.misconfigured(CollectorAnswer(401), at=0.0)
    health.delivered()
    health.misconfigured(CollectorAnswer(401), at=1.0)

    assert levels(lines) == ["ERROR", "INFO", "ERROR"]


def test_losses_are_told_every_ten_minutes(lines: pytest.LogCaptureFixture) -> None:
    health = Health("events")

    for at in (0.0, 1.0, 601.0):
        health.lost("too old", count=3, at=at)

    assert lines.messages == ["3 of events given up (too old); the counts tell what follows"] * 2


def test_failures_in_a_row_are_counted_until_there_is_an_answer() -> None:
    health = Health("events")

    health.failed(CollectorAnswer(503))
    health.failed(CollectorAnswer(503))
    before = health.failures
    health.reached()

    assert (before, health.failures, health.troubled) == (2, 0, True)
