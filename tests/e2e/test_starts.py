"""What a real server says when it starts, with good settings and with bad ones."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

APPS = Path(__file__).parent / "apps"
LINE = "INFO dashlight: watching "
TWO_MISTAKES = {"DASHLIGHT_PANE": "soon", "DASHLIGHT_FALSE_ALARMS": "inf/30d"}
PATIENCE_SECONDS = 30.0
LATE_SECONDS = 1.0
"""By then a second worker would have said something."""


def wait_for(log: Path, words: str) -> str:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while words not in log.read_text() and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(LATE_SECONDS)
    return log.read_text()


def started(**environ: str) -> subprocess.CompletedProcess[str]:
    """A server that ends by itself, because it does not start."""
    python_path = os.pathsep.join(filter(None, (str(APPS), os.environ.get("PYTHONPATH", ""))))
    return subprocess.run(
        [sys.executable, "-m", "uvicorn", "served:app", "--port", "0"],
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
        env={**os.environ, **environ, "PYTHONPATH": python_path},
    )


@pytest.mark.parametrize(
    "command",
    [
        ["uvicorn", "served:app", "--port", "{port}"],
        ["uvicorn", "served:app", "--port", "{port}", "--workers", "3"],
        ["gunicorn", "served:app", "--bind", "127.0.0.1:{port}", "--workers", "2",
         "--worker-class", "uvicorn_worker.UvicornWorker"],
        ["hypercorn", "served:app", "--bind", "127.0.0.1:{port}", "--workers", "2"],
        ["granian", "served:app", "--interface", "asgi", "--port", "{port}", "--workers", "2"],
    ],
    ids=["uvicorn", "uvicorn with three workers", "gunicorn", "hypercorn", "granian"],
)  # fmt: skip
def test_a_machine_says_one_line_under_a_server_as_it_comes(
    served: Callable[..., Any], tmp_path: Path, command: list[str]
) -> None:
    with served(command, {"DASHLIGHT_MODEL": "risk"}):
        seen = wait_for(tmp_path / "server.log", LINE)

    (line,) = (line for line in seen.splitlines() if LINE in line)
    assert "(model risk)" in line
    assert "missing: a reference" in line


def test_mistakes_are_told_together_and_the_app_serves_all_the_same(served: Callable[..., Any], tmp_path: Path) -> None:
    with served(["uvicorn", "served:app", "--port", "{port}"], TWO_MISTAKES):
        seen = wait_for(tmp_path / "server.log", "monitoring is off")

    (line,) = (line for line in seen.splitlines() if "monitoring is off" in line)
    assert "DASHLIGHT_PANE='soon': expected" in line
    assert "DASHLIGHT_FALSE_ALARMS='inf/30d': expected" in line


def test_workers_whose_place_was_taken_meet_in_another_and_say_so_once(
    served: Callable[..., Any], tmp_path: Path
) -> None:
    for name in ("tmp", "home", "home/.cache", f"tmp/dashlight-{os.geteuid()}"):
        (tmp_path / name).mkdir(mode=0o700)
    (tmp_path / "tmp" / f"dashlight-{os.geteuid()}").chmod(0o777)
    environ = {"TMPDIR": str(tmp_path / "tmp"), "HOME": str(tmp_path / "home"), "XDG_RUNTIME_DIR": ""}

    with served(["uvicorn", "served:app", "--port", "{port}", "--workers", "3"], environ):
        seen = wait_for(tmp_path / "server.log", LINE)

    assert len([line for line in seen.splitlines() if LINE in line]) == 1
    (said,) = (line for line in seen.splitlines() if "can be written by others" in line)
    assert said.endswith(f"meet in {tmp_path / 'home' / '.cache' / f'dashlight-{os.geteuid()}'} instead")


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        (TWO_MISTAKES, ["DASHLIGHT_PANE='soon'", "DASHLIGHT_FALSE_ALARMS='inf/30d'"]),
        ({"DASHLIGHT_TOLERANC": "0.1"}, ["DASHLIGHT_TOLERANC='***'", "perhaps DASHLIGHT_TOLERANCE"]),
        ({"DASHLIGHT_TRACE_URL": "https://traces/trace"}, ["DASHLIGHT_TRACE_URL="]),
        ({"DASHLIGHT_PATH": "dashlight"}, ["DASHLIGHT_PATH='dashlight'"]),
        ({"DASHLIGHT_TOKEN": "too-short-hunter"[:15]}, ["DASHLIGHT_TOKEN='***'"]),
        ({"DASHLIGHT_REFERENCE": "/dev/zero"}, ["DASHLIGHT_REFERENCE='/dev/zero' is not a file"]),
    ],
    ids=["two mistakes", "an unknown variable", "no field", "no slash", "a short token", "no file"],
)
def test_under_strict_a_mistake_stops_the_start(environ: dict[str, str], words: list[str]) -> None:
    done = started(DASHLIGHT_STRICT="true", **environ)

    assert done.returncode != 0
    assert all(each in done.stderr for each in words), done.stderr
