"""`dashlight versions`: two versions of a model side by side."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from typing import Final

from dashlight.cli.applications import failed
from dashlight.cli.subparsers import Subparsers
from dashlight.cli.viewing.source import NotSeenError, add_source, seen, source_of
from dashlight.cli.viewing.versions_text import print_comparison
from dashlight.judge.versions.report import VersionReport
from dashlight.metrics.instruments import label
from dashlight.page.versions import ShownVersions, report_of

SHOWN: Final = 0
NONE_FOUND: Final = 1


def register(subparsers: Subparsers) -> None:
    """Adds the command `versions`."""
    parser = subparsers.add_parser(
        "versions",
        help="show two versions of a model side by side",
        description="Shows every figure of two versions of a model, their difference with an interval that is valid however"
        " often one looks, and what is decided. Exit status: 0 shown, 1 no such versions are compared, 2 wrong usage or no"
        " way there.",
    )
    add_source(parser)
    parser.add_argument("--model", metavar="NAME", default="", help="of this model only")
    parser.add_argument("--endpoint", metavar="ROUTE", default="", help="at this endpoint only")
    parser.add_argument("--figure", metavar="NAME", default="", help="this figure only")
    parser.add_argument("--json", action="store_true", help="as the app tells it (docs/api.md)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Shows them; returns the exit status."""
    try:
        body = source_of(arguments)("versions")
        shown = seen(body, ShownVersions)
    except NotSeenError as error:
        return failed("versions", error)
    if arguments.json:
        print(body.decode())
        return SHOWN if shown.comparisons else NONE_FOUND
    found = [
        report
        for report in map(report_of, shown.comparisons)
        if arguments.model in {"", report.model} or label(arguments.model) == report.model
        if arguments.endpoint in {"", report.endpoint} or label(arguments.endpoint) == report.endpoint
    ]
    if arguments.figure:
        found = [each for report in found if (each := _with_one(report, label(arguments.figure))).figures]
    for place, report in enumerate(found):
        if place:
            print()
        print_comparison(report, sys.stdout)
    if not found:
        print("no two versions are compared, or none of what was asked for")
    return SHOWN if found else NONE_FOUND


def _with_one(report: VersionReport, figure: str) -> VersionReport:
    return replace(report, figures=tuple(each for each in report.figures if each.name == figure))
