"""An alert arrives whatever becomes of the collector and of the process that owes it: once, after deduplication by its id."""

from __future__ import annotations

import gzip
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

PATIENCE_SECONDS = 40.0
APPS = Path(__file__).parents[1] / "apps"
SERVED = [sys.executable, "-m", "uvicorn", "served:app", "--port", "{port}", "--no-access-log"]
GUNICORN = [
    sys.executable, "-m", "gunicorn", "served:app", "--workers", "2", "--bind", "127.0.0.1:{port}",
    "--worker-class", "uvicorn_worker.UvicornWorker", "--graceful-timeout", "3",
]  # fmt: skip


class Answering(BaseHTTPRequestHandler):
    """Takes a request, and does with it what its collector is told to."""

    protocol_version = "HTTP/1.1"
    server: Listening  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.headers["content-encoding"] == "gzip":
            body = gzip.decompress(body)
        collector = self.server.collector
        collector.take(body)
        if collector.hang.is_set():
            collector.released.wait(PATIENCE_SECONDS)
        self.send_response(collector.status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as its base has it
        """Says nothing."""


class Listening(ThreadingHTTPServer):
    """The server of a collector."""

    daemon_threads = True
    collector: Collector


@dataclass
class Collector:
    """A collector at an address of its own, which may be away."""

    port: int = 0
    status: int = 200
    hang: threading.Event = field(default_factory=threading.Event)
    """While it is set, requests are taken and not answered."""
    released: threading.Event = field(default_factory=threading.Event)
    taken: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    """Alerts that it answered with 2xx, or not at all."""
    refused_count: int = 0
    _server: Listening | None = None

    def take(self, body: bytes) -> None:
        alerts = [line for line in map(json.loads, body.splitlines()) if line["name"] == "dashlight.alert"]
        if self.status < 300:
            self.taken += alerts
        else:
            self.refused_count += len(alerts)

    def start(self) -> None:
        self._server = Listening(("127.0.0.1", self.port), Answering)
        self._server.collector = self
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def ids(self) -> list[str]:
        return [alert["attributes"]["dashlight.event.id"] for alert in self.taken]


@pytest.fixture
def collector() -> Iterator[Collector]:
    made = Collector()
    made.start()
    yield made
    made.released.set()
    made.stop()


@dataclass
class App:
    """A running server."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path

    def ask(self) -> None:
        with httpx.Client(trust_env=False) as client:
            assert client.post(f"{self.url}/predict/m", json={"x": 1, "y": 2}).status_code == 200

    def ask_until(self, is_there: Callable[[], object]) -> None:
        """Asks a few times a second until it is."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not is_there():
            assert time.monotonic() < deadline, self.log.read_text()
            self.ask()
            time.sleep(0.1)

    def has_fired(self) -> bool:
        return "firing: /predict/{model}: throughput" in self.log.read_text()

    def end(self, how: signal.Signals) -> None:
        self.process.send_signal(how)
        self.process.wait(PATIENCE_SECONDS)


@pytest.fixture
def app(collector: Collector, tmp_path: Path) -> Callable[..., Any]:
    """Starts a server whose first request raises an alert, which stays in force."""
    number = iter(range(9))

    @contextmanager
    def start(command: list[str], **settings: str) -> Generator[App]:
        port, log = free_port(), tmp_path / f"server{next(number)}.log"
        environ = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, (str(APPS), os.environ.get("PYTHONPATH", "")))),
            "DASHLIGHT_COLLECTOR": f"http://127.0.0.1:{collector.port}/events",
            "DASHLIGHT_COLLECTOR_FORMAT": "ndjson",
            "DASHLIGHT_THRESHOLDS": "throughput<1000/s",
            "DASHLIGHT_PANE": "300ms",
            "DASHLIGHT_SHUTDOWN_TIMEOUT": "2s",
            **settings,
        }
        filled = [piece.replace("{port}", str(port)) for piece in command]
        with log.open("wb") as output:
            process = subprocess.Popen(filled, stdout=output, stderr=subprocess.STDOUT, env=environ)
        started = App(process, f"http://127.0.0.1:{port}", log)
        try:
            until(lambda: is_up(started.url), log)
            yield started
        finally:
            with suppress(ProcessLookupError):
                process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        assert "Traceback" not in log.read_text(), log.read_text()

    return start


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_up(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz", trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def until(is_there: Callable[[], object], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_there():
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)


def lasting(directory: Path) -> Mapping[str, str]:
    return {"DASHLIGHT_STATE_DIR": str(directory / "state")}


