"""The house stands: imports point down, the middle is pure, and loading is light."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Collection, Iterator, Sequence
from functools import cache
from graphlib import TopologicalSorter
from importlib.util import find_spec
from pathlib import Path

import pytest

# From the ground up. A room imports only from floors below its own, so rooms of one floor are strangers.
FLOORS = (
    ("records", "errors", "clock", "units", "types", "version", "privacy"),
    ("labels",),
    ("settings", "capture", "window"),
    ("decode", "judge", "metrics", "store"),
    ("deliver", "counting"),
    ("watching", "collector", "page"),
    ("workers", "offline", "testing"),
    ("serving",),
    ("runtime",),
    ("asgi", "adapters"),
    ("__init__",),
    ("zero_code",),
    ("wrap", "cli"),
)
# Likewise within a room; FILES stands for those that lie in the room itself and that no other floor names.
FILES = ""
FLOORS_WITHIN = {
    "window": ((FILES,), ("facets", "parts", "payloads", "performance", "recent"), ("inspection",), ("reference",)),
    "judge": (
        ("run_lengths", "block_scales"),
        ("natural_variation", "incidents", "alert_budget", "words", "silences", "implied_negatives", "located"),
        ("alerts", "notices", "past_alerts"),
        ("evidence",),
        ("columns", "pairs", "directions", "traffic", "performance", "versions"),
        ("breaks", "segments", "slices"),
    ),
    "decode": (("cells",), ("rows",), ("formats",), ("llm",), ("protocols",), ("compiled",), (FILES,)),
    "deliver": (("encoding", "transport", "spool"), (FILES,)),
}
# Rooms that must not know each other although one stands below the other.
STRANGERS = (
    ("decode", "capture"), ("judge", "capture"), ("deliver", "window"), ("deliver", "capture"), ("counting", "deliver"),
)  # fmt: skip
ON_TOP = {
    "__init__", "asgi", "wrap", "adapters", "testing", "settings", "errors", "clock", "types", "version", "units",
}  # fmt: skip
TWINS = {"machine", "endpoint", "model", "rows", "joint"}
"""What one process counts, and what judges the sum of all."""
MOST_MODULES = 24
PURE = ("decode", "window", "judge", "page", "privacy", "labels")
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


@cache
def modules() -> tuple[tuple[str, ast.Module], ...]:
    """Name below the package and syntax tree of every module."""
    root = package()
    names = {path: ".".join(path.relative_to(root).with_suffix("").parts) for path in sorted(root.rglob("*.py"))}
    return tuple((name.removesuffix(".__init__"), ast.parse(path.read_text())) for path, name in names.items())


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


def place_within(name: str) -> tuple[int, str]:
    """Floor and room of a module inside its room."""
    room, *below = name.split(".")
    floors = FLOORS_WITHIN[room]
    part = below[0] if any(below[:1] == [each] for parts in floors for each in parts) else FILES
    return next((index, part) for index, parts in enumerate(floors) if part in parts)


def imports_of_ours() -> Iterator[tuple[str, str]]:
    """Every module of ours with every module of ours that it imports, also where only types are needed."""
    trees = dict(modules())
    for name, tree in trees.items():
        for target in imported(tree):
            if target.split(".")[0] == "dashlight":
                yield name, module_of(target, trees)


def module_of(target: str, known: Collection[str]) -> str:
    """The module of which the dotted *target* is a part; a package is its `__init__`."""
    parts = target.split(".")[1:]
    while parts and ".".join(parts) not in known:
        parts.pop()
    return ".".join(parts) or "__init__"


def test_every_module_stands_on_a_floor() -> None:
    known = {room for rooms in FLOORS for room in rooms}

    assert [name for name, _ in modules() if room_of(name) not in known] == []


def test_imports_point_down() -> None:
    upward = [
        f"{name} -> {target}"
        for name, target in imports_of_ours()
        if room_of(name) != room_of(target) and floor_of(target) >= floor_of(name)
    ]

    assert upward == []


def test_imports_point_down_within_a_room() -> None:
    upward: list[str] = []
    for name, target in imports_of_ours():
        if room_of(name) == room_of(target) and room_of(name) in FLOORS_WITHIN and target != room_of(target):
            (floor, part), (floor_below, part_below) = place_within(name), place_within(target)
            if floor_below > floor or (floor_below == floor and part != part_below):
                upward.append(f"{name} -> {target}")

    assert upward == []


def test_rooms_that_are_strangers_do_not_meet() -> None:
    met = [f"{name} -> {target}" for name, target in imports_of_ours() if (room_of(name), room_of(target)) in STRANGERS]

    assert met == []


def test_no_files_import_each_other_in_a_circle() -> None:
    graph: dict[str, set[str]] = {}
    for name, target in imports_of_ours():
        graph.setdefault(name, set()).add(target)

    # Raises CycleError, which names the circle.
    TopologicalSorter(graph).prepare()


def test_on_top_stands_what_belongs_there_and_nothing_else() -> None:
    assert {path.stem for path in package().glob("*.py")} == ON_TOP


def test_what_is_counted_is_what_is_watched() -> None:
    rooms = [{path.stem for path in (package() / room).glob("*.py")} for room in ("counting", "watching")]

    assert [room & TWINS for room in rooms] == [TWINS, TWINS]


def test_no_two_public_classes_share_a_name() -> None:
    homes: dict[str, list[str]] = {}
    for name, tree in modules():
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes.setdefault(node.name, []).append(name)

    assert {name: places for name, places in homes.items() if len(places) > 1} == {}


def test_a_room_says_in_a_few_lines_what_lives_there() -> None:
    long_or_silent = [
        str(path.parent.relative_to(package()))
        for path in package().rglob("__init__.py")
        if not 1 <= len((ast.get_docstring(ast.parse(path.read_text())) or "").splitlines()) <= 6
    ]

    assert long_or_silent == []


def test_the_drawing_shows_the_floors_as_they_are() -> None:
    page = (Path(__file__).parents[1] / "docs" / "architecture.md").read_text()
    drawn = re.findall(r"subgraph floor(\d+) \[[^]]*\]\n(.*?)\n    end", page, re.DOTALL)
    arrows = re.search(r"^    (floor1 --> .*)$", page, re.MULTILINE)

    assert [tuple(re.findall(r"\w+", rooms)) for _, rooms in drawn] == list(FLOORS)
    assert arrows is not None
    assert arrows[1].split(" --> ") == [f"floor{number}" for number, _ in drawn]


def test_the_page_names_the_floors_within_rooms_as_they_are() -> None:
    page = (Path(__file__).parents[1] / "docs" / "architecture.md").read_text()
    told = {
        room: list(re.findall(r"`(\w+)`", text))
        for room, text in re.findall(r"^- `(\w+)`: (.*?)\.$", page, re.MULTILINE | re.DOTALL)
    }

    assert told == {
        room: [part for parts in floors for part in parts if part != FILES] for room, floors in FLOORS_WITHIN.items()
    }


def test_no_room_is_too_full() -> None:
    rooms = {path.parent for path in package().rglob("*.py")}

    assert [room.name for room in rooms if len(list(room.glob("*.py"))) > MOST_MODULES] == []


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

    assert loaders == []


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


_LOADS_LATE = ("numpy", "scipy", "httpx", "opentelemetry.sdk", "pandas", "bentoml")
# Loaded on a thread of ours, and only where something is served or delivered.
_LOADS_ASIDE = ("starlette", "anyio", "httpcore")
# Read training files, which no server does.
_LOADS_NEVER = ("duckdb", "narwhals")


@pytest.mark.parametrize(
    ("line", "heavy"),
    [
        ("import dashlight", _LOADS_LATE + _LOADS_ASIDE + _LOADS_NEVER),
        ("from dashlight import DashlightMiddleware, watch", _LOADS_LATE + _LOADS_ASIDE + _LOADS_NEVER),
        ("import dashlight.runtime.assembly", _LOADS_ASIDE + _LOADS_NEVER),
        ("import dashlight.offline, dashlight.serving.app, dashlight.workers.member", _LOADS_NEVER),
    ],
    ids=["package", "front door", "start of the Monitor", "what a server runs"],
)
def test_importing_is_light(line: str, heavy: tuple[str, ...]) -> None:
    script = f"{line}\nimport sys, json\nprint(json.dumps([m for m in {heavy!r} if m in sys.modules]))"

    found = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)

    assert json.loads(found.stdout) == []


_OWN_EXTRAS = ("cli", "encodings", "parquet", "prometheus", "redis", "sealed")
"""What parts of dashlight itself need; the other extras are for integrations, the demo, benchmarks and development."""
_NOT_YET_STANDARD = "compression"
"""Of Python's standard library from 3.14 on."""


