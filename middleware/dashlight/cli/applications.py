"""Which application below a state directory a command is about."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from dashlight.judge.words import printable
from dashlight.workers.rendezvous import APPLICATION


def add_state(parser: argparse.ArgumentParser) -> None:
    """Adds where to look: `--state-dir` and `--app`."""
    parser.add_argument(
        "--state-dir",
        metavar="DIR",
        type=Path,
        default=os.environ.get("DASHLIGHT_STATE_DIR") or None,
        help="the directory in DASHLIGHT_STATE_DIR (default: that variable)",
    )
    parser.add_argument(
        "--app", metavar="TEXT", default="", help="part of the application's name, where there are several"
    )


def directory_of(arguments: argparse.Namespace) -> Path:
    """The directory in which the processes of the application meet.

    Raises:
        ValueError: none, or several; says which there are.
    """
    state: Path | None = arguments.state_dir
    if state is None:
        raise ValueError("expected --state-dir, or the variable DASHLIGHT_STATE_DIR")
    state = Path(state)
    names = {path.parent: _name(path) for path in sorted(state.glob(f"*/{APPLICATION}"))}
    found = [each for each, name in names.items() if arguments.app in name or arguments.app in each.name]
    if len(found) == 1:
        return _ours(found[0])
    if not names:
        raise ValueError(f"{state} holds no application: has it been started with this DASHLIGHT_STATE_DIR?")
    listed = ", ".join(names.values())
    if not arguments.app:
        raise ValueError(f"{state} holds several applications: say which with --app, by a part of its name: {listed}")
    what = "several applications" if found else "no application"
    raise ValueError(f"--app {arguments.app!r} names {what} of: {listed}")


def _ours(directory: Path) -> Path:
    """*directory*, if what is written there is read by the app: it believes files of its own user alone."""
    owner = directory.stat().st_uid
    if owner != os.geteuid():
        raise ValueError(f"{directory} belongs to user {owner}: run this as that user, or the app will not believe it")
    return directory


def _name(path: Path) -> str:
    try:
        return printable(path.read_text(errors="replace")) or path.parent.name
    except OSError:
        return path.parent.name


def failed(command: str, sentence: object) -> int:
    """One line on stderr, and the exit status for it."""
    print(f"dashlight {command}: {sentence}", file=sys.stderr)
    return 2
