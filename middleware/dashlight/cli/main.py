"""The command `dashlight`."""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, Final

from dashlight.version import __version__

COMMANDS: Final = (
    "check",
    "collect",
    "explain",
    "gate",
    "labels",
    "learned",
    "mark",
    "reference",
    "rules",
    "run",
    "silence",
    "spool",
    "status",
    "versions",
)
"""Each is a file of this package. Only the one that is asked for is loaded: together they load all of Dashlight."""
_LISTING: Final = frozenset(
    {"explain", "labels", "learned", "mark", "reference", "rules", "silence", "status", "versions"}
)
"""They print and talk to nobody: where `| head` has read enough, they end in silence as other tools do."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command in *arguments*, or in those of the process; returns its exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == ["reference"]:
        # Its matrices are small: threads wait for each other, and their number would show in the last digits. NumPy asks
        # when it is loaded, which `dashlight run` leaves to the server.
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    if arguments is None and _LISTING.issuperset(words[:1]) and hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if arguments is None and reconfigure is not None:
        # Names are the app's: a terminal that cannot write one is shown its number.
        reconfigure(errors="backslashreplace")
    chosen = parser([word for word in words[:1] if word in COMMANDS] or COMMANDS).parse_args(words)
    return int(chosen.run(chosen))


def parser(names: Sequence[str] = COMMANDS) -> argparse.ArgumentParser:
    """The parser of the command line, with the sub-commands *names*."""
    whole = argparse.ArgumentParser(prog="dashlight", description="Warning lights for a model in production.")
    whole.add_argument("--version", action="version", version=f"dashlight {__version__}")
    commands = whole.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in names:
        command: Any = import_module(f"dashlight.cli.{name}")
        command.register(commands)
    return whole


if __name__ == "__main__":
    sys.exit(main())
