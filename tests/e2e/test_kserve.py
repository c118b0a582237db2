"""KServe 0.21, watched by one line in the script that starts it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

APPS = Path(__file__).parent / "apps"
EXAMPLE = Path(__file__).parents[2] / "examples" / "kserve"
V1_ROUTE, V2_ROUTE = "/v1/models/{model_name}:predict", "/v2/models/{model_name}/infer"
COLUMNS = {"rooms": [3, 2], "area": [80, 44]}


def v1(rooms: float) -> tuple[str, Any]:
    return "/v1/models/flats:predict", {"instances": [{"rooms": rooms, "area": 30}]}


def v2(rooms: float, model: str = "flats") -> tuple[str, Any]:
    tensors = [
        {"name": name, "shape": [1, 1], "datatype": "FP64", "data": [number]}
        for name, number in (("rooms", rooms), ("area", 30))
    ]
    return f"/v2/models/{model}/infer", {"inputs": tensors}


def settings(collector: Any) -> dict[str, str]:
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "DASHLIGHT_PAYLOADS": "features",
        "DASHLIGHT_SAMPLE_RATE": "1",
    }


def predictions(collector: Any, count: int) -> list[dict[str, Any]]:
    """The attributes of the predictions, once there are *count*, in the order in which they were asked."""
    events = collector.wait_until(
        "event",
        lambda items: [
            item
            for item in items
            if item["name"] == "dashlight.prediction" and item["attributes"]["http.request.method"] == "POST"
        ],
        count=count,
    )
    return [event["attributes"] for event in sorted(events, key=lambda event: float(event["at"]))]


@pytest.fixture(scope="module")
def python(environment: Callable[..., Path]) -> Path:
    """Of an environment with KServe."""
    return environment("kserve", ["kserve==0.21.0"])


def test_the_example_is_seen_as_its_readme_says(python: Path, hosted: Callable[..., Any], collector: Any) -> None:
    questions = re.findall(
        r"\$ curl http://127.0.0.1:8000(\S+) --json '(.*)'\n(.*)\n", (EXAMPLE / "README.md").read_text()
    )
    command = ["python", "-m", "kserve_loopback", str(EXAMPLE / "serve.py"), "--http_port", "{port}"]

    with hosted(python, command, settings(collector), health="/v2/health/ready") as server:
        answers = [
            httpx.post(f"{server.url}{path}", json=json.loads(body), trust_env=False).text
            for path, body, _ in questions
        ]
        assert f"http://127.0.0.1:{server.ports['port']}" in server.log.read_text()
    by_v1, by_v2 = predictions(collector, 2)

    for answer, (_, _, wanted) in zip(answers, questions, strict=True):
        assert re.fullmatch(".*".join(map(re.escape, wanted.split("..."))), answer), answer
    assert (by_v1["http.route"], by_v1["dashlight.protocol"]) == (V1_ROUTE, "kserve_v1")
    assert (by_v2["http.route"], by_v2["dashlight.protocol"]) == (V2_ROUTE, "kserve_v2")
    assert by_v1["dashlight.inputs"] == by_v2["dashlight.inputs"] == COLUMNS
    assert (by_v1["dashlight.outputs"], by_v2["dashlight.outputs"]) == (
        {"predictions": [500.0, 310.0]}, {"price": [500.0, 310.0]},
    )  # fmt: skip
    assert by_v1["dashlight.model.name"] == by_v2["dashlight.model.name"] == "flats"


def test_refusals_and_exceptions_of_the_model_are_told(
    python: Path, hosted: Callable[..., Any], collector: Any
) -> None:
    command = ["python", "-m", "kserve_loopback", str(APPS / "kserve_prices.py"), "--http_port", "{port}"]
    asked = [v1(-1), v2(-1), v1(1000), v2(1000), v2(1, "castles"), v1(1), v2(1)]

    with hosted(python, command, settings(collector), health="/v2/health/ready") as server:
        statuses = [httpx.post(f"{server.url}{path}", json=body, trust_env=False).status_code for path, body in asked]
    events = predictions(collector, len(asked))

    assert statuses == [400, 400, 500, 500, 404, 200, 200]
    assert [(event["dashlight.outcome"], event.get("error.type")) for event in events] == [
        ("refused", None), ("refused", None), ("error", "LookupError"), ("error", "LookupError"), ("ok", None),
        ("ok", None), ("ok", None),
    ]  # fmt: skip
    assert [event.get("dashlight.rows") for event in events] == [None] * 5 + [1, 1]
