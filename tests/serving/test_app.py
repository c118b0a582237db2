"""What is answered below DASHLIGHT_PATH."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import anyio
import anyio.to_thread
import pytest

from dashlight.errors import MissingExtraError
from dashlight.metrics.figures import Figure, Figures
from dashlight.serving.access import Access
from dashlight.serving.app import Answers

TOKEN = "a-token-of-some-length"
FIGURES = Figures(20.0, 1.0, (Figure("dashlight.requests", "counter", "{request}", "Requests", 7, {}),), ())
SHOWN = (b"authorization", b"Bearer a-token-of-some-length")


def scope(path: str, *headers: tuple[bytes, bytes], method: str = "GET", **others: Any) -> dict[str, Any]:
    return {"type": "http", "path": path, "method": method, "headers": list(headers), "query_string": b"", **others}


def answered(
    asked: dict[str, Any], figures: Callable[[], Figures | None] = lambda: FIGURES, *, backend: str = "asyncio"
) -> tuple[int, dict[bytes, bytes], bytes]:
    """Status, headers and body of the answer."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        raise RuntimeError("the body is nobody's business")

    anyio.run(Answers("/dashlight", Access(TOKEN), figures), asked, receive, send, backend=backend)

    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    return sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"]


@pytest.mark.parametrize("path", ["/dashlight", "/dashlight/", "/dashlight/metrics", "/dashlight/else"])
def test_everything_below_the_path_is_taken(path: str) -> None:
    assert Answers("/dashlight", Access(TOKEN), lambda: None).takes(scope(path))


@pytest.mark.parametrize(
    "path",
    ["/", "/predict", "/dashlights", "/dashlight-of-mine/metrics", "/api/dashlight/metrics", "/Dashlight/metrics"],
)
def test_nothing_else_is_taken(path: str) -> None:
    assert not Answers("/dashlight", Access(TOKEN), lambda: None).takes(scope(path))


def test_a_root_path_counts_as_a_part_of_the_path() -> None:
    asked = scope("/api/dashlight/metrics", root_path="/api")

    assert Answers("/api/dashlight", Access(TOKEN), lambda: None).takes(asked)
    assert not Answers("/dashlight", Access(TOKEN), lambda: None).takes(asked)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_who_shows_the_token_is_given_the_figures(backend: str) -> None:
    status, headers, body = answered(scope("/dashlight/metrics", SHOWN), backend=backend)

    assert status == 200
    assert b"dashlight_requests_total 7.0" in body.splitlines()
    assert headers == {
        b"content-type": b"text/plain; version=0.0.4; charset=utf-8",
        b"content-length": str(len(body)).encode(),
        b"cache-control": b"no-store",
        b"x-content-type-options": b"nosniff",
    }


def test_openmetrics_is_spoken_where_it_is_asked_for() -> None:
    accept = (b"accept", b"application/openmetrics-text;version=1.0.0,text/plain;q=0.5")

    _, headers, body = answered(scope("/dashlight/metrics", SHOWN, accept))

    assert headers[b"content-type"] == b"application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert body.endswith(b"# EOF\n")


def test_a_head_has_the_headers_and_no_body() -> None:
    _, whole, body = answered(scope("/dashlight/metrics", SHOWN))

    status, headers, nothing = answered(scope("/dashlight/metrics", SHOWN, method="HEAD"))

    assert (status, headers, nothing) == (200, whole, b"")
    assert headers[b"content-length"] == str(len(body)).encode()


@pytest.mark.parametrize("path", ["/dashlight", "/dashlight/metrics", "/dashlight/else"])
@pytest.mark.parametrize(
    "headers", [[], [(b"authorization", b"Bearer wrong")], [(b"accept", b"text/plain")]], ids=["none", "wrong", "other"]
)
def test_without_the_token_nothing_is_told(path: str, headers: Sequence[tuple[bytes, bytes]]) -> None:
    status, told, body = answered(scope(path, *headers))

    assert (status, told[b"www-authenticate"], body) == (401, b"Bearer", b"a token is wanted\n")
    assert told[b"cache-control"] == b"no-store"


def test_the_token_does_not_count_in_the_query() -> None:
    asked = scope(
        "/dashlight/metrics", query_string=b"token=a-token-of-some-length&dashlight_token=a-token-of-some-length"
    )

    assert answered(asked)[0] == 401


@pytest.mark.parametrize("path", ["/dashlight", "/dashlight/", "/dashlight/metrics/", "/dashlight/../metrics"])
def test_what_is_not_there_is_not_found(path: str) -> None:
    assert answered(scope(path, SHOWN))[0] == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "get"])
def test_figures_can_only_be_read(method: str) -> None:
    status, headers, _ = answered(scope("/dashlight/metrics", SHOWN, method=method))

    assert (status, headers[b"allow"]) == (405, b"GET, HEAD")


