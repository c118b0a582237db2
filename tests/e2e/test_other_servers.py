"""The example of every server, done as its README says: what is documented works, and is seen."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
PREDICTION = "dashlight.prediction"
QWEN = "Qwen/Qwen2.5-0.5B-Instruct"
NOT_FOR_THE_TEST = ("pip ", "dashlight collect ")
OURS = Path(sys.executable)


@dataclass(frozen=True)
class Asked:
    """A `curl` of a README, and what it says that the answer is."""

    words: Sequence[str]
    answer: str

    def send(self, url: str) -> httpx.Response:
        """Asks the server at *url* what curl would ask the one of the README."""
        words = list(self.words[1:])
        target, body = "", None
        headers: dict[str, str] = {}
        while words:
            word = words.pop(0)
            if word == "--json":
                headers |= {"content-type": "application/json", "accept": "application/json"}
                body = words.pop(0)
            elif word == "--data-binary":
                body = words.pop(0)
            elif word == "-H":
                name, _, value = words.pop(0).partition(": ")
                headers[name] = value
            else:
                target = word.replace("http://127.0.0.1:8000", url)
        return httpx.request("GET" if body is None else "POST", target, content=body, headers=headers, trust_env=False)


@dataclass(frozen=True)
class Readme:
    """The commands of an example, in its README's words."""

    environ: Mapping[str, str]
    preparations: Sequence[Sequence[str]]
    server: Sequence[str]
    questions: Sequence[Asked]


@dataclass(frozen=True)
class Expected:
    """What is seen of one request: its endpoint, features and outputs."""

    route: str
    inputs: Mapping[str, Any] | None
    outputs: Mapping[str, Any] | None
    rows: int | None = 1
    status: int = 200
    model: str = ""


@dataclass(frozen=True)
class Example:
    """A directory of examples, and what is seen of the requests of its README."""

    name: str
    expected: Sequence[Expected]
    health: str = "/healthz"
    requirements: Sequence[str] = field(default=())
    """Of an environment of its own; none: that of the tests."""
    stand_in: Sequence[str] = field(default=())
    """What is run in the place of the server's command."""


FLATS = {"rooms": [3, 2], "area": [80, 44]}
EVENING = {"input_text": "Good evening", "messages": 1}

RUN = [
    Example("fastapi", [
        Expected("/predict", {"age": 40, "income": 2000}, {"score": 8.0}),
        Expected("/predict/batch", {"age": [40, 30], "income": [2000, 500]}, {"score": [8.0, 4.0]}, rows=2),
    ]),
    Example("starlette", [Expected("/v1/models/{model}:predict", FLATS, {"predictions": [500.0, 310.0]}, rows=2, model="flats")]),
    Example("litestar", [
        Expected("/stations/{station}/demand", {"temperature": 18, "raining": True}, {"bicycles": 94.0}),
        Expected("unmatched", None, None, rows=None, status=404),
    ]),
    Example(
        "litserve",
        [Expected("/predict", {"distance": 300, "wind": 4}, {"probability": 0.7311, "late": True})],
        health="/health",
    ),
    Example("mlflow", [
        Expected("/invocations", FLATS, {"predictions": [500.0, 310.0]}, rows=2),
        Expected("/invocations", {"rooms": 1, "area": 20}, {"predictions": 150.0}),
        Expected("/invocations", {"rooms": 4, "area": 100}, {"predictions": 650.0}),
    ], health="/ping"),
    Example("gradio", [
        Expected("/gradio_api/call/{api_name}", {"data[0]": 40, "data[1]": 2000}, None),
        Expected("/gradio_api/run/{api_name}", {"data[0]": 30, "data[1]": 500}, {"data": 4.0}),
    ], health="/", requirements=("gradio>=6",)),
    Example("vllm", [
        Expected("/v1/chat/completions", EVENING | {"streamed": False}, {"output_text": "Good evening to you", "output_tokens": 4}, model=QWEN),
        Expected("/v1/chat/completions", EVENING | {"streamed": True}, {"output_text": "Good evening to you", "output_tokens": 4}, model=QWEN),
    ], health="/health", stand_in=("python", "-m", "vllm_stand_in")),
]  # fmt: skip


@pytest.mark.parametrize("example", RUN, ids=[each.name for each in RUN])
def test_an_example_does_what_its_readme_says(  # noqa: PLR0917 - fixtures
    hosted: Callable[..., Any],
    environment: Callable[[str, Sequence[str]], Path],
    shared_collector: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    example: Example,
) -> None:
    if example.requirements and not os.environ.get("EVERY_SERVER"):
        pytest.skip(f"installs half a gigabyte for {example.name}: make test-every-server")
    python = environment(example.name, example.requirements) if example.requirements else OURS
    readme = commands_of((EXAMPLES / example.name / "README.md").read_text())
    place = shutil.copytree(EXAMPLES / example.name, tmp_path / example.name)
    environ = the_environment_of(readme, example.name, shared_collector.url, python)
    monkeypatch.chdir(place)
    for preparation in readme.preparations:
        subprocess.run([python.parent / preparation[0], *preparation[1:]], env=os.environ | environ, check=True)

    given = {name: value for name, value in environ.items() if name not in {"PATH", "PYTHONPATH"}}
    command = [*example.stand_in, *readme.server[1:]] if example.stand_in else readme.server
    path = ":".join(filter(None, [str(place), str(Path(__file__).parent / "apps") if example.stand_in else ""]))
    with hosted(python, command, {**given, "PYTHONPATH": path}, health=example.health) as server:
        answers = [question.send(server.url) for question in readme.questions]
        events = the_events_of(shared_collector, example.name, count=len(answers))

    for question, answer in zip(readme.questions, answers, strict=True):
        assert re.fullmatch(question.answer, answer.text.strip(), flags=re.DOTALL), answer.text
    for expected, answer, event in zip(example.expected, answers, events, strict=True):
        assert (answer.status_code, event["http.response.status_code"]) == (expected.status, expected.status)
        assert (event["http.route"], event.get("dashlight.rows")) == (expected.route, expected.rows)
        assert event.get("dashlight.model.name", "") == expected.model
        assert_seen(expected.inputs, event.get("dashlight.inputs"))
        assert_seen(expected.outputs, event.get("dashlight.outputs"))


