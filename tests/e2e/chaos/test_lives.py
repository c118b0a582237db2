"""Servers that end while their collector is away: what they sampled arrives, from the next server or by hand."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

PATIENCE_SECONDS = 40.0
COUNT = 40
APPS = Path(__file__).parents[1] / "apps"


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(is_there: Callable[[], bool]) -> bool:
    """Whether it is there, at the latest when patience ends."""
    end_at = time.monotonic() + PATIENCE_SECONDS
    while not is_there() and time.monotonic() < end_at:
        time.sleep(0.05)
    return is_there()


class Server:
    """uvicorn with a watched app, and what it needs to know of its collector."""

    def __init__(self, state: Path, url: str, log: Path, *words: str, **environ: str) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        self.environ = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, (str(APPS), os.environ.get("PYTHONPATH", "")))),
            "DASHLIGHT_STATE_DIR": str(state),
            "DASHLIGHT_COLLECTOR": url,
            "DASHLIGHT_COLLECTOR_FORMAT": "ndjson",
            "DASHLIGHT_SAMPLE_RATE": "1",
            "DASHLIGHT_SHUTDOWN_TIMEOUT": "5s",
            "DASHLIGHT_PANE": "500ms",
            **environ,
        }
        port = self.url.rpartition(":")[2]
        with log.open("ab") as output:
            self.child = subprocess.Popen(
                [sys.executable, "-m", "uvicorn", "served:app", "--port", port, *words],
                stdout=output, stderr=output, env=self.environ,
            )  # fmt: skip
        assert until(self._answers), log.read_text()
        # The analysis starts behind the server, and is there once every worker has entered its directory.
        before = self._entered(state)
        workers = int(words[words.index("--workers") + 1]) if "--workers" in words else 1
        assert until(lambda: self._entered(state) >= max(before, workers)), log.read_text()

    def ask(self, count: int = COUNT) -> None:
        """So many requests, each of which becomes an event."""
        with httpx.Client(base_url=self.url, trust_env=False) as client:
            for number in range(count):
                client.post("/predict/m", json={"x": number, "y": 0.5})

    def end(self, number: int = signal.SIGTERM) -> None:
        """Ends it by a signal."""
        self.child.send_signal(number)
        self.child.wait(PATIENCE_SECONDS)

    def _entered(self, state: Path) -> int:
        return sum(len(path.read_text().split()) for path in state.glob("*/entered"))

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/healthz", trust_env=False).status_code < 500
        except httpx.HTTPError:
            return False


@dataclass(frozen=True)
class Life:
    """How a server is started, and what its collector does."""

    words: tuple[str, ...]
    collector: str


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Starts servers on one state directory."""
    made: list[Server] = []

    def start(url: str, *words: str, **environ: str) -> Server:
        made.append(Server(tmp_path / "state", url, tmp_path / "server.log", *words, **environ))
        return made[-1]

    yield start
    for each in made:
        if each.child.poll() is None:
            each.child.kill()
            each.child.wait()


@pytest.fixture
def spool(tmp_path: Path) -> Callable[..., tuple[int, Any]]:
    """Runs `dashlight spool` and gives its status and what it printed."""

    def run(action: str, **environ: str) -> tuple[int, Any]:
        command = [sys.executable, "-m", "dashlight.cli.main", "spool", action, str(tmp_path / "state"), "--json"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **environ})
        return done.returncode, json.loads(done.stdout)

    return run


def waiting(spool: Any) -> int:
    """How many entries wait on disk."""
    return sum(row["count"] for row in spool("list")[1]["waiting"])


def predictions(storms: Any) -> int:
    """How many different predictions arrived."""
    return len(storms.predictions)


@pytest.mark.parametrize(
    "life",
    [
        Life((), "away"),
        Life((), "hanging"),
        Life(("--workers", "2"), "away"),
        Life(("--workers", "2"), "hanging"),
        # Such a server tells nobody that it ends: what hangs in a request then goes with it.
        Life(("--lifespan", "off"), "away"),
    ],
    ids=["away", "hanging", "away from two workers", "hanging for two workers", "away without lifespan"],
)
def test_what_a_server_had_sampled_when_it_was_ended_arrives_from_the_next(
    server: Callable[..., Server], misbehaving: Any, storms: Any, spool: Any, life: Life
) -> None:
    if "--workers" in life.words and os.environ.get("CHAOS") != "long":
        pytest.skip("make chaos takes its time for that")
    storms.is_away, storms.coming = life.collector == "away", ["hang"] * 9 if life.collector == "hanging" else []
    collector = misbehaving(storms)
    one = server(collector.url, *life.words)
    one.ask()
    if "--lifespan" in life.words:
        assert until(lambda: waiting(spool) >= COUNT)
    one.end()
    before = predictions(storms)
    storms.is_away, storms.coming = False, []
    two = server(collector.url, *life.words)

    assert before == 0
    assert until(lambda: predictions(storms) == COUNT)
    two.end()


def test_what_was_on_disk_when_a_server_was_killed_arrives_from_the_next(
    server: Callable[..., Server], misbehaving: Any, storms: Any, spool: Any
) -> None:
    storms.is_away = True
    collector = misbehaving(storms)
    one = server(collector.url)
    one.ask()
    assert until(lambda: waiting(spool) >= COUNT)
    one.end(signal.SIGKILL)
    storms.is_away = False
    two = server(collector.url)

    assert until(lambda: predictions(storms) == COUNT)
    two.end()
    status, found = spool("list")
    assert (status, found["waiting"]) == (0, [])


def test_what_a_server_left_is_sent_by_hand(
    server: Callable[..., Server], misbehaving: Any, storms: Any, spool: Any
) -> None:
    storms.is_away = True
    collector = misbehaving(storms)
    one = server(collector.url)
    one.ask()
    one.end()
    to = {"DASHLIGHT_COLLECTOR": collector.url, "DASHLIGHT_COLLECTOR_FORMAT": "ndjson"}
    other_format = {"DASHLIGHT_COLLECTOR": collector.url, "DASHLIGHT_COLLECTOR_FORMAT": "otlp"}
    wrong = spool("send", **other_format)
    storms.is_away = False
    right = spool("send", **to)

    assert (wrong[0], wrong[1]["delivered"]) == (1, 0)
    assert (right[0], right[1]["left"], right[1]["lost"]) == (0, 0, 0)
    assert right[1]["delivered"] >= COUNT
    assert predictions(storms) == COUNT
    assert spool("list")[1]["waiting"] == []
    command = [sys.executable, "-m", "dashlight.cli.main", "spool", "send", one.environ["DASHLIGHT_STATE_DIR"]]
    again = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, **to})
    assert again.stdout == "0 delivered, 0 refused or damaged, 0 left\n"


def test_a_living_server_is_left_alone_by_the_commands(
    server: Callable[..., Server], misbehaving: Any, storms: Any, spool: Any
) -> None:
    storms.is_away = True
    collector = misbehaving(storms)
    one = server(collector.url)
    one.ask()
    assert until(lambda: waiting(spool) > 0)
    to = {"DASHLIGHT_COLLECTOR": collector.url, "DASHLIGHT_COLLECTOR_FORMAT": "ndjson"}

    assert spool("send", **to) == (0, {"delivered": 0, "lost": 0, "left": 0})
    assert spool("verify")[0] == 0
    storms.is_away = False
    assert until(lambda: predictions(storms) == COUNT)
    one.end()
