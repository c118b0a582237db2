"""The inbox: bounded in number and bytes, and counted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec import structs

from dashlight.capture.inbox import BATCH, Inbox, Settling
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


def test_an_exchange_whose_bodies_do_not_fit_goes_on_without_them(exchange: Exchange) -> None:
    inbox = Inbox(limit_bytes=25)
    for _ in range(4):
        inbox.put(exchange)
    first = inbox.take()
    inbox.put(exchange)

    assert [(each.is_bodiless, each.kept_bytes) for each in first] == 2 * [(False, 10)] + 2 * [(True, 0)]
    assert {(each.request_bytes, each.response_bytes) for each in first} == {(5, 5)}
    assert not inbox.take()[0].is_bodiless
    assert (inbox.dropped_count, inbox.bodiless_count) == (0, 2)


LONG = "x" * 60_000


@pytest.mark.parametrize(
    "heavy",
    [
        {"path": "/" + LONG},
        {"query": LONG.encode()},
        {"request_headers": [(b"user-agent", LONG.encode())]},
        {"response_headers": [(b"server", LONG.encode())]},
        {"request_chunks": (b"12",) * 1250},
        {"response_chunks": (b"12",) * 1250},
    ],
    ids=["path", "query", "request header", "response header", "pieces of a request", "pieces of an answer"],
)
@pytest.mark.parametrize("settles", [False, True])
def test_what_is_kept_beside_bodies_is_bounded_as_well(
    exchange: Exchange, heavy: dict[str, Any], *, settles: bool
) -> None:
    inbox = Inbox(limit_beside_bytes=1_000_000)
    heavy_one = structs.replace(exchange, **heavy)

    for _ in range(40):
        if settles:
            inbox.put_settling(Settling(heavy_one, 0.0))
        else:
            inbox.put(heavy_one)

    assert (len(inbox), inbox.dropped_count) == (16, 24)
    assert len(inbox.take()) == 16
    inbox.put(heavy_one)
    assert len(inbox) == 1


def test_bodies_take_the_room_that_is_kept_of_them_whatever_their_size(exchange: Exchange) -> None:
    inbox = Inbox(limit_bytes=25)
    for _ in range(2):
        inbox.put(structs.replace(exchange, request_bytes=2**40, response_bytes=2**40))

    assert [each.is_bodiless for each in inbox.take()] == [False, False]


def test_the_waiting_thread_is_woken_once_a_batch(exchange: Exchange) -> None:
    inbox = Inbox()
    for _ in range(BATCH - 1):
        inbox.put(exchange)
    before = inbox.wake.is_set()
    inbox.put(exchange)

    assert (before, inbox.wake.is_set()) == (False, True)


def test_what_is_excluded_waits_apart_bounded_and_wakes_the_thread(exchange: Exchange) -> None:
    inbox = Inbox(limit=BATCH)

    for _ in range(BATCH + 1):
        inbox.put_excluded(exchange)

    assert inbox.wake.is_set()
    assert (len(inbox), inbox.take()) == (0, [])
    assert len(inbox.take_excluded()) == BATCH
    assert inbox.dropped_count == 1
    assert inbox.take_excluded() == []


def test_what_settles_is_taken_once_it_has_or_is_due(exchange: Exchange) -> None:
    inbox = Inbox()
    first, second, third = (Settling(exchange, due_at) for due_at in (5.0, 9.0, 9.0))
    for each in (first, second, third):
        inbox.put_settling(each)
    third.is_settled = True

    assert len(inbox.take(due_at=4.0)) == 1
    assert (third.is_taken, first.is_taken, len(inbox)) == (True, False, 2)
    assert len(inbox.take(due_at=5.0)) == 1
    assert len(inbox.take()) == 1
    assert second.is_taken


def test_what_settles_is_bounded_too_and_wakes_the_thread(exchange: Exchange) -> None:
    few, small, many = Inbox(limit=2), Inbox(limit_bytes=15), Inbox()
    for inbox, count in ((few, 5), (small, 2), (many, BATCH)):
        for _ in range(count):
            inbox.put_settling(Settling(exchange, 0.0))

    assert (len(few), few.dropped_count) == (2, 3)
    assert [each.is_bodiless for each in small.take()] == [False, True]
    assert (small.bodiless_count, many.wake.is_set()) == (1, True)
