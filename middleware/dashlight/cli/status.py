"""`dashlight status`: is everything all right, and if not: what, since when, for whom."""

from __future__ import annotations

import argparse
import sys
import time
from typing import Final

from dashlight.cli.applications import failed
from dashlight.cli.subparsers import Subparsers
from dashlight.cli.viewing.source import NotSeenError, add_source, is_stale, seen, source_of
from dashlight.cli.viewing.status_text import print_status
from dashlight.page.shape import ShownStatus
from dashlight.page.versions import ShownVersions

FINE: Final = 0
FIRING: Final = 1
UNKNOWN: Final = 2


def register(subparsers: Subparsers) -> None:
    """Adds the command `status`."""
    parser = subparsers.add_parser(
        "status",
        help="show whether everything is all right, and what is wrong",
        description="Shows what was judged last: alerts in force, endpoints, models, performance, segments. Reads the app"
        " with --url (it needs DASHLIGHT_METRICS=true), else its state directory, also after it has ended. Exit status: 0"
        " nothing fires, 1 an alert fires, 2 that cannot be said: wrong usage, no way there, or nothing is judged any more.",
    )
    add_source(parser)
    parser.add_argument("--json", action="store_true", help="as the app tells it (docs/api.md)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, now: float | None = None) -> int:
    """Shows it as of *now*; returns the exit status."""
    at = time.time() if now is None else now
    try:
        source = source_of(arguments)
        body = source("status")
        status = seen(body, ShownStatus)
        if not arguments.json:
            print_status(status, seen(source("versions"), ShownVersions), sys.stdout, now=at)
    except NotSeenError as error:
        return failed("status", error)
    if arguments.json:
        print(body.decode())
    if is_stale(at - status.at, status.pane_seconds):
        return failed("status", f"nothing has been judged for {abs(at - status.at):.0f} s")
    return FIRING if any(alert.state == "firing" for alert in status.alerts) else FINE
