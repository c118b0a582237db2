"""k workers are one: the same requests through any number of them give the same counts, scores and alert."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from dashlight.window.reference.build import build_reference_from_columns
from dashlight.window.reference.file import dump

PATIENCE_SECONDS = 30.0
REQUESTS, SHIFTED_FROM = 20_000, 12_000
DECODED = REQUESTS - REQUESTS // 200
"""A request that fails is counted, and its rows are not."""
CONNECTIONS = 32
TOKEN = "the-token-of-this-test"
ROUTE = "unmatched"
"""Of what an application without a router is asked; whether it is there, the harness asks at an excluded URL."""
UVICORN = ["uvicorn", "many_workers:app", "--port", "{port}", "--log-level", "warning"]
GUNICORN = [
    "gunicorn", "many_workers:app", "--workers", "4", "--bind", "127.0.0.1:{port}",
    "--worker-class", "uvicorn_worker.UvicornWorker",
]  # fmt: skip
SERVERS = {
    "uvicorn --workers 4": [*UVICORN, "--workers", "4"],
    "gunicorn": GUNICORN,
    "gunicorn --preload": [*GUNICORN, "--preload"],
    "granian": [
        "granian", "--interface", "asgi", "many_workers:app", "--host", "127.0.0.1", "--port", "{port}",
        "--workers", "4",
    ],
}  # fmt: skip


@dataclass(frozen=True)
class Watch:
    """What was told of all requests, whoever served them."""

    served: Counter[str]
    """Requests by outcome, as metrics have it."""
    scores: dict[tuple[str, str, str], float]
    """The last scores of the model, by column and statistic."""
    alerts: list[tuple[str, str, str]]
    """Key, column and state of every alert that fired or ended."""
    judges: int
    """Processes that sent scores."""
    workers: int
    """Processes that sent events of single requests."""
    scrapes: list[int]
    """Requests in all, as one scrape after another saw them."""


@pytest.fixture(scope="module")
def bodies() -> list[bytes]:
    """The requests: from SHIFTED_FROM on people are older."""
    rng = np.random.default_rng(5)
    ages = rng.normal(40, 10, REQUESTS)
    ages[SHIFTED_FROM:] += 15
    rows = zip(ages.tolist(), rng.gamma(4, 500, REQUESTS).tolist(), strict=True)
    return [
        json.dumps({"age": age, "income": income, "number": number}).encode()
        for number, (age, income) in enumerate(rows)
    ]


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """5,000 rows of before."""
    rng = np.random.default_rng(6)
    income = rng.gamma(4, 500, 5000)
    columns = {"age": rng.normal(40, 10, 5000), "income": income, "score": income / 10_000}
    path = tmp_path_factory.mktemp("reference") / "reference.json"
    path.write_bytes(dump(build_reference_from_columns(columns, {"score": "output"}, rng=rng, created_at=0.0)))
    return path


@pytest.fixture
def watched(
    served: Callable[..., AbstractContextManager[str]], collector: Any, bodies: list[bytes], reference: Path
) -> Callable[[Sequence[str], int], Watch]:
    """Puts all requests to a server, and gives what Dashlight made of them."""

    def through(command: Sequence[str], workers: int) -> Watch:
        environ = {
            "DASHLIGHT_COLLECTOR": f"{collector.url}/events",
            "DASHLIGHT_COLLECTOR_FORMAT": "ndjson",
            "DASHLIGHT_REFERENCE": str(reference),
            "DASHLIGHT_IGNORE": "number",
            "DASHLIGHT_PANE": "500ms",
            "DASHLIGHT_CPU": "100%",
            "DASHLIGHT_METRICS": "true",
            "DASHLIGHT_TOKEN": TOKEN,
        }
        told = len(collector.items("event"))
        with served(command, environ) as url:
            until(lambda: sum(sampled(url, "dashlight_workers").values()), lambda count: count == workers)
            asyncio.run(ask(url, bodies))
            scrapes: list[int] = []
            for _ in range(10):
                scrape(url, scrapes)
            until(lambda: scrape(url, scrapes), lambda count: count >= REQUESTS)
            whole = collector.wait_until("event", lambda items: [each for each in items[told:] if is_whole(each)])
            served_requests = counted(url)
        events = collector.items("event")[told:]
        return Watch(
            served=served_requests,
            scores={
                (score["role"], score["column"], score["statistic"]): score["value"]
                for score in whole[-1]["attributes"]["dashlight.scores"]
                if score.get("column")
            },
            alerts=[
                (member["key"], member.get("column", ""), member["state"])
                for each in events
                if each["name"] == "dashlight.alert"
                for member in each["attributes"]["dashlight.alert.members"]
            ],
            judges=len(instances(events, "dashlight.scores")),
            workers=len(instances(events, "dashlight.prediction")),
            scrapes=scrapes,
        )

    return through


ALONE: list[Watch] = []


@pytest.fixture
def one_worker(watched: Callable[[Sequence[str], int], Watch]) -> Watch:
    """What one worker made of the requests, which are put to it once."""
    if not ALONE:
        ALONE.append(watched(UVICORN, 1))
    return ALONE[0]


@pytest.mark.parametrize("command", SERVERS.values(), ids=SERVERS.keys())
def test_four_workers_say_what_one_says(
    watched: Callable[[Sequence[str], int], Watch], command: list[str], one_worker: Watch
) -> None:
    four = watched(command, 4)

    assert four.served == one_worker.served
    assert sum(four.served.values()) == REQUESTS
    assert four.scores == one_worker.scores
    assert four.alerts == one_worker.alerts
    assert [(column, state) for _, column, state in four.alerts] == [("age", "firing")]
    assert four.judges == 1
    assert four.workers > 1
    assert four.scrapes == sorted(four.scrapes)


def instances(events: Sequence[dict[str, Any]], name: str) -> set[str]:
    return {each["resource"]["service.instance.id"] for each in events if each["name"] == name}


def is_whole(event: dict[str, Any]) -> bool:
    """Whether *event* has the scores of the model over all requests."""
    if event["name"] != "dashlight.scores" or "dashlight.model.state" not in event["attributes"]:
        return False
    rows = [score["rows"] for score in event["attributes"]["dashlight.scores"] if score.get("column") == "age"]
    return max(rows, default=0) == DECODED


def counted(url: str) -> Counter[str]:
    """Requests by outcome, from one scrape."""
    return sampled(url, "dashlight_requests_total", "dashlight_outcome")


def scrape(url: str, scrapes: list[int]) -> int:
    """Requests in all, which is added to *scrapes*."""
    scrapes.append(sum(counted(url).values()))
    return scrapes[-1]


def sampled(url: str, name: str, label: str = "") -> Counter[str]:
    """One metric by a label, of ROUTE where it has routes, from one scrape; nothing while there are no figures."""
    answer = httpx.get(f"{url}/dashlight/metrics", headers={"x-dashlight-token": TOKEN}, trust_env=False)
    found: Counter[str] = Counter()
    if answer.status_code == 200 and answer.headers["content-type"].startswith("text/plain"):
        for family in text_string_to_metric_families(answer.text):
            for sample in family.samples:
                if sample.name == name and sample.labels.get("http_route", ROUTE) == ROUTE:
                    found[sample.labels.get(label, "")] += int(sample.value)
    return found


def until(look: Callable[[], Any], is_there: Callable[[Any], bool]) -> Any:
    """What *look* sees once it *is_there*, or at the end of patience."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    seen = look()
    while not is_there(seen) and time.monotonic() < deadline:
        time.sleep(0.05)
        seen = look()
    return seen


async def ask(url: str, bodies: Sequence[bytes]) -> None:
    """Sends all *bodies*, in their order as far as many connections at once keep it."""
    waiting: Iterator[bytes] = iter(bodies)
    host, port = url.removeprefix("http://").split(":")

    async def exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, body: bytes) -> None:
        head = f"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in answer.lower().split(b"\r\n") if line.startswith(b"content-length"))
        await reader.readexactly(int(length.split(b":")[1]))

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for body in waiting:
            await exchange(reader, writer, body)
        writer.close()
        await writer.wait_closed()

    # One after the other: of connections that come at once, one worker would take them all.
    connections = []
    for _ in range(CONNECTIONS):
        connections.append(await asyncio.open_connection(host, int(port)))
        await exchange(*connections[-1], next(waiting))
    await asyncio.gather(*(converse(*connection) for connection in connections))
