"""Workers come and go, die and are replaced: what the host counted stays, and one of them judges."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from dashlight.window.columns import Reference
from dashlight.window.reference.build import build_reference_from_columns
from dashlight.window.reference.file import dump

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="counts the workers by /proc")
PATIENCE_SECONDS = 30.0
TOKEN = "the-token-of-this-test"
ROUTE = "unmatched"
"""Of what an application without a router is asked; whether it is there, the harness asks at an excluded URL."""
AGE_OF_OLD_PEOPLE = 70.0
GUNICORN = [
    "gunicorn", "many_workers:app", "--workers", "2", "--bind", "127.0.0.1:{port}", "--pid", "{pid}",
    "--worker-class", "uvicorn_worker.UvicornWorker", "--log-level", "warning",
]  # fmt: skip


@dataclass
class Server:
    """A running gunicorn, and how many requests it was asked."""

    url: str
    pid_file: Path
    asked: int = 0

    @cached_property
    def pid(self) -> int:
        """Of the process whose children the workers are; read once, because a reload writes the file anew."""
        return int(self.pid_file.read_text())

    @property
    def workers(self) -> set[int]:
        """The process ids of the workers."""
        return {pid for pid, parent in parents() if parent == self.pid}

    def ask(self, count: int, *, age: float = 40.0, rng: np.random.Generator | None = None) -> None:
        """Sends requests, each on a connection of its own, so that all workers get some."""
        rng = rng or np.random.default_rng(self.asked)
        for _ in range(count):
            self.asked += 1
            row = {"age": rng.normal(age, 10), "income": rng.gamma(4, 500), "number": 1}
            with httpx.Client(trust_env=False) as client:
                assert client.post(f"{self.url}/predict", json=row).status_code == 200

    def counted(self, name: str = "dashlight_requests_total") -> float:
        """The sum of one metric, of ROUTE where it has routes, from one scrape; -1 while there is none."""
        headers = {"x-dashlight-token": TOKEN}
        try:
            answer = httpx.get(f"{self.url}/dashlight/metrics", headers=headers, trust_env=False)
        except httpx.HTTPError:
            return -1.0
        if answer.status_code != 200 or not answer.headers["content-type"].startswith("text/plain"):
            return -1.0
        samples = [
            sample
            for family in text_string_to_metric_families(answer.text)
            for sample in family.samples
            if sample.name == name and sample.labels.get("http_route", ROUTE) == ROUTE
        ]
        return sum(sample.value for sample in samples)

    def wait_until_counted(self) -> float:
        """What was counted, once that is all that was asked."""
        found: float = until(self.counted, lambda count: count >= self.asked)
        return found

    def wait_for_workers(self, *, count: int, gone: Collection[int] = ()) -> bool:
        """Whether there are, in time, *count* workers, none of which is one of *gone*."""
        found: bool = until(lambda: len(self.workers) == count and not self.workers & set(gone), bool)
        return found


def parents() -> Iterator[tuple[int, int]]:
    """Every process that runs, and its parent; a zombie does not run."""
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended
            state, parent = (path / "stat").read_text().rpartition(")")[2].split()[:2]
            if state != "Z":
                yield int(path.name), int(parent)


def until(look: Callable[[], Any], is_there: Callable[[Any], bool]) -> Any:
    """What *look* sees once it *is_there*, or at the end of patience."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    seen = look()
    while not is_there(seen) and time.monotonic() < deadline:
        time.sleep(0.05)
        seen = look()
    return seen


@pytest.fixture
def gunicorn(served: Callable[..., Any], collector: Any, tmp_path: Path) -> Callable[..., Any]:
    """Starts gunicorn with two workers."""
    reference = tmp_path / "reference.json"
    reference.write_bytes(dump(people(age=40.0)))

    @contextmanager
    def start(**environ: str) -> Iterator[Server]:
        pid_file = tmp_path / "gunicorn.pid"
        settings = {
            "DASHLIGHT_COLLECTOR": f"{collector.url}/events",
            "DASHLIGHT_COLLECTOR_FORMAT": "ndjson",
            "DASHLIGHT_REFERENCE": str(reference),
            "DASHLIGHT_IGNORE": "number",
            "DASHLIGHT_PANE": "300ms",
            "DASHLIGHT_CPU": "100%",
            "DASHLIGHT_METRICS": "true",
            "DASHLIGHT_TOKEN": TOKEN,
        }
        command = [str(pid_file) if piece == "{pid}" else piece for piece in GUNICORN]
        with served(command, settings | environ) as url:
            yield Server(url, pid_file)

    return start


def people(*, age: float) -> Reference:
    """5,000 rows of people of about this age."""
    rng = np.random.default_rng(6)
    income = rng.gamma(4, 500, 5000)
    columns = {"age": rng.normal(age, 10, 5000), "income": income, "score": income / 10_000}
    return build_reference_from_columns(columns, {"score": "output"}, rng=rng, created_at=age)


