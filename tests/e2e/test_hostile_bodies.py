"""Hostile bodies sent to a real server, while its event loop tells how late it is."""

import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.decoding_parts import Parts  # noqa: E402
from benchmarks.fuzz_limits import CAP_BYTES  # noqa: E402
from benchmarks.hostile_bodies import HOSTILE  # noqa: E402

MAX_LAG_SECONDS = 0.25
ATTEMPTS = 4
"""The machine has other things to do: of a body that is to blame the loop is late every time."""
WATCHED_SECONDS = 0.12
PATIENCE_SECONDS = 30.0
TOGETHER = 12
"""Bodies sent before those that wait are seen through: all of them may be more than the inbox keeps."""
LEAST_ANALYSED = 0.8
"""Of the bodies: on a slow machine they cost more than a core has, and the analysis leaves some out by design."""
UVICORN = ["uvicorn", "heartbeat:app", "--port", "{port}", "--log-level", "warning"]
TOKEN = {"x-dashlight-token": "of-the-tests-alone"}
ENVIRON = {
    # All of them are decoded, as far as a core has the time.
    "DASHLIGHT_CPU": "100%",
    "DASHLIGHT_PANE": "1s",
    "DASHLIGHT_METRICS": "true",
    "DASHLIGHT_TOKEN": TOKEN["x-dashlight-token"],
}


def answered_as_ever(client: httpx.Client, parts: Parts) -> bool:
    """Whether the app's answer arrives as it sent it; the hostile body is the request, or the answer."""
    is_answer = len(parts.response) > len(parts.request)
    body, headers = (parts.response, parts.answer_headers) if is_answer else (parts.request, parts.headers)
    # What is said to be compressed would be undone by the client: it is sent one way only.
    is_back = is_answer and "content-encoding" not in headers
    answer = client.post(f"{parts.path}?back" if is_back else parts.path, content=body, headers=dict(headers))
    return answer.status_code == 200 and answer.content == (body if is_back else b'{"y": 1}')


def lag_seconds(client: httpx.Client) -> float:
    """How late the loop was at most since it was asked before."""
    return float(client.get("/lag").text)


def analysed(client: httpx.Client) -> float:
    told = client.get("/dashlight/metrics", headers=TOKEN).text
    return sum(float(found) for found in re.findall(r"(?m)^dashlight_analysed_total\{.*\} ([0-9.e+]+)", told))


def assert_analysed(client: httpx.Client, count: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (found := analysed(client)) < LEAST_ANALYSED * count and time.monotonic() < deadline:
        time.sleep(0.2)
    assert found >= LEAST_ANALYSED * count


def test_no_hostile_body_makes_the_apps_event_loop_late(served: Callable[..., Any]) -> None:
    late: dict[str, float] = {}
    count = 0
    with (
        served(UVICORN, ENVIRON) as url,
        httpx.Client(base_url=url, trust_env=False, timeout=PATIENCE_SECONDS) as client,
    ):
        for number, (title, make) in enumerate(HOSTILE.items()):
            parts = make(CAP_BYTES)
            least = float("inf")
            for _ in range(ATTEMPTS):
                lag_seconds(client)
                assert answered_as_ever(client, parts), title
                count += 1
                time.sleep(WATCHED_SECONDS)
                least = min(least, lag_seconds(client))
                if least < MAX_LAG_SECONDS:
                    break
            if least >= MAX_LAG_SECONDS:
                late[title] = least
            if number % TOGETHER == 0:
                assert_analysed(client, count)
        assert_analysed(client, count)
    assert late == {}
