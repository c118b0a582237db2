from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from dashlight.deliver.alerting.document import AlertContext
from dashlight.deliver.alerting.slack import is_slack, message
from dashlight.records import Notice


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://hooks.slack.com/services/T0/B0/x", True),
        ("https://hooks.slack-gov.com/services/T0/B0/x", True),
        ("https://chat.example/hooks/abcdefghijklmnopqrstuvwxyz", True),
        ("https://example.com/chat/hooks/abcdefghijklmnopqrstuvwxy1/", True),
        ("https://discord.com/api/webhooks/1/x/slack", True),
        ("https://discord.com/api/webhooks/1/x", False),
        ("https://hooks.slack.com.evil.example/services", False),
        ("https://example.com/hooks/short", False),
        ("https://example.com/slack", False),
    ],
)
def test_who_takes_messages_as_slack_does_is_told_by_the_url(url: str, *, expected: bool) -> None:
    assert is_slack(url) is expected


def test_one_incident_is_one_message(incident: Callable[..., Notice], context: AlertContext) -> None:
    found = message(incident(), context)

    assert found["text"] == (
        "*firing*: shop fraud /predict: share of age above 64 rose from 0 % to 95 %; with it moved income\n"
        "• share of age above 64 rose from 0 % to 95 %\n• b\n"
        "since 2026-09-21T13:56:40Z · traces: <https://traces.example/trace/0af7651916cd43dd8448eb211c80319c|1>"
        " · incident/%2Fpredict/1789999000"
    )


@pytest.mark.parametrize("field", ["model", "summary", "endpoint", "key"])
def test_nobody_is_woken_by_what_a_column_is_called(
    incident: Callable[..., Notice], context: AlertContext, field: str
) -> None:
    found = json.dumps(message(incident(**{field: "<!channel> & @here <@U1>|\n*x*"}), context), ensure_ascii=False)

    assert "<!channel>" not in found
    assert "<@U1>" not in found
    assert "@here" not in found
    assert "&lt;!channel&gt; &amp; @\u200bhere" in found


def test_a_message_is_as_long_as_slack_takes(
    incident: Callable[..., Notice], alert: Callable[..., Any], context: AlertContext
) -> None:
    many = tuple(alert(key=str(number), summary="<" * 5000) for number in range(20))

    found: Any = message(incident(summary="&" * 50_000, alerts=many, alert_count=400), context)

    assert all(len(block["text"]["text"]) <= 3000 for block in found["blocks"])
    assert len(found["blocks"]) <= 50


def test_how_many_are_not_told_is_told(
    incident: Callable[..., Notice], alert: Callable[..., Any], context: AlertContext
) -> None:
    many = tuple(alert(key=str(number)) for number in range(20))

    assert "• and 390 more" in str(message(incident(alerts=many, alert_count=400), context)["text"])


def test_a_reminder_says_that_it_is_one(incident: Callable[..., Notice], context: AlertContext) -> None:
    assert str(message(incident(), context, reminder=2)["text"]).startswith("*still firing*: ")


def test_without_an_address_for_traces_their_ids_are_told(incident: Callable[..., Notice]) -> None:
    text = str(message(incident(), AlertContext("shop", "m"))["text"])

    assert "traces: 0af7651916cd43dd8448eb211c80319c" in text