def packages_declared(requirements: Sequence[str]) -> set[str]:
    """Names of packages in *requirements*, those of other extras of ours left out."""
    names = {re.split(r"[^A-Za-z0-9._-]", each, maxsplit=1)[0] for each in requirements}
    return {name.lower().replace("_", "-") for name in names} - {"dashlight"}


def declared() -> tuple[set[str], dict[str, set[str]]]:
    """The packages that pyproject.toml requires, and those of each extra."""
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    return packages_declared(project["dependencies"]), {name: packages_declared(extras[name]) for name in extras}


def package_of(target: str) -> str:
    """The package that brings the module *target*."""
    if target.startswith("opentelemetry."):
        return "opentelemetry-sdk" if target.startswith("opentelemetry.sdk") else "opentelemetry-api"
    return room_of(target).replace("_", "-")


def packages_imported() -> dict[str, set[str]]:
    """The foreign packages that dashlight imports, by name or by text, and the modules that do so."""
    found: dict[str, set[str]] = {}
    ours = sys.stdlib_module_names | {"dashlight", _NOT_YET_STANDARD}
    for name, tree in modules():
        for target in [*imported(tree), *(args[0] for args in texts_given(tree, "import_module", "optional_module"))]:
            if room_of(target) not in ours:
                found.setdefault(package_of(target), set()).add(name)
    return found


def texts_given(tree: ast.Module, *functions: str) -> Iterator[list[str]]:
    """The arguments of each call of one of *functions* whose arguments are written out."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in functions:
            texts = [each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
            if len(texts) == len(node.args):
                yield texts


def test_what_is_declared_is_imported_and_what_is_imported_is_declared() -> None:
    required, extras = declared()

    optional = set[str]().union(*(extras[name] for name in _OWN_EXTRAS))

    assert set(packages_imported()) == required | optional
    assert required & optional == set()


def test_an_optional_package_stands_in_one_extra_and_is_imported_in_one_file() -> None:
    required, extras = declared()

    homes = {package: files for package, files in packages_imported().items() if package not in required}

    assert {package: len(files) for package, files in homes.items()} == dict.fromkeys(homes, 1)
    assert {package: sum(package in extras[name] for name in _OWN_EXTRAS) for package in homes} == dict.fromkeys(
        homes, 1
    )


def test_who_misses_a_package_is_told_the_extra_that_brings_it() -> None:
    _, extras = declared()
    told = [texts for _, tree in modules() for texts in texts_given(tree, "MissingExtraError")]
    named = {
        extra for path in package().rglob("*.py") for extra in re.findall(r"dashlight\[([a-z]+)\]", path.read_text())
    }

    assert [(package, extra) for package, extra in told if package not in extras[extra]] == []
    assert named <= set(extras)
