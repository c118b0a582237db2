"""Whether each flight was late, told to Dashlight as it becomes known: some days after it was asked about."""

import asyncio
import json
from collections import deque

from examples.flights.connection import Connection
from examples.flights.flights import Flight

DELAY_SECONDS = 1.0
"""Three days of a year in two minutes."""
BATCH_SECONDS = 0.5
BEGINNING = 503
"""An app that has just begun takes no labels for a moment."""


class Truth:
    """Sends the labels of answered flights to *url* in batches, DELAY_SECONDS after their answers."""

    def __init__(self, url: str, token: str) -> None:
        self._connection = Connection(url, f"authorization: Bearer {token}\r\n")
        self._waiting: deque[tuple[float, str, bool]] = deque()

    def expect(self, flight: Flight, *, prediction_id: str) -> None:
        """Note that *flight* was asked about under this id."""
        if prediction_id:
            due_at = asyncio.get_running_loop().time() + DELAY_SECONDS
            self._waiting.append((due_at, prediction_id, flight.late))

    async def run(self) -> None:
        """Tell what is due, until cancelled."""
        async with self._connection:
            while True:
                await asyncio.sleep(BATCH_SECONDS)
                await self._tell(asyncio.get_running_loop().time())

    async def finish(self) -> None:
        """Tell all that is left, due or not: the year is over."""
        async with self._connection:
            await self._tell(float("inf"))

    async def _tell(self, now: float) -> None:
        told: list[tuple[float, str, bool]] = []
        while self._waiting and self._waiting[0][0] <= now:
            told.append(self._waiting.popleft())
        if told:
            labels = [{"prediction_id": prediction_id, "label": late} for _, prediction_id, late in told]
            answer = await self._connection.post(json.dumps(labels).encode())
            if answer.status == BEGINNING:
                self._waiting.extendleft(reversed(told))
            elif answer.status != 200:
                raise ConnectionError(f"labels were answered with {answer.status}: {answer.body.decode()}")
