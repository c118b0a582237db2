"""`dashlight silence`: has alerts of a column, an endpoint or a source told to nobody for a while."""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import get_args
from uuid import uuid4

from dashlight import units
from dashlight.cli.applications import add_state, directory_of, failed
from dashlight.cli.subparsers import Subparsers
from dashlight.judge.silences import Silence
from dashlight.judge.words import printable
from dashlight.records import AlertSource
from dashlight.workers.operator import silences_in


def register(subparsers: Subparsers) -> None:
    """Adds `silence add`, `silence list` and `silence remove`."""
    silence = subparsers.add_parser("silence", help="tell nobody of certain alerts for a while")
    actions = silence.add_subparsers(dest="action", required=True)
    add = actions.add_parser("add", help="begin a silence; alerts are counted and shown as ever")
    add.add_argument("--column", metavar="GLOB", default="", help="of these columns only")
    add.add_argument("--endpoint", metavar="GLOB", default="", help="of these endpoints only")
    add.add_argument("--source", choices=get_args(AlertSource), default="", help="of this source only")
    end = add.add_mutually_exclusive_group(required=True)
    end.add_argument("--for", dest="duration", metavar="DURATION", help="how long, such as 2h or 7d")
    end.add_argument(
        "--until", metavar="TIME", help="until when, such as 2026-12-24T18:00+01:00; without a zone in UTC"
    )
    add.add_argument("--why", required=True, help="for whoever wonders later")
    listed = actions.add_parser("list", help="list silences")
    remove = actions.add_parser("remove", help="end a silence")
    remove.add_argument("id", metavar="ID", help="as listed")
    for parser in (add, listed, remove):
        add_state(parser)
        parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, now: float | None = None) -> int:
    """Runs the action at the moment *now*; returns 0, or 2 after one line on stderr that says what is wrong."""
    at = time.time() if now is None else now
    try:
        file = silences_in(directory_of(arguments))
        if arguments.action == "list":
            print("\n".join(_line(each, at) for each in file.change(lambda every: every)) or "no silences")
            return 0
        if arguments.action == "remove":
            removed = file.change(_Without(arguments.id))
            print(f"removed: {arguments.id}; {len(removed)} are left")
            return 0
        made = _made(arguments, at)
        # Those that are over make room.
        file.change(lambda every: (*(each for each in every if each.until_at > at), made))
        print(_line(made, at))
    except (OSError, ValueError) as error:
        return failed("silence", error)
    return 0


@dataclass(frozen=True, slots=True)
class _Without:
    """All silences but one, which has to be there."""

    id: str

    def __call__(self, every: tuple[Silence, ...]) -> tuple[Silence, ...]:
        left = tuple(each for each in every if each.id != self.id)
        if len(left) == len(every):
            raise ValueError(f"there is no silence {self.id!r}")
        return left


def _made(arguments: argparse.Namespace, at: float) -> Silence:
    if not (arguments.column or arguments.endpoint or arguments.source):
        raise ValueError("expected --column, --endpoint or --source: of what nobody is to be told")
    until_at = _until(arguments, at)
    if until_at <= at:
        raise ValueError(f"--{'until' if arguments.until else 'for'}: expected an end in the future")
    return Silence(
        id=uuid4().hex[:8],
        made_at=at,
        until_at=until_at,
        why=arguments.why,
        column=arguments.column,
        endpoint=arguments.endpoint,
        source=arguments.source,
    )


def _until(arguments: argparse.Namespace, at: float) -> float:
    if arguments.duration is not None:
        try:
            return at + units.seconds(arguments.duration)
        except ValueError:
            raise ValueError(f"--for {arguments.duration!r}: expected a duration such as 2h or 7d") from None
    try:
        until = datetime.fromisoformat(arguments.until)
    except ValueError:
        raise ValueError(f"--until {arguments.until!r}: expected a time such as 2026-12-24T18:00+01:00") from None
    return (until if until.tzinfo else until.replace(tzinfo=UTC)).timestamp()


def _line(silence: Silence, at: float) -> str:
    until = datetime.fromtimestamp(silence.until_at, UTC).isoformat(timespec="seconds")
    what = [
        f"{name} {printable(text)}"
        for name, text in (("column", silence.column), ("endpoint", silence.endpoint), ("source", silence.source))
        if text
    ]
    over = "over since" if silence.until_at <= at else "until"
    return f"{silence.id}: {', '.join(what)}; {over} {until}: {printable(silence.why)}"
