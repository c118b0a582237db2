"""Who makes the span: one server span for each request, whatever else traces, and ours is never a second one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parent / "apps" / "span_cases.py"
OURS = ["sdk provider alone", "sdk provider alone, added", "fastapi told not to trace", "entered twice"]
THEIRS = [
    "fastapi traces itself, watched", "fastapi traces itself, added", "contrib outside", "contrib inside",
    "contrib's instrumentor, watched", "contrib's instrumentor, added",
    "starlette's middleware outside", "starlette's middleware inside",
]  # fmt: skip


@cache
def traced(case: str, path: str = "/p/7", **environ: str) -> dict[str, Any]:
    run = subprocess.run(
        [sys.executable, str(SCRIPT), case, path],
        check=True, capture_output=True, text=True, timeout=60,
        env={**os.environ, "DASHLIGHT_MODEL": "fraud", **environ},
    )  # fmt: skip
    assert "Setting attribute on ended span" not in run.stderr
    return dict(json.loads(run.stdout))


def server_spans(found: dict[str, Any]) -> list[dict[str, Any]]:
    return [span for span in found["spans"] if span["kind"] == "SERVER"]


@pytest.mark.parametrize("case", OURS + THEIRS)
def test_there_is_one_server_span_and_it_carries_our_facts(case: str) -> None:
    found = traced(case)

    (server,) = server_spans(found)
    assert found["status"] == 200
    assert (server["trace_id"], server["parent_id"]) == (0xABC, 0xDEF)
    assert server["attributes"]["dashlight.model.name"] == "fraud"
    assert server["attributes"]["dashlight.outcome"] == "ok"
    assert len(server["attributes"]["dashlight.event.id"]) == 36
    assert server["attributes"]["http.request.body.size"] == 7


@pytest.mark.parametrize("case", OURS + THEIRS)
def test_the_app_s_own_spans_hang_below_it(case: str) -> None:
    found = traced(case)

    by_id = {span["span_id"]: span for span in found["spans"]}
    (inner,) = [span for span in found["spans"] if span["name"] == "model.score"]
    above = by_id[inner["parent_id"]]
    while above["kind"] != "SERVER":
        above = by_id[above["parent_id"]]
    assert above["trace_id"] == 0xABC


@pytest.mark.parametrize("case", OURS)
def test_a_span_of_our_making_has_the_stable_names(case: str) -> None:
    (server,) = server_spans(traced(case))

    assert server["name"] == "POST /p/{x}"
    assert server["status"] == "UNSET"
    wanted = {
        "http.request.method": "POST",
        "http.route": "/p/{x}",
        "http.response.status_code": 200,
        "url.path": "/p/{x}",
        "url.scheme": "http",
    }
    assert wanted.items() <= server["attributes"].items()


@pytest.mark.parametrize("case", OURS)
def test_an_exception_is_the_error_type_of_our_span(case: str) -> None:
    found = traced(case, "/fail")

    (server,) = server_spans(found)
    assert found["status"] == 500
    assert server["status"] == "ERROR"
    assert server["attributes"]["error.type"] in {"ValueError", "500"}
    assert server["attributes"]["dashlight.outcome"] == "error"


def test_a_span_that_was_sampled_out_is_not_made_again() -> None:
    assert traced("sampled out")["spans"] == []


@pytest.mark.parametrize(("spans", "count"), [("off", 0), ("enrich", 0), ("server", 1), ("own", 0)])
def test_the_setting_decides_over_what_is_found(spans: str, count: int) -> None:
    found = traced("sdk provider alone", DASHLIGHT_SPANS=spans)

    assert len(server_spans(found)) == count
