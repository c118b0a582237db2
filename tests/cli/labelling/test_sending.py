"""Requests of labels, sent to apps that are busy, away, wrong or well."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from dashlight.cli.labelling.sending import NotSentError, Sender, labels_url
from dashlight.deliver.transport.answer import CollectorAnswer

WELL = CollectorAnswer(200, body=json.dumps({"matched": 2, "unknown": 1, "duplicate": 0, "invalid": 1, "too_late": 0, "first_invalid": [{"place": 3, "reason": "no"}]}).encode())  # fmt: skip


class Server:
    """Answers as it is told, the last answer for ever; its clock goes on while one sleeps."""

    def __init__(self, answers: Sequence[CollectorAnswer]) -> None:
        self._answers = list(answers)
        self.asked_count = 0
        self.slept: list[float] = []
        self.told: list[str] = []

    def __call__(self, body: bytes, *, content_type: str, key: str) -> CollectorAnswer:
        self.asked_count += 1
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]

    def close(self) -> None:
        """Nothing to close."""

    def sender(self) -> Sender:
        return Sender(
            self,
            patience_seconds=100.0,
            sleep=self.slept.append,
            monotonic=lambda: sum(self.slept),
            now=lambda: 1_790_000_000.0,
            tell=self.told.append,
        )


def test_what_became_of_labels_is_told() -> None:
    taken = Server([WELL]).sender().send(b"x")

    assert taken.counts == {"matched": 2, "unknown": 1, "duplicate": 0, "invalid": 1, "too_late": 0}
    assert taken.invalid == [(3, "no")]


@pytest.mark.parametrize(
    "failure",
    [
        CollectorAnswer(503, retry_after="2"),
        CollectorAnswer(500),
        CollectorAnswer(502),
        CollectorAnswer(429),
        CollectorAnswer(408),
        CollectorAnswer(failure="unreachable", detail="ConnectError"),
        CollectorAnswer(failure="timeout"),
        CollectorAnswer(failure="cut"),
    ],
    ids=str,
)
def test_an_app_that_is_busy_or_away_is_tried_again(failure: CollectorAnswer) -> None:
    server = Server([failure, failure, WELL])

    assert server.sender().send(b"x").counts["matched"] == 2
    assert (server.asked_count, len(server.slept), len(server.told)) == (3, 2, 1)
    assert all(pause > 0 for pause in server.slept)


def test_it_comes_again_when_it_was_told_to() -> None:
    server = Server([CollectorAnswer(503, retry_after="7"), WELL])

    server.sender().send(b"x")

    assert 7 <= server.slept[0] <= 7.7


def test_patience_ends() -> None:
    server = Server([CollectorAnswer(503, retry_after="30", body=b"others are being answered\n")])

    with pytest.raises(NotSentError, match=r"gave up after \d tries: others are being answered") as caught:
        server.sender().send(b"x")

    assert not caught.value.is_mistake
    assert sum(server.slept) <= 100


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (CollectorAnswer(401, body=b"a token is wanted"), "the token is another one"),
        (CollectorAnswer(404), "nothing takes labels there: the app needs DASHLIGHT_LABELS=true"),
        (CollectorAnswer(405), "nothing takes labels there: the app needs DASHLIGHT_LABELS=true"),
        (CollectorAnswer(400, body=b"expected labels\x1b[31m\nmore"), r"expected labels\[31m \(status 400\)"),
        (CollectorAnswer(302), "status 302"),
        (CollectorAnswer(200, body=b"<html>"), "that is no answer of Dashlight's: is it the right URL"),
        (CollectorAnswer(200, body=b"{}"), "that is no answer of Dashlight's"),
        (CollectorAnswer(200, body=b""), "that is no answer of Dashlight's"),
        (CollectorAnswer(failure="name", detail="ConnectError"), "name"),
        (CollectorAnswer(failure="tls", detail="ConnectError"), "tls"),
        (CollectorAnswer(failure="refused address", detail="169.254.169.254"), "refused address"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_will_not_pass_is_said_at_once(answer: CollectorAnswer, sentence: str) -> None:
    server = Server([answer])

    with pytest.raises(NotSentError, match=sentence) as caught:
        server.sender().send(b"x")

    assert caught.value.is_mistake
    assert (server.asked_count, server.slept) == (1, [])


@pytest.mark.parametrize(
    ("url", "path", "found"),
    [
        ("http://a", "/dashlight", "http://a/dashlight/labels"),
        ("http://a/", "/dashlight", "http://a/dashlight/labels"),
        ("http://a/dashlight", "/dashlight", "http://a/dashlight/labels"),
        ("http://a/dashlight/labels", "/dashlight", "http://a/dashlight/labels"),
        ("http://a/x/labels/", "/dashlight", "http://a/x/labels"),
        ("http://a/v1", "/own", "http://a/v1/own/labels"),
    ],
)
def test_a_url_may_be_that_of_the_app_or_of_a_part_of_it(url: str, path: str, found: str) -> None:
    assert labels_url(url, path) == found
