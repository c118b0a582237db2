"""A service stays what it is: its own description, and its code where no line is added at all."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpx


def test_what_a_service_says_of_itself_is_the_same_to_the_byte(bento_python: Path, bento_apps: Path) -> None:
    done = subprocess.run(
        [str(bento_python), str(bento_apps / "bento_schema.py")],
        check=True,
        capture_output=True,
        text=True,
        env=quiet(),
    )

    found = json.loads(done.stdout)
    assert found["after"] == found["before"]
    assert found["is_same"]
    assert found["middlewares"] == [1, 1]
    assert found["local"] == 1.0
    assert "write @dashlight_bentoml.watch above @bentoml.service" in found["refusal"]
    assert "write dashlight_bentoml.watch(Described)" in found["asgi_refusal"]
    line = "write old.add_asgi_middleware(dashlight.DashlightMiddleware)"
    assert [line in refusal for refusal in found["legacy_refusals"]] == [True, True]


def quiet() -> dict[str, str]:
    return {**os.environ, "BENTOML_DO_NOT_TRACK": "true"}


def test_without_a_line_of_code_every_service_is_watched(
    bento_python: Path, bento_serve: Callable[..., Any], collector: Any, tmp_path: Path
) -> None:
    command = [str(bento_python), "-m", "dashlight.cli.main", "run", "--", str(bento_python), "-m", "bentoml", "serve"]

    with (
        bento_serve([*command, "bento_plain:Plain"], tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url) as (url, _),
        httpx.Client(base_url=url, trust_env=False) as client,
    ):
        answers = [client.post("/predict", json={"a": number}).json() for number in range(4)]

    assert answers == [0.0, 2.0, 4.0, 6.0]
    events = [each["attributes"] for each in collector.items("event") if each["name"] == "dashlight.prediction"]
    told = [
        (each["dashlight.model.name"], each["dashlight.inputs"], each["dashlight.outputs"]["prediction"])
        for each in events
    ]
    assert sorted(told, key=str) == [
        *(("Inner", {"x": float(number)}, 2.0 * number) for number in range(4)),
        *(("Plain", {"a": float(number), "b": "red"}, 2.0 * number) for number in range(4)),
    ]


def test_each_service_has_its_own_name_in_spans_events_and_metrics(
    bento_python: Path, bento_serve: Callable[..., Any], collector: Any, tmp_path: Path
) -> None:
    command = [str(bento_python), "-m", "dashlight.cli.main", "run", "--", str(bento_python), "-m", "bentoml", "serve"]
    unnamed = {
        "OTEL_SERVICE_NAME": "",
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "OTEL_METRIC_EXPORT_INTERVAL": "500",
    }

    with (
        bento_serve([*command, "bento_plain:Plain"], tmp_path, **unnamed) as (url, _),
        httpx.Client(base_url=url, trust_env=False) as client,
    ):
        assert client.post("/predict", json={"a": 2}).json() == 4.0
        collector.wait_until("metric", lambda items: sorted(names(items)), count=2)

    found = {kind: names(collector.items(kind)) for kind in ("span", "event", "metric")}
    assert found == {kind: {"Inner", "Plain"} for kind in ("span", "event", "metric")}


def names(items: Sequence[dict[str, Any]]) -> set[str]:
    """What the services are called that sent *items* through Dashlight."""
    return {item["resource"]["service.name"] for item in items if item["scope"] == "dashlight"}
