"""Apps that know nothing of Dashlight, under the servers that people use."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest

PYTHON = Path(sys.executable)
BIND = ["--bind", "127.0.0.1:{port}"]
UVICORN_WORKERS = ["--workers", "2", "--worker-class", "uvicorn_worker.UvicornWorker", *BIND]
SERVERS = {
    "uvicorn": ["uvicorn", "zero_app:app", "--port", "{port}"],
    "uvicorn with two workers and a factory": [
        "python", "-m", "uvicorn", "--factory", "zero_app:create", "--port", "{port}", "--workers", "2",
    ],
    "gunicorn with uvicorn workers": ["gunicorn", "zero_app:app", *UVICORN_WORKERS],
    "gunicorn --preload with uvicorn workers": ["gunicorn", "zero_app:app", "--preload", *UVICORN_WORKERS],
    "gunicorn --preload with its own asgi workers": [
        "gunicorn", "zero_app:app", "--preload", "--workers", "2", "--worker-class", "asgi", *BIND,
    ],
    "hypercorn with two workers": ["hypercorn", "zero_app:app", "--workers", "2", *BIND],
    "granian": ["granian", "--interface", "asgi", "zero_app:app", "--port", "{port}"],
}  # fmt: skip
WRAPPED = {
    "uvicorn": ["uvicorn", "dashlight.wrap:app", "--port", "{port}"],
    "gunicorn": ["gunicorn", "dashlight.wrap:app", "--worker-class", "asgi", *BIND],
    "hypercorn": ["hypercorn", "dashlight.wrap:app", *BIND],
    "granian": ["granian", "--interface", "asgi", "dashlight.wrap:app", "--port", "{port}"],
}
APPS = Path(__file__).parent / "apps"
Hosting = Callable[..., AbstractContextManager[Any]]


def telling(collector: Any, name: str) -> dict[str, str]:
    """The environment of a server whose every request is told under *name*."""
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "OTEL_SERVICE_NAME": name,
        "DASHLIGHT_SAMPLE_RATE": "1",
    }


def told(collector: Any, name: str, *, route: str, count: int) -> tuple[list[Any], list[Any]]:
    """Spans and events of the requests of *route* below the service *name*, once there are *count* of each."""

    def spans(items: list[Any]) -> list[Any]:
        return [each for each in items if each["resource"]["service.name"] == name and each["name"] == f"POST {route}"]

    def events(items: list[Any]) -> list[Any]:
        ours = [each for each in items if each["name"] == "dashlight.prediction"]
        return [
            each
            for each in ours
            if each["resource"]["service.name"] == name and each["attributes"]["http.route"] == route
        ]

    return collector.wait_until("span", spans, count=count), collector.wait_until("event", events, count=count)


def ask(url: str, path: str, *, body: Any, count: int = 20) -> list[Any]:
    with httpx.Client(base_url=url, trust_env=False) as client:
        return [client.post(path, json=body).json() for _ in range(count)]


@pytest.mark.parametrize(
    ("command", "name"),
    [
        *((["dashlight", "run", "--", *command], f"run {server}") for server, command in SERVERS.items()),
        *((command, f"wrap {server}") for server, command in WRAPPED.items()),
    ],
    ids=[*(f"dashlight run -- {server}" for server in SERVERS), *(f"dashlight.wrap:app on {each}" for each in WRAPPED)],
)
def test_every_request_is_seen_once_and_nothing_is_lost_at_shutdown(
    served: Hosting, shared_collector: Any, tmp_path: Path, command: Sequence[str], name: str
) -> None:
    environ = {**telling(shared_collector, name), "DASHLIGHT_APP": "zero_app:app"}

    # Only the process that was started is asked to end: it has to be the server itself.
    with served(command, environ) as url:
        answers = ask(url, "/predict/m", body={"x": 1, "y": 0.5})

    spans, events = told(shared_collector, name, route="/predict/{model}", count=20)
    assert answers == [{"score": 1.5}] * 20
    assert len(spans) == len(events) == 20
    assert {span["span_id"] for span in spans} == {event["span_id"] for event in events}
    assert "Dashlight" not in (tmp_path / "server.log").read_text()


def test_opentelemetrys_own_hook_and_ours_both_run_in_every_worker(hosted: Hosting, shared_collector: Any) -> None:
    name = "both hooks"
    environ = {
        **telling(shared_collector, name),
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_METRICS_EXPORTER": "none",
    }
    command = ["uvicorn", "zero_app:app", "--port", "{port}", "--workers", "2"]

    with hosted(PYTHON, ["dashlight", "run", "--", "opentelemetry-instrument", *command], environ) as server:
        ask(server.url, "/predict/m", body={"x": 1, "y": 0.5})
        last_run = httpx.get(f"{server.url}/start", trust_env=False).text

    spans, events = told(shared_collector, name, route="/predict/{model}", count=20)
    # The SDK made the spans: only that puts its own name into the resource.
    assert {span["resource"]["telemetry.sdk.name"] for span in spans} == {"opentelemetry"}
    assert len(spans) == len(events) == 20
    assert "auto_instrumentation" in last_run


def test_litserves_api_processes_are_watched(hosted: Hosting, shared_collector: Any) -> None:
    name = "litserve"
    command = ["dashlight", "run", "--", "python", str(APPS / "zero_square.py"), "{port}"]

    with hosted(PYTHON, command, telling(shared_collector, name), health="/health") as server:
        answers = ask(server.url, "/predict", body={"input": 3.0})

    spans, events = told(shared_collector, name, route="/predict", count=20)
    assert answers == [{"output": 9.0}] * 20
    assert len(spans) == len(events) == 20


def test_mlflow_models_serve_is_watched(hosted: Hosting, shared_collector: Any, tmp_path: Path) -> None:
    name = "mlflow"
    (tmp_path / "MLmodel").write_text("flavors:\n  python_function:\n    loader_module: zero_price\n")
    command = ["mlflow", "models", "serve", "-m", str(tmp_path), "--env-manager", "local", "--port", "{port}"]

    with hosted(
        PYTHON, ["dashlight", "run", "--", *command], telling(shared_collector, name), health="/ping"
    ) as server:
        body = {"dataframe_records": [{"rooms": 3, "area": 50}]}
        answers = ask(server.url, "/invocations", body=body)

    spans, events = told(shared_collector, name, route="/invocations", count=20)
    assert answers == [{"predictions": [{"0": 350.0}]}] * 20
    assert len(spans) == len(events) == 20


def test_fastapi_run_is_watched(hosted: Hosting, shared_collector: Any) -> None:
    name = "fastapi run"
    app = str(APPS / "zero_fastapi.py")
    command = ["dashlight", "run", "--", "fastapi", "run", app, "--host", "127.0.0.1", "--port", "{port}"]

    with hosted(PYTHON, command, telling(shared_collector, name)) as server:
        answers = ask(server.url, "/predict", body={"x": 1, "y": 0.5})

    spans, events = told(shared_collector, name, route="/predict", count=20)
    assert answers == [{"score": 1.5}] * 20
    assert len(spans) == len(events) == 20


def test_a_wsgi_app_is_served_as_ever_and_said_to_be_unwatched_once(hosted: Hosting, collector: Any) -> None:
    app = "wsgiref.simple_server:demo_app"
    command = ["dashlight", "run", "--", "gunicorn", app, "--workers", "2", *BIND]

    with hosted(PYTHON, command, telling(collector, "wsgi")) as server:
        answer = httpx.get(server.url, trust_env=False).text

    said = [line for line in server.log.read_text().splitlines() if "Dashlight" in line]
    assert answer.startswith("Hello world!")
    assert said == ["monitoring is off: gunicorn serves a WSGI app, and Dashlight watches ASGI apps"]
    assert collector.items("span") == []


def test_a_wrong_name_of_an_app_is_the_servers_own_last_word(tmp_path: Path) -> None:
    environ = {**os.environ, "DASHLIGHT_APP": "no_such_module:app"}
    command = [str(PYTHON.parent / "uvicorn"), "dashlight.wrap:app", "--port", "0"]

    done = subprocess.run(command, capture_output=True, text=True, env=environ, cwd=tmp_path, check=False, timeout=60)

    assert done.returncode != 0
    assert done.stderr.splitlines()[-1] == (
        "dashlight.errors.SettingsError: DASHLIGHT_APP='no_such_module:app': "
        "expected a module that can be imported: No module named 'no_such_module'"
    )