def alerts(collector: Any) -> list[tuple[str, str]]:
    """Column and state of every alert on drift, each state once; that 70 years look like 40 miles is another alert."""
    told = {each["id"]: each["attributes"] for each in collector.items("event") if each["name"] == "dashlight.alert"}
    members = [
        (member["key"], member.get("column", ""), member["state"], member["at"])
        for each in told.values()
        for member in each["dashlight.alert.members"]
        if member["source"] == "drift"
    ]
    return [(column, state) for _, column, state, _ in dict.fromkeys(members)]


def test_nothing_is_lost_or_counted_twice_while_workers_die_are_added_and_replaced(
    gunicorn: Callable[..., Any], collector: Any
) -> None:
    with gunicorn() as server:
        server.ask(100)
        assert server.wait_until_counted() == 100

        for worker in sorted(server.workers):
            # One of them is the judge. Each has posted what it counted.
            os.kill(worker, signal.SIGKILL)
            assert server.wait_for_workers(count=2, gone=[worker])
            server.ask(50)
            assert server.wait_until_counted() == server.asked

        for wanted in range(3, 9):
            # One at a time: signals that wait are one.
            os.kill(server.pid, signal.SIGTTIN)
            assert server.wait_for_workers(count=wanted)
        server.ask(200)
        assert server.wait_until_counted() == server.asked
        assert until(lambda: server.counted("dashlight_workers"), lambda count: count == 8) == 8

        for wanted in range(7, 1, -1):
            os.kill(server.pid, signal.SIGTTOU)
            assert server.wait_for_workers(count=wanted)
        assert until(lambda: server.counted("dashlight_workers"), lambda count: count == 2) == 2
        server.ask(100, age=AGE_OF_OLD_PEOPLE)
        assert server.wait_until_counted() == server.asked

        before = server.workers
        os.kill(server.pid, signal.SIGHUP)
        assert server.wait_for_workers(count=2, gone=before)
        server.ask(100, age=AGE_OF_OLD_PEOPLE)
        assert server.wait_until_counted() == server.asked

    told = alerts(collector)
    assert {column for column, _ in told} == {"age"}
    # A late pane of people of forty may end it for a moment; the same is never told twice.
    assert all(state != following for (_, state), (_, following) in pairwise(told))
    assert told[-1] == ("age", "firing")


def test_a_reference_file_that_was_replaced_stays_in_force_when_the_judge_dies(
    gunicorn: Callable[..., Any], collector: Any, tmp_path: Path
) -> None:
    path = tmp_path / "reference.json"
    with gunicorn() as server:
        server.ask(50)
        server.wait_until_counted()
        older = tmp_path / "older.json"
        older.write_bytes(dump(people(age=AGE_OF_OLD_PEOPLE)))
        older.replace(path)
        server.ask(50, age=AGE_OF_OLD_PEOPLE)
        server.wait_until_counted()
        for worker in sorted(server.workers):
            os.kill(worker, signal.SIGKILL)
            assert server.wait_for_workers(count=2, gone=[worker])
        server.ask(300)

        # To people of forty it is the people of seventy that are usual now.
        assert ("age", "firing") in until(lambda: alerts(collector), bool)

    assert (tmp_path / "server.log").read_text().count("its rows are left out") <= 2


def test_windows_and_alerts_survive_a_restart_in_the_state_directory(
    gunicorn: Callable[..., Any], collector: Any, tmp_path: Path
) -> None:
    state = {"DASHLIGHT_STATE_DIR": str(tmp_path / "state")}
    with gunicorn(**state) as server:
        server.ask(200, age=AGE_OF_OLD_PEOPLE)
        server.wait_until_counted()
        until(lambda: alerts(collector), bool)
    with gunicorn(**state) as server:
        server.ask(100, age=AGE_OF_OLD_PEOPLE, rng=np.random.default_rng(9))
        server.asked = 300

        assert server.wait_until_counted() == 300
        in_force = server.counted("dashlight_alert_in_force")

    assert in_force >= 1
    assert alerts(collector) == [("age", "firing")]


def test_a_state_directory_that_cannot_be_used_is_said_once_and_the_server_goes_on(
    gunicorn: Callable[..., Any], tmp_path: Path, collector: Any
) -> None:
    (tmp_path / "state").write_text("a file, where a directory is wanted")

    with gunicorn(DASHLIGHT_STATE_DIR=str(tmp_path / "state")) as server:
        server.ask(200, age=AGE_OF_OLD_PEOPLE)
        fired = until(lambda: alerts(collector), bool)

    said = (tmp_path / "server.log").read_text()
    assert ("age", "firing") in fired
    # The two workers meet elsewhere, and one of them judges.
    assert said.count("nothing outlives this server") == 1, said
    assert "this process goes on alone" not in said


def test_two_applications_in_one_state_directory_do_not_mix(gunicorn: Callable[..., Any], tmp_path: Path) -> None:
    state = {"DASHLIGHT_STATE_DIR": str(tmp_path / "state")}
    for name in ("fraud", "churn"):
        with gunicorn(**state, OTEL_SERVICE_NAME=name) as server:
            server.ask(20)

            assert server.wait_until_counted() == 20

    written = sorted(path.name.partition("-")[0] for path in (tmp_path / "state").iterdir())
    assert written == ["churn", "fraud"]
