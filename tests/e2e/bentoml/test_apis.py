"""`bentoml serve` with one line more: every kind of API, every kind of end, as the collector sees them."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

PATIENCE_SECONDS = 40.0
MONITORED = {"services": {"monitoring": {"enabled": True, "type": "dashlight_bentoml.DashlightMonitor"}}}


@dataclass(frozen=True)
class Seen:
    """What the collector has, and what the clients were told."""

    events: list[dict[str, Any]]
    spans: list[dict[str, Any]]
    answers: dict[str, list[httpx.Response]]
    said: str

    def of(self, route: str, *, status: int = 200) -> dict[str, Any]:
        """The attributes of the one event of a route and a status."""
        found = [
            event["attributes"]
            for event in self.events
            if event["attributes"]["http.route"] == route
            and event["attributes"].get("http.response.status_code") == status
        ]
        (only,) = found
        attributes: dict[str, Any] = only
        return attributes

    def error_of(self, route: str, *, status: int) -> object:
        """What the span of the one request of a route and a status names as its error."""
        (only,) = [
            span["attributes"]
            for span in self.spans
            if (span["attributes"]["http.route"], span["attributes"]["http.response.status_code"]) == (route, status)
        ]
        return only.get("error.type")


@pytest.fixture(scope="module")
def seen(
    bento_python: Path, bento_serve: Callable[..., Any], shared_collector: Any, tmp_path_factory: pytest.TempPathFactory
) -> Seen:
    """One run of a service with all APIs, asked in every way."""
    command = [str(bento_python), "-m", "bentoml", "serve", "bento_apis:Apis"]
    environ = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": shared_collector.url,
        "BENTOML_CONFIG_OVERRIDES": json.dumps(MONITORED),
    }
    with bento_serve(command, tmp_path_factory.mktemp("bentoml"), **environ) as (url, log):
        answers = asked(url)
        # Those that need a moment for themselves end while the server does: nothing may be lost then.
    events = [each for each in shared_collector.items("event") if each["name"] == "dashlight.prediction"]
    return Seen(events, shared_collector.items("span"), answers, log.read_text())


def asked(url: str) -> dict[str, list[httpx.Response]]:
    """Every API in every way; the answers by path, in the order of the requests."""
    answers: dict[str, list[httpx.Response]] = {}
    with httpx.Client(base_url=url, trust_env=False, timeout=20) as client, ThreadPoolExecutor(8) as threads:

        def post(path: str, body: Any, **others: Any) -> httpx.Response:
            answer = client.post(path, json=body, **others)
            answers.setdefault(path, []).append(answer)
            return answer

        post("/numpy", {"x": [[1, 2, 3], [5, 6, 7]]})
        post("/frame", {"d": [{"a": 1, "b": 3}, {"a": 2, "b": 4}]})
        post("/limited", {"df": [{"a": 1, "b": 3}, {"a": 0, "b": 4}], "threshold": 0.5})
        post("/priced", {"query": {"rows": [{"a": 1, "b": 3}, {"a": 0, "b": 4}], "currency": "EUR"}})
        post("/scaled", {"data": [[1, 2], [3, 4]], "scale": 2})
        post("/model", {"row": {"a": 1, "b": 2}})
        post("/model", {"row": {"a": "no number", "b": 2}})
        post("/root", {"a": 1, "b": 2})
        list(threads.map(lambda number: post("/batched", {"x": [[number, number]]}), range(4)))
        post("/batched", {"x": [[-1, 1]]})
        post("/stream", {"count": 3})
        task = post("/job/submit", {"x": 4}).json()["task_id"]
        post("/job/submit", {"x": -4})
        assert until(lambda: client.get("/job/get", params={"task_id": task}).text == "8.0")
        post("/depend", {"x": 4})
        post("/fail", {"x": 1})
        post("/refuse", {"x": 1})
        post("/nested", {"a": 1})
        post("/monitored", {"a": 7})
        answers["/file"] = [client.post("/file", files={"upload": ("a.txt", b"hello", "text/plain")})]
        post("/slow_aside", {"seconds": 2.5})
        # Seven at a time where six may be: one of them is turned away at once.
        list(threads.map(lambda _: post("/slow", {"seconds": 1.2}), range(7)))
        # Last of all, and alone: its route has answered with 200 before.
        answers["broken"] = [client.post("/stream", json={"count": 2, "broken": "yes"})]
    return answers


def until(is_there: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := is_there()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


@pytest.mark.parametrize(
    ("route", "inputs", "outputs"),
    [
        (
            "/numpy",
            {"x[0]": [1, 5], "x[1]": [2, 6], "x[2]": [3, 7]},
            {"prediction": [1.0, 2.0]},
        ),
        ("/frame", {"a": [1, 2], "b": [3, 4]}, {"y": [3, 4]}),
        ("/limited", {"a": [1, 0], "b": [3, 4], "threshold": [0.5, 0.5]}, {"prediction": [1.0, 0.0]}),
        ("/priced", {"a": [1.0, 0.0], "b": [3.0, 4.0], "currency": ["EUR", "EUR"]}, {"prediction": [1.0, 0.0]}),
        ("/scaled", {"data[0]": [1, 3], "data[1]": [2, 4], "scale": [2.0, 2.0]}, {"prediction": [6.0, 14.0]}),
        ("/model", {"row.a": 1.0, "row.b": 2.0}, {"y": 3.0, "label": "pos"}),
        ("/root", {"a": 1.0, "b": 2.0}, {"prediction": 1.0}),
        ("/job", {"x": 4.0}, {"prediction": 8.0}),
        ("/depend", {"x": 4.0}, {"prediction": 8.0}),
        ("/score", {"x[0]": 4.0, "x[1]": 4.0}, {"prediction": 8.0}),
        ("/file", {"upload.name": "a.txt", "upload.bytes": 5, "upload.type": "text/plain"}, {"prediction": 5}),
        ("/nested", {"a": 1.0}, {"prediction": 2.0}),
        ("/monitored", {"named": 7.0}, {"answer": "x"}),
    ],
    ids=[
        "an array that the API changes in place", "a frame that it changes too", "a frame beside a value",
        "a model of rows and a value", "an array beside a value", "a model of pydantic's",
        "a model that is the whole input", "a task, when its work is done", "a service that asks another",
        "that other, over pickle", "a file, of which only the facts are told", "an API that calls another of its own",
        "what bentoml.monitor is told",
    ],
)  # fmt: skip
def test_columns_are_what_the_api_was_given_and_answered(
    seen: Seen, route: str, inputs: dict[str, object], outputs: dict[str, object]
) -> None:
    event = seen.of(route)

    assert (event.get("dashlight.inputs"), event.get("dashlight.outputs")) == (inputs, outputs)
    assert event["dashlight.outcome"] == "ok"


def test_a_batch_is_told_request_by_request(seen: Seen) -> None:
    told = [
        (each["attributes"]["dashlight.inputs"], each["attributes"]["dashlight.outputs"])
        for each in seen.events
        if each["attributes"]["http.route"] == "/batched" and each["attributes"]["dashlight.outcome"] == "ok"
    ]

    assert sorted(told, key=str) == [
        ({"x[0]": number, "x[1]": number}, {"prediction": 2 * number}) for number in range(4)
    ]


def test_a_stream_is_counted_and_passes_untouched(seen: Seen) -> None:
    whole = [e["attributes"] for e in seen.events if e["attributes"].get("dashlight.inputs", {}).get("count") == 3]
    broken = [
        e["attributes"]
        for e in seen.events
        if e["attributes"]["http.route"] == "/stream" and e["attributes"].get("error.type") == "stream"
    ]

    assert [each["dashlight.outputs"] for each in whole] == [{"y": 2.0, "label": "part", "items": 3}]
    assert [(each["http.response.status_code"], each.get("dashlight.outputs")) for each in broken] == [(200, None)]
    assert seen.answers["/stream"][0].text == "".join(f'{{"y":{n}.0,"label":"part"}}' for n in range(3))
    assert seen.answers["broken"][0].status_code == 200


@pytest.mark.parametrize(
    ("route", "status", "outcome", "error"),
    [
        ("/model", 400, "refused", "ValidationError"),
        ("/refuse", 400, "refused", "InvalidArgument"),
        ("/fail", 500, "error", "LookupError"),
        ("/batched", 500, "error", "ArithmeticError"),
        ("/job", 500, "error", "ValueError"),
        ("/slow_aside", 504, "error", "TimeoutError"),
        ("/slow", 429, "ok", None),
    ],
    ids=[
        "refused by the validator", "refused by the API", "raised", "raised by a batch", "raised by a task",
        "beyond the timeout", "beyond the concurrency",
    ],
)  # fmt: skip
def test_ends_are_what_the_client_was_told_and_why(
    seen: Seen, route: str, status: int, outcome: str, error: str | None
) -> None:
    event = seen.of(route, status=status)

    assert event["dashlight.outcome"] == outcome
    assert "dashlight.outputs" not in event
    assert seen.error_of(route, status=status) == error
    if route != "/job":
        assert status in [answer.status_code for answer in seen.answers[route]]


def test_each_call_is_counted_once(seen: Seen) -> None:
    routes = [event["attributes"]["http.route"] for event in seen.events]

    # The call that /nested makes of /model is no exchange of its own, nor is a look at a task.
    assert {route: routes.count(route) for route in ("/model", "/nested", "/job", "/slow", "/slow_aside")} == {
        "/model": 2, "/nested": 1, "/job": 2, "/slow": 7, "/slow_aside": 1,
    }  # fmt: skip
    assert len(seen.events) == len(seen.spans) == 32


def test_services_of_one_serve_are_models_of_their_own(seen: Seen) -> None:
    assert seen.of("/numpy")["dashlight.model.name"] == "Apis"
    assert seen.of("/score")["dashlight.model.name"] == "Scorer"


def test_every_request_has_a_span_that_goes_by_the_request_id_of_bentoml(seen: Seen) -> None:
    spans = {span["span_id"]: span for span in seen.spans}
    told = {
        answer.headers["x-bentoml-request-id"]
        for answers in seen.answers.values()
        for answer in answers
        if "x-bentoml-request-id" in answer.headers
    }
    (above,) = [span for span in seen.spans if span["name"] == "POST /depend"]
    (below,) = [span for span in seen.spans if span["name"] == "POST /score"]

    assert told <= spans.keys()
    assert {event["span_id"] for event in seen.events} == spans.keys()
    assert (below["trace_id"], below["parent_span_id"]) == (above["trace_id"], above["span_id"])


def test_nothing_of_ours_is_said_in_the_log_but_that_a_service_is_watched(seen: Seen) -> None:
    ours = [line for line in seen.said.splitlines() if "dashlight" in line.lower() and "File " not in line]

    assert [
        line for line in ours if "config override" not in line and not re.search(r"\] watching (?:\S+ )?bentoml ", line)
    ] == []
