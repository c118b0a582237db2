"""The spans of a service, and of the application below them, in a real collector."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

PATIENCE_SECONDS = 30.0


def test_every_request_arrives_with_the_span_of_the_application_below_it(
    bento_python: Path, bento_serve: Callable[..., Any], rotel: str, collector: Any, tmp_path: Path
) -> None:
    command = [str(bento_python), "-m", "bentoml", "serve", "bento_traced:Traced"]

    with (
        bento_serve(command, tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=rotel) as (url, _),
        httpx.Client(base_url=url, trust_env=False) as client,
    ):
        ids = [client.post("/predict", json={"x": number}).headers["x-bentoml-request-id"] for number in range(20)]

    predicted = collector.wait_until("event", lambda items: [e for e in items if e["name"] == "dashlight.prediction"], count=20)  # fmt: skip
    children = collector.wait_until("span", lambda spans: [span for span in spans if span["name"] == "model.score"], count=20)  # fmt: skip
    servers = collector.wait_until("span", lambda spans: [span for span in spans if span["span_id"] in ids], count=20)
    of_trace = {span["trace_id"]: span for span in servers}
    assert len(of_trace) == len(children) == len(predicted) == 20
    assert {span["attributes"]["dashlight.outcome"] for span in servers} == {"ok"}
    assert all(of_trace[child["trace_id"]]["span_id"] == child["parent_span_id"] for child in children)
    assert {event["span_id"] for event in predicted} == set(ids)
