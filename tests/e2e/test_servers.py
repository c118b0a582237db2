"""One line in an app, under the servers that people use."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import httpx
import pytest

SERVERS = {
    "uvicorn": ["uvicorn", "served:app", "--port", "{port}"],
    "uvicorn with two workers": ["uvicorn", "served:app", "--port", "{port}", "--workers", "2"],
    "gunicorn --preload": [
        "gunicorn", "served:app", "--preload", "--workers", "2", "--bind", "127.0.0.1:{port}",
        "--worker-class", "uvicorn_worker.UvicornWorker",
    ],
    "hypercorn": ["hypercorn", "served:app", "--bind", "127.0.0.1:{port}"],
    "hypercorn on trio": ["hypercorn", "served:app", "--bind", "127.0.0.1:{port}", "--worker-class", "trio"],
    "granian": ["granian", "--interface", "asgi", "served:app", "--host", "127.0.0.1", "--port", "{port}"],
}  # fmt: skip


@pytest.mark.parametrize("command", SERVERS.values(), ids=SERVERS.keys())
def test_every_request_is_seen_and_nothing_is_lost_at_shutdown(
    served: Callable[..., AbstractContextManager[str]], collector: Any, command: list[str]
) -> None:
    environ = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "OTEL_SERVICE_NAME": "fraud",
        "DASHLIGHT_SAMPLE_RATE": "1",
    }

    with served(command, environ) as url, httpx.Client(base_url=url, trust_env=False) as client:
        answers = [client.post(f"/predict/m{index}", json={"x": index, "y": 0.5}).json() for index in range(60)]

    # The server has ended: what was still waiting had to be sent before.
    spans, events = collector.wait_for("span", 60), collector.wait_for("event", 60)
    predictions = [event for event in events if event["name"] == "dashlight.prediction"]
    assert answers == [{"score": index + 0.5} for index in range(60)]
    assert len(spans) == len({span["span_id"] for span in spans}) == 60
    assert {span["name"] for span in spans} == {"POST /predict/{model}"}
    assert {span["resource"]["service.name"] for span in spans} == {"fraud"}
    assert {event["trace_id"] for event in predictions} == {span["trace_id"] for span in spans}
