"""`dashlight labels`: sends a file of labels to an app, or says which labels would help most."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO, Final, get_args
from urllib.parse import urlsplit

from dashlight.cli.applications import failed
from dashlight.cli.checks.running import tokens_of
from dashlight.cli.labelling.columns import LabelColumns
from dashlight.cli.labelling.file import EXPECTED, LabelFile, label_file
from dashlight.cli.labelling.place import SentSoFar
from dashlight.cli.labelling.requests import LabelRequest, parts_of
from dashlight.cli.labelling.sending import NotSentError, Sender, labels_url
from dashlight.cli.labelling.wanted import add_to
from dashlight.cli.progress import Report, progress
from dashlight.cli.subparsers import Subparsers
from dashlight.deliver.transport.endpoints import Endpoint
from dashlight.deliver.transport.http import HttpSender
from dashlight.deliver.transport.urls import checked_url, masked
from dashlight.errors import DashlightError, SettingsError
from dashlight.labels.label import Fate
from dashlight.runtime.assembly.label_sender import LabelSenderSettings, label_sender_settings
from dashlight.units import seconds, small_file

DONE: Final = 0
NOT_ALL: Final = 1
USAGE: Final = 2
INTERRUPTED: Final = 130
NO_LABEL: Final = "no_label"
_ATTEMPT_SECONDS = 60.0
_MOST_TOLD = 5


def register(subparsers: Subparsers) -> None:
    """Adds `labels send` and `labels wanted`."""
    labels = subparsers.add_parser("labels", help="send labels to an app, or say which would help most")
    actions = labels.add_subparsers(dest="action", required=True)
    send = actions.add_parser(
        "send",
        help="send a file of labels",
        description="Sends a file of labels, a row each, to an app with DASHLIGHT_LABELS=true. What was interrupted goes on"
        " where it was; labels that come twice are told as duplicates and change nothing. Exit status: 0 all sent, 1 not"
        " all (with --strict: or some invalid or unknown), 2 wrong usage.",
    )
    send.add_argument("file", metavar="FILE", help=f"{EXPECTED}; `-`: CSV or JSON from standard input")
    send.add_argument("--to", metavar="URL", required=True, help="of the app, such as http://127.0.0.1:8000")
    send.add_argument(
        "--token-file", metavar="FILE", type=Path, help="holds the token (DASHLIGHT_LABELS_TOKEN, else DASHLIGHT_TOKEN)"
    )
    send.add_argument("--id", metavar="COLUMN", default="", help="column of prediction ids (prediction_id, else id)")
    send.add_argument("--label", metavar="COLUMN", default="", help="column of labels (label, else value)")
    send.add_argument("--at", metavar="COLUMN", default="", help="column of when labels became known (at)")
    send.add_argument(
        "--join",
        metavar="COLUMN",
        default="",
        help="where there are no ids: column that holds what DASHLIGHT_ENTITY names",
    )
    send.add_argument(
        "--within",
        metavar="TIME",
        default="",
        help="with --join: so long before the label it was predicted at most, as 7d",
    )
    send.add_argument("--timeout", metavar="TIME", type=seconds, default=300.0, help="how long to try a request (5m)")
    send.add_argument("--from-start", action="store_true", help="send all again, also what was sent before")
    send.add_argument("--strict", action="store_true", help="exit status 1 if a label was invalid or unknown")
    send.set_defaults(run=run)
    add_to(actions)


def run(arguments: argparse.Namespace, standard_input: BinaryIO | None = None) -> int:
    """Runs the action; returns the exit status."""
    if bool(arguments.join) != bool(arguments.within) or (arguments.join and arguments.id):
        return failed("labels", "expected --join and --within together, and no --id beside them")
    columns = LabelColumns(arguments.id, arguments.label, arguments.at, arguments.join, arguments.within)
    sent = _Sent()
    try:
        if arguments.within:
            seconds(arguments.within)
        to = _endpoint(arguments)
        with label_file(arguments.file, columns, standard_input or sys.stdin.buffer) as file:
            _send(arguments, file, columns, to, sent)
    except KeyboardInterrupt:
        return _stopped("interrupted", sent, INTERRUPTED)
    except NotSentError as error:
        return _stopped(f"{masked(arguments.to)}: {error}", sent, USAGE if error.is_mistake else NOT_ALL)
    except ValueError:
        return failed("labels", f"--within {arguments.within}: expected a duration such as 7d")
    except SettingsError as error:
        return failed("labels", str(error))
    except OSError as error:
        return failed("labels", f"{error.filename or arguments.file}: {error.strerror or error}")
    except DashlightError as error:
        return failed("labels", f"{arguments.file}: {error}")
    print(_told(sent.counts))
    if not sent.counts["matched"] + sent.counts["duplicate"] and sent.counts["unknown"]:
        print(
            "no prediction has any of these ids so far: are they what the app calls its predictions?", file=sys.stderr
        )
    is_bad = arguments.strict and sent.counts["invalid"] + sent.counts["unknown"] + sent.counts["too_late"]
    return NOT_ALL if is_bad else DONE


class _Sent:
    """What became of the rows so far."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.told_count = 0
        self.is_kept = False
        """Whether the same command goes on from there."""

    def note_invalid(self, row: int, reason: str) -> None:
        self.told_count += 1
        if self.told_count <= _MOST_TOLD:
            print(f"row {row}: {reason}", file=sys.stderr)


