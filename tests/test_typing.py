"""`app = dashlight.watch(app)` as type checkers read it."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SNIPPET = """
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import dashlight
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

app = FastAPI()
app = dashlight.watch(app)
app.get("/late")
app.state.model = "prices"

other = Starlette()
other = dashlight.watch(other)
other.state.routes = len(other.routes)


async def plain(scope: Scope, receive: Receive, send: Send) -> None: ...


served: ASGIApp = plain
served = dashlight.watch(served)
served = dashlight.watch(plain)
served = dashlight.watch(dashlight.DashlightMiddleware(app))


@dashlight.watch
async def decorated(
    scope: MutableMapping[str, Any],
    receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
    send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
) -> None: ...


class Served:
    name = "prices"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None: ...


instance = Served()
instance = dashlight.watch(instance)
name: str = instance.name
"""
WRONG = """
import dashlight
from fastapi import FastAPI

app = FastAPI()
app = dashlight.watch(app)
app.no_such_method()
dashlight.watch(1, 2)
"""


def checked(tmp_path: Path, command: list[str], code: str) -> tuple[int, str]:
    """Status and words of a type checker over *code*, which finds the package as an installation would show it."""
    snippet = tmp_path / "snippet.py"
    snippet.write_text(code)
    done = subprocess.run(
        [sys.executable, "-m", *command, str(snippet)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "MYPYPATH": str(ROOT / "middleware"), "PYTHONPATH": str(ROOT / "middleware")},
    )
    return done.returncode, done.stdout + done.stderr


def mypy() -> list[str]:
    # What other tests and the check itself have read already is read from there.
    return ["mypy", "--strict", "--config-file=", f"--cache-dir={ROOT / '.mypy_cache' / 'snippets'}"]


def pyright(tmp_path: Path) -> list[str]:
    if find_spec("pyright") is None:
        pytest.skip("needs pyright: pip install 'pyright[nodejs]'")
    (tmp_path / "pyrightconfig.json").write_text(
        f'{{"typeCheckingMode": "standard", "extraPaths": ["{ROOT / "middleware"}"]}}'
    )
    return ["pyright", "--project", str(tmp_path), "--pythonpath", sys.executable]


def test_mypy_takes_a_watched_app_for_what_it_was(tmp_path: Path) -> None:
    assert checked(tmp_path, mypy(), SNIPPET) == (0, "Success: no issues found in 1 source file\n")


def test_mypy_still_finds_mistakes_in_a_watched_app(tmp_path: Path) -> None:
    status, said = checked(tmp_path, mypy(), WRONG)

    assert status == 1
    assert [line.split(":")[1] for line in said.splitlines() if ": error:" in line] == ["7", "8"]


def test_pyright_takes_a_watched_app_for_what_it_was(tmp_path: Path) -> None:
    status, said = checked(tmp_path, pyright(tmp_path), SNIPPET)

    assert status == 0, said
    assert "0 errors" in said


def test_pyright_still_finds_mistakes_in_a_watched_app(tmp_path: Path) -> None:
    status, said = checked(tmp_path, pyright(tmp_path), WRONG)

    assert status == 1
    assert "2 errors" in said
