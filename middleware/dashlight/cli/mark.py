"""`dashlight mark`: says of past alerts whether they were noise or of use, and audits the budget of false alarms by that."""

from __future__ import annotations

import argparse
import time
from datetime import UTC, datetime
from typing import get_args

from dashlight.cli.applications import add_state, directory_of, failed
from dashlight.cli.subparsers import Subparsers
from dashlight.judge.past_alerts import Mark, PastAlert, audits, told_where
from dashlight.workers.operator import ToldAlerts, marks_in, told_in

_NO_MARK = "nothing"


def register(subparsers: Subparsers) -> None:
    """Adds `mark list`, `mark noise`, `mark useful` and `mark nothing`."""
    mark = subparsers.add_parser("mark", help="say whether past alerts were noise or useful")
    actions = mark.add_subparsers(dest="action", required=True)
    listed = actions.add_parser("list", help="list past alerts, and how the budget of false alarms was kept")
    add_state(listed)
    listed.set_defaults(run=run)
    for word in (*get_args(Mark), _NO_MARK):
        parser = actions.add_parser(word, help=f"mark an alert as {word}" if word != _NO_MARK else "take a mark back")
        parser.add_argument("id", metavar="ID", help="as listed, or the end of it")
        add_state(parser)
        parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, now: float | None = None) -> int:
    """Runs the action at the moment *now*; returns 0, or 2 after one line on stderr that says what is wrong."""
    at = time.time() if now is None else now
    try:
        directory = directory_of(arguments)
        told = told_in(directory).read()
        marks = marks_in(directory)
        if arguments.action == "list":
            _list(told, marks.read(), at)
            return 0
        chosen = _chosen(told, arguments.id)
        known = {each.id for each in told.alerts}

        def marked(every: dict[str, Mark]) -> dict[str, Mark]:
            left: dict[str, Mark] = {each: mark for each, mark in every.items() if each in known and each != chosen.id}
            if arguments.action != _NO_MARK:
                left[chosen.id] = arguments.action
            return left

        _list(told, marks.change(marked), at)
    except (OSError, ValueError) as error:
        return failed("mark", error)
    return 0


def _chosen(told: ToldAlerts, identifier: str) -> PastAlert:
    found = [each for each in told.alerts if each.id == identifier or each.id.endswith(identifier)]
    if len(found) != 1:
        raise ValueError(f"{identifier!r} names {'several alerts' if found else 'no alert'}: see `dashlight mark list`")
    return found[0]


def _list(told: ToldAlerts, marks: dict[str, Mark], at: float) -> None:
    for each in told.alerts:
        began = datetime.fromtimestamp(each.at, UTC).isoformat(timespec="seconds")
        where = told_where(each.endpoint, each.model)
        mark = f" [{marks[each.id]}]" if each.id in marks else ""
        print(f"{each.id[-12:]}: {began} {where}: {_on_one_line(each.summary)}{mark}")
    if not told.alerts:
        print("no alerts yet")
    for (endpoint, model), sentence in audits(told.alerts, marks, seconds_between=told.seconds_between, at=at).items():
        print(f"{told_where(endpoint, model)}: {sentence}")


def _on_one_line(text: str) -> str:
    return "".join(each if each.isprintable() else "?" for each in text)
