"""`dashlight gate`: lets a candidate pass in a deployment, or not."""

from __future__ import annotations

import argparse
import sys
import time
from math import isfinite
from typing import Final

from dashlight.cli.applications import failed
from dashlight.cli.subparsers import Subparsers
from dashlight.cli.viewing.gate import Gate, GateQuestion, Verdict
from dashlight.cli.viewing.source import NotSeenError, add_source, source_of
from dashlight.judge.versions.evidence import LEVEL
from dashlight.judge.versions.report import FAILURE_RATE
from dashlight.page.values import sentence
from dashlight.units import seconds

EXITS: Final[dict[Verdict, int]] = {"no_worse": 0, "worse": 1, "cannot_ask": 2, "undecided": 3}
_LONGEST_SECONDS: Final = 30 * 86_400.0


def register(subparsers: Subparsers) -> None:
    """Adds the command `gate`."""
    parser = subparsers.add_parser(
        "gate",
        help="let a candidate version pass in a deployment, or not",
        description="Asks until it is decided whether the candidate is worse than the stable version by more than is allowed,"
        " or the wait is over. The figure, the loss and the level are chosen before: however often it is asked, a wrong"
        " decision has a chance of at most the level. Exit status: 0 no worse, 1 worse, 3 undecided, 2 wrong usage, or it"
        " could never be asked. Only 0 lets pass.",
    )
    add_source(parser)
    parser.add_argument("--model", metavar="NAME", required=True, help="as it is watched")
    parser.add_argument("--candidate", metavar="VERSION", required=True, help="the version that is to prove itself")
    parser.add_argument("--stable", metavar="VERSION", default="", help="with which it is compared (the one there is)")
    parser.add_argument("--endpoint", metavar="ROUTE", default="", help="where, if the model is at several")
    parser.add_argument("--figure", metavar="NAME", default=FAILURE_RATE, help="that decides (%(default)s)")
    parser.add_argument(
        "--max-loss", metavar="LOSS", required=True, help="how much worse it may be: 0.01, 1%%, or seconds of a latency"
    )
    parser.add_argument("--level", metavar="SHARE", default=str(LEVEL), help="chance of a wrong decision (%(default)s)")
    parser.add_argument(
        "--wait", metavar="TIME", default="0s", help="how long to wait for a decision, as 2h (%(default)s)"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Asks until it is decided; returns the exit status."""
    try:
        question = GateQuestion(
            model=arguments.model,
            candidate=arguments.candidate,
            stable=arguments.stable,
            endpoint=arguments.endpoint,
            figure=arguments.figure,
            max_loss=_number(arguments.max_loss, "--max-loss", "a number from 0, as 0.01 or 1%"),
            level=_level(arguments.level),
        )
        gate = Gate(
            question,
            source_of(arguments),
            now=time.time,
            monotonic=time.monotonic,
            sleep=time.sleep,
            tell=lambda words: print(sentence(words), file=sys.stderr, flush=True),
        )
        verdict, words = gate.decided(_wait_seconds(arguments.wait))
    except (NotSeenError, ValueError) as error:
        return failed("gate", sentence(str(error)))
    except KeyboardInterrupt:
        return 130
    print(f"{verdict.replace('_', ' ')}: {sentence(words)}")
    return EXITS[verdict]


def _number(text: str, option: str, expected: str) -> float:
    try:
        value = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        value = -1.0
    if not isfinite(value) or value < 0:
        raise ValueError(f"{option} {text}: expected {expected}")
    return value


def _level(text: str) -> float:
    expected = "a share between 0 and 1, as 0.05"
    level = _number(text, "--level", expected)
    if not 0 < level < 1:
        raise ValueError(f"--level {text}: expected {expected}")
    return level


def _wait_seconds(text: str) -> float:
    try:
        return min(seconds(text), _LONGEST_SECONDS) if text.strip() not in {"0", "0s"} else 0.0
    except ValueError:
        raise ValueError(f"--wait {text}: expected a duration such as 2h") from None
