"""What two workers judged together is shown by either of them, and in their state directory when they have ended."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import msgspec

from dashlight.cli.main import parser
from dashlight.cli.viewing.source import source_of
from dashlight.page.shape import ShownStatus
from dashlight.page.versions import ShownVersions

PATIENCE_SECONDS = 120.0
ROUTE = "/predict/{model}"
TOKEN = "the-token-of-this-test"
KNOWN = {"authorization": f"Bearer {TOKEN}"}
COMMAND = ["uvicorn", "served:app", "--port", "{port}", "--workers", "2", "--log-level", "critical"]


def dashlight(*words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "dashlight.cli.main", *words],
        check=False,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        env={**os.environ, **environ},
    )


def status_at(url: str) -> ShownStatus | None:
    answer = httpx.get(f"{url}/dashlight/api/v1/status", headers=KNOWN, trust_env=False)
    return msgspec.json.decode(answer.content, type=ShownStatus) if answer.status_code == 200 else None


def until(look: Callable[[], Any], is_there: Callable[[Any], bool]) -> Any:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_there(seen := look()):
        assert time.monotonic() < deadline, seen
        time.sleep(0.1)
    return seen


def whole(status: ShownStatus | None) -> bool:
    """Whether an alert fires, and both workers have told of all that was asked."""
    if status is None or status.workers != 2 or not any(alert.state == "firing" for alert in status.alerts):
        return False
    return sum(endpoint.exchanges for endpoint in status.endpoints if endpoint.route == ROUTE) == 100


def read(*words: str) -> bytes:
    """What the command reads there."""
    return source_of(parser(["status"]).parse_args(["status", *words]))("status")


def test_status_by_url_and_by_directory_agree_and_outlive_the_app(
    served: Callable[..., AbstractContextManager[str]], tmp_path: Path
) -> None:
    state = tmp_path / "state"
    state.mkdir()
    environ = {
        "DASHLIGHT_STATE_DIR": str(state),
        "DASHLIGHT_PANE": "2s",
        "DASHLIGHT_METRICS": "true",
        "DASHLIGHT_TOKEN": TOKEN,
        "DASHLIGHT_MODEL": "größe",
        "DASHLIGHT_THRESHOLDS": "failure_rate>20%",
        "DASHLIGHT_EXCLUDED_URLS": "/healthz",
    }
    with served(COMMAND, environ) as url:
        for number in range(100):
            body = json.dumps({"x": number, "y": 1}) if number % 3 else "no json"
            with httpx.Client(trust_env=False) as client:  # a connection each, so that both workers are asked
                client.post(f"{url}/predict/fraud", content=body, headers={"content-type": "application/json"})

        status = until(lambda: status_at(url), whole)

        assert (status.version, status.state, status.workers) == (1, "red", 2)
        assert {alert.light for alert in status.alerts} == {"failures"}
        # Whether it is up, the harness asks somewhere else.
        endpoint = next(each for each in status.endpoints if each.route == ROUTE)
        assert endpoint.failure_rate is not None
        assert endpoint.failure_rate.value == 0.34
        (model,) = endpoint.models
        assert (model.name, model.state) == ("größe", "learning")

        # Of one pane; the next may end between the two.
        ways = [("--state-dir", str(state)), ("--url", url, "--token", TOKEN)]
        until(lambda: {read(*words) for words in ways}, lambda told: len(told) == 1)
        by_url = dashlight("status", "--json", *ways[1])
        assert by_url.returncode == 1
        assert json.loads(by_url.stdout)["endpoints"][0]["route"] == ROUTE  # the one with the alert

        for part in ("status", "versions"):
            page = f"{url}/dashlight/api/v1/{part}"
            full = httpx.get(page, headers=KNOWN, trust_env=False)
            known = {**KNOWN, "if-none-match": full.headers["etag"]}
            seen = httpx.get(page, headers=known, trust_env=False)
            # A pane may have ended in between.
            assert seen.status_code == 304 or seen.headers["etag"] != full.headers["etag"]
            assert httpx.get(page, trust_env=False).status_code == 401
            assert httpx.post(page, headers=KNOWN, trust_env=False).status_code == 405
            assert httpx.head(page, headers=KNOWN, trust_env=False).content == b""
        msgspec.json.decode(full.content, type=ShownVersions)

        gate = ["gate", "--model", "größe", "--candidate", "v2", "--max-loss", "0.01"]
        assert dashlight(*gate, "--url", url, "--token", TOKEN).returncode == 3
        assert dashlight(*gate, "--state-dir", str(state)).returncode == 3
        assert dashlight(*gate, "--url", url, "--token", "another-token-of-it").returncode == 2

    ended = dashlight("status", "--state-dir", str(state), PYTHONIOENCODING="ascii")
    assert ended.returncode == 1, ended.stderr
    assert re.match(r"RED  \d firing, \d pending; as of ", ended.stdout)
    assert "firing  /predict/{model}" in ended.stdout
    assert r"gr\xf6\xdfe" in ended.stdout
    assert dashlight("status", "--url", url, "--token", TOKEN).returncode == 2
    assert dashlight(*gate, "--url", url, "--token", TOKEN).returncode == 2


def test_where_metrics_are_off_nothing_is_served_and_the_directory_says_it_all(
    served: Callable[..., AbstractContextManager[str]], tmp_path: Path
) -> None:
    state = tmp_path / "state"
    state.mkdir()
    environ = {"DASHLIGHT_STATE_DIR": str(state), "DASHLIGHT_PANE": "1s", "DASHLIGHT_TOKEN": TOKEN}
    with served([*COMMAND[:4], "--log-level", "critical"], environ) as url:
        httpx.post(f"{url}/predict/a", json={"x": 1, "y": 2}, trust_env=False)

        told = until(lambda: dashlight("status", "--state-dir", str(state)), lambda done: done.returncode == 0)

        assert "/predict/{model}" in told.stdout
        assert httpx.get(f"{url}/dashlight/api/v1/status", headers=KNOWN, trust_env=False).status_code == 404


def test_a_gate_asks_a_real_app_until_a_candidate_that_fails_is_refused(
    served: Callable[..., AbstractContextManager[str]], tmp_path: Path
) -> None:
    state = tmp_path / "state"
    state.mkdir()
    environ = {
        "DASHLIGHT_STATE_DIR": str(state),
        "DASHLIGHT_PANE": "1s",
        "DASHLIGHT_METRICS": "true",
        "DASHLIGHT_TOKEN": TOKEN,
        "DASHLIGHT_CPU": "100%",
    }
    command = ["uvicorn", "versioned:app", "--port", "{port}", "--workers", "2", "--log-level", "critical"]
    tensor = {"name": "x", "datatype": "FP64", "shape": [1, 2], "data": [1.0, 2.0]}
    with served(command, environ) as url:
        for _ in range(40):
            with httpx.Client(trust_env=False) as client:
                for version in ("v1", "v1", "v2", "v3"):
                    for _ in range(4):
                        client.post(f"{url}/v2/models/risk/versions/{version}/infer", json={"inputs": [tensor]})

        gate = ["gate", "--model", "risk", "--max-loss", "1%", "--wait", "60s", "--url", url, "--token", TOKEN]
        worse = dashlight(*gate, "--candidate", "v2", "--stable", "v1")
        lax = dashlight(*gate[:3], "--max-loss", "0.8", *gate[5:], "--candidate", "v2", "--stable", "v1")
        shown = dashlight("versions", "--state-dir", str(state), "--model", "risk", "--figure", "failure_rate")

    assert (worse.returncode, worse.stdout.split(":")[0]) == (1, "worse"), worse
    assert "v2 is worse than v1, by more than the allowed 1 % (level 5 %): failure_rate 0 % (v1" in worse.stdout
    assert (lax.returncode, lax.stdout.split(":")[0]) == (0, "no worse"), lax
    assert shown.returncode == 0
    assert "v1 (stable) and v2 (candidate), side by side" in shown.stdout
