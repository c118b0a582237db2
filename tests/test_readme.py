"""The README says what is so: its snippets run, its table of settings is the settings, its commands exist."""

from __future__ import annotations

import ast
import inspect
import re
import shlex
from dataclasses import fields
from pathlib import Path

import httpx
import pytest

from dashlight import settings
from dashlight.cli.main import parser
from dashlight.judge.traffic.rules import QUANTITIES
from dashlight.runtime.process import process
from dashlight.settings import Settings, variable_of

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


ALARMS = (ROOT / "docs" / "alarms.md").read_text()


def fenced(language: str, text: str = README) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


def meanings() -> dict[str, str]:
    """The line beneath each field of Settings, by variable."""
    (tree,) = ast.parse(inspect.getsource(settings.Settings)).body
    assert isinstance(tree, ast.ClassDef)
    found: dict[str, str] = {}
    for field, below in zip(tree.body, tree.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(below, ast.Expr) and isinstance(field.target, ast.Name):
            found[variable_of(field.target.id)] = ast.literal_eval(below.value)
    return found


def test_the_table_of_settings_is_the_settings() -> None:
    rows = re.findall(r"^\| `(DASHLIGHT_\w+)` \| (.*?) \| (.*?) \|$", README, flags=re.MULTILINE)

    told = [(variable, default, meaning.replace("\\|", "|")) for variable, default, meaning in rows]
    defaults = {variable_of(each.name): each.metadata["default"] for each in fields(Settings)}
    assert told == [
        (variable, f"`{defaults[variable]}`" if defaults[variable] else "", meaning)
        for variable, meaning in meanings().items()
    ]
    assert set(defaults) == set(meanings())


@pytest.mark.anyio
@pytest.mark.usefixtures("fresh_process")
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_the_twelve_lines_work(anyio_backend: str) -> None:
    snippet, _ = fenced("python")
    names: dict[str, object] = {}

    exec(snippet, names)
    transport = httpx.ASGITransport(names["app"])  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        answer = await client.post("/predict", json={"age": 40, "income": 1000})

    assert answer.json() == {"score": 6.0}
    assert process.monitor is not None
    assert process.monitor.capture.inbox.ended_count == 1


@pytest.mark.parametrize("snippet", [fenced("python")[1], fenced("python", ALARMS)[0]], ids=["README", "alarms"])
def test_the_detector_without_a_server_says_what_moved(snippet: str, capsys: pytest.CaptureFixture[str]) -> None:
    exec(snippet, {})

    said = capsys.readouterr().out.splitlines()
    assert said
    assert all(line.startswith("age firing ") for line in said)


def test_every_command_of_ours_is_understood() -> None:
    lines = [line.removeprefix("$ ") for block in fenced("console") for line in block.splitlines()]
    commands = [shlex.split(line, comments=True) for line in lines]
    ours = [command for command in commands if command and command[0] == "dashlight"]

    assert len(ours) >= 2
    for command in ours:
        assert callable(parser().parse_args([word for word in command[1:] if word != "&"]).run)


def test_every_target_of_make_is_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))

    assert set(re.findall(r"`?make ([a-z-]+)", README)) <= targets


def test_every_quantity_and_file_named_is_there() -> None:
    named = re.findall(r"`([\w./-]+\.md|examples/[\w/]+|benchmarks/[\w./]+)`", README)

    assert named
    assert all((ROOT / path).exists() for path in named)
    for quantity in (
        "failure_rate",
        "refusal_rate",
        "unanswered",
        "latency_p50",
        "latency_p99",
        "first_byte_p50",
        "throughput",
        "in_flight",
    ):
        assert quantity in QUANTITIES