def test_as_long_as_there_are_no_figures_a_scraper_shall_come_again() -> None:
    status, headers, _ = answered(scope("/dashlight/metrics", SHOWN), lambda: None)

    assert (status, headers[b"retry-after"]) == (503, b"10")


def test_figures_are_read_aside_from_the_event_loop() -> None:
    threads: list[threading.Thread] = []

    def read() -> Figures:
        threads.append(threading.current_thread())
        return FIGURES

    answered(scope("/dashlight/metrics", SHOWN), read)

    assert threads[0] is not threading.main_thread()


def test_a_mistake_is_logged_once_and_costs_the_answer_alone(caplog: pytest.LogCaptureFixture) -> None:
    def read() -> Figures:
        raise OSError("the disk is gone")

    sent: list[Any] = []

    async def ask_twice() -> None:
        answers = Answers("/dashlight", Access(TOKEN), read)

        async def send(message: Any) -> None:
            sent.append(message)

        async def receive() -> Any:
            raise RuntimeError("the body is nobody's business")

        for _ in range(2):
            await answers(scope("/dashlight/metrics", SHOWN), receive, send)

    anyio.run(ask_twice)

    assert [message["status"] for message in sent if "status" in message] == [503, 503]
    assert [record.getMessage() for record in caplog.records] == [
        "metrics could not be served: OSError: the disk is gone"
    ]


def test_a_package_that_is_missing_is_named(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)

    def read() -> Figures:
        raise MissingExtraError("prometheus-client", "prometheus")

    status, _, body = answered(scope("/dashlight/metrics", SHOWN), read)

    assert status == 501
    assert body == b"prometheus-client is not installed: pip install 'dashlight[prometheus]'\n"
    assert "pip install 'dashlight[prometheus]'" in caplog.text


class Hung:
    """Figures that two read until they are let go."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self._begun = threading.Barrier(3)

    def __call__(self) -> Figures:
        if not self.go.is_set():
            self._begun.wait(30)
        self.go.wait(30)
        return FIGURES

    async def until_two_hang(self) -> None:
        await anyio.to_thread.run_sync(self._begun.wait, 30)


async def status_of(answers: Answers, statuses: list[int] | None = None) -> dict[str, Any]:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        raise RuntimeError("the body is nobody's business")

    await answers(scope("/dashlight/metrics", SHOWN), receive, send)
    if statuses is not None:
        statuses.append(sent[0]["status"])
    return {"status": sent[0]["status"], "headers": dict(sent[0]["headers"]), "body": sent[1]["body"]}


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_scrapes_that_hang_leave_the_threads_of_the_host_alone(backend: str) -> None:
    hung, statuses = Hung(), list[int]()

    async def scrape() -> None:
        answers = Answers("/dashlight", Access(TOKEN), hung)
        async with anyio.create_task_group() as scrapes:
            for _ in range(2):
                scrapes.start_soon(status_of, answers, statuses)
            await hung.until_two_hang()
            for _ in range(50):
                refused = await status_of(answers)
                assert (refused["status"], refused["headers"][b"retry-after"]) == (503, b"10")
                assert refused["body"] == b"others are being answered\n"
            assert anyio.to_thread.current_default_thread_limiter().borrowed_tokens == 0
            hung.go.set()
        assert (await status_of(answers))["status"] == 200

    anyio.run(scrape, backend=backend)

    assert statuses == [200, 200]


def test_scrapes_that_their_server_cancels_take_no_more_threads() -> None:
    hung = Hung()

    async def scrape() -> None:
        answers = Answers("/dashlight", Access(TOKEN), hung)
        scrapes = [asyncio.create_task(status_of(answers)) for _ in range(2)]
        await hung.until_two_hang()
        for each in scrapes:
            each.cancel()
        await asyncio.wait(scrapes, timeout=20)
        assert all(each.cancelled() for each in scrapes)

        assert (await status_of(answers))["status"] == 503

        hung.go.set()
        deadline = time.monotonic() + 20
        found = await status_of(answers)
        while found["status"] != 200 and time.monotonic() < deadline:
            await anyio.sleep(0.001)
            found = await status_of(answers)
        assert found["status"] == 200

    anyio.run(scrape)


def test_nobody_is_let_in_before_it_is_opened() -> None:
    answers = Answers("/dashlight")
    before = anyio.run(status_of, answers)

    answers.open(Access(TOKEN), lambda: FIGURES)

    assert (before["status"], before["headers"][b"retry-after"]) == (503, b"10")
    assert anyio.run(status_of, answers)["status"] == 200


def test_a_second_event_loop_is_answered_too() -> None:
    answers = Answers("/dashlight", Access(TOKEN), lambda: FIGURES)

    assert [anyio.run(status_of, answers)["status"] for _ in range(3)] == [200, 200, 200]
