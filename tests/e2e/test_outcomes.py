"""How requests ended, as a collector hears it from a server: in spans and in events alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Any

import httpx
import pytest

COMMAND = ["uvicorn", "outcomes:app", "--port", "{port}", "--log-level", "critical"]
Serving = Callable[..., AbstractContextManager[str]]
UPLOADS = 60
HANGS_UP = {"connection": "close"}
"""Of a request after which the server hangs up: the connection is not to be used again."""


@pytest.fixture
def client(served: Serving, collector: Any) -> Iterator[httpx.Client]:
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "DASHLIGHT_SAMPLE_RATE": "1", "DASHLIGHT_CPU": "100%"}
    with served(COMMAND, environ) as url, httpx.Client(base_url=url, trust_env=False, timeout=60) as client:
        yield client


def ended(collector: Any, count: int) -> list[tuple[Any, ...]]:
    """Path, outcome, error type and status of each request, of which span and event must say the same."""
    spans = collector.wait_for("span", count)
    events = collector.wait_until(
        "event", lambda items: [each for each in items if each["name"] == "dashlight.prediction"], count=count
    )
    names = ("dashlight.outcome", "error.type", "http.response.status_code")
    by_span = {each["span_id"]: each["attributes"] for each in events}
    for span in spans:
        said = by_span[span["span_id"]]
        assert [span["attributes"].get(name) for name in names] == [said.get(name) for name in names]
        assert span["status"] == ("error" if said["dashlight.outcome"] == "error" else "unset")
    return [(each["attributes"]["url.path"], *(each["attributes"].get(name) for name in names)) for each in spans]


def test_streams_that_are_whole_broken_or_left_are_told_apart(client: httpx.Client, collector: Any) -> None:
    client.post("/stream", params={"count": 3})
    for breaks_at in (0, 2):
        client.post("/stream", params={"count": 3, "breaks_at": breaks_at}, headers=HANGS_UP)
    with client.stream("POST", "/stream", params={"count": 500}) as answer:
        next(answer.iter_raw())

    assert sorted(ended(collector, 4)) == [
        ("/stream", "client_disconnect", None, 200),
        ("/stream", "error", "LookupError", 200),
        ("/stream", "error", "LookupError", 200),
        ("/stream", "ok", None, 200),
    ]


def test_failures_before_and_inside_the_answer_are_told(client: httpx.Client, collector: Any) -> None:
    client.post("/raise", headers=HANGS_UP)
    client.post("/says", params={"age": -1}, json={"age": -1})
    client.post("/says", params={"age": 1}, json={"age": 1})

    found = sorted(ended(collector, 3))
    assert found[1:] == [("/says", "error", "model", 200), ("/says", "ok", None, 200)]
    assert (found[0][0], found[0][1], found[0][3]) == ("/raise", "error", 500)


def test_large_exchanges_are_counted_one_and_all(client: httpx.Client, collector: Any) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: client.post("/says", params={"age": 1}, content=bytes(4 * 2**20)), range(UPLOADS)))
    for _ in range(3):
        client.post("/large", content=bytes(70 * 2**20))

    found = Counter(path for path, *_ in ended(collector, UPLOADS + 3))
    assert found == {"/says": UPLOADS, "/large": 3}