def _send(arguments: argparse.Namespace, file: LabelFile, columns: LabelColumns, to: Endpoint, sent: _Sent) -> None:
    if file.note:
        print(f"{arguments.file}: {file.note}", file=sys.stderr)
    place = SentSoFar(file.path, repr((to.url, columns)))
    after_row = 0
    if not arguments.from_start:
        after_row, counts = place.read()
        sent.counts.update(counts)
    if after_row:
        print(f"going on after row {after_row:,}, as far as it came before (--from-start sends all)", file=sys.stderr)
    sent.is_kept = file.path is not None
    http = HttpSender(to)
    try:
        sender = Sender(
            http,
            patience_seconds=arguments.timeout,
            sleep=time.sleep,
            monotonic=time.monotonic,
            now=time.time,
            tell=lambda sentence: print(f"{to.shown}: {sentence}", file=sys.stderr),
        )
        with progress(sys.stderr) as begin:
            report: Report = begin("sending")
            for part in parts_of(file.rows(), columns, after_row=after_row):
                _send_part(part, sender, sent)
                place.keep(part.end_row, sent.counts)
                report(part.share)
            report(1.0)
    finally:
        http.close()
    if not sent.counts.total():
        raise NotSentError("the file holds no rows", is_mistake=True)
    place.forget()


def _send_part(part: LabelRequest, sender: Sender, sent: _Sent) -> None:
    sent.counts[NO_LABEL] += part.skipped_count
    for row in part.too_large:
        sent.counts["invalid"] += 1
        sent.note_invalid(row, "is too large for a request")
    if part.body:
        taken = sender.send(part.body)
        sent.counts.update(taken.counts)
        for line, reason in taken.invalid:
            sent.note_invalid(part.rows[line - 1] if 0 < line <= len(part.rows) else 0, reason)


def _stopped(why: str, sent: _Sent, status: int) -> int:
    done = sum(sent.counts.values())
    again = "; the same command goes on from there" if sent.is_kept and done else ""
    print(f"dashlight labels: {why}{f'; {_told(sent.counts)} so far{again}' if done else ''}", file=sys.stderr)
    return status


def _told(counts: Mapping[str, int]) -> str:
    fates = ", ".join(f"{counts.get(fate, 0):,} {fate.replace('_', ' ')}" for fate in get_args(Fate))
    without = counts.get(NO_LABEL, 0)
    total = sum(counts.values()) - without
    return f"{total:,} labels: {fates}{f'; {without:,} rows without a label' if without else ''}"


def _endpoint(arguments: argparse.Namespace) -> Endpoint:
    """Where to send, with a token.

    Raises:
        DashlightError: a URL or a setting that cannot be used.
        OSError: a token file that cannot be read.
    """
    settings = label_sender_settings(os.environ)
    url = labels_url(checked_url(arguments.to, variable="--to"), settings.path)
    headers = {"authorization": f"Bearer {_token(arguments, settings, url)}"}
    return Endpoint(url, headers, timeout_seconds=_ATTEMPT_SECONDS, egress=settings.egress)


def _token(arguments: argparse.Namespace, settings: LabelSenderSettings, url: str) -> str:
    if arguments.token_file is not None:
        token = small_file(arguments.token_file).decode(errors="replace").strip()
        if not token or not token.isascii() or not token.isprintable():
            raise NotSentError(f"{arguments.token_file} holds no token", is_mistake=True)
        return token
    # What apps keep on this machine is for apps on this machine.
    found = [settings.token] if settings.token else tokens_of("", settings.state_dir) if _is_near(url) else []
    if len(found) != 1:
        raise NotSentError(
            f"{'several tokens are' if found else 'no token is'} known: set DASHLIGHT_LABELS_TOKEN, or give --token-file",
            is_mistake=True,
        )
    return found[0]


def _is_near(url: str) -> bool:
    return (urlsplit(url).hostname or "") in {"localhost", "127.0.0.1", "::1"}
