"""What a scraper is told."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import anyio
import anyio.to_thread
import pytest

from dashlight.metrics.figures import Figures

NOTHING_COUNTED = Figures(20.0, 1.0, (), ())


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_who_shows_the_token_is_given_the_figures(
    backend: str, ask: Any, scope: Any, shown: tuple[bytes, bytes]
) -> None:
    found = ask(scope("/dashlight/metrics", shown), backend=backend)

    assert found.status == 200
    assert b"dashlight_requests_total 7.0" in found.body.splitlines()
    assert found.headers == {
        b"content-type": b"text/plain; version=0.0.4; charset=utf-8",
        b"content-length": str(len(found.body)).encode(),
        b"cache-control": b"no-store",
        b"x-content-type-options": b"nosniff",
    }


@pytest.mark.parametrize(
    "accept",
    [
        [b"application/openmetrics-text;version=1.0.0,text/plain;q=0.5"],
        [b"text/plain;q=0.5", b"application/openmetrics-text"],
    ],
    ids=["one header", "two headers"],
)
def test_openmetrics_is_spoken_where_it_is_asked_for(
    accept: list[bytes], ask: Any, scope: Any, shown: tuple[bytes, bytes]
) -> None:
    found = ask(scope("/dashlight/metrics", shown, *((b"accept", each) for each in accept)))

    assert found.headers[b"content-type"] == b"application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert found.body.endswith(b"# EOF\n")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "get"])
def test_figures_can_only_be_read(method: str, ask: Any, scope: Any, shown: tuple[bytes, bytes]) -> None:
    found = ask(scope("/dashlight/metrics", shown, method=method))

    assert (found.status, set(found.headers[b"allow"].split(b", "))) == (405, {b"GET", b"HEAD"})


def test_as_long_as_there_are_no_figures_a_scraper_shall_come_again(
    ask: Any, scope: Any, shown: tuple[bytes, bytes]
) -> None:
    found = ask(scope("/dashlight/metrics", shown), lambda: None)

    assert (found.status, found.headers[b"retry-after"]) == (503, b"10")
    assert found.body == b"there are no figures yet\n"


def test_figures_are_read_aside_from_the_event_loop(ask: Any, scope: Any, shown: tuple[bytes, bytes]) -> None:
    threads: list[threading.Thread] = []

    def read() -> Figures:
        threads.append(threading.current_thread())
        return NOTHING_COUNTED

    ask(scope("/dashlight/metrics", shown), read)

    assert threads[0] is not threading.main_thread()


class Hung:
    """Figures that two read until they are let go."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self._begun = threading.Barrier(3)

    def __call__(self) -> Figures:
        if not self.go.is_set():
            self._begun.wait(30)
        self.go.wait(30)
        return NOTHING_COUNTED

    async def until_two_hang(self) -> None:
        await anyio.to_thread.run_sync(self._begun.wait, 30)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_scrapes_that_hang_leave_the_threads_of_the_app_alone(
    backend: str, opened: Any, asked: Any, scope: Any, shown: tuple[bytes, bytes]
) -> None:
    hung, statuses = Hung(), list[int]()

    async def scrape() -> None:
        answers, asking = opened(hung), scope("/dashlight/metrics", shown)

        async def one() -> None:
            statuses.append((await asked(answers, asking)).status)

        async with anyio.create_task_group() as scrapes:
            for _ in range(2):
                scrapes.start_soon(one)
            await hung.until_two_hang()
            for _ in range(50):
                refused = await asked(answers, asking)
                assert (refused.status, refused.headers[b"retry-after"]) == (503, b"10")
                assert refused.body == b"others are being answered\n"
            assert anyio.to_thread.current_default_thread_limiter().borrowed_tokens == 0
            hung.go.set()
        assert (await asked(answers, asking)).status == 200

    anyio.run(scrape, backend=backend)

    assert statuses == [200, 200]


def test_scrapes_that_their_server_cancels_take_no_more_threads(
    opened: Any, asked: Any, scope: Any, shown: tuple[bytes, bytes]
) -> None:
    hung = Hung()

    async def scrape() -> None:
        answers, asking = opened(hung), scope("/dashlight/metrics", shown)
        scrapes = [asyncio.create_task(asked(answers, asking)) for _ in range(2)]
        await hung.until_two_hang()
        for each in scrapes:
            each.cancel()
        await asyncio.wait(scrapes, timeout=20)
        assert all(each.cancelled() for each in scrapes)

        assert (await asked(answers, asking)).status == 503

        hung.go.set()
        deadline = time.monotonic() + 20
        found = await asked(answers, asking)
        while found.status != 200 and time.monotonic() < deadline:
            await anyio.sleep(0.001)
            found = await asked(answers, asking)
        assert found.status == 200

    anyio.run(scrape)
