"""Real servers and a real collector on loopback, each ended by its process id."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

PATIENCE_SECONDS = 30.0


@dataclass(frozen=True)
class Collector:
    """A running `dashlight collect`."""

    url: str
    output: Path

    def items(self, kind: str) -> list[dict[str, Any]]:
        """What has arrived of this kind: `span`, `event` or `metric`."""
        lines = self.output.read_text().splitlines() if self.output.exists() else []
        return [item for item in map(json.loads, lines) if item["kind"] == kind]

    def wait_for(self, kind: str, count: int) -> list[dict[str, Any]]:
        """The items of *kind* once there are *count* of them."""
        found: list[dict[str, Any]] = until(lambda: self.items(kind), lambda items: len(items) >= count)
        return found


def until(look: Callable[[], Any], is_there: Callable[[Any], bool]) -> Any:
    """What *look* sees once it *is_there*, or at the end of patience."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    seen = look()
    while not is_there(seen) and time.monotonic() < deadline:
        time.sleep(0.05)
        seen = look()
    return seen


@contextmanager
def running(command: Sequence[str], log: Path, **environ: str) -> Iterator[subprocess.Popen[bytes]]:
    """A child process with its output in *log*, terminated at the end."""
    with log.open("wb") as output:
        child = subprocess.Popen(list(command), stdout=output, stderr=subprocess.STDOUT, env={**os.environ, **environ})
    try:
        yield child
    finally:
        child.terminate()
        try:
            child.wait(20)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[Collector]:
    """The development collector, writing what arrives to a file."""
    output, log = tmp_path / "collected.ndjson", tmp_path / "collector.log"
    command = [
        sys.executable,
        "-m",
        "dashlight.cli.main",
        "collect",
        "--listen",
        "127.0.0.1:0",
        "--output",
        str(output),
    ]
    with running(command, log):
        found = until(lambda: re.search(r"http://127\.0\.0\.1:\d+", log.read_text()), bool)
        assert found, log.read_text()
        yield Collector(found[0], output)


@pytest.fixture
def served(tmp_path: Path) -> Callable[..., Any]:
    """Starts a server command (with {port} in it) and gives its base URL once it answers."""

    @contextmanager
    def start(command: Sequence[str], environ: Mapping[str, str]) -> Iterator[str]:
        port, log = free_port(), tmp_path / "server.log"
        filled = [piece.replace("{port}", str(port)) for piece in command]
        apps = str(Path(__file__).parent / "apps")
        with running(
            filled, log, PYTHONPATH=apps, PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}", **environ
        ):
            url = f"http://127.0.0.1:{port}"
            assert until(lambda: answers(url), bool), log.read_text()
            yield url
        assert "Traceback" not in log.read_text(), log.read_text()

    return start


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz", trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False