@pytest.mark.parametrize("status", [500, 429, 503, 401, 404])
def test_a_collector_that_refuses_for_a_while_gets_it_when_it_is_well(
    app: Callable[..., Any], collector: Collector, status: int
) -> None:
    collector.status = status
    with app(SERVED) as running:
        running.ask_until(lambda: collector.refused_count)
        # A process that ends tries once more also what should wait for a minute.
        collector.status = 200

    assert len(collector.ids()) == 1


def test_a_collector_that_is_away_gets_it_when_it_is_back(app: Callable[..., Any], collector: Collector) -> None:
    collector.stop()
    with app(SERVED) as running:
        running.ask_until(running.has_fired)
        time.sleep(1.0)
        collector.start()
        running.ask_until(lambda: collector.taken)

    assert len(collector.ids()) == 1
    (alert,) = collector.taken
    assert alert["attributes"]["dashlight.alert.transition"] == "firing"
    assert alert["attributes"]["http.route"] == "/predict/{model}"


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL], ids=["SIGTERM", "kill -9"])
def test_what_a_process_that_ends_owes_is_delivered_by_the_next(
    app: Callable[..., Any], collector: Collector, tmp_path: Path, how: signal.Signals
) -> None:
    collector.stop()
    with app(SERVED, **lasting(tmp_path)) as running:
        running.ask_until(running.has_fired)
        running.end(how)
    if how == signal.SIGTERM:
        assert "alerts still owed at the end: 1 to the collector;" in running.log.read_text()

    # Elsewhere: an address that is corrected loses nothing.
    collector.port = 0
    collector.start()
    with app(SERVED, **lasting(tmp_path)) as running:
        running.ask_until(lambda: collector.taken)
        running.ask()
        time.sleep(1.0)

    assert len(collector.ids()) == 1


def test_without_a_state_directory_what_is_lost_at_the_end_is_said(
    app: Callable[..., Any], collector: Collector
) -> None:
    collector.stop()
    with app(SERVED) as running:
        running.ask_until(running.has_fired)
        running.end(signal.SIGTERM)

    assert "alerts lost at the end: 1 to the collector;" in running.log.read_text()


def test_a_process_that_is_killed_before_the_answer_came_leaves_it_owed(
    app: Callable[..., Any], collector: Collector, tmp_path: Path
) -> None:
    collector.hang.set()
    with app(SERVED, **lasting(tmp_path)) as running:
        running.ask_until(lambda: collector.taken)
        running.end(signal.SIGKILL)
    collector.hang.clear()

    with app(SERVED, **lasting(tmp_path)) as running:
        running.ask_until(lambda: len(collector.taken) > 1)

    assert len(set(collector.ids())) == 1


def test_a_process_that_is_killed_before_it_noted_the_answer_tells_it_again_under_its_id(
    app: Callable[..., Any], collector: Collector, tmp_path: Path
) -> None:
    # One pane, and a second that does not end before the kill: what came of the first is in no checkpoint.
    with app(SERVED, DASHLIGHT_PANE="8s", **lasting(tmp_path)) as running:
        running.ask_until(lambda: collector.taken)
        running.end(signal.SIGKILL)

    with app(SERVED, DASHLIGHT_PANE="8s", **lasting(tmp_path)) as running:
        running.ask_until(lambda: len(collector.taken) > 1)

    assert len(set(collector.ids())) == 1


def test_a_process_that_is_killed_after_it_noted_the_answer_tells_nothing_again(
    app: Callable[..., Any], collector: Collector, tmp_path: Path
) -> None:
    with app(SERVED, **lasting(tmp_path)) as running:
        running.ask_until(lambda: collector.taken)
        for _ in range(10):
            running.ask()
            time.sleep(0.1)
        running.end(signal.SIGKILL)

    with app(SERVED, **lasting(tmp_path)) as running:
        for _ in range(20):
            running.ask()
            time.sleep(0.1)

    assert len(collector.ids()) == 1


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds the judge by the files it holds")
def test_where_the_judge_is_killed_another_worker_delivers(
    app: Callable[..., Any], collector: Collector, tmp_path: Path
) -> None:
    collector.stop()
    with app(GUNICORN, **lasting(tmp_path)) as running:
        running.ask_until(running.has_fired)
        os.kill(judge_below(running.process.pid), signal.SIGKILL)
        collector.start()
        running.ask_until(lambda: collector.taken)
        for _ in range(10):
            running.ask()
            time.sleep(0.1)

    assert len(set(collector.ids())) == 1


def judge_below(parent: int) -> int:
    """The child that holds the lock on the lease."""
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if int((path / "stat").read_text().rpartition(")")[2].split()[1]) != parent:
                continue
            for descriptor in (path / "fd").iterdir():
                told = (path / "fdinfo" / descriptor.name).read_text()
                if descriptor.readlink().name == "lease" and "WRITE" in told:
                    return int(path.name)
    pytest.fail("no worker holds the lease")
