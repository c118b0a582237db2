"""Columns that only the reference or only traffic has, as two workers serve them, and after a restart."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from dashlight.window.reference.build import build_reference_from_columns
from dashlight.window.reference.file import dump

PATIENCE_SECONDS = 60.0
UVICORN = ["uvicorn", "many_workers:app", "--port", "{port}", "--workers", "2"]
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"all": {"class": "logging.StreamHandler"}},
    "loggers": {"dashlight": {"level": "INFO", "handlers": ["all"]}},
}
NAMES = ("age", "income", "height", "weight", "price", "stroke")


def rows(rng: np.random.Generator, count: int) -> dict[str, Any]:
    return {name: rng.gamma(4, 500, count) for name in NAMES}


@pytest.fixture
def environ(collector: Any, tmp_path: Path) -> Mapping[str, str]:
    reference, state = tmp_path / "reference.json", tmp_path / "state"
    rng = np.random.default_rng(6)
    columns = rows(rng, 3000)
    columns["score"] = columns["income"] / 10_000
    reference.write_bytes(dump(build_reference_from_columns(columns, {"score": "output"}, rng=rng, created_at=0.0)))
    state.mkdir(mode=0o700)
    return {
        "DASHLIGHT_COLLECTOR": f"{collector.url}/events",
        "DASHLIGHT_COLLECTOR_FORMAT": "ndjson",
        "DASHLIGHT_REFERENCE": str(reference),
        "DASHLIGHT_STATE_DIR": str(state),
        "DASHLIGHT_PANE": "300ms",
        "DASHLIGHT_CPU": "100%",
    }


def ask(url: str, names: Collection[str], is_enough: Callable[[], bool], *, least: int) -> None:
    """Sends requests with the columns *names*, at least so many and until that *is_enough*."""
    rng = np.random.default_rng(7)
    deadline, asked = time.monotonic() + PATIENCE_SECONDS, 0
    while asked < least or (not is_enough() and time.monotonic() < deadline):
        values = {name: float(each[0]) for name, each in rows(rng, 1).items()}
        row = {name: values[name] for name in names} | {"number": 1, "stroke": None}
        with httpx.Client(trust_env=False) as client:
            assert client.post(f"{url}/predict", json=row).status_code == 200
        asked += 1


def test_what_never_came_is_told_once_and_what_goes_away_is_gone_after_a_restart_too(
    served: Callable[..., Any], collector: Any, environ: Mapping[str, str], tmp_path: Path
) -> None:
    def alerts() -> set[tuple[str, str]]:
        told = [event["attributes"] for event in collector.items("event") if event["name"] == "dashlight.alert"]
        members = [member for each in told for member in each["dashlight.alert.members"]]
        return {(member["source"], member.get("column", "")) for member in members}

    log, logging = tmp_path / "server.log", tmp_path / "logging.json"
    logging.write_text(json.dumps(LOGGING))
    command = [*UVICORN, "--log-config", str(logging)]
    with served(command, environ) as url:
        ask(url, NAMES[:4], lambda: "not in the reference" in log.read_text(), least=600)
    said = log.read_text()
    assert alerts() == set()
    assert said.count("in the reference, not in the traffic: price, stroke: left out") == 1
    assert said.count("in the traffic, not in the reference: number: left out") == 1

    with served(command, environ) as url:
        ask(url, NAMES[1:4], lambda: ("break", "age") in alerts(), least=100)

    assert {column for _, column in alerts()} == {"age"}
    assert ("break", "age") in alerts()
    assert "left out" not in log.read_text()
