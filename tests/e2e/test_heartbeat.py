"""A real server beats while it judges, a dead-man service and a real Alertmanager hear it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

PATIENCE_SECONDS = 30.0
BINARIES = ("prometheus-alertmanager", "alertmanager")
SERVER = ["uvicorn", "served:app", "--port", "{port}", "--workers", "2"]


class DeadMan(ThreadingHTTPServer):
    """A dead-man service: keeps what it hears."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.heard: list[dict[str, Any]] = []


class _Handler(BaseHTTPRequestHandler):
    server: DeadMan

    def do_POST(self) -> None:
        self.server.heard.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"OK")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that http.server gives it
        """Says nothing."""


@pytest.fixture
def dead_man() -> Iterator[DeadMan]:
    server = DeadMan()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def alertmanager(tmp_path: Path) -> Iterator[str]:
    binary = next(filter(None, map(shutil.which, BINARIES)), None)
    if binary is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("needs Debian's package prometheus-alertmanager")
    config, log = tmp_path / "am.yml", tmp_path / "am.log"
    config.write_text("route: {receiver: nobody}\nreceivers: [{name: nobody}]\n")
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    command = [
        binary, f"--config.file={config}", f"--storage.path={tmp_path / 'am'}",
        f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=",
    ]  # fmt: skip
    with log.open("wb") as output:
        child = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        assert until(lambda: is_ready(url)), log.read_text()
        yield url
    finally:
        child.terminate()
        child.wait(20)


def is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/-/ready", trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def until(is_so: Callable[[], Any]) -> bool:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so() and time.monotonic() < deadline:
        time.sleep(0.05)
    return bool(is_so())


def test_of_two_workers_the_one_that_judges_beats(
    served: Callable[..., Any], dead_man: DeadMan, tmp_path: Path
) -> None:
    address = f"http://127.0.0.1:{dead_man.server_port}/ping/secret"
    with served(SERVER, {"DASHLIGHT_HEARTBEAT": address, "DASHLIGHT_PANE": "300ms", "OTEL_SERVICE_NAME": "shop"}):
        assert until(lambda: dead_man.heard)
        time.sleep(2.0)

    assert "secret" not in (tmp_path / "server.log").read_text()
    # Once a minute, however many panes and workers.
    (beat,) = dead_man.heard
    assert (beat["heartbeat"], beat["service"], beat["alerts_in_force"]) == ("dashlight", "shop", "0")


def test_a_real_alertmanager_holds_one_alert_that_is_always_there(
    served: Callable[..., Any], alertmanager: str
) -> None:
    environ = {
        "DASHLIGHT_ALERTMANAGER": alertmanager,
        "DASHLIGHT_HEARTBEAT": "alertmanager",
        "DASHLIGHT_PANE": "300ms",
        "OTEL_SERVICE_NAME": "shop",
    }

    def held() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = httpx.get(f"{alertmanager}/api/v2/alerts", trust_env=False).json()
        return found

    with served(["uvicorn", "served:app", "--port", "{port}"], environ):
        assert until(held)

    (alert,) = held()
    assert alert["labels"]["alertname"] == "DashlightHeartbeat"
    assert alert["labels"]["service"] == "shop"
    assert alert["status"]["state"] == "active"
    lasts = seconds(alert["endsAt"]) - seconds(alert["updatedAt"])
    assert 200 < lasts <= 241


def seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()
