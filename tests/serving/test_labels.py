"""What whoever sends labels is told."""

from __future__ import annotations

import gzip
import json
import logging
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import anyio
import anyio.to_thread
import httpx
import pytest

from dashlight.labels.body import MOST_BYTES
from dashlight.labels.label import Fate, Label
from dashlight.serving.access import Access
from dashlight.serving.app import ServedApp, TakesLabels
from dashlight.serving.door import Answers
from dashlight.serving.labels import labels_route

NOW = 1_790_000_000.0
TOKEN, LABELS_TOKEN = "a-token-of-some-length", "good-for-labels-alone"
URL = "http://app/dashlight/labels"
SHOWN = {"authorization": f"Bearer {LABELS_TOKEN}"}


class Store:
    """Knows the predictions a, b, c and those of the entity u; `old` is too late, `forged` is no id of ours."""

    def __init__(self) -> None:
        self.taken: list[Label] = []
        self.threads: set[int] = set()
        self.mistake: Exception | None = None
        self.hangs: threading.Event | None = None
        self.entered = threading.Semaphore(0)

    def label(self, labels: Sequence[Label], at: float) -> Sequence[Fate]:
        assert at == NOW
        self.threads.add(threading.get_ident())
        self.entered.release()
        if self.hangs is not None:
            self.hangs.wait(20)
        if self.mistake is not None:
            raise self.mistake
        return [self._fate(each) for each in labels]

    def _fate(self, label: Label) -> Fate:
        if label.id in {"old", "forged"}:
            return "too_late" if label.id == "old" else "invalid"
        if label.entity != "u" and label.id.partition(":")[0] not in {"a", "b", "c"}:
            return "unknown"
        if label in self.taken:
            return "duplicate"
        self.taken.append(label)
        return "matched"


@pytest.fixture
def store() -> Store:
    return Store()


def answers_of(store: Any) -> Answers:
    answers = Answers("/dashlight")
    access = Access(LABELS_TOKEN, TOKEN, takes_cookies=False)
    answers.open(ServedApp(Access(TOKEN), None, TakesLabels(store.label, access, lambda: NOW)))
    return answers


async def posted(
    answers: Any, content: Any = b"", headers: Mapping[str, str] = SHOWN, *, kind: str = "application/json", method: str = "POST"
) -> httpx.Response:  # fmt: skip
    transport = httpx.ASGITransport(answers, raise_app_exceptions=True)
    async with httpx.AsyncClient(transport=transport) as client:
        named = {"content-type": kind} if kind else {}
        return await client.request(method, URL, content=content, headers={**named, **headers})


def post(store: Any, content: Any = b"", headers: Mapping[str, str] = SHOWN, *, kind: str = "application/json", method: str = "POST") -> httpx.Response:  # fmt: skip
    async def one() -> httpx.Response:
        return await posted(answers_of(store), content, headers, kind=kind, method=method)

    return anyio.run(one)


def test_every_label_is_told_what_became_of_it(store: Store) -> None:
    body = [
        {"id": "a", "label": 1}, {"id": "a", "label": 1}, {"id": "z", "label": 1}, {"id": "old", "label": 1},
        {"id": "forged", "label": 1}, {"id": "b", "labels": [1, 0]}, {"label": 1}, {"entity": "u", "label": 1, "within": "7d"},
    ]  # fmt: skip

    found = post(store, json.dumps(body))

    assert (found.status_code, found.headers["content-type"]) == (200, "application/json")
    assert found.json() == {
        "matched": 4,
        "unknown": 1,
        "duplicate": 1,
        "invalid": 2,
        "too_late": 1,
        "first_invalid": [
            {"place": 5, "reason": "is no label of its prediction, or the id is forged"},
            {"place": 7, "reason": "no_id: expected prediction_id, or entity and within"},
        ],
    }


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ('{"prediction_id": "a", "label": 1}', "application/json"),
        ('{"id": "a", "value": 1}\n', "application/x-ndjson"),
        ("id,label\na,1\n", "text/csv; charset=utf-8"),
        ("id\tlabel\na\t1\n", "text/tab-separated-values"),
    ],
)
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_labels_are_taken_in_every_form_and_on_every_loop(body: str, kind: str, backend: str, store: Store) -> None:
    async def one() -> httpx.Response:
        return await posted(answers_of(store), body, kind=kind)

    found = anyio.run(one, backend=backend)

    assert found.json() == {"matched": 1, "unknown": 0, "duplicate": 0, "invalid": 0, "too_late": 0}


