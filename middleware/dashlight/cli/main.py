"""The command `dashlight`."""

import argparse
import sys
from collections.abc import Sequence

from dashlight.cli import collect, explain, learned, reference, run
from dashlight.version import __version__


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command in *arguments*, or in those of the process; returns its exit status."""
    chosen = parser().parse_args(arguments)
    return int(chosen.run(chosen))


def parser() -> argparse.ArgumentParser:
    """The parser of the command line: one sub-command for each file of this package."""
    whole = argparse.ArgumentParser(prog="dashlight", description="Warning lights for a model in production.")
    whole.add_argument("--version", action="version", version=f"dashlight {__version__}")
    commands = whole.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in (collect, explain, learned, reference, run):
        command.register(commands)
    return whole


if __name__ == "__main__":
    sys.exit(main())
