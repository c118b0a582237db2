"""`dashlight spool`: looks at what waits on disk for a collector, checks it, sends it, or removes it."""

import argparse
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from dashlight.cli.subparsers import Subparsers
from dashlight.deliver.spool.inspection import SegmentReport, damage, drop, segments, set_aside_files
from dashlight.errors import DashlightError
from dashlight.runtime.assembly.spool import SPOOL, send_spool
from dashlight.units import seconds

DONE: Final = 0
NOT_ALL: Final = 1
USAGE: Final = 2


def register(subparsers: Subparsers) -> None:
    """Add `spool list`, `spool verify`, `spool send` and `spool drop` to the command line."""
    spool = subparsers.add_parser(
        "spool",
        help="list, verify, send or drop what waits on disk for a collector",
        description="What waits in DASHLIGHT_STATE_DIR for a collector. Servers may go on meanwhile: what they own is looked"
        " at, and not touched. Exit status: 0 done, 1 not all of it, 2 wrong usage.",
    )
    actions = spool.add_subparsers(dest="action", required=True)
    for action, meaning in (
        ("list", "list what waits"),
        ("verify", "read every record; exit status 1 if any is damaged"),
        ("send", "send what dead servers left to the collector of the environment; exit status 1 if something stays"),
        ("drop", "remove what dead servers left, and what was set aside as damaged"),
    ):
        parser = actions.add_parser(action, help=meaning)
        parser.add_argument(
            "state", metavar="STATE_DIR", nargs="?", default=os.environ.get("DASHLIGHT_STATE_DIR", ""),
            help="the directory in DASHLIGHT_STATE_DIR (that of the environment)",
        )  # fmt: skip
        parser.add_argument("--json", action="store_true", help="print JSON")
        if action == "send":
            parser.add_argument(
                "--timeout", type=seconds, default=60.0, metavar="SECONDS", help="how long to try, such as 60s (60s)"
            )
        if action == "drop":
            parser.add_argument("--yes", action="store_true", help="do not ask")
        parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Runs the action; returns the exit status."""
    if not arguments.state or not Path(arguments.state).is_dir():
        return _failed(
            f"{arguments.state or 'no directory given'}: expected a state directory, as in DASHLIGHT_STATE_DIR"
        )
    roots = _roots(Path(arguments.state))
    try:
        match arguments.action:
            case "list":
                return _list(roots, as_json=arguments.json)
            case "verify":
                return _verify(roots, as_json=arguments.json)
            case "send":
                return _send(roots, timeout_seconds=arguments.timeout, as_json=arguments.json)
            case _:
                return _drop(roots, is_sure=arguments.yes, as_json=arguments.json)
    except (OSError, DashlightError) as error:
        return _failed(str(error))


def _roots(state: Path) -> dict[str, Path]:
    """The spool of each application, by its name; also where *state* is the directory of one."""
    found = [path for path in (state / SPOOL, *sorted(state.glob(f"*/{SPOOL}"))) if path.is_dir()]
    return {path.parent.name: path for path in found}


def _list(roots: Mapping[str, Path], *, as_json: bool) -> int:
    rows = [row for application, root in roots.items() for row in _rows(application, list(segments(root)))]
    aside = {application: len(set_aside_files(root)) for application, root in roots.items()}
    if as_json:
        _print_json({"waiting": rows, "set_aside": aside})
        return DONE
    for row in rows:
        print(
            f"{row['application']}/{row['directory']}: {row['count']} {row['signal']} ({row['format']}"
            f"{', encrypted' if row['encrypted'] else ''}) in {row['segments']} files, {row['bytes']} bytes, since "
            f"{row['since']}; {'in use by a server' if row['owned'] else 'left by a server that is gone'}"
        )
    for application, count in aside.items():
        if count:
            print(f"{application}: {count} damaged files were set aside")
    if not rows:
        print("nothing waits")
    return DONE


def _rows(application: str, reports: Sequence[SegmentReport]) -> Iterator[dict[str, object]]:
    """One row for each kind in each directory."""
    groups: dict[tuple[str, str], list[SegmentReport]] = {}
    for report in reports:
        groups.setdefault((report.path.parent.name, str(report.name.kind)), []).append(report)
    for (directory, _), each in groups.items():
        kind = each[0].name.kind
        yield {
            "application": application,
            "directory": directory,
            "signal": kind.signal,
            "format": kind.format,
            "encrypted": bool(kind.key_id),
            "count": sum(report.waiting_count for report in each),
            "segments": len(each),
            "bytes": sum(report.size_bytes for report in each),
            "since": datetime.fromtimestamp(each[0].name.made_ms / 1000, UTC).isoformat(timespec="seconds"),
            "owned": each[0].is_owned,
        }


def _verify(roots: Mapping[str, Path], *, as_json: bool) -> int:
    reports = [report for root in roots.values() for report in segments(root)]
    damaged = {str(report.path): what for report in reports if (what := damage(report))}
    if as_json:
        _print_json({"read": len(reports), "damaged": damaged})
    else:
        for path, what in damaged.items():
            print(f"{path}: damaged, {what}; the server that reads it sends what stands before, and sets it aside")
        print(f"{len(reports)} files read, {len(damaged)} damaged")
    return NOT_ALL if damaged else DONE


def _send(roots: Mapping[str, Path], *, timeout_seconds: float, as_json: bool) -> int:
    sent = {name: send_spool(os.environ, root, timeout_seconds=timeout_seconds) for name, root in roots.items()}
    left = sum(report.waiting_count for root in roots.values() for report in segments(root) if not report.is_owned)
    result = {
        "delivered": sum(each.delivered_count for each in sent.values()),
        "lost": sum(each.lost_count for each in sent.values()),
        "left": left,
    }
    if as_json:
        _print_json(result)
    else:
        print(f"{result['delivered']} delivered, {result['lost']} refused or damaged, {left} left")
    return NOT_ALL if left or result["lost"] else DONE


def _drop(roots: Mapping[str, Path], *, is_sure: bool, as_json: bool) -> int:
    waiting = sum(report.waiting_count for root in roots.values() for report in segments(root) if not report.is_owned)
    if not is_sure:
        if not sys.stdin.isatty():
            return _failed("nobody to ask: --yes removes what waits without asking")
        if input(f"remove {waiting} that were never delivered? [y/N] ").strip().lower() not in {"y", "yes"}:
            return NOT_ALL
    aside = sum(len(set_aside_files(root)) for root in roots.values())
    dropped = sum(drop(root) for root in roots.values())
    if as_json:
        _print_json({"dropped": dropped, "set_aside": aside})
    else:
        print(f"{dropped} removed{f', and {aside} damaged files' if aside else ''}")
    return DONE


def _print_json(value: object) -> None:
    print(json.dumps(value, indent=2))


def _failed(sentence: str) -> int:
    print(f"dashlight spool: {sentence}", file=sys.stderr)
    return USAGE
