import asyncio
import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest
from examples.flights.flights import Flight
from examples.flights.truth import Truth

Answering = Callable[[Callable[[bytes], tuple[int, bytes]]], AbstractAsyncContextManager[str]]
MakeFlight = Callable[..., Flight]


def told(answering: Answering, flight: MakeFlight, statuses: list[int]) -> list[list[dict[str, object]]]:
    bodies: list[list[dict[str, object]]] = []

    def answer(body: bytes) -> tuple[int, bytes]:
        bodies.append(json.loads(body))
        return statuses.pop(0), b"{}"

    async def live() -> None:
        async with answering(answer) as url:
            telling = Truth(url, "a token")
            telling.expect(flight(late=True), prediction_id="one")
            telling.expect(flight(late=False), prediction_id="two")
            telling.expect(flight(late=True), prediction_id="")
            for _ in range(len(statuses)):
                await telling.finish()

    asyncio.run(live())
    return bodies


ALL = [{"prediction_id": "one", "label": True}, {"prediction_id": "two", "label": False}]


def test_labels_of_flights_with_an_id_are_told_once(answering: Answering, flight: MakeFlight) -> None:
    assert told(answering, flight, [200, 200]) == [ALL]


def test_an_app_that_has_just_begun_is_told_again(answering: Answering, flight: MakeFlight) -> None:
    assert told(answering, flight, [503, 200]) == [ALL, ALL]


def test_labels_that_are_refused_stop_the_replay(answering: Answering, flight: MakeFlight) -> None:
    with pytest.raises(ConnectionError, match="400"):
        told(answering, flight, [400])
