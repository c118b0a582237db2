"""The house stands: imports point down, the middle is pure, and loading is light."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

# From the ground up. A room imports only from floors below its own: rooms of one floor are strangers.
FLOORS = (
    ("records", "errors", "clock", "units", "types", "version"),
    ("settings", "capture", "window"),
    ("decode", "judge", "metrics", "store"),
    ("deliver", "counting"),
    ("watching", "collector"),
    ("workers", "offline", "testing"),
    ("serving",),
    ("runtime",),
    ("asgi", "adapters"),
    ("__init__",),
    ("zero_code",),
    ("wrap", "cli"),
)
# Rooms that must not know each other although one stands below the other.
STRANGERS = (
    ("decode", "capture"), ("window", "decode"), ("window", "capture"), ("judge", "decode"),
    ("deliver", "judge"), ("deliver", "window"), ("deliver", "decode"), ("deliver", "capture"),
)  # fmt: skip
PURE = ("decode", "window", "judge")
# A pure module reads no clock, environment, file, socket, random number or log.
ACTING_MODULES = {
    "asyncio", "datetime", "http", "httpx", "io", "logging", "os", "pathlib", "random", "secrets", "select", "shutil",
    "socket", "subprocess", "sys", "tempfile", "threading", "time", "urllib.request", "uuid",
}  # fmt: skip
ACTING_CALLS = {"open", "print", "input", "exec", "eval"}


def package() -> Path:
    spec = find_spec("dashlight")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def modules() -> Iterator[tuple[str, ast.Module]]:
    """Name below the package and syntax tree of every module."""
    root = package()
    for path in sorted(root.rglob("*.py")):
        name = ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
        yield name, ast.parse(path.read_text())


def imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room_of(name: str) -> str:
    return name.split(".", maxsplit=1)[0]


def floor_of(name: str) -> int:
    return next(index for index, rooms in enumerate(FLOORS) if room_of(name) in rooms)


def test_every_module_stands_on_a_floor() -> None:
    known = {room for rooms in FLOORS for room in rooms}

    assert [name for name, _ in modules() if room_of(name) not in known] == []


def test_imports_point_down() -> None:
    upward = [
        f"{name} -> {target}"
        for name, tree in modules()
        if name != "__init__"
        for target in imported(tree)
        if target.startswith("dashlight.")
        and target != "dashlight.__version__"
        and floor_of(target.removeprefix("dashlight.")) > floor_of(name)
    ]

    assert upward == []


def test_rooms_that_are_strangers_do_not_meet() -> None:
    met = [
        f"{name} -> {target}"
        for name, tree in modules()
        for target in imported(tree)
        if (room_of(name), room_of(target.removeprefix("dashlight."))) in STRANGERS
    ]

    assert met == []


def test_the_middle_is_pure() -> None:
    acting = [
        f"{name}: {what}"
        for name, tree in modules()
        if room_of(name) in PURE
        for what in [
            *(
                target
                for target in imported(tree)
                if any(target == m or target.startswith(m + ".") for m in ACTING_MODULES)
            ),
            *(
                node.func.id
                for node in ast.walk(tree)
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ACTING_CALLS
            ),
            *(
                f"np.random.{node.attr}"
                for node in ast.walk(tree)
                if isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Attribute)
                and node.value.attr == "random"
                # A generator that is handed in is an argument like any other.
                and node.attr != "Generator"
            ),
        ]
    ]

    assert acting == []


def test_nothing_that_runs_what_it_reads_is_imported() -> None:
    running = {"pickle", "marshal", "shelve", "copyreg", "dill", "cloudpickle", "joblib"}

    loaders = [
        f"{name} -> {target}" for name, tree in modules() for target in imported(tree) if room_of(target) in running
    ]

    # Of the checkpoint, until the judges have states of their own.
    assert loaders == ["store.pickled -> pickle"]


def test_only_assembly_reads_the_settings() -> None:
    readers = {room_of(name) for name, tree in modules() if "dashlight.settings.Settings" in set(imported(tree))}

    assert readers == {"runtime"}


def test_nobody_imports_from_inside_a_function_what_could_stand_at_the_top() -> None:
    # Optional extras, and what loads only when it starts: named one by one.
    allowed = {"runtime", "cli", "deliver", "metrics"}

    inside = [
        f"{name}: {ast.unparse(statement)}"
        for name, tree in modules()
        if room_of(name) not in allowed and name != "__init__"
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for statement in ast.walk(node)
        if isinstance(statement, ast.Import | ast.ImportFrom)
    ]

    assert inside == []


def test_no_file_is_too_long_or_without_a_subject() -> None:
    empty_names = {"utils", "helpers", "common", "base", "misc", "core", "manager"}
    paths = sorted(package().rglob("*.py"))

    assert [path.name for path in paths if len(path.read_text().splitlines()) > 300] == []
    assert [path.name for path in paths if path.stem in empty_names] == []


@pytest.mark.parametrize(
    "line", ["import dashlight", "from dashlight import DashlightMiddleware, watch"], ids=["package", "front door"]
)
def test_importing_is_light(line: str) -> None:
    heavy = ("numpy", "scipy", "httpx", "httpcore", "opentelemetry.sdk", "pandas", "bentoml", "starlette")
    script = f"{line}\nimport sys, json\nprint(json.dumps([m for m in {heavy!r} if m in sys.modules]))"

    found = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)

    assert json.loads(found.stdout) == []