@pytest.mark.parametrize("name", ["fastapi", "starlette", "litestar", "litserve", "gradio"])
def test_the_line_of_a_readme_is_in_its_code(name: str) -> None:
    readme, code = ((EXAMPLES / name / file).read_text() for file in ("README.md", "app.py"))
    line = re.findall(r"```python\n(.*?)```", readme, flags=re.DOTALL)[0]

    assert re.search(anything_for_dots(without_layout(line)), without_layout(code))


def test_every_example_stands_in_the_table_of_servers() -> None:
    table = (ROOT / "docs" / "servers.md").read_text()
    examples = {path.parent.name for path in EXAMPLES.glob("*/README.md")} - {
        "flights",
        "retraining",
        "recommender",
        "fraud",
        "forecast",
        "chat",
    }

    assert set(re.findall(r"\(\.\./examples/(\w+)/README\.md\)", table)) == examples


def test_litestars_own_command_serves_what_is_watched_one_layer_in(
    hosted: Callable[..., Any], shared_collector: Any
) -> None:
    environ = {**what_is_sent_everywhere(shared_collector.url), "OTEL_SERVICE_NAME": "litestar run"}
    command = ["litestar", "--app", "litestar_host:app", "run", "--port", "{port}"]

    with hosted(OURS, command, environ) as server, httpx.Client(base_url=server.url, trust_env=False) as client:
        answer = client.post("/predict", json={"x": 1.5, "y": 0.5}).json()
        nowhere = client.get("/nowhere").status_code
        seen = the_events_of(shared_collector, "litestar run", count=2)

    assert (answer, nowhere) == ({"score": 2.0}, 404)
    assert [event["http.route"] for event in seen] == ["/predict", "unmatched"]
    assert (seen[0]["dashlight.inputs"], seen[0]["dashlight.outputs"]) == ({"x": 1.5, "y": 0.5}, {"score": 2.0})


def commands_of(readme: str) -> Readme:
    """What stands behind the `$` of the README's consoles, and below it what it answers."""
    environ: dict[str, str] = {}
    commands: list[list[str]] = []
    questions: list[Asked] = []
    for console in re.findall(r"```console\n(.*?)```", readme, flags=re.DOTALL)[-2:]:
        for said in console.removeprefix("$ ").split("\n$ "):
            line, _, answer = said.partition("\n")
            words = shlex.split(
                re.sub(r"\$'([^']*)'", lambda found: f"'{found[1].encode().decode('unicode_escape')}'", line)
            )
            if words[0] == "curl":
                questions.append(Asked(words, anything_for_dots(answer.strip())))
            elif words[0] == "export":
                environ |= dict(word.split("=", 1) for word in words[1:])
            elif not line.startswith(NOT_FOR_THE_TEST):
                commands.append(words)
    server = commands.pop()
    while "=" in server[0]:
        name, _, value = server.pop(0).partition("=")
        environ[name] = value
    return Readme(environ, commands, [word.replace("8000", "{port}") for word in server], questions)


def anything_for_dots(answer: str) -> str:
    """A pattern for an answer of which `...` is left open; one that is not shown may be anything."""
    return ".*" if not answer else ".*".join(map(re.escape, answer.split("...")))


def without_layout(code: str) -> str:
    """*code* without what a formatter decides: white space, and a comma before a bracket that closes."""
    return re.sub(r"\s|,(?=\s*[)\]])", "", code)


def what_is_sent_everywhere(collector: str) -> dict[str, str]:
    return {"OTEL_EXPORTER_OTLP_ENDPOINT": collector, "DASHLIGHT_SAMPLE_RATE": "1", "DASHLIGHT_PAYLOADS": "features"}


def the_environment_of(readme: Readme, name: str, collector: str, python: Path) -> dict[str, str]:
    told = {key: value.replace("http://127.0.0.1:4318", collector) for key, value in readme.environ.items()}
    assert told.items() >= what_is_sent_everywhere(collector).items(), "a README leaves out what it takes to see events"
    quiet = {"GRADIO_ANALYTICS_ENABLED": "False", "MLFLOW_DISABLE_TELEMETRY": "true", "HF_HUB_OFFLINE": "1"}
    local = {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1", "OTEL_SERVICE_NAME": name}
    return {**told, **quiet, **local, "PATH": f"{python.parent}:{os.environ['PATH']}"}


def the_events_of(collector: Any, service: str, *, count: int) -> list[dict[str, Any]]:
    """The attributes of the service's *count* events, in the order of their requests; health checks are none."""
    events = collector.wait_until("event", partial(predictions_of, service), count=count)
    return [event["attributes"] for event in sorted(events, key=lambda event: float(event["at"]))]


def predictions_of(service: str, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    ours = [item for item in items if item["name"] == PREDICTION and item["resource"]["service.name"] == service]
    checks = {"/health", "/ping"}
    return [item for item in ours if item["attributes"]["http.route"] not in checks]


def assert_seen(expected: Mapping[str, Any] | None, found: Any) -> None:
    """Of each column a value, or a list of them where there are several rows."""
    if expected is None:
        assert not found
    else:
        assert {name: found.get(name) for name in expected} == expected, found
