"""Real servers and a real collector on loopback, each ended by its process id."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
import tomllib
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx
import pytest

PATIENCE_SECONDS = 30.0
ROOT = Path(__file__).parents[2]
ENVIRONMENTS = ROOT / ".venv-servers"
"""Of servers that do not get on with one another, nor with what the tests need: one environment for each."""
INSTALL_SECONDS = 900.0
PIP = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input")


@dataclass(frozen=True)
class Collector:
    """A running `dashlight collect`."""

    url: str
    output: Path

    def items(self, kind: str) -> list[dict[str, Any]]:
        """What has arrived of this kind: `span`, `event` or `metric`."""
        # The last line may be half written.
        lines = self.output.read_text().rpartition("\n")[0].splitlines() if self.output.exists() else []
        return [item for item in map(json.loads, lines) if item["kind"] == kind]

    def wait_for(self, kind: str, count: int) -> list[dict[str, Any]]:
        """The items of *kind* once there are *count* of them."""
        return self.wait_until(kind, list, count=count)

    def wait_until(
        self, kind: str, chosen: Callable[[list[dict[str, Any]]], list[dict[str, Any]]], *, count: int = 1
    ) -> list[dict[str, Any]]:
        """What is *chosen* of the items of *kind*, once there are *count* of them."""
        found: list[dict[str, Any]] = until(lambda: chosen(self.items(kind)), lambda items: len(items) >= count)
        return found


def until(look: Callable[[], Any], is_there: Callable[[Any], bool]) -> Any:
    """What *look* sees once it *is_there*, or at the end of patience."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    seen = look()
    while not is_there(seen) and time.monotonic() < deadline:
        time.sleep(0.05)
        seen = look()
    return seen


@contextmanager
def running(command: Sequence[str], log: Path, **environ: str) -> Iterator[subprocess.Popen[bytes]]:
    """A child process with its output in *log*, terminated at the end."""
    with log.open("wb") as output:
        child = subprocess.Popen(list(command), stdout=output, stderr=subprocess.STDOUT, env={**os.environ, **environ})
    try:
        yield child
    finally:
        child.terminate()
        try:
            child.wait(20)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


@contextmanager
def collecting(directory: Path) -> Iterator[Collector]:
    """The development collector, writing what arrives to a file in *directory*."""
    output, log = directory / "collected.ndjson", directory / "collector.log"
    command = [
        sys.executable,
        "-m",
        "dashlight.cli.main",
        "collect",
        "--listen",
        "127.0.0.1:0",
        "--output",
        str(output),
    ]
    with running(command, log):
        found = until(lambda: re.search(r"http://127\.0\.0\.1:\d+", log.read_text()), bool)
        assert found, log.read_text()
        yield Collector(found[0], output)


@contextmanager
def running_group(command: Sequence[str], log: Path, **environ: str) -> Iterator[None]:
    """A child process and all that it starts, ended together: some servers leave their workers behind."""
    with log.open("wb") as output:
        child = subprocess.Popen(
            list(command),
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **environ},
            start_new_session=True,
        )
    try:
        yield
    finally:
        os.killpg(child.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            child.wait(20)
        if not until(lambda: not is_any_alive(child.pid), bool):
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()


def is_any_alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[Collector]:
    """The development collector, writing what arrives to a file."""
    with collecting(tmp_path) as started:
        yield started


@pytest.fixture(scope="module")
def shared_collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    """A collector for all tests of a file."""
    with collecting(tmp_path_factory.mktemp("collector")) as started:
        yield started


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    """Starts server commands, with {port} and {bare_port} in them, and gives both base URLs once both answer."""

    @contextmanager
    def start(*commands: Sequence[str], environ: Mapping[str, str], health: str = "/healthz") -> Iterator[list[str]]:
        directory = tmp_path_factory.mktemp("servers")
        apps = str(Path(__file__).parent / "apps")
        ports = {"{port}": str(free_port()), "{bare_port}": str(free_port())}
        urls = [f"http://127.0.0.1:{port}" for port in ports.values()]
        logs = [directory / f"server_{number}.log" for number in range(len(commands))]

        def said() -> str:
            return "".join(log.read_text() for log in logs)

        with ExitStack() as stack:
            for command, log in zip(commands, logs, strict=True):
                filled = [ports.get(piece, piece) for piece in command]
                stack.enter_context(running_group(filled, log, PYTHONPATH=apps, **environ))
            assert until(lambda: all(answers(url, health) for url in urls), bool), said()
            yield urls
        # What a server says of its failing model may be there; a word of ours may not.
        assert "Dashlight" not in said(), said()

    return start


@pytest.fixture
def png() -> bytes:
    """A grey picture, four wide and two high."""
    head = struct.pack(">IIBBBBB", 4, 2, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(2 * b"\0\x40\x80\xc0\xff")), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )


@pytest.fixture
def served(tmp_path: Path) -> Callable[..., Any]:
    """Starts a server command (with {port} in it) and gives its base URL once it answers."""

    @contextmanager
    def start(command: Sequence[str], environ: Mapping[str, str]) -> Iterator[str]:
        port, log = free_port(), tmp_path / "server.log"
        filled = [piece.replace("{port}", str(port)) for piece in command]
        apps = str(Path(__file__).parent / "apps")
        with running(
            filled,
            log,
            PYTHONPATH=with_path(apps),
            PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            **environ,
        ):
            url = f"http://127.0.0.1:{port}"
            assert until(lambda: answers(url), bool), log.read_text()
            yield url
        assert "Traceback" not in log.read_text(), log.read_text()

    return start


def with_path(directory: str) -> str:
    """*directory* before what PYTHONPATH names for the tests themselves."""
    return os.pathsep.join(filter(None, (directory, os.environ.get("PYTHONPATH", ""))))


