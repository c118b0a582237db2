"""The collector as a route for alerts."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from dashlight.collector.received import items_of_lines, items_of_protobuf
from dashlight.deliver.alerting.collector import CollectorRoute
from dashlight.deliver.alerting.owed import DELIVERED, Outcome
from dashlight.deliver.delivery import EventFormat
from dashlight.deliver.encoding.logs import LogEncoder
from dashlight.deliver.encoding.ndjson import NdjsonEncoder
from dashlight.deliver.transport.answer import CollectorAnswer, Failure, Send
from dashlight.records import BinShare, Cause, Notice
from dashlight.testing import FakeClock

OTLP = LogEncoder({"service.name": "s"}, "dashlight", "0", epoch=1)
LINES = NdjsonEncoder({"service.name": "s"}, epoch=1)


class Wire:
    """Answers as it is told, the last answer for ever."""

    def __init__(self, *answers: CollectorAnswer) -> None:
        self.answers = list(answers or [CollectorAnswer(200)])
        self.requests: list[tuple[bytes, str, str]] = []
        self.closed = False

    def __call__(self, body: bytes, *, content_type: str, key: str) -> CollectorAnswer:
        self.requests.append((body, content_type, key))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def close(self) -> None:
        self.closed = True


def route_of(wire: Send, form: EventFormat = LINES) -> CollectorRoute:
    return CollectorRoute(form, shown="http://x", connect=lambda: wire, clock=FakeClock(), jitter=lambda: 0.0)


@pytest.mark.parametrize("form", [OTLP, LINES], ids=["otlp", "ndjson"])
def test_a_notice_is_one_event_under_its_own_id(
    form: LogEncoder | NdjsonEncoder, notice: Callable[..., Notice]
) -> None:
    wire = Wire()

    assert route_of(wire, form).deliver(notice()) == DELIVERED

    ((body, content_type, key),) = wire.requests
    (event,) = items_of_lines(body) if form is LINES else items_of_protobuf("logs", body)
    assert (event["name"], event["body"]) == ("dashlight.alert", "age moved; with it moved income")
    assert event["attributes"]["dashlight.event.id"] == key == notice().id
    assert content_type == form.content_type


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (CollectorAnswer(200), "delivered"),
        (CollectorAnswer(204), "delivered"),
        *((CollectorAnswer(status), "retry") for status in (408, 425, 429, 500, 502, 503, 504, 507, 520, 599)),
        *((CollectorAnswer(status), "misconfigured") for status in (301, 307, 401, 403, 404, 405, 407, 413)),
        *((CollectorAnswer(status), "rejected") for status in (400, 410, 415, 422, 451, 501, 505)),
    ],
)
def test_what_an_answer_means(answer: CollectorAnswer, outcome: Outcome, notice: Callable[..., Notice]) -> None:
    assert route_of(Wire(answer)).deliver(notice()).outcome == outcome


@pytest.mark.parametrize("form", [OTLP, LINES], ids=["otlp", "ndjson"])
def test_500_is_retried_in_every_format(form: EventFormat, notice: Callable[..., Notice]) -> None:
    assert route_of(Wire(CollectorAnswer(500)), form).deliver(notice()).outcome == "retry"


@pytest.mark.parametrize(
    ("failure", "outcome"),
    [
        ("unreachable", "retry"),
        ("timeout", "retry"),
        ("cut", "retry"),
        ("name", "misconfigured"),
        ("tls", "misconfigured"),
        ("setting", "misconfigured"),
        ("refused address", "misconfigured"),
    ],
)
def test_what_a_failure_means(failure: Failure, outcome: Outcome, notice: Callable[..., Notice]) -> None:
    assert route_of(Wire(CollectorAnswer(failure=failure))).deliver(notice()).outcome == outcome


def test_a_retry_after_is_honoured(notice: Callable[..., Notice]) -> None:
    verdict = route_of(Wire(CollectorAnswer(503, retry_after="17"))).deliver(notice())

    assert (verdict.retry_after_seconds, verdict.reason) == (17.0, "status 503 at http://x")


def test_what_otlp_took_in_part_is_rejected(notice: Callable[..., Notice]) -> None:
    # partial_success (1) of rejected_log_records (1) = 1
    verdict = route_of(Wire(CollectorAnswer(200, body=b"\x0a\x02\x08\x01")), OTLP).deliver(notice())

    assert verdict.outcome == "rejected"


def test_one_too_large_for_the_collector_is_told_without_its_details(notice: Callable[..., Notice]) -> None:
    wire = Wire(CollectorAnswer(413), CollectorAnswer(200))

    assert route_of(wire).deliver(notice()) == DELIVERED

    first, second = (json.loads(body)["attributes"] for body, _, _ in wire.requests)
    assert "dashlight.alert.members" in first
    assert "dashlight.alert.members" not in second
    assert second["dashlight.alert.summary"] == "age moved; with it moved income"


def test_one_with_more_details_than_an_event_may_have_is_cut_to_size(notice: Callable[..., Notice]) -> None:
    bins = tuple(BinShare("x" * 8000, 0.1, 0.2) for _ in range(30))
    large = replace(notice(), alerts=(replace(notice().alerts[0], causes=(Cause("e", 0.1, 0.2, bins),)),))
    wire = Wire()

    assert route_of(wire).deliver(large) == DELIVERED

    line = json.loads(wire.requests[0][0])
    assert len(wire.requests[0][0]) < 256 * 1024
    assert (line["truncated"], line["attributes"]["dashlight.model.name"]) == (True, "m")


def test_a_certificate_that_cannot_be_read_waits_for_whoever_corrects_it(notice: Callable[..., Notice]) -> None:
    def connect() -> Send:
        raise FileNotFoundError

    route = CollectorRoute(LINES, shown="http://x", connect=connect, clock=FakeClock(), jitter=lambda: 0.0)

    assert route.deliver(notice()).outcome == "misconfigured"
    route.close()


def test_nothing_is_repeated_and_the_connection_is_closed(notice: Callable[..., Notice]) -> None:
    wire = Wire()
    route = route_of(wire)
    route.deliver(notice())
    route.deliver(notice())

    route.repeat([notice()], 0.0)
    route.close()

    assert (route.name, len(wire.requests), wire.closed) == ("the collector", 2, True)
