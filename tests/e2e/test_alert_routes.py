"""From a shift in the traffic of a real server to a real Alertmanager, real webhooks and a command that ends the alert."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import httpx
import numpy as np
import pytest

from dashlight.cli.main import main
from dashlight.window.reference.build import build_reference_from_columns
from dashlight.window.reference.file import dump, load

PATIENCE_SECONDS = 60.0
EXAMPLE = Path(__file__).parents[2] / "examples" / "retraining"
ROWS = 100
"""Of a request."""


class Hooks(ThreadingHTTPServer):
    """Webhooks: `/slow` never answers, any other takes everything."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.told: list[tuple[str, Any, str]] = []
        """Path, JSON and key of each message."""
        self.over = threading.Event()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,))
        self._thread.start()

    @property
    def url(self) -> str:
        """Where they are."""
        return f"http://127.0.0.1:{self.server_port}"

    def of(self, path: str) -> list[Any]:
        """What was told to *path*."""
        return [body for each, body, _ in self.told if each == path]

    def stop(self) -> None:
        """Ends it."""
        self.over.set()
        self.shutdown()
        self._thread.join()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing: who waits too long hangs up."""


class _Handler(BaseHTTPRequestHandler):
    server: Hooks

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.told.append((self.path, body, self.headers["idempotency-key"]))
        if self.path == "/slow":
            self.server.over.wait()
            return
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that http.server gives it
        """Says nothing."""


@pytest.fixture
def hooks() -> Iterator[Hooks]:
    running = Hooks()
    yield running
    running.stop()


def until(is_so: Callable[[], object], *, seconds: float = PATIENCE_SECONDS) -> bool:
    """Whether it *is_so* before the end of patience."""
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def flats(rng: np.random.Generator, count: int, *, area: float) -> dict[str, np.ndarray[Any, np.dtype[np.float64]]]:
    rooms, areas = rng.integers(1, 6, count).astype(float), rng.normal(area, 15, count)
    return {"rooms": rooms, "area": areas, "price": 100 * rooms + 2.5 * areas}


class Traffic:
    """Asks for prices of flats on a thread of its own, as large as it is told."""

    def __init__(self, url: str, *, area: float = 70.0) -> None:
        self.area = area
        self._url = url
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        rng = np.random.default_rng(11)
        with httpx.Client() as client:
            while not self._over.wait(0.02):
                drawn = flats(rng, ROWS, area=self.area)
                rows = [
                    {"rooms": rooms, "area": area} for rooms, area in zip(drawn["rooms"], drawn["area"], strict=True)
                ]
                # It may not be there yet, or no more.
                with suppress(httpx.HTTPError):
                    client.post(f"{self._url}/predict", json=rows)


@pytest.fixture
def environ(tmp_path: Path, hooks: Hooks) -> dict[str, str]:
    """Settings of the app, with a reference of small flats."""
    reference = tmp_path / "reference.json"
    rng = np.random.default_rng(3)
    columns = flats(rng, 5000, area=70.0)
    reference.write_bytes(dump(build_reference_from_columns(columns, {"price": "output"}, rng=rng, created_at=0.0)))
    return {
        "DASHLIGHT_REFERENCE": str(reference),
        "DASHLIGHT_STATE_DIR": str(tmp_path / "state"),
        "DASHLIGHT_PANE": "500ms",
        "DASHLIGHT_CPU": "100%",
        "DASHLIGHT_WEBHOOK": f"{hooks.url}/slow,{hooks.url}/json",
        "WAREHOUSE": str(tmp_path / "rows.csv"),
    }


COMMAND = ["uvicorn", "--app-dir", str(EXAMPLE), "app:app", "--port", "{port}", "--log-level", "warning"]


def test_drift_retrains_and_the_alert_ends_while_a_slow_webhook_delays_nobody(
    served: Callable[..., AbstractContextManager[str]], environ: dict[str, str], hooks: Hooks, tmp_path: Path
) -> None:
    before = Path(environ["DASHLIGHT_REFERENCE"]).read_bytes()
    environ["DASHLIGHT_ON_ALERT"] = f"{sys.executable} {EXAMPLE / 'retrain.py'}"

    with served(COMMAND, environ) as url, Traffic(url) as traffic:
        time.sleep(2)
        traffic.area = 110.0
        assert until(lambda: any(each["transition"] == "resolved" for each in hooks.of("/json"))), hooks.told

    told = hooks.of("/json")
    assert told[0]["transition"] == "firing"
    assert "area" in [each["column"] for each in told[0]["alerts"]]
    assert "the reference was replaced" in told[-1]["summary"]
    # By their keys each came once.
    keys = [key for path, _, key in hooks.told if path == "/json"]
    assert len(keys) == len(set(keys))
    assert hooks.of("/slow")
    after = load(Path(environ["DASHLIGHT_REFERENCE"]).read_bytes())
    assert Path(environ["DASHLIGHT_REFERENCE"]).read_bytes() != before
    assert after.rows >= 1000
    log = (tmp_path / "server.log").read_text()
    assert f"{hooks.url}/slow" not in log
    assert f"{hooks.url}/json" not in log


@contextmanager
def started(environ: dict[str, str], log: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """The app, which may end by itself."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
    command = [sys.executable, "-m", *(each.replace("{port}", str(port)) for each in COMMAND)]
    with log.open("ab") as output:
        child = subprocess.Popen(command, env={**os.environ, **environ}, stdout=output, stderr=output)
    try:
        yield child, f"http://127.0.0.1:{port}"
    finally:
        child.kill()
        child.wait()


