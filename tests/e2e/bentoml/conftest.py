"""`bentoml serve` in an environment of its own, all its processes ended in order."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TypeAlias

import httpx
import pytest

# The exporter of an OpenTelemetry whose instrumentation is there as well: BentoML needs both.
REQUIREMENTS = ["bentoml>=1.4.39,<2", "pandas", "opentelemetry-exporter-otlp-proto-http<1.45.2"]
PATIENCE_SECONDS = 40.0
APPS = Path(__file__).parents[1] / "apps"
Serve: TypeAlias = Callable[..., AbstractContextManager[tuple[str, Path]]]


@contextmanager
def serving(command: Sequence[str], directory: Path, **environ: str) -> Iterator[tuple[str, Path]]:
    """A command that ends in `bentoml serve ...`, run in *directory*; its address and its log."""
    port, log = free_port(), directory / "serve.log"
    with log.open("wb") as output:
        child = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", str(port)],
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=directory,
            env={
                **os.environ,
                "PYTHONPATH": str(APPS),
                "OTEL_SERVICE_NAME": "prices",
                "BENTOML_HOME": str(directory / "home"),
                "BENTOML_DO_NOT_TRACK": "true",
                "DASHLIGHT_SAMPLE_RATE": "1",
                "DASHLIGHT_PAYLOADS": "features",
                **environ,
            },
            start_new_session=True,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        assert until(lambda: child.poll() is not None or is_ready(url)), log.read_text()
        assert child.poll() is None, log.read_text()
        yield url, log
    finally:
        child.terminate()
        try:
            child.wait(PATIENCE_SECONDS)
        finally:
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()


def until(is_there: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := is_there()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


@pytest.fixture(scope="session")
def bento_python(environment: Callable[[str, Sequence[str]], Path]) -> Path:
    """Of an environment with BentoML."""
    return environment("bentoml", REQUIREMENTS)


@pytest.fixture(scope="session")
def bento_serve() -> Serve:
    """Starts a command, and gives the address of the service and the path of its log once it is ready."""
    return serving


@pytest.fixture(scope="session")
def bento_apps() -> Path:
    """Where the services under test lie."""
    return APPS