def test_what_is_sent_twice_is_told_as_a_duplicate(store: Store) -> None:
    answers = answers_of(store)

    async def twice() -> list[int]:
        return [(await posted(answers, '{"id": "a", "label": 1}')).json()["duplicate"] for _ in range(2)]

    assert anyio.run(twice) == [0, 1]


def test_an_empty_list_is_taken_and_bothers_nobody(store: Store) -> None:
    found = post(store, "[]")

    assert (found.status_code, found.json()["matched"], store.threads) == (200, 0, set())


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer wrong"},
        {"cookie": f"dashlight_token={TOKEN}"},
        {"cookie": f"dashlight_token={LABELS_TOKEN}"},
        {"authorization": "Bearer "},
    ],
    ids=["nothing", "wrong", "cookie", "cookie of labels", "empty"],
)
def test_who_shows_no_token_of_labels_learns_nothing(headers: Mapping[str, str], store: Store) -> None:
    found = post(store, '{"id": "a", "label": 1}', headers)

    assert (found.status_code, found.text, store.taken) == (401, "a token is wanted\n", [])


@pytest.mark.parametrize("token", [TOKEN, LABELS_TOKEN])
@pytest.mark.parametrize("header", ["authorization", "x-dashlight-token"])
def test_both_tokens_are_good_for_labels(token: str, header: str, store: Store) -> None:
    shown = {header: f"Bearer {token}" if header == "authorization" else token}

    assert post(store, '{"id": "a", "label": 1}', shown).status_code == 200


def test_the_token_of_labels_is_good_for_nothing_else(ask: Any, scope: Any, store: Store) -> None:
    answers = Answers("/dashlight")
    access = Access(LABELS_TOKEN, TOKEN, takes_cookies=False)
    answers.open(ServedApp(Access(TOKEN), lambda: None, TakesLabels(store.label, access, lambda: NOW)))

    async def status(path: str, token: str) -> int:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(answers)) as client:
            return (await client.get(f"http://app{path}", headers={"authorization": f"Bearer {token}"})).status_code

    paths = ["/dashlight/metrics", "/dashlight", "/dashlight/labels/", "/dashlight/else"]
    assert [anyio.run(status, path, LABELS_TOKEN) for path in paths] == [401] * 4
    assert [anyio.run(status, path, TOKEN) for path in paths] == [503, 404, 404, 404]


def test_where_metrics_are_off_they_are_not_served_beside_labels(store: Store) -> None:
    async def status() -> int:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(answers_of(store))) as client:
            shown = {"authorization": f"Bearer {TOKEN}"}
            return (await client.get("http://app/dashlight/metrics", headers=shown)).status_code

    assert anyio.run(status) == 404


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_labels_can_only_be_posted(method: str, store: Store) -> None:
    found = post(store, method=method)

    assert (found.status_code, found.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize(
    ("kind", "headers", "sentence"),
    [
        ("application/x-www-form-urlencoded", {}, "expected a Content-Type of application/json, "),
        ("text/plain", {}, "expected a Content-Type of application/json, "),
        ("", {}, "expected a Content-Type of application/json, "),
        ("text/csv; charset=latin-1", {}, "expected a Content-Type of application/json, "),
        ("application/json", {"content-encoding": "gzip"}, "expected a body that is not compressed"),
    ],
    ids=["what curl says unless told", "text", "none", "other letters", "gzip"],
)
def test_another_kind_of_body_is_told_what_is_wanted(
    kind: str, headers: Mapping[str, str], sentence: str, store: Store
) -> None:
    found = post(store, gzip.compress(b"{}"), {**SHOWN, **headers}, kind=kind)

    assert (found.status_code, found.text.startswith(sentence)) == (415, True)


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"", "application/json", 400),
        (b"{", "application/json", 400),
        (b"a,b\n1,2", "text/csv", 400),
        (b"[" + b"1," * 60_000 + b"1]", "application/json", 413),
        (b" " * (MOST_BYTES + 1), "application/json", 413),
    ],
    ids=["empty", "cut", "no header", "too many", "too large"],
)
def test_a_body_that_cannot_be_taken_costs_one_sentence(body: bytes, kind: str, status: int, store: Store) -> None:
    found = post(store, body, kind=kind)

    assert (found.status_code, found.text.count("\n"), store.threads) == (status, 1, set())


