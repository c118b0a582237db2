"""Which requests are Dashlight's own, and how they reach what it serves."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from dashlight.serving.door import Answers
from dashlight.types import Message, Receive, Scope, Send


async def _nothing() -> Message:
    raise RuntimeError("nothing is received")


async def _nobody(message: Message) -> None:
    raise RuntimeError("nothing is sent")


@pytest.mark.parametrize("path", ["/dashlight", "/dashlight/", "/dashlight/metrics", "/dashlight/else"])
def test_everything_below_the_path_is_taken(path: str, scope: Any) -> None:
    assert Answers("/dashlight").takes(scope(path))


@pytest.mark.parametrize(
    "path",
    ["/", "/predict", "/dashlights", "/dashlight-of-mine/metrics", "/api/dashlight/metrics", "/Dashlight/metrics"],
)
def test_nothing_else_is_taken(path: str, scope: Any) -> None:
    assert not Answers("/dashlight").takes(scope(path))


def test_a_root_path_counts_as_a_part_of_the_path(scope: Any) -> None:
    asking = scope("/api/dashlight/metrics", root_path="/api")

    assert Answers("/api/dashlight").takes(asking)
    assert not Answers("/dashlight").takes(asking)


@pytest.mark.parametrize(
    ("path", "root_path"),
    [("/dashlight", ""), ("/dashlight", "/dashlight"), ("/api/dashlight", "/api"), ("/a+(b)/dashlight", "/a+(b)")],
    ids=["no root path", "a root path of the same name", "a root path", "characters of a regular expression"],
)
def test_a_path_begins_anew_below_that_of_dashlight(path: str, root_path: str, scope: Any) -> None:
    seen: list[tuple[str, str]] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append((scope["path"], scope["root_path"]))

    answers = Answers(path)
    answers.open(app)
    for below in ("", "/", "/metrics"):
        anyio.run(answers, scope(path + below, root_path=root_path), _nothing, _nobody)

    assert seen == [("", ""), ("/", ""), ("/metrics", "")]


def test_what_the_app_around_keeps_in_a_scope_stays_there_and_is_not_changed(scope: Any) -> None:
    seen: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scope["endpoint"] = app
        seen.append(scope)

    theirs: dict[str, Any] = {"app": object(), "router": object(), "starlette.exception_handlers": ({}, {})}
    asking = scope("/dashlight/metrics", **theirs)
    before = dict(asking)
    answers = Answers("/dashlight")
    answers.open(app)
    anyio.run(answers, asking, _nothing, _nobody)

    assert not theirs.keys() & seen[0].keys()
    assert asking == before


@pytest.mark.parametrize(("method", "body"), [("GET", b"there are no figures yet\n"), ("HEAD", b"")])
def test_nobody_is_let_in_before_it_is_opened(
    method: str, body: bytes, scope: Any, asked: Any, shown: tuple[bytes, bytes]
) -> None:
    found = anyio.run(asked, Answers("/dashlight"), scope("/dashlight/metrics", shown, method=method))

    assert (found.status, found.body) == (503, body)
    assert found.headers == {
        b"content-type": b"text/plain; charset=utf-8",
        b"content-length": b"25",
        b"retry-after": b"10",
        b"cache-control": b"no-store",
        b"x-content-type-options": b"nosniff",
    }


def test_a_second_event_loop_is_answered_too(opened: Any, asked: Any, scope: Any, shown: tuple[bytes, bytes]) -> None:
    answers = opened()

    assert [anyio.run(asked, answers, scope("/dashlight/metrics", shown)).status for _ in range(3)] == [200, 200, 200]