def test_a_command_that_kills_its_app_does_so_three_times_and_one_that_went_well_is_not_run_again(
    environ: dict[str, str], hooks: Hooks, tmp_path: Path
) -> None:
    ran, log = tmp_path / "ran", tmp_path / "server.log"
    environ["DASHLIGHT_WEBHOOK"] = f"{hooks.url}/json"
    # It kills its parent for the first incident; what else there is to tell goes well.
    environ["DASHLIGHT_ON_ALERT"] = (
        f"sh -c 'echo $DASHLIGHT_ALERT_TRANSITION $DASHLIGHT_ALERT_ID >> {ran};"
        " [ $DASHLIGHT_ALERT_TRANSITION != firing ] || kill -9 $PPID'"
    )
    for _ in range(3):
        with started(environ, log) as (child, url), Traffic(url, area=110.0):
            assert until(lambda: child.poll() is not None)
    with started(environ, log) as (child, url), Traffic(url, area=110.0):
        assert until(lambda: "tried 3 times" in log.read_text() and hooks.of("/json"))
        assert child.poll() is None

    lines = ran.read_text().splitlines()
    assert [each for each in lines if each.startswith("firing")] == [lines[0]] * 3
    # By its id the webhook heard of it once, however often the app died.
    assert len({key for _, body, key in hooks.told if body["transition"] == "firing"}) == 1


def test_a_silenced_column_is_told_of_when_the_silence_is_over(
    served: Callable[..., AbstractContextManager[str]],
    environ: dict[str, str],
    hooks: Hooks,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    state = ["--state-dir", environ["DASHLIGHT_STATE_DIR"]]
    environ |= {"DASHLIGHT_METRICS": "true", "DASHLIGHT_TOKEN": "the-token-of-this-test"}

    def firing(url: str) -> bool:
        headers = {"authorization": "Bearer the-token-of-this-test"}
        text = httpx.get(f"{url}/dashlight/metrics", headers=headers).text
        counts = [
            line.split()[-1]
            for line in text.splitlines()
            if line.startswith("dashlight_alert_in_force") and "firing" in line
        ]
        return any(float(count) > 0 for count in counts)

    with served(COMMAND, environ) as url, Traffic(url) as traffic:
        assert until(lambda: main(["silence", "list", *state]) == 0)
        assert main(["silence", "add", "--endpoint", "*", "--for", "1h", "--why", "a test", *state]) == 0
        time.sleep(2)
        traffic.area = 110.0
        assert until(lambda: firing(url))
        time.sleep(2)
        assert hooks.of("/json") == []
        identifier = capsys.readouterr().out.splitlines()[-1].partition(":")[0]
        assert main(["silence", "remove", identifier, *state]) == 0
        assert until(lambda: hooks.of("/json"))

    assert hooks.of("/json")[0]["transition"] == "firing"
    assert main(["mark", "noise", hooks.of("/json")[0]["id"], *state]) == 0
    assert "of 1 in that time you marked 1 as noise" in capsys.readouterr().out
