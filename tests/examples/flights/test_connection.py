import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest
from examples.flights.connection import Connection

Answering = Callable[[Callable[[bytes], tuple[int, bytes]]], AbstractAsyncContextManager[str]]


def test_answers_come_back_whole_over_one_connection(answering: Answering) -> None:
    async def converse() -> list[tuple[int, bytes]]:
        async with answering(lambda body: (200, body.upper())) as url, Connection(url) as connection:
            answers = [await connection.post(body) for body in (b"one", b"", b"x" * 100_000)]
        assert all(answer.seconds > 0 for answer in answers)
        return [(answer.status, answer.body) for answer in answers]

    assert asyncio.run(converse()) == [(200, b"ONE"), (200, b""), (200, b"X" * 100_000)]


def test_a_connection_that_the_server_closed_after_a_failure_is_opened_again(answering: Answering) -> None:
    statuses = iter((500, 500, 200))

    async def converse() -> list[int]:
        async with answering(lambda _: (next(statuses), b"x")) as url, Connection(url) as connection:
            return [(await connection.post(b"{}")).status for _ in range(3)]

    assert asyncio.run(converse()) == [500, 500, 200]


def test_a_connection_that_the_server_closed_while_idle_is_opened_again() -> None:
    closed = asyncio.Event()

    async def answer_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"{}")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx")
        writer.close()
        await writer.wait_closed()
        closed.set()

    async def converse() -> list[int]:
        server = await asyncio.start_server(answer_once, "127.0.0.1", 0)
        async with server, Connection(url_of(server)) as connection:
            first = await connection.post(b"{}")
            await closed.wait()
            await asyncio.sleep(0)  # one turn of the loop, in which the client sees the end of the stream
            second = await connection.post(b"{}")
        return [first.status, second.status]

    assert asyncio.run(converse()) == [200, 200]


def test_a_server_that_closes_without_an_answer_is_an_error() -> None:
    async def close(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()
        await writer.wait_closed()

    async def converse() -> None:
        server = await asyncio.start_server(close, "127.0.0.1", 0)
        async with server, Connection(url_of(server)) as connection:
            await connection.post(b"{}")

    with pytest.raises(ConnectionError):
        asyncio.run(converse())


def url_of(server: asyncio.Server) -> str:
    return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/predict"
