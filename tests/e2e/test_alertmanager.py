"""A real Alertmanager, with a real receiver behind it, takes what Dashlight tells it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from dashlight.clock import SystemClock
from dashlight.deliver.alerting.alertmanager import PATH, AlertmanagerRoute
from dashlight.deliver.alerting.attempts import Attempts
from dashlight.deliver.alerting.document import AlertContext
from dashlight.deliver.alerting.sample import sample_notice
from dashlight.deliver.transport.endpoints import Endpoint
from dashlight.deliver.transport.http import HttpSender
from dashlight.records import Notice

PATIENCE_SECONDS = 30.0
BINARIES = ("prometheus-alertmanager", "alertmanager")


class Receiver(ThreadingHTTPServer):
    """What Alertmanager notifies: keeps each notification."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.told: list[dict[str, Any]] = []
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,))
        self._thread.start()

    def stop(self) -> None:
        """Ends it."""
        self.shutdown()
        self._thread.join()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        self.server.told.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that http.server gives it
        """Says nothing."""


def free_port() -> int:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        port: int = reserved.getsockname()[1]
        return port


@dataclass
class Alertmanager:
    """An Alertmanager that can be started and stopped on one port."""

    directory: Path
    receiver: Receiver
    port: int = field(default_factory=free_port)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    @contextmanager
    def running(self) -> Iterator[None]:
        """While it runs."""
        binary = next(filter(None, map(shutil.which, BINARIES)), None)
        if binary is None:
            (pytest.fail if os.environ.get("CI") else pytest.skip)("needs Debian's package prometheus-alertmanager")
        config = self.directory / "am.yml"
        config.write_text(
            "route: {receiver: hook, group_by: ['...'], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}\n"
            f"receivers: [{{name: hook, webhook_configs: [{{url: 'http://127.0.0.1:{self.receiver.server_port}/'}}]}}]\n"
        )
        command = [
            binary, f"--config.file={config}", f"--storage.path={self.directory / 'am'}",
            f"--web.listen-address=127.0.0.1:{self.port}", "--cluster.listen-address=",
        ]  # fmt: skip
        with (self.directory / "am.log").open("ab") as log:
            child = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            assert until(self.is_ready), (self.directory / "am.log").read_text()
            yield
        finally:
            child.terminate()
            child.wait(20)

    def is_ready(self) -> bool:
        """Whether it answers."""
        try:
            return httpx.get(f"{self.url}/-/ready").status_code == 200
        except httpx.HTTPError:
            return False

    def alerts(self) -> list[dict[str, Any]]:
        """Those that it has in force."""
        found: list[dict[str, Any]] = httpx.get(f"{self.url}{PATH}").json()
        return found


def until(is_so: Callable[[], object]) -> bool:
    """Whether it *is_so* before the end of patience."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    running = Receiver()
    yield running
    running.stop()


@pytest.fixture
def alertmanager(tmp_path: Path, receiver: Receiver) -> Alertmanager:
    return Alertmanager(tmp_path, receiver)


@pytest.fixture
def route(alertmanager: Alertmanager) -> Iterator[AlertmanagerRoute]:
    attempts = Attempts(lambda: HttpSender(Endpoint(alertmanager.url + PATH)))
    made = AlertmanagerRoute("am", attempts, context=AlertContext("shop", "machine-1"), clock=SystemClock())
    yield made
    made.close()


def notice(**overrides: Any) -> Notice:
    return replace(sample_notice(time.time()), id=str(uuid4()), **overrides)


def test_an_incident_is_notified_once_when_it_begins_and_once_when_it_ends(
    alertmanager: Alertmanager, receiver: Receiver, route: AlertmanagerRoute
) -> None:
    began = notice()
    with alertmanager.running():
        assert route.deliver(began).outcome == "delivered"
        assert until(lambda: len(receiver.told) == 1)
        [first] = alertmanager.alerts()
        assert route.deliver(notice(transition="changed", summary="more of it", model="another")).outcome == "delivered"
        for minute in range(1, 4):
            route.repeat([began], time.time() + minute * 60)
        [again] = alertmanager.alerts()
        assert route.deliver(notice(transition="resolved")).outcome == "delivered"
        assert until(lambda: len(receiver.told) == 2)
        route.repeat([], time.time() + 400)
        # Two of its intervals: a third notification would have come by now.
        time.sleep(2.5)

        assert (first["fingerprint"], first["startsAt"]) == (again["fingerprint"], again["startsAt"])
        assert again["endsAt"] > first["endsAt"]
        assert alertmanager.alerts() == []
    assert [(each["status"], len(each["alerts"])) for each in receiver.told] == [("firing", 1), ("resolved", 1)]
    assert receiver.told[0]["alerts"][0]["labels"]["alertname"] == "DashlightIncident"


@pytest.mark.parametrize(
    "name", ["dashlight.feature.name", "<!channel>", "", " ", "\ud800", "0", "größe\n{{ .x }}", "x" * 5000]
)
def test_whatever_a_model_is_called_is_taken(alertmanager: Alertmanager, route: AlertmanagerRoute, name: str) -> None:
    with alertmanager.running():
        assert route.deliver(notice(model=name, endpoint=name, key=f"k{name}", summary=name)).outcome == "delivered"
        assert len(alertmanager.alerts()) == 1


def test_one_that_was_away_hears_of_what_began_and_of_what_ended_meanwhile(
    alertmanager: Alertmanager, receiver: Receiver, route: AlertmanagerRoute
) -> None:
    lasting = notice(key="incident/lasting")
    assert route.deliver(lasting).outcome == "retry"

    with alertmanager.running():
        assert until(lambda: route.deliver(lasting).outcome == "delivered")
        assert until(lambda: len(receiver.told) == 1)
        assert route.deliver(notice(transition="resolved", key="incident/over")).outcome == "delivered"
        assert [each["labels"]["incident"] for each in alertmanager.alerts()] == ["incident/lasting"]


def test_one_that_forgot_everything_is_told_again_what_is_in_force(
    alertmanager: Alertmanager, route: AlertmanagerRoute, tmp_path: Path
) -> None:
    lasting = notice(key="incident/lasting")
    with alertmanager.running():
        assert route.deliver(lasting).outcome == "delivered"
    shutil.rmtree(tmp_path / "am")

    with alertmanager.running():
        assert alertmanager.alerts() == []
        route.repeat([lasting], time.time())
        assert [each["labels"]["incident"] for each in alertmanager.alerts()] == ["incident/lasting"]
