"""`dashlight run`: starts a command so that the ASGI apps of its servers are watched, without a change to code."""

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from dashlight.cli.subparsers import Subparsers
from dashlight.zero_code.start.sitecustomize import MARK, with_first

_NOT_EXECUTABLE, _NOT_FOUND, _MISUSED = 126, 127, 2
"""Exit statuses of a shell in these cases."""


def register(subparsers: Subparsers) -> None:
    """Adds the command `run`."""
    parser = subparsers.add_parser(
        "run",
        help="start a server with its app watched",
        description="Start COMMAND so that the ASGI apps served by it and by its child processes are watched. Works for"
        " uvicorn, gunicorn, hypercorn, granian, and servers built on them. The command replaces this process.",
    )
    parser.add_argument("command_line", nargs=argparse.REMAINDER, metavar="-- COMMAND", help="the command, unchanged")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Becomes the command; returns only if that fails: 2, 126 or 127, after one line on stderr."""
    command: list[str] = arguments.command_line
    if command[:1] == ["--"]:
        command = command[1:]
    if not command:
        return _refuse("expected a command, such as: dashlight run -- uvicorn app:app", _MISUSED)
    sys.stdout.flush()
    try:
        os.execvpe(command[0], command, environment(os.environ))  # noqa: S606 - the command is the user's own
    except (FileNotFoundError, NotADirectoryError):
        return _refuse(f"{command[0]}: command not found", _NOT_FOUND)
    except OSError as error:
        return _refuse(f"{command[0]}: {error.strerror}", _NOT_EXECUTABLE)


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """*environ* with the hook's directory first on PYTHONPATH, and the variable that marks it as set."""
    directory = hook_directory()
    python_path = with_first(directory, python_path=environ.get("PYTHONPATH", ""))
    return {**environ, "PYTHONPATH": python_path, MARK: directory}


def hook_directory() -> str:
    """The directory of Dashlight's sitecustomize.py."""
    return str(Path(__file__).resolve().parents[1] / "zero_code" / "start")


def _refuse(words: str, status: int) -> int:
    print(f"dashlight run: {words}", file=sys.stderr)
    return status
