"""What is served below DASHLIGHT_PATH, and to whom."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import anyio
import pytest

from dashlight.errors import MissingExtraError
from dashlight.metrics.figures import Figures


@pytest.mark.parametrize("path", ["/dashlight", "/dashlight/metrics", "/dashlight/else"])
@pytest.mark.parametrize(
    "headers", [[], [(b"authorization", b"Bearer wrong")], [(b"accept", b"text/plain")]], ids=["none", "wrong", "other"]
)
def test_without_the_token_nothing_is_told(
    path: str, headers: Sequence[tuple[bytes, bytes]], ask: Any, scope: Any
) -> None:
    found = ask(scope(path, *headers))

    assert (found.status, found.headers[b"www-authenticate"], found.body) == (401, b"Bearer", b"a token is wanted\n")
    assert found.headers[b"cache-control"] == b"no-store"


def test_the_token_does_not_count_in_the_query(ask: Any, scope: Any) -> None:
    asking = scope(
        "/dashlight/metrics", query_string=b"token=a-token-of-some-length&dashlight_token=a-token-of-some-length"
    )

    assert ask(asking).status == 401


@pytest.mark.parametrize("path", ["/dashlight", "/dashlight/", "/dashlight/metrics/", "/dashlight/../metrics"])
def test_what_is_not_there_is_not_found(path: str, ask: Any, scope: Any, shown: tuple[bytes, bytes]) -> None:
    found = ask(scope(path, shown))

    assert (found.status, found.body) == (404, b"there is nothing here\n")
    assert found.headers[b"content-type"] == b"text/plain; charset=utf-8"


def test_a_head_has_the_headers_and_no_body(ask: Any, scope: Any, shown: tuple[bytes, bytes]) -> None:
    whole = ask(scope("/dashlight/metrics", shown))

    found = ask(scope("/dashlight/metrics", shown, method="HEAD"))

    assert (found.status, found.headers, found.body) == (200, whole.headers, b"")
    assert found.headers[b"content-length"] == str(len(whole.body)).encode()


def test_the_app_around_neither_answers_nor_hears_of_what_is_not_there(
    ask: Any, scope: Any, shown: tuple[bytes, bytes]
) -> None:
    handled: list[object] = []
    theirs = {"app": object(), "starlette.exception_handlers": ({Exception: handled.append}, {404: handled.append})}

    statuses = [
        ask(scope("/dashlight/else", shown, **theirs)).status,
        ask(scope("/dashlight/metrics", shown, method="POST", **theirs)).status,
        ask(scope("/dashlight/metrics", shown, **theirs), _fails).status,
    ]

    assert (statuses, handled) == ([404, 405, 503], [])


def test_a_mistake_is_logged_once_and_costs_the_answer_alone(
    opened: Any, asked: Any, scope: Any, shown: tuple[bytes, bytes], caplog: pytest.LogCaptureFixture
) -> None:
    answers = opened(_fails)

    found = [anyio.run(asked, answers, scope("/dashlight/metrics", shown)) for _ in range(2)]

    assert [(each.status, each.headers[b"retry-after"]) for each in found] == [(503, b"10")] * 2
    assert [record.getMessage() for record in caplog.records if record.name.startswith("dashlight")] == [
        "metrics could not be served: OSError: the disk is gone"
    ]


def test_a_package_that_is_missing_is_named(
    ask: Any, scope: Any, shown: tuple[bytes, bytes], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)

    def read() -> Figures:
        raise MissingExtraError("prometheus-client", "prometheus")

    found = ask(scope("/dashlight/metrics", shown), read)

    assert found.status == 501
    assert found.body == b"prometheus-client is not installed: pip install 'dashlight[prometheus]'\n"
    assert "metrics cannot be served: prometheus-client is not installed" in caplog.text


def test_a_client_that_is_gone_is_left_to_the_server(opened: Any, scope: Any, shown: tuple[bytes, bytes]) -> None:
    async def send(message: Any) -> None:
        raise OSError("the client is gone")

    async def receive() -> Any:
        raise RuntimeError("the body is nobody's business")

    with pytest.raises(OSError, match="the client is gone"):
        anyio.run(opened(), scope("/dashlight/metrics", shown), receive, send)


def _fails() -> Figures:
    raise OSError("the disk is gone")
