"""Two workers of a BentoML service are one: the same counts, scores and alert as of one worker."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from dashlight.window.reference.build import build_reference_from_columns
from dashlight.window.reference.file import dump

REQUESTS, SHIFTED_FROM, CLIENTS = 3_000, 1_500, 8
TOKEN = "the-token-of-this-test"
PATIENCE_SECONDS = 40.0


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    """5,000 rows of before."""
    rng = np.random.default_rng(6)
    income = rng.gamma(4, 500, 5000)
    columns = {"age": rng.normal(40, 10, 5000), "income": income, "prediction": income / 10_000}
    path = tmp_path / "reference.json"
    path.write_bytes(dump(build_reference_from_columns(columns, {"prediction": "output"}, rng=rng, created_at=0.0)))
    return path


@pytest.fixture
def watched(
    bento_python: Path, bento_serve: Callable[..., Any], collector: Any, reference: Path, tmp_path: Path
) -> Callable[[int], dict[str, Any]]:
    """Puts all requests to a service of so many workers, and gives what Dashlight made of them."""
    rng = np.random.default_rng(5)
    ages = rng.normal(40, 10, REQUESTS)
    ages[SHIFTED_FROM:] += 20
    incomes = rng.gamma(4, 500, REQUESTS)
    rows = [{"age": age, "income": income} for age, income in zip(ages.tolist(), incomes.tolist(), strict=True)]

    def through(workers: int) -> dict[str, Any]:
        told = len(collector.items("event"))
        directory = tmp_path / f"with_{workers}"
        directory.mkdir()
        environ = {
            "WORKERS": str(workers),
            "DASHLIGHT_COLLECTOR": f"{collector.url}/events",
            "DASHLIGHT_COLLECTOR_FORMAT": "ndjson",
            "DASHLIGHT_REFERENCE": str(reference),
            "DASHLIGHT_PANE": "500ms",
            "DASHLIGHT_CPU": "100%",
            "DASHLIGHT_METRICS": "true",
            "DASHLIGHT_TOKEN": TOKEN,
            "DASHLIGHT_SAMPLE_RATE": "0.1",
        }
        command = [str(bento_python), "-m", "bentoml", "serve", "bento_workers:Incomes"]
        with bento_serve(command, directory, **environ) as (url, _):
            until(lambda: counted(url, "dashlight_workers"), workers)
            with ThreadPoolExecutor(CLIENTS) as pool:
                list(pool.map(lambda part: ask(url, part), [rows[first::CLIENTS] for first in range(CLIENTS)]))
            served = until(lambda: counted(url, "dashlight_requests_total", http_route="/predict"), REQUESTS)
            whole = collector.wait_until("event", lambda items: [each for each in items[told:] if is_whole(each)])
        events = collector.items("event")[told:]
        return {
            "served": served,
            "scores": {
                (score["role"], score["column"], score["statistic"]): score["value"]
                for score in whole[-1]["attributes"]["dashlight.scores"]
                if score.get("column")
            },
            "alerts": [
                (member.get("column", ""), member["state"])
                for each in events
                if each["name"] == "dashlight.alert"
                for member in each["attributes"]["dashlight.alert.members"]
            ],
            "judges": len(instances(events, "dashlight.scores")),
            "workers": len(instances(events, "dashlight.prediction")),
        }

    return through


def test_two_workers_say_what_one_says(watched: Callable[[int], dict[str, Any]]) -> None:
    one, two = watched(1), watched(2)

    assert (two["served"], two["scores"], two["alerts"]) == (one["served"], one["scores"], one["alerts"])
    assert (one["served"], one["alerts"]) == (REQUESTS, [("age", "firing")])
    assert (one["workers"], one["judges"], two["workers"], two["judges"]) == (1, 1, 2, 1)


def ask(url: str, rows: Sequence[dict[str, float]]) -> None:
    with httpx.Client(base_url=url, trust_env=False) as client:
        for row in rows:
            assert client.post("/predict", json=row).status_code == 200


def until(look: Callable[[], float], wanted: float) -> float:
    """What *look* sees once it is at least *wanted*, or at the end of patience."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (seen := look()) < wanted and time.monotonic() < deadline:
        time.sleep(0.1)
    return seen


def counted(url: str, name: str, **labels: str) -> float:
    """The sum of one metric, from one scrape; 0 while there are no figures."""
    answer = httpx.get(f"{url}/dashlight/metrics", headers={"x-dashlight-token": TOKEN}, trust_env=False)
    if answer.status_code != 200:
        return 0.0
    return sum(
        sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


def instances(events: Sequence[dict[str, Any]], name: str) -> set[str]:
    return {each["resource"]["service.instance.id"] for each in events if each["name"] == name}


def is_whole(event: dict[str, Any]) -> bool:
    """Whether *event* has the scores of the model over all requests."""
    if event["name"] != "dashlight.scores" or "dashlight.model.state" not in event["attributes"]:
        return False
    rows = [score["rows"] for score in event["attributes"]["dashlight.scores"] if score.get("column") == "age"]
    return max(rows, default=0) == REQUESTS
