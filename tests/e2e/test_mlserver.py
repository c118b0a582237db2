"""MLServer 1.7, watched by one line of its settings: REST and gRPC, as clients meet it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

APPS = Path(__file__).parent / "apps"
REST_ROUTE = "/v2/models/{model_name}/infer"
REST_STREAM_ROUTE = "/v2/models/{model_name}/infer_stream"
GRPC_ROUTE = "/inference.GRPCInferenceService/ModelInfer"
STREAM_ROUTE = "/inference.GRPCInferenceService/ModelStreamInfer"
TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
TENSORS = {
    "rooms": ["FP32", [3, 1], [2.0, 3.0, 0.1]],
    "area": ["FP64", [3, 2], [20.5, 3.0, 5.0, 6.0, 70.0, 8.0]],
    "town": ["BYTES", [3, 1], ["Ulm", "Trier", "Köln"]],
}
COLUMNS = {
    "rooms": [2, 3, 0.1],
    "area[0]": [20.5, 5, 70],
    "area[1]": [3, 6, 8],
    "town": ["Ulm", "Trier", "Köln"],
}
PRICES = [2023.5, 3011.0, 178.0]


def one_row(rooms: float, town: str) -> dict[str, Any]:
    return {"rooms": ["FP64", [1, 1], [rooms]], "area": ["FP64", [1, 1], [30.0]], "town": ["BYTES", [1, 1], [town]]}


@dataclass(frozen=True)
class Seen:
    """What clients got and what the collector has of it, once the server has ended."""

    rest: list[httpx.Response]
    grpc: list[Any]
    events: list[dict[str, Any]]

    def good(self) -> list[dict[str, Any]]:
        """Of the same three rows: by REST, by gRPC, by raw gRPC, and by a stream of either kind."""
        streams = [self.at(route)[0] for route in (REST_STREAM_ROUTE, STREAM_ROUTE)]
        return [self.at(REST_ROUTE)[0], *self.at(GRPC_ROUTE)[:2], *streams]

    def at(self, route: str) -> list[dict[str, Any]]:
        """The attributes of the predictions at *route*, in the order in which they were asked."""
        events = [event for event in self.events if event["attributes"].get("http.route") == route]
        # In which order they are sent is not promised.
        return [event["attributes"] for event in sorted(events, key=lambda event: event["at"])]


def settings(directory: Path, collector: Any, **more: str) -> dict[str, str]:
    return {
        "MLSERVER_HTTP_PORT": "{port}",
        "MLSERVER_GRPC_PORT": "{grpc_port}",
        "MLSERVER_METRICS_PORT": "{metrics_port}",
        "MLSERVER_METRICS_DIR": str(directory / "metrics"),
        "MLSERVER_ENVIRONMENTS_DIR": str(directory / "environments"),
        "DASHLIGHT_COLLECTOR": f"{collector.url}/v1/logs",
        "DASHLIGHT_PAYLOADS": "features",
        "DASHLIGHT_SAMPLE_RATE": "1",
        **more,
    }


def rest_body(tensors: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    inputs = [
        {"name": name, "datatype": datatype, "shape": shape, "data": data}
        for name, (datatype, shape, data) in tensors.items()
    ]
    return {"inputs": inputs}


def asked_by_grpc(python: Path, port: int, *calls: Mapping[str, Any]) -> list[Any]:
    command = [str(python), str(APPS / "mlserver_client.py"), f"127.0.0.1:{port}", json.dumps(calls)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    answers: list[Any] = json.loads(done.stdout)
    return answers


@pytest.fixture(scope="module")
def python(environment: Callable[..., Path]) -> Path:
    """Of an environment with MLServer."""
    # With uvloop 0.22 and later the processes of MLServer 1.7.1 that run models do not start.
    return environment("mlserver", ["mlserver==1.7.1", "uvloop<0.22"])


@pytest.fixture(scope="module")
def seen(
    python: Path, hosted: Callable[..., Any], shared_collector: Any, tmp_path_factory: pytest.TempPathFactory
) -> Seen:
    """Good and bad requests by REST and by gRPC to one server."""
    environ = settings(tmp_path_factory.mktemp("mlserver"), shared_collector)
    command = ["mlserver", "start", str(APPS / "mlserver_prices")]
    with hosted(python, command, environ, health="/v2/models/prices/ready") as server:
        # A connection for each: uvicorn hangs up after an exception of the app.
        rest = [
            httpx.post(f"{server.url}/v2/models/{path}", json=rest_body(tensors), trust_env=False)
            for path, tensors in (
                ("prices/infer", TENSORS),
                ("prices/infer", one_row(-1, "Ulm")),
                ("prices/infer", one_row(1, "nowhere")),
                ("castles/infer", one_row(1, "Ulm")),
                ("prices/infer_stream", TENSORS),
            )
        ]
        traceparent = {"traceparent": f"00-{TRACE_ID}-00f067aa0ba902b7-01"}
        grpc = asked_by_grpc(
            python,
            server.ports["grpc_port"],
            {"inputs": TENSORS, "is_raw": False, "metadata": traceparent},
            {"inputs": TENSORS, "is_raw": True},
            {"inputs": one_row(-1, "Ulm"), "is_raw": False},
            {"inputs": one_row(1, "nowhere"), "is_raw": False},
            {"inputs": one_row(1, "Ulm"), "is_raw": False, "model": "castles"},
            {"inputs": TENSORS, "is_raw": True, "is_stream": True},
            {"inputs": one_row(1, "nowhere"), "is_raw": False, "is_stream": True},
            {"inputs": one_row(-1, "Ulm"), "is_raw": False, "is_stream": True},
        )
    predictions = shared_collector.wait_until(
        "event", lambda items: [item for item in items if item["name"] == "dashlight.prediction"], count=13
    )
    assert "Dashlight" not in server.log.read_text(), server.log.read_text()
    return Seen(rest, grpc, predictions)


def facts(event: Mapping[str, Any]) -> tuple[Any, ...]:
    """Outcome, status and type of error of a prediction."""
    return (event["dashlight.outcome"], event.get("http.response.status_code"), event.get("error.type"))


def test_clients_get_what_they_would_get_without_us(seen: Seen) -> None:
    rest = [
        answer.json()["outputs"][0]["data"] if answer.is_success else answer.status_code for answer in seen.rest[:4]
    ]
    grpc = [answer["outputs"]["price"] if "outputs" in answer else answer["code"] for answer in seen.grpc[:5]]

    assert rest == [pytest.approx(PRICES), 400, 500, 404]
    assert grpc == [pytest.approx(PRICES), pytest.approx(PRICES), "INVALID_ARGUMENT", "INTERNAL", "NOT_FOUND"]
    assert seen.rest[4].text.count("data: ") == len(PRICES)
    assert [answer["outputs"]["price"] for answer in seen.grpc[5]] == [pytest.approx([price]) for price in PRICES]
    assert [answer["code"] for answer in seen.grpc[6:]] == ["INTERNAL", "INVALID_ARGUMENT"]


def test_tensors_become_the_same_columns_whichever_way_they_came(seen: Seen) -> None:
    for event in seen.good():
        assert event["dashlight.inputs"] == COLUMNS
        assert event["dashlight.outputs"] == {"price": pytest.approx(PRICES)}


def test_every_event_names_model_and_version(seen: Seen) -> None:
    named = [(event["dashlight.model.name"], event["dashlight.model.version"]) for event in seen.good()]

    assert named == [("prices", "3")] * 5


def test_outcomes_and_the_exceptions_of_the_model_are_told(seen: Seen) -> None:
    good, refused, failed, unknown = (
        ("ok", 200, None), ("refused", 400, None), ("error", 500, "LookupError"), ("ok", 404, None),
    )  # fmt: skip

    assert list(map(facts, seen.at(REST_ROUTE))) == [good, refused, failed, unknown]
    assert list(map(facts, seen.at(GRPC_ROUTE))) == [good, good, refused, failed, unknown]
    assert list(map(facts, seen.at(STREAM_ROUTE))) == [good, failed, refused]


def test_the_trace_of_a_grpc_client_goes_on(seen: Seen) -> None:
    traced = [event for event in seen.events if event["trace_id"] == TRACE_ID]

    assert [event["attributes"]["http.route"] for event in traced] == [GRPC_ROUTE]


def test_dashlight_run_needs_no_line_and_models_may_run_in_processes_of_their_own(
    python: Path, hosted: Callable[..., Any], collector: Any, tmp_path: Path
) -> None:
    models = tmp_path / "models"
    shutil.copytree(APPS / "mlserver_prices", models)
    (models / "settings.json").write_text('{"host": "127.0.0.1", "parallel_workers": 1}')
    command = ["dashlight", "run", "--", "mlserver", "start", str(models)]

    with hosted(python, command, settings(tmp_path, collector), health="/v2/models/prices/ready") as server:
        url = f"{server.url}/v2/models/prices/infer"
        httpx.post(url, json=rest_body(TENSORS), trust_env=False).raise_for_status()
        asked_by_grpc(python, server.ports["grpc_port"], {"inputs": TENSORS, "is_raw": True})
    decoded = collector.wait_until(
        "event",
        lambda items: [item["attributes"] for item in items if "dashlight.inputs" in item["attributes"]],
        count=2,
    )

    assert [(event["http.route"], event["dashlight.inputs"]) for event in decoded] == [
        (REST_ROUTE, COLUMNS), (GRPC_ROUTE, COLUMNS),
    ]  # fmt: skip


def test_the_example_is_seen_as_its_readme_says(
    python: Path, hosted: Callable[..., Any], collector: Any, tmp_path: Path
) -> None:
    example = Path(__file__).parents[2] / "examples" / "mlserver"
    path, body, wanted = re.findall(
        r"\$ curl http://127.0.0.1:8000(\S+) --json '(.*)'\n(.*)\n", (example / "README.md").read_text()
    )[0]

    environ = settings(tmp_path, collector, MLSERVER_PARALLEL_WORKERS="0")
    with hosted(python, ["mlserver", "start", str(example)], environ, health="/v2/models/flats/ready") as server:
        answer = httpx.post(f"{server.url}{path}", json=json.loads(body), trust_env=False).text
    (event,) = collector.wait_until(
        "event", lambda items: [item["attributes"] for item in items if "dashlight.inputs" in item["attributes"]]
    )

    assert re.fullmatch(".*".join(map(re.escape, wanted.split("..."))), answer), answer
    assert (event["dashlight.inputs"], event["dashlight.outputs"], event["dashlight.rows"]) == (
        {"rooms": [3, 2], "area": [80, 44]}, {"price": [500.0, 310.0]}, 2,
    )  # fmt: skip
    assert (event["dashlight.model.name"], event["dashlight.model.version"]) == ("flats", "1")
