"""What docs/gate.md shows is so: its script is run as it stands there, against an app that has judged."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from math import log
from pathlib import Path
from typing import Any

import pytest

from dashlight.judge.versions.evidence import SequentialEvidence
from dashlight.judge.versions.report import VersionReport
from dashlight.page.view import View

PAGE = (Path(__file__).parents[3] / "docs" / "gate.md").read_text()
WORSE = SequentialEvidence((0.0, 0.01, 0.02), (9.0, log(20) + 0.01, 0.0), (0.0, 0.0, 0.0))
NO_WORSE = SequentialEvidence((0.0, 0.01, 0.02), (0.0, 0.0, 0.0), (0.0, log(20) + 0.01, 9.0))
TOKEN = "a-token-of-some-length"
Deploy = Callable[[str, str], "subprocess.CompletedProcess[str]"]


def command(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o700)


@pytest.fixture
def run(app: Any, tmp_path: Path) -> Deploy:
    """Runs a script of the page: (script, wait); of what it says only address, name of the model and wait are others."""
    command(tmp_path / "deploy", 'echo "deployed $*"')
    command(tmp_path / "dashlight", f'exec "{sys.executable}" -m dashlight.cli.main "$@"')
    environ = {
        **os.environ,
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "DASHLIGHT_TOKEN": TOKEN,
        "PYTHONPATH": os.pathsep.join(sys.path),
    }

    def ran(script: str, wait: str) -> subprocess.CompletedProcess[str]:
        shown = script.replace("https://fraud.example", app.url).replace("--model fraud", "--model risk")
        return subprocess.run(
            ["sh", "-c", shown.replace("--wait 2h", f"--wait {wait}")],
            capture_output=True, text=True, check=False, timeout=60, cwd=tmp_path, env=environ,
        )  # fmt: skip

    return ran


@pytest.mark.parametrize(
    ("evidence", "wait", "code", "deployed"),
    [
        (NO_WORSE, "2h", 0, "deployed --version v2 --traffic 100%"),
        (WORSE, "2h", 1, "deployed --version v1 --traffic 100%"),
        (None, "1s", 3, ""),
    ],
    ids=["no worse", "worse", "undecided"],
)
def test_the_script_deploys_goes_back_or_says_that_nothing_is_decided(
    evidence: SequentialEvidence | None,
    wait: str,
    code: int,
    deployed: str,
    *,
    app: Any,
    view: Callable[..., View],
    report: Callable[..., VersionReport],
    run: Deploy,
) -> None:
    app.shown = view(at=time.time() - 4, reports=[report(evidence)])
    (script,) = re.findall(r"```sh\n(.*?)```", PAGE, flags=re.DOTALL)

    done = run(script, wait)

    assert (done.returncode, deployed in done.stdout) == (code, True), done.stderr
    assert ("deployed" in done.stdout) == bool(deployed)
    assert ("not decided in two hours" in done.stderr) == (code == 3)


def test_the_first_command_and_that_of_the_workflow_decide_alike(
    app: Any, view: Callable[..., View], report: Callable[..., VersionReport], run: Deploy
) -> None:
    app.shown = view(at=time.time() - 4, reports=[report(WORSE)])
    (console,) = re.findall(r"```console\n\$ (.*?)\n```", PAGE)
    (workflow,) = re.findall(r"run: (dashlight gate .*)", PAGE)

    for each in (console, workflow):
        done = run(each, "2h")

        assert done.returncode == 1, done.stderr
        assert done.stdout.startswith(
            "worse: v2 is worse than v1, by more than the allowed 1 % (level 5 %): failure_rate "
        )


def test_what_cannot_be_asked_goes_back(app: Any, run: Deploy) -> None:
    app.status = 401
    (script,) = re.findall(r"```sh\n(.*?)```", PAGE, flags=re.DOTALL)

    done = run(script, "2h")

    assert (done.returncode, done.stdout) == (1, "deployed --version v1 --traffic 100%\n")
    assert "DASHLIGHT_TOKEN" in done.stderr
