"""A real Prometheus scrapes a watched app, judges by our rules, and a real Alertmanager hears of both of them."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

PATIENCE_SECONDS = 60.0
COMMAND = ["uvicorn", "priced:app", "--port", "{port}", "--log-level", "warning"]
TOKEN = "of-the-tests-alone-0"
ENVIRON = {
    "DASHLIGHT_METRICS": "true",
    "DASHLIGHT_TOKEN": TOKEN,
    "DASHLIGHT_PANE": "500ms",
    "DASHLIGHT_CPU": "100%",
    "DASHLIGHT_THRESHOLDS": "refusal_rate>50% over 5 exchanges for 1s",
}


def free_port() -> int:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        port: int = reserved.getsockname()[1]
        return port


def until(is_so: Callable[[], object]) -> bool:
    """Whether it *is_so* before the end of patience; what is not there yet is not so."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        with suppress(httpx.HTTPError):
            if is_so():
                return True
        time.sleep(0.1)
    return False


@contextmanager
def running(package: str, arguments: list[str], directory: Path, ready: str) -> Iterator[None]:
    """A program of Debian's *package* while it runs; *ready* is the URL by which it says that it does."""
    binary = shutil.which(package)
    if binary is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"needs Debian's package {package}")
    log = directory / f"{package}.log"
    with log.open("ab") as output:
        child = subprocess.Popen([binary, *arguments], cwd=directory, stdout=output, stderr=output)
    try:
        assert until(lambda: httpx.get(ready).status_code == 200), log.read_text()
        yield
    finally:
        child.terminate()
        child.wait(20)


@contextmanager
def alertmanager(directory: Path) -> Iterator[str]:
    (directory / "am.yml").write_text("route: {receiver: nobody}\nreceivers: [{name: nobody}]\n")
    url = f"127.0.0.1:{free_port()}"
    arguments = [
        "--config.file=am.yml", "--storage.path=am", f"--web.listen-address={url}", "--cluster.listen-address=",
    ]  # fmt: skip
    with running("prometheus-alertmanager", arguments, directory, f"http://{url}/-/ready"):
        yield f"http://{url}"


@contextmanager
def prometheus(directory: Path, target: str, alerts_to: str) -> Iterator[str]:
    rules = subprocess.run(
        [sys.executable, "-m", "dashlight.cli.main", "rules", "prometheus"], check=True, capture_output=True, text=True
    ).stdout
    # Minutes of patience are right for whoever is woken, and too long for a test.
    (directory / "rules.yml").write_text(rules.replace("for: 5m", "for: 3s").replace("for: 1m", "for: 3s"))
    config = {
        "global": {"scrape_interval": "500ms", "evaluation_interval": "500ms"},
        "rule_files": ["rules.yml"],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [alerts_to.removeprefix("http://")]}]}]},
        "scrape_configs": [
            {
                "job_name": "app",
                "metrics_path": "/dashlight/metrics",
                "authorization": {"credentials": TOKEN},
                "static_configs": [{"targets": [target.removeprefix("http://")]}],
            }
        ],
    }
    (directory / "prometheus.yml").write_text(json.dumps(config))
    url = f"127.0.0.1:{free_port()}"
    arguments = ["--config.file=prometheus.yml", "--storage.tsdb.path=data", f"--web.listen-address={url}"]
    with running("prometheus", arguments, directory, f"http://{url}/-/ready"):
        yield f"http://{url}"


def values(url: str, query: str) -> list[float]:
    found: list[dict[str, Any]] = httpx.get(f"{url}/api/v1/query", params={"query": query}).json()["data"]["result"]
    return [float(each["value"][1]) for each in found]


def names(url: str) -> set[str]:
    """Of the alerts that an Alertmanager has in force."""
    return {each["labels"]["alertname"] for each in httpx.get(f"{url}/api/v2/alerts").json()}


def test_prometheus_reads_the_figures_and_tells_when_they_are_gone(
    served: Callable[..., AbstractContextManager[str]], tmp_path: Path
) -> None:
    with alertmanager(tmp_path) as alerts:
        environ = {**ENVIRON, "DASHLIGHT_ALERTMANAGER": alerts}
        with ExitStack() as scraping:
            with served(COMMAND, environ) as app:
                metrics = scraping.enter_context(prometheus(tmp_path, app, alerts))
                see(app, metrics, alerts)
            # The silence of the monitor itself alarms.
            assert until(lambda: names(alerts) & {"DashlightAbsent", "DashlightUnscraped"}), names(alerts)


def see(app: str, metrics: str, alerts: str) -> None:
    """What is scraped of *app*, and who tells of its refusals."""
    for _ in range(12):
        httpx.post(f"{app}/models/risk/predict", json={"age": 40.0, "city": "Bern"})
    requests = 'dashlight_requests_total{http_route="/models/{name}/predict", dashlight_outcome="ok"}'
    assert until(lambda: values(metrics, requests) == [12.0]), httpx.get(f"{metrics}/api/v1/targets").text
    assert names(alerts) == set()

    # Ours goes to Alertmanager by itself, and Prometheus says that there is one.
    def refused() -> bool:
        httpx.post(f"{app}/models/risk/predict", json={"age": "old", "city": "Bern"})
        return len(names(alerts)) >= 2

    assert until(refused), names(alerts)
    assert "DashlightAlert" in names(alerts)
    # Nothing else is wrong.
    assert not names(alerts) & {"DashlightAbsent", "DashlightStale", "DashlightUnscraped", "DashlightMistaken"}
