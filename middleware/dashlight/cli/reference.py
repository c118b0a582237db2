"""`dashlight reference`: makes a reference file from training data, or shows one."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from dashlight.cli.build_report import as_json, build_report, of_names, print_report
from dashlight.cli.own_performance import add_options, own_performance, told_columns
from dashlight.cli.progress import progress
from dashlight.cli.reference_text import shown
from dashlight.cli.scan.formats import EXPECTED
from dashlight.cli.scan.training_file import ScannedFile, training_file
from dashlight.cli.subparsers import Subparsers
from dashlight.cli.training import chunks_in_order, moments_in_order, wanted_columns, with_cluster
from dashlight.clock import SystemClock
from dashlight.decode.cells.doubtful import has_open_dates, mixed_cells
from dashlight.errors import MissingExtraError, ReferenceDataError, SettingsError
from dashlight.privacy.hashing import HashKey
from dashlight.store.hash_key import given_hash_key
from dashlight.window.columns import Reference
from dashlight.window.disclosure import protected, with_shown
from dashlight.window.inspection.doubts import doubts
from dashlight.window.inspection.facts import FirstPass
from dashlight.window.reference.build import build_reference
from dashlight.window.reference.file import dump, load, with_version

_SEED = 0
"""The same data give the same reference."""


def register(subparsers: Subparsers) -> None:
    """Add `reference build` and `reference show` to the command line."""
    reference = subparsers.add_parser("reference", help="make or show a reference file")
    actions = reference.add_subparsers(dest="action", required=True)

    build = actions.add_parser("build", help="make a reference file from training data")
    build.add_argument(
        "training",
        metavar="TRAIN",
        nargs="+",
        help="files or globs, one row per prediction: " + EXPECTED,
    )
    build.add_argument("--output", metavar="FILE", type=Path, required=True, help="the reference file to write")
    for option, metavar, meaning in (
        ("--prediction", "COL", "columns that the model predicted"),
        ("--label", "COL", "columns that hold the true answer; left out, and the first says how good the model was"),
        ("--ignore", "GLOB", "columns to leave out"),
        ("--keep", "GLOB", "columns to keep although they look like an index, an id, a counter or a time"),
        ("--categorical", "COL", "columns whose numbers are codes, not quantities"),
        ("--show", "GLOB", "columns whose categories alerts may tell by name; between spaces or commas"),
    ):
        build.add_argument(option, metavar=metavar, nargs="+", action="extend", default=[], help=meaning)
    build.add_argument(
        "--cluster", metavar="COL", help="session or user by which rows hang together: rows count as they are worth"
    )
    order = build.add_mutually_exclusive_group()
    order.add_argument(
        "--time", metavar="COL", help="column with the time of each row: orders the rows, shows daily patterns"
    )
    order.add_argument("--unordered", action="store_true", help="the order of the rows has no meaning")
    add_options(build)
    build.add_argument("--model", metavar="NAME", default="", help="name of the model, stored in the file")
    build.add_argument(
        "--quiet", action="store_true", help="do not print the columns, what is left out and what is doubtful"
    )
    build.add_argument("--format", choices=["text", "json"], default="text", help="of what is printed (%(default)s)")
    build.set_defaults(run=run)

    show = actions.add_parser("show", help="show the contents of a reference file")
    show.add_argument("file", metavar="FILE", type=Path)
    show.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Runs the action; returns 0, or 2 after one line on stderr that says what is wrong."""
    path: str | Path = " ".join(arguments.training) if arguments.action == "build" else arguments.file
    try:
        if arguments.action == "build":
            _build(arguments)
        else:
            print(shown(load(arguments.file.read_bytes(), to_compare=False), arguments.file.name))
    except ReferenceDataError as error:
        return _failed(f"{path} {error}")
    except SettingsError as error:
        return _failed(str(error))
    except MissingExtraError as error:
        return _failed(f"{path} cannot be read: {error}")
    except OSError as error:
        return _failed(f"{error.filename or path}: {error.strerror or error}")
    return 0


def _failed(sentence: str) -> int:
    print(f"dashlight reference: {sentence}", file=sys.stderr)
    return 2


def _build(arguments: argparse.Namespace) -> None:
    with training_file(arguments.training, arguments.categorical) as file:
        _build_from(file, arguments)


def _build_from(file: ScannedFile, arguments: argparse.Namespace) -> None:
    time: str | None = arguments.time
    told = told_columns(file, arguments)
    wanted = wanted_columns(
        file,
        predictions=arguments.prediction,
        labels=arguments.label,
        ignored=arguments.ignore,
        categorical=arguments.categorical,
        time=time,
        keep=arguments.keep,
        score=arguments.score,
    )
    if arguments.cluster is not None:
        wanted = with_cluster(file, wanted, arguments.cluster)
    for note in wanted.notes:
        print(note, file=sys.stderr)
    if time is None and not arguments.unordered:
        print("Rows are assumed to be in time order; if not, use --time COLUMN or --unordered.", file=sys.stderr)
    seen: list[FirstPass] = []
    key = given_hash_key(os.environ)
    with progress(sys.stderr) as step:
        look = file.look([*wanted.names, *(told.names if told else ())], time, step("Reading"))
        training, notes = own_performance(file, told, step=step) if told else (None, [])
        for note in (*look.notes, *notes):
            print(note, file=sys.stderr)
        reference = build_reference(
            chunks_in_order(file, wanted, step=step),
            rng=np.random.default_rng(_SEED),
            created_at=SystemClock().now(),
            ordered=not arguments.unordered,
            moments=moments_in_order(look),
            model=arguments.model,
            categorical=arguments.categorical,
            order=wanted.names,
            writings=file.writings,
            keep=[*arguments.keep, *arguments.categorical],
            seen=seen.append,
            cluster=arguments.cluster or "",
            key=key,
            training=training,
        )
    written = _as_it_travels(reference, arguments.show, key)
    _write(arguments.output, dump(written))
    counted = {name: counts for name, counts in file.counts.items() if not told or name != told.label}
    found = doubts(
        seen[0],
        reference,
        has_time=time is not None,
        said=[*arguments.keep, *arguments.categorical],
        open_dates=[name for name, counts in counted.items() if has_open_dates(counts, file.writings[name])],
        mixed={
            name: cells
            for name, counts in counted.items()
            if name not in arguments.categorical and (cells := mixed_cells(counts, file.writings[name]))
        },
    )
    report = build_report(str(arguments.output), written, of_names(wanted.left_out), found)
    if arguments.format == "json":
        print(as_json(report))
        return
    print(f"{report.file}: {report.summary}")
    if not arguments.quiet:
        print()
        print_report(report, sys.stdout)


def _as_it_travels(reference: Reference, shown: Sequence[str], key: HashKey | None) -> Reference:
    """*reference* that declares which columns may be told; under a *key* the categories of the others are hashed."""
    globs = [glob.strip() for text in shown for glob in text.split(",") if glob.strip()]
    declared = with_shown(reference, globs)
    return with_version(declared if key is None else protected(declared, key))


def _write(path: Path, file: bytes) -> None:
    # Written to a temporary file first, so that nobody reads a partial file.
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_bytes(file)
        beside.replace(path)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None
    finally:
        beside.unlink(missing_ok=True)
