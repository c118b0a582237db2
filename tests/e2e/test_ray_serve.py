"""A real Ray Serve, as the example's README starts it."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "ray"
APPS = Path(__file__).parent / "apps"
APART = ["unshare", "--map-root-user", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
SECONDS = 120.0


def test_the_proxy_of_ray_serve_is_seen_and_its_deployments_answer(
    environment: Callable[[str, Sequence[str]], Path], tmp_path: Path
) -> None:
    if not os.environ.get("EVERY_SERVER"):
        pytest.skip("installs more than half a gigabyte for Ray: make test-every-server")
    needed("a network of its own, because Ray listens on every address: unshare", [*APART, "ip", "link"])
    python = environment("ray", ["ray[serve]>=2.60"])
    readme = (EXAMPLE / "README.md").read_text()
    exported = dict(
        pair.split("=", 1) for line in re.findall(r"^\$ export (.*)$", readme, re.MULTILINE) for pair in line.split()
    )
    server = re.findall(r"^\$ (serve run .*)$", readme, re.MULTILINE)[0].split()
    ((path, asked, answered),) = re.findall(
        r"^\$ curl http://127.0.0.1:8000(\S+) --json '(.*)'\n(.*)$", readme, re.MULTILINE
    )
    requests = [(path, asked), (path, '{"sepal_length": "long"}'), ("/nowhere", "{}")]

    collected = tmp_path / "collected.ndjson"
    done = subprocess.run(
        [*APART, python, APPS / "ray_in_private.py", collected],
        input=json.dumps({"environ": exported, "server": server, "requests": requests}),
        cwd=EXAMPLE,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout.splitlines()[-1])
    assert answers[0] == [200, answered], done.stderr
    assert [status for status, _ in answers] == [200, 500, 404]
    events = [
        event["attributes"] for event in predictions(collected) if event["attributes"]["http.request.method"] == "POST"
    ]
    assert [event["http.route"] for event in events] == ["/petal", "/petal", "unmatched"]
    assert [event["http.response.status_code"] for event in events] == [200, 500, 404]
    assert events[0]["dashlight.inputs"] == {"sepal_length": 5.5, "sepal_width": 3}
    assert events[0]["dashlight.outputs"] == {"petal_length": 2.0, "long": True}


def predictions(collected: Path) -> list[dict[str, Any]]:
    """The events of predictions, in the order of their requests."""
    items = [json.loads(line) for line in collected.read_text().splitlines()]
    found = [item for item in items if item["kind"] == "event" and item["name"] == "dashlight.prediction"]
    return sorted(found, key=lambda item: float(item["at"]))


def needed(what: str, command: Sequence[str]) -> None:
    """Skips where *command* does not work, and fails on the servers of the project."""
    try:
        works = subprocess.run(command, capture_output=True, timeout=SECONDS, check=False).returncode == 0
    except OSError:
        works = False
    if not works:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"needs {what}")
