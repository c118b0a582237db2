"""The inbox: bounded in number and bytes, and counted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dashlight.capture.inbox import BATCH, Inbox
from dashlight.records import Exchange


@pytest.fixture
def exchange(converse: Callable[..., Any]) -> Exchange:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"12345"})

    found: Exchange = converse(app, [{"type": "http.request", "body": b"12345"}]).exchange
    return found


def test_exchanges_come_out_in_the_order_in_which_they_went_in(exchange: Exchange) -> None:
    inbox = Inbox()
    others = [exchange for _ in range(3)]
    for each in others:
        inbox.put(each)

    assert (len(inbox), inbox.take(2), len(inbox), inbox.take(), inbox.take()) == (3, others[:2], 1, others[2:], [])
    assert inbox.dropped_count == 0


def test_what_does_not_fit_by_number_is_dropped_and_counted(exchange: Exchange) -> None:
    inbox = Inbox(limit=2)
    for _ in range(5):
        inbox.put(exchange)

    assert (len(inbox), inbox.dropped_count) == (2, 3)


def test_what_does_not_fit_by_size_is_dropped_until_there_is_room_again(exchange: Exchange) -> None:
    inbox = Inbox(limit_bytes=25)
    for _ in range(4):
        inbox.put(exchange)
    dropped_first = inbox.dropped_count
    inbox.take()
    inbox.put(exchange)

    assert (dropped_first, inbox.dropped_count, len(inbox)) == (2, 2, 1)


def test_the_waiting_thread_is_woken_once_a_batch(exchange: Exchange) -> None:
    inbox = Inbox()
    for _ in range(BATCH - 1):
        inbox.put(exchange)
    before = inbox.wake.is_set()
    inbox.put(exchange)

    assert (before, inbox.wake.is_set()) == (False, True)
