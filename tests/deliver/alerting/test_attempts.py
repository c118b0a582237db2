from __future__ import annotations

import pytest

from dashlight.deliver.alerting.attempts import Attempts, verdict
from dashlight.deliver.transport.answer import CollectorAnswer, Failure
from dashlight.deliver.transport.endpoints import Endpoint
from dashlight.deliver.transport.http import HttpSender


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, "delivered"), (202, "delivered"), (204, "delivered"),
        (429, "retry"), (500, "retry"), (502, "retry"), (503, "retry"), (504, "retry"),
        (507, "retry"), (521, "retry"), (530, "retry"), (408, "retry"), (425, "retry"),
        (401, "misconfigured"), (403, "misconfigured"), (404, "misconfigured"), (405, "misconfigured"), (302, "misconfigured"),
        (400, "rejected"), (413, "rejected"), (415, "rejected"), (422, "rejected"), (410, "rejected"),
        (501, "rejected"), (505, "rejected"),
    ],
)  # fmt: skip
def test_a_notice_is_owed_until_it_is_taken_or_refused_for_good(status: int, outcome: str) -> None:
    assert verdict(CollectorAnswer(status), at=0.0).outcome == outcome


@pytest.mark.parametrize(
    ("failure", "outcome"),
    [
        ("unreachable", "retry"), ("timeout", "retry"), ("cut", "retry"),
        ("name", "misconfigured"), ("tls", "misconfigured"), ("setting", "misconfigured"), ("refused address", "misconfigured"),
    ],
)  # fmt: skip
def test_without_an_answer_it_is_owed_on(failure: Failure, outcome: str) -> None:
    assert verdict(CollectorAnswer(failure=failure), at=0.0).outcome == outcome


def test_whoever_asks_for_time_gets_it() -> None:
    assert verdict(CollectorAnswer(429, retry_after="7"), at=0.0).retry_after_seconds == 7.0
    assert verdict(CollectorAnswer(503), at=0.0).retry_after_seconds is None


def test_some_statuses_are_hopeless_for_some() -> None:
    assert verdict(CollectorAnswer(404), at=0.0, hopeless={404}).outcome == "rejected"


def test_a_connection_that_cannot_be_made_is_told_in_the_answer() -> None:
    attempts = Attempts(lambda: HttpSender(Endpoint("https://127.0.0.1", certificate="/no/such.pem")))

    assert attempts.post(b"{}", key="k") == CollectorAnswer(failure="setting", detail="FileNotFoundError")
    attempts.close()