@dataclass(frozen=True)
class Hosted:
    """A running server: where it listens, and what it says."""

    url: str
    ports: Mapping[str, int]
    """Port for each of the placeholders, such as `grpc_port`."""
    log: Path


@pytest.fixture(scope="session")
def environment() -> Callable[[str, Sequence[str]], Path]:
    """`environment(name, requirements)`: Python of a virtual environment with them and this tree; made once and kept."""
    return made


@pytest.fixture(scope="session")
def hosted(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    """Starts a server command of an `environment`, and gives a Hosted once `{port}` answers at *health*.

    `hosted(python, command, environ, *, health="/healthz")`. The command's first word is a script of the environment,
    or `python`. Each `{port}`, `{grpc_port}` and the like in the command and in *environ* becomes a free port.
    """

    @contextmanager
    def start(
        python: Path, command: Sequence[str], environ: Mapping[str, str], *, health: str = "/healthz"
    ) -> Iterator[Hosted]:
        names = re.findall(r"\{(\w*port)\}", " ".join([*command, *environ.values()]))
        ports = {name: free_port() for name in dict.fromkeys(["port", *names])}

        def filled(piece: str) -> str:
            return re.sub(r"\{(\w*port)\}", lambda found: str(ports[found[1]]), piece)

        program, *words = map(filled, command)
        variables = {
            "PYTHONPATH": str(Path(__file__).parent / "apps"),
            "PATH": f"{python.parent}:{os.environ['PATH']}",
            **{name: filled(value) for name, value in environ.items()},
        }
        url, log = f"http://127.0.0.1:{ports['port']}", tmp_path_factory.mktemp("hosted") / "server.log"
        with running_group([str(python.parent / program), *words], log, **variables):
            assert until(lambda: answers(url, health), bool), log.read_text()
            yield Hosted(url, ports, log)

    return start


@pytest.fixture(scope="session")
def overlay() -> Callable[[str, Sequence[str]], Path]:
    """`overlay(name, requirements)`: a directory with them, for the PYTHONPATH before all else; made once and kept."""
    return overlaid


def made(name: str, requirements: Sequence[str]) -> Path:
    """The Python of the environment *name*, installed now unless that was done before."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    # An editable install follows the code, but not what is written here.
    installed = [project["project"][key] for key in ("dependencies", "scripts")], project["tool"]["hatch"]

    def commands(home: Path) -> list[list[str]]:
        python = str(home / "bin" / "python")
        return [
            # With the pip that is here: one for each environment takes seconds.
            [sys.executable, "-m", "venv", "--without-pip", str(home)],
            [*PIP, "--python", python, "install", "--editable", str(ROOT), *requirements],
        ]

    return once(name, [installed, list(requirements)], commands) / "bin" / "python"


def overlaid(name: str, requirements: Sequence[str]) -> Path:
    """A directory with *requirements* and what they need, installed now unless that was done before.

    Everything else is that of the tests: an environment of megabytes, where numpy and scipy are most of a whole one.
    """
    return once(name, list(requirements), lambda home: [[*PIP, "install", "--target", str(home), *requirements]])


def once(name: str, made_of: object, commands: Callable[[Path], Sequence[Sequence[str]]]) -> Path:
    """The directory that *commands* fill, run now unless that was done before; skips where they do not work."""
    told = json.dumps([str(ROOT), sys.version, sys.base_prefix, made_of])
    home = ENVIRONMENTS / f"{name}-{hashlib.sha256(told.encode()).hexdigest()[:16]}"
    whole = home / "whole"
    ENVIRONMENTS.mkdir(exist_ok=True)
    with (ENVIRONMENTS / f"{home.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not whole.exists():
            shutil.rmtree(home, ignore_errors=True)
            if said := failing(commands(home)):
                shutil.rmtree(home, ignore_errors=True)
                (pytest.fail if os.environ.get("CI") else pytest.skip)(f"{name} could not be installed: {said}")
            whole.touch()
    return home


def failing(commands: Sequence[Sequence[str]]) -> str:
    """Runs *commands*; what went wrong, or empty."""
    for command in commands:
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            return str(error)
        if done.returncode:
            return done.stderr.strip()[-600:] or f"status {done.returncode}"
    return ""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(url: str, health: str = "/healthz") -> bool:
    try:
        return httpx.get(f"{url}{health}", trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


@pytest.fixture
def rotel(collector: Any, tmp_path: Path) -> Iterator[str]:
    """The base address of a running rotel that forwards everything to our own collector."""
    http, grpc = free_port(), free_port()
    log = tmp_path / "rotel.log"
    command = [
        str(program()), "start", "--otlp-http-endpoint", f"127.0.0.1:{http}", "--otlp-grpc-endpoint", f"127.0.0.1:{grpc}",
        "--exporter", "otlp", "--otlp-exporter-endpoint", collector.url, "--otlp-exporter-protocol", "http",
        "--batch-timeout", "100ms",
    ]  # fmt: skip
    with running(command, log) as child:
        until(lambda: child.poll() is not None or is_listening(http), bool)
        assert child.poll() is None, log.read_text()
        yield f"http://127.0.0.1:{http}"


def program() -> Path:
    """The program in the package rotel."""
    spec = find_spec("rotel")
    found = Path(spec.origin).parent / "rotel-agent" if spec is not None and spec.origin else None
    if found is not None and found.exists():
        return found
    if os.environ.get("CI"):
        pytest.fail("the package rotel is missing, and with it the proof against a real collector")
    pytest.skip("needs a real collector: pip install rotel")


def is_listening(port: int) -> bool:
    try:
        with closing(socket.create_connection(("127.0.0.1", port), 1.0)):
            return True
    except OSError:
        return False
