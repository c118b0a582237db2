"""Puts the project's root on the path, as `python -m examples.flights.demo` does, and makes the doubles."""

import asyncio
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[3]))

from examples.flights.arrivals import AlertReport
from examples.flights.flights import Flight


@pytest.fixture
def flight() -> Callable[..., Flight]:
    """Makes a flight from Newark to Atlanta on a fine day, with what is given changed."""

    def make(*, scheduled: str = "2013-03-01T09:30", late: bool = False, **features: float | str | None) -> Flight:
        fine: dict[str, float | str | None] = {
            "hour": 9,
            "distance": 746,
            "temp": 50.0,
            "dewp": 32.0,
            "humid": 40.0,
            "wind_speed": 8.0,
            "precip": 0,
            "pressure": 1015.0,
            "visib": 10,
            "carrier": "UA",
            "origin": "EWR",
            "dest": "ATL",
        }
        return Flight(scheduled, fine | features, late)

    return make


@pytest.fixture
def alert() -> Callable[..., AlertReport]:
    """Makes a firing drift alert of the feature `temp`, with what is given changed."""

    def make(
        *,
        column: str = "temp",
        role: str = "feature",
        source: str = "drift",
        state: str = "firing",
        summary: str = "temp above 57.9 rose from 2 % to 60 %",
        at: float = 0.0,
        causes: tuple[str, ...] = ("57.9 or more",),
    ) -> AlertReport:
        return AlertReport(f"{source} {column}", source, column, role, state, summary, at, causes)

    return make


@pytest.fixture
def answering() -> Callable[[Callable[[bytes], tuple[int, bytes]]], AbstractAsyncContextManager[str]]:
    """Runs a server on this machine that answers every POST with what a function makes of its body; gives its URL.

    As uvicorn does after an unhandled exception, it closes the connection after a 500.
    """

    @asynccontextmanager
    async def serve(answer: Callable[[bytes], tuple[int, bytes]]) -> AsyncGenerator[str]:
        conversations: set[asyncio.Task[None]] = set()

        async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            status = 200
            while status == 200 and (head := await head_of(reader)):
                size = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
                status, content = answer(await reader.readexactly(size))
                writer.write(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%b" % (status, len(content), content))
            writer.close()
            await writer.wait_closed()

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            conversations.add(asyncio.get_running_loop().create_task(converse(reader, writer)))

        async with await asyncio.start_server(accept, "127.0.0.1", 0) as server:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/predict"
            await asyncio.gather(*conversations)

    return serve


async def head_of(reader: asyncio.StreamReader) -> bytes:
    """The head of the next request; nothing where the client has gone."""
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return b""
