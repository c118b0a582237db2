"""The one line at the end of a process that says what was not sent, and why."""

from __future__ import annotations

import logging

import pytest

from dashlight.metrics.accounts import Account
from dashlight.runtime.end_line import EndLine


def told(caplog: pytest.LogCaptureFixture) -> list[tuple[int, str]]:
    return [(record.levelno, record.getMessage()) for record in caplog.records]


@pytest.fixture(autouse=True)
def everything(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)


def test_nothing_is_said_where_all_was_delivered_or_not_wanted(caplog: pytest.LogCaptureFixture) -> None:
    delivered = Account(captured=9, delivered=6, sampled_out=2, dropped={"replaced": 1})

    EndLine().tell({"events": delivered, "spans": Account()}, {})

    assert told(caplog) == []


def test_each_signal_is_told_with_why(caplog: pytest.LogCaptureFixture) -> None:
    events = Account(6192, queued=6000, in_flight=192)
    spans = Account(6192, rejected=92, dropped={"outbox_full": 6000}, queued=100)

    EndLine().tell(
        {"spans": spans, "events": events, "metrics": Account(1, queued=1)}, {"events": "connection refused"}
    )

    assert told(caplog) == [
        (
            logging.WARNING,
            (
                "6,192 spans, 6,192 events and 1 reports of metrics could not be sent: spans: 6,000 found no room to wait, "
                "100 were still waiting, 92 were refused by the collector; events: 6,192 were still waiting "
                "(connection refused); reports of metrics: 1 were still waiting"
            ),
        )
    ]


def test_what_is_in_the_spool_is_not_lost_and_told_as_that(caplog: pytest.LogCaptureFixture) -> None:
    kept = EndLine()

    kept.tell({"events": Account(12, spooled=12)}, {})
    EndLine().tell({"events": Account(12, spooled=9, queued=3)}, {})

    assert told(caplog) == [
        (logging.INFO, "12 events are kept in the spool, for the next process to send"),
        (
            logging.WARNING,
            "3 events could not be sent: 3 were still waiting. 9 events are kept in the spool, for the next process to send",
        ),
    ]


def test_it_is_said_once_and_again_only_if_it_has_become_more(caplog: pytest.LogCaptureFixture) -> None:
    line = EndLine()

    line.tell({"events": Account(5, queued=5)}, {})
    line.tell({"events": Account(5, delivered=2, dropped={"shutdown": 3})}, {})
    line.tell({"events": Account(5, dropped={"shutdown": 5})}, {})
    line.tell({"events": Account(7, dropped={"shutdown": 7})}, {})

    assert [message.partition(" could")[0] for _, message in told(caplog)] == ["5 events", "7 events"]
