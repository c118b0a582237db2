"""Servers that know no lifespan and are ended by SIGTERM."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import httpx
import pytest

from dashlight.capture.ending import SETTLING_SECONDS
from dashlight.deliver.destination import LINGER_SECONDS
from dashlight.workers.member import PATIENCE_SECONDS

COMMAND = ["uvicorn", "served:app", "--port", "{port}", "--lifespan", "off"]
RUN = ["python", "-m", "dashlight.cli.main", "run", "--"]
COUNT = 50
Serving = Callable[..., AbstractContextManager[str]]


def predictions(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [each for each in items if each["name"] == "dashlight.prediction"]


def environment(collector: Any) -> dict[str, str]:
    return {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "DASHLIGHT_SAMPLE_RATE": "1"}


def ask(url: str) -> None:
    with httpx.Client(base_url=url, trust_env=False) as client:
        for number in range(COUNT):
            client.post("/predict/m", json={"x": number, "y": 0.5})


@pytest.mark.parametrize("workers", [[], ["--workers", "2"]], ids=["alone", "two workers"])
def test_below_dashlight_run_nothing_is_lost(served: Serving, collector: Any, workers: list[str]) -> None:
    with served([*RUN, *COMMAND, *workers], environment(collector)) as url:
        ask(url)

    assert len(collector.wait_until("event", predictions, count=COUNT)) == COUNT
    assert len(collector.wait_for("span", COUNT)) == COUNT


def test_under_a_plain_server_what_is_older_than_a_second_has_left(served: Serving, collector: Any) -> None:
    with served(COMMAND, environment(collector)) as url:
        ask(url)
        # Without the end of the server: what is told to nobody has to leave by itself.
        assert len(collector.wait_until("event", predictions, count=COUNT)) == COUNT
        assert len(collector.wait_for("span", COUNT)) == COUNT


def test_nothing_is_told_to_wait_for_longer_than_is_promised() -> None:
    # An event lingers from the end of its exchange on; an alert leaves at once, once it has been judged.
    assert LINGER_SECONDS <= 1.0
    assert SETTLING_SECONDS + 0.25 <= LINGER_SECONDS
    assert PATIENCE_SECONDS <= 0.5