def test_what_announces_too_much_is_refused_before_it_is_read(store: Store) -> None:
    async def one() -> tuple[int, list[Any]]:
        sent, read = list[Any](), list[Any]()

        async def receive() -> Any:
            read.append(1)
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        headers = [
            *((name.encode(), value.encode()) for name, value in SHOWN.items()),
            (b"content-type", b"text/csv"),
            (b"content-length", b"1048577"),
        ]
        scope = {"type": "http", "path": "/dashlight/labels", "method": "POST", "headers": headers, "query_string": b""}
        await answers_of(store)(scope, receive, send)
        return sent[0]["status"], read

    assert anyio.run(one) == (413, [])


def test_reading_stops_at_the_limit(store: Store) -> None:
    async def one() -> tuple[int, int]:
        sent, read = list[Any](), list[int]()

        async def receive() -> Any:
            read.append(1)
            return {"type": "http.request", "body": b" " * 65536, "more_body": True}

        async def send(message: Any) -> None:
            sent.append(message)

        headers = [*((n.encode(), v.encode()) for n, v in SHOWN.items()), (b"content-type", b"application/json")]
        scope = {"type": "http", "path": "/dashlight/labels", "method": "POST", "headers": headers, "query_string": b""}
        await answers_of(store)(scope, receive, send)
        return sent[0]["status"], len(read)

    assert anyio.run(one) == (413, MOST_BYTES // 65536 + 1)


def test_a_slow_client_is_told_so_and_frees_its_place(store: Store) -> None:
    route = labels_route(store.label, lambda: NOW, patience_seconds=0.05)

    async def one() -> int:
        statuses: list[int] = []

        async def receive() -> Any:
            await anyio.sleep_forever()

        async def send(message: Any) -> None:
            statuses.append(message.get("status", 0))

        scope = {
            "type": "http", "path": "/labels", "method": "POST", "query_string": b"",
            "headers": [(b"content-type", b"application/json")],
        }  # fmt: skip
        for _ in range(3):
            async with anyio.create_task_group() as clients:
                for _ in range(16):
                    clients.start_soon(route.handle, scope, receive, send)
        return statuses.count(408)

    assert anyio.run(one) == 48


def test_a_client_that_leaves_costs_nothing(store: Store) -> None:
    async def one() -> list[Any]:
        sent: list[Any] = []
        pieces = iter([{"type": "http.request", "body": b'{"id"', "more_body": True}, {"type": "http.disconnect"}])

        async def receive() -> Any:
            return next(pieces)

        async def send(message: Any) -> None:
            sent.append(message)

        headers = [*((n.encode(), v.encode()) for n, v in SHOWN.items()), (b"content-type", b"application/json")]
        scope = {"type": "http", "path": "/dashlight/labels", "method": "POST", "headers": headers, "query_string": b""}
        await answers_of(store)(scope, receive, send)
        return sent

    assert anyio.run(one)[0]["status"] == 400
    assert store.threads == set()


def test_a_store_that_fails_is_told_once_and_whoever_sends_shall_come_again(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    store.mistake = OSError("of a value that nobody shall see")
    answers = answers_of(store)

    async def twice() -> list[httpx.Response]:
        return [await posted(answers, '{"id": "a", "label": 1}') for _ in range(2)]

    found = anyio.run(twice)

    assert [(each.status_code, each.headers["retry-after"]) for each in found] == [(503, "1")] * 2
    assert caplog.text.count("labels cannot be stored") == 1
    assert "nobody shall see" not in caplog.text


def test_labels_are_stored_aside_from_the_event_loop(store: Store) -> None:
    post(store, '{"id": "a", "label": 1}')

    assert store.threads
    assert threading.get_ident() not in store.threads


def test_a_store_that_hangs_leaves_the_loop_and_the_threads_of_the_app_alone(store: Store) -> None:
    store.hangs = threading.Event()
    statuses: list[int] = []

    async def clients() -> None:
        answers = answers_of(store)

        async def one() -> None:
            statuses.append((await posted(answers, '{"id": "a", "label": 1}')).status_code)

        async with anyio.create_task_group() as senders:
            for _ in range(2):
                senders.start_soon(one)
            for _ in range(2):
                await anyio.to_thread.run_sync(store.entered.acquire)
            for _ in range(20):
                refused = await posted(answers, '{"id": "a", "label": 1}')
                assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
            assert anyio.to_thread.current_default_thread_limiter().borrowed_tokens == 0
            assert store.hangs is not None
            store.hangs.set()

    anyio.run(clients)

    assert statuses == [200, 200]
