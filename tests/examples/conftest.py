"""Runs an example as its README says: a collector, the app behind uvicorn, and people who use it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
PATIENCE_SECONDS = 30.0


@dataclass
class Story:
    """What people did, and what Dashlight told."""

    output: Path
    said: list[tuple[float, str]] = field(default_factory=list[tuple[float, str]])
    """Lines that the simulation printed, with when."""

    def events(self, name: str) -> list[dict[str, Any]]:
        # The last line may be half written.
        lines = self.output.read_text().rpartition("\n")[0].splitlines() if self.output.exists() else []
        return [event for event in map(json.loads, lines) if event.get("name") == name]

    def alerts(self) -> list[dict[str, Any]]:
        """All that fired whose source is performance."""
        return [
            member
            for event in self.events("dashlight.alert")
            for member in event["attributes"]["dashlight.alert.members"]
            if member["source"] == "performance" and member["state"] == "firing"
        ]

    def figures(self, name: str) -> list[tuple[float, float]]:
        """When, and what, of one statistic of the model."""
        return [
            (event["at"], score["value"])
            for event in self.events("dashlight.scores")
            for score in event["attributes"]["dashlight.scores"]
            if score["statistic"] == name
        ]

    @property
    def turned_at(self) -> float:
        """When the world changed: the first thing that the simulation says."""
        return self.said[0][0]


def until(look: Callable[[], Any], is_there: Callable[[Any], bool] = bool) -> Any:
    """What *look* sees once it *is_there*, or at the end of patience."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    seen = look()
    while not is_there(seen) and time.monotonic() < deadline:
        time.sleep(0.05)
        seen = look()
    return seen


def exported(readme: str) -> dict[str, str]:
    """What the commands of a README export; the shortest names of Dashlight's settings among them."""
    found: dict[str, str] = {}
    for line in re.findall(r"^\$ export (.*)$", readme, flags=re.MULTILINE):
        found |= dict(re.findall(r"(\w+)=(\S+)", line.partition("#")[0]))
    return found


@contextmanager
def running(
    command: Sequence[str], log: Path, environ: Mapping[str, str], directory: Path
) -> Generator[subprocess.Popen[bytes], None, None]:
    """A child process with its output in *log*, terminated at the end."""
    with log.open("wb") as output:
        child = subprocess.Popen(list(command), stdout=output, stderr=subprocess.STDOUT, env=environ, cwd=directory)
    try:
        yield child
    finally:
        child.terminate()
        try:
            child.wait(20)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def address(log: Path) -> str:
    """The URL that a server says it listens on."""
    found = until(lambda: re.search(r"http://127\.0\.0\.1:\d+", log.read_text()))
    assert found, log.read_text()
    return str(found[0])


@pytest.fixture
def live(tmp_path: Path) -> Callable[..., Story]:
    """Lives through an example; returns once an alert of performance came and the simulation is over."""

    def lived(name: str, *words: str) -> Story:
        directory, story = EXAMPLES / name, Story(tmp_path / "events.ndjson")
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("DASHLIGHT_", "OTEL_"))}
        logs = {each: tmp_path / f"{each}.log" for each in ("collector", "app")}
        collect = ["-m", "dashlight.cli.main", "collect", "--listen", "127.0.0.1:0", "--output", str(story.output)]
        serve = ["-m", "uvicorn", "app:app", "--port", "0"]
        with running([sys.executable, *collect], logs["collector"], kept, tmp_path):
            settings = exported((directory / "README.md").read_text())
            environ = kept | settings | {"DASHLIGHT_COLLECTOR": address(logs["collector"])}
            with running([sys.executable, *serve], logs["app"], environ, directory):
                url = address(logs["app"])
                until(lambda: is_up(url))
                simulate = [sys.executable, "simulate.py", url, *words]
                with subprocess.Popen(
                    simulate, stdout=subprocess.PIPE, text=True, env=environ, cwd=directory
                ) as people:
                    assert people.stdout is not None
                    story.said += [(time.time(), line.strip()) for line in people.stdout]
                assert people.returncode == 0
                until(story.alerts)
        return story

    return lived


def is_up(url: str) -> bool:
    """Whether anybody answers at *url*."""
    try:
        httpx.get(url, trust_env=False)
    except httpx.HTTPError:
        return False
    return True
