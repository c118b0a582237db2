"""Names of endpoints in apps of old and new versions of FastAPI and Starlette."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parent / "apps" / "routes_seen.py"
SECONDS = 120.0
NEWEST = ""
"""What the tests are run with."""
ALWAYS = {
    ("fastapi", "0.99.1"),
    ("fastapi", "0.140.0"),
    ("fastapi", NEWEST),
    ("starlette", "0.27.0"),
    ("starlette", NEWEST),
}
VERSIONS = {
    # 0.99 is the last that stands on pydantic 1; from 0.137 on the routes of included routers have no prefix.
    "fastapi": ["0.99.1", "0.115.14", "0.128.8", "0.137.0", "0.140.0", NEWEST],
    # 0.33 and 0.34 have root paths of their own; from 1.1 on the route is in the scope.
    "starlette": ["0.27.0", "0.33.0", "0.36.3", "0.52.1", "1.0.0", NEWEST],
}


@pytest.mark.parametrize(
    ("framework", "version"),
    [
        pytest.param(name, each, id=f"{name} {each or 'newest'}")
        for name, versions in VERSIONS.items()
        for each in versions
    ],
)
def test_endpoints_are_called_by_their_templates_in_every_version(
    overlay: Callable[[str, Sequence[str]], Path], framework: str, version: str
) -> None:
    if (framework, version) not in ALWAYS and not os.environ.get("EVERY_SERVER"):
        pytest.skip("installs one more version: make test-every-server")
    home = [str(overlay(framework, [f"{framework}=={version}"]))] if version else []
    path = os.pathsep.join([*home, *filter(None, [os.environ.get("PYTHONPATH")])])

    done = subprocess.run(
        [sys.executable, PROGRAM, framework, version or "newest"],
        env={**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert (seen["wrong"], seen["asked"] > 20) == ([], True)
    assert seen["version"] == version or not version
    # What Dashlight serves itself stands on Starlette too.
    assert seen["metrics"] == 200
    # A scanner's two hundred paths have added none.
    assert set(seen["endpoints"]) == {*seen["models"], "other"}
    # FastAPI's own span, where there is one, says the same.
    assert seen["spans_say"] == []
    assert bool(seen["spans"]) is ((framework, version) == ("fastapi", NEWEST))
