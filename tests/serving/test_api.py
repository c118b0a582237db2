"""What is shown of the machine, as JSON."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from dashlight.page.view import View
from dashlight.serving.access import Access
from dashlight.serving.app import ServedApp
from dashlight.serving.door import Answers

VIEW = View(20.0, b'{"version":1}', b'{"version":1,"at":20.0}')
PARTS = {"status": VIEW.status, "versions": VIEW.versions}


def opened(view: View | None) -> Answers:
    answers = Answers("/dashlight")
    answers.open(ServedApp(Access("a-token-of-some-length"), view=lambda: view))
    return answers


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_who_shows_the_token_is_given_the_bytes_of_the_judge(
    part: str, backend: str, asked: Any, scope: Any, shown: tuple[bytes, bytes]
) -> None:
    found = anyio.run(asked, opened(VIEW), scope(f"/dashlight/api/v1/{part}", shown), backend=backend)

    assert (found.status, found.body) == (200, PARTS[part])
    assert found.headers == {
        b"content-type": b"application/json",
        b"content-length": str(len(PARTS[part])).encode(),
        b"etag": found.headers[b"etag"],
        b"cache-control": b"no-store",
        b"x-content-type-options": b"nosniff",
    }


@pytest.mark.parametrize("known", [b"%s", b"W/%s", b'"other", %s', b"*"], ids=["same", "weak", "one of", "any"])
def test_who_has_it_is_told_so(known: bytes, asked: Any, scope: Any, shown: tuple[bytes, bytes]) -> None:
    path, answers = "/dashlight/api/v1/status", opened(VIEW)
    tag = anyio.run(asked, answers, scope(path, shown)).headers[b"etag"]
    known = known.replace(b"%s", tag)

    found = anyio.run(asked, answers, scope(path, shown, (b"if-none-match", known)))

    assert (found.status, found.body, found.headers[b"etag"]) == (304, b"", tag)


def test_what_changed_is_sent_whole(asked: Any, scope: Any, shown: tuple[bytes, bytes]) -> None:
    path = "/dashlight/api/v1/status"
    tag = anyio.run(asked, opened(VIEW), scope(path, shown)).headers[b"etag"]

    found = anyio.run(asked, opened(View(30.0, b"{}", b"{}")), scope(path, shown, (b"if-none-match", tag)))

    assert (found.status, found.body) == (200, b"{}")


def test_before_anything_is_judged_a_client_shall_come_again(
    asked: Any, scope: Any, shown: tuple[bytes, bytes]
) -> None:
    found = anyio.run(asked, opened(None), scope("/dashlight/api/v1/status", shown))

    assert (found.status, found.headers[b"retry-after"]) == (503, b"10")
    assert found.body == b"nothing has been judged yet\n"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "get"])
def test_it_can_only_be_read(method: str, asked: Any, scope: Any, shown: tuple[bytes, bytes]) -> None:
    found = anyio.run(asked, opened(VIEW), scope("/dashlight/api/v1/status", shown, method=method))

    assert (found.status, set(found.headers[b"allow"].split(b", "))) == (405, {b"GET", b"HEAD"})


def test_a_head_has_the_length_and_no_body(asked: Any, scope: Any, shown: tuple[bytes, bytes]) -> None:
    found = anyio.run(asked, opened(VIEW), scope("/dashlight/api/v1/status", shown, method="HEAD"))

    assert (found.status, found.body, found.headers[b"content-length"]) == (200, b"", b"13")


@pytest.mark.parametrize("path", ["/dashlight/api/v1/status", "/dashlight/api/v1/versions", "/dashlight/api"])
def test_who_does_not_know_the_token_learns_nothing(path: str, asked: Any, scope: Any) -> None:
    found = anyio.run(asked, opened(VIEW), scope(path))

    assert (found.status, found.body) == (401, b"a token is wanted\n")
