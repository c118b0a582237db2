"""`dashlight check URL` asks a real server how old its figures are, and finds its token by itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

PATIENCE_SECONDS = 30.0


def checked(url: str, **environ: str) -> tuple[int, list[dict[str, str]]]:
    """The exit status, and what was found of the running app."""
    done = subprocess.run(
        [sys.executable, "-m", "dashlight.cli.main", "check", url, "--json"],
        capture_output=True, text=True, timeout=60, check=False, env={**os.environ, **environ},
    )  # fmt: skip
    assert done.stderr == ""
    return done.returncode, [each for each in json.loads(done.stdout)["findings"] if each["subject"] == "running app"]


def test_a_server_that_watches_is_found_to_do_so_by_the_token_that_it_keeps(
    served: Callable[..., Any], tmp_path: Path
) -> None:
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    environ = {"DASHLIGHT_METRICS": "true", "DASHLIGHT_PANE": "300ms", "DASHLIGHT_STATE_DIR": str(state)}

    with served(["uvicorn", "served:app", "--port", "{port}", "--workers", "2"], environ) as url:
        deadline = time.monotonic() + PATIENCE_SECONDS
        status, said = checked(url, **environ)
        # Each worker has its turn to start.
        while (status or not said[1]["sentence"].startswith("2 ")) and time.monotonic() < deadline:
            status, said = checked(url, **environ)
    gone, why = checked(url, **environ)

    assert status == 0, said
    assert "its figures are" in said[0]["sentence"]
    assert said[1]["sentence"].startswith("2 workers; ")
    assert (gone, why[0]["level"]) == (1, "wrong")
