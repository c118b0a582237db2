"""What docs/labels.md shows is so: its app is served, and every way of labels is tried as it stands there."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import httpx
import pytest

from dashlight.cli.main import parser
from dashlight.labels.body import FORMS, MOST_BYTES
from dashlight.labels.entry import MOST_LABELS, NAMES
from dashlight.labels.label import Fate
from dashlight.runtime.label_queue import MOST_WAITING
from dashlight.settings import Settings, variable_of

PAGE = (Path(__file__).parents[2] / "docs" / "labels.md").read_text()
PATIENCE_SECONDS = 30.0


def fenced(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)


def exported() -> dict[str, str]:
    """What the page sets in the environment."""
    lines = [line.removeprefix("$ export ") for line in fenced("console")[0].splitlines() if "export" in line]
    pairs = [word.partition("=") for line in lines for word in shlex.split(line)]
    return {name: value for name, _, value in pairs}


@pytest.fixture
def url(served: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The page's own app, with the page's settings and a route for the test to know when it is up."""
    (tmp_path / "app.py").write_text(fenced("python")[0] + "\n\n@app.get('/healthz')\ndef health() -> None: ...\n")
    environ = {**exported(), "DASHLIGHT_STATE_DIR": str(tmp_path / "state")}
    command = [sys.executable, "-m", "uvicorn", "app:app", "--app-dir", str(tmp_path), "--port", "{port}"]
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    with served([*command, "--log-level", "warning"], environ) as found:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while httpx.post(f"{found}/dashlight/labels", trust_env=False).status_code != 401:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        httpx.post(f"{found}/score", json={"amount": 1}, trust_env=False)
        time.sleep(2)
        yield found


def test_every_way_of_labels_works_as_it_is_shown(url: str, tmp_path: Path) -> None:
    def shown(text: str) -> str:
        return text.replace("http://127.0.0.1:8000", url)

    (shell,) = fenced("shell")
    script = re.sub(r"^sleep \d+$", "for _ in 1 2 3 4 5 6; do sleep 0.5; done", shown(shell), flags=re.MULTILINE)
    said = subprocess.run(["bash", "-euc", script], capture_output=True, text=True, check=True, timeout=60)
    assert json.loads(said.stdout) == json.loads(fenced("json")[0])

    by_requests = subprocess.run(
        [sys.executable, "-c", shown(fenced("python")[1])], capture_output=True, text=True, check=True, timeout=60
    )
    counts = eval(by_requests.stdout)
    # The youngest of them may be written a moment later: then they wait for their predictions.
    assert counts["matched"] + counts["unknown"] == 10

    answer = httpx.post(f"{url}/score", json={"amount": 5}, trust_env=False)
    (tmp_path / "outcomes.csv").write_text(f"prediction_id,outcome\n{answer.headers['x-prediction-id']},1\n")
    (command,) = [line for block in fenced("console") for line in block.splitlines() if "labels send" in line]
    time.sleep(2)
    sent = subprocess.run(
        [sys.executable, "-m", "dashlight.cli.main", *shlex.split(shown(command))[2:]],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert sent.stdout.startswith("1 labels: 1 matched")

    disputed = httpx.post(f"{url}/dispute", params={"prediction_id": "some id"}, trust_env=False)
    assert disputed.status_code == 200


def test_every_command_and_setting_of_the_page_is_there() -> None:
    commands = [
        shlex.split(line[2:]) for block in fenced("console") for line in block.splitlines() if "dashlight" in line
    ]
    for command in commands:
        if command[0] == "dashlight":
            assert callable(parser().parse_args(command[1:]).run)
    variables = set(re.findall(r"DASHLIGHT_[A-Z_]+[A-Z]", PAGE))
    assert variables <= {variable_of(name) for name in Settings.__dataclass_fields__}
    for option in set(re.findall(r"`(--[a-z-]+)", PAGE)):
        assert option in " ".join(
            subprocess.run(
                [sys.executable, "-m", "dashlight.cli.main", "labels", "send", "--help"],
                capture_output=True, text=True, check=True, timeout=60, env={**os.environ, "COLUMNS": "200"},
            ).stdout.split()
        )  # fmt: skip


def test_the_tables_of_the_page_are_what_is_taken() -> None:
    fates = re.findall(r"^\| `(\w+)` \| [^|]*\|$", PAGE.partition("## What becomes of it")[2], flags=re.MULTILINE)
    fields = set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`[^|]*) \|", PAGE.partition("## What a label may be")[2].partition("`POST")[0], flags=re.MULTILINE))))  # fmt: skip
    types = set(re.findall(r"`((?:application|text)/[\w-]+)`", PAGE))

    assert tuple(fates[: len(get_args(Fate))]) == get_args(Fate)
    assert fields == {*NAMES, "labels"}
    assert types <= set(FORMS)
    assert MOST_BYTES == 2**20
    assert f"{MOST_LABELS:,} labels" in PAGE
    assert f"{MOST_WAITING:,} labels wait" in PAGE
