"""`dashlight learned`: lists, exports or removes the references that servers learned from their traffic."""

import argparse
import sys
from pathlib import Path

from dashlight.cli.reference_text import summary
from dashlight.cli.subparsers import Subparsers
from dashlight.errors import ReferenceDataError
from dashlight.judge.words import printable
from dashlight.store.hash_key import kept_hash_key
from dashlight.store.learned import FILES
from dashlight.window.reference.file import dump, load
from dashlight.workers.rendezvous import APPLICATION


def register(subparsers: Subparsers) -> None:
    """Add `learned list`, `learned export` and `learned forget` to the command line."""
    learned = subparsers.add_parser("learned", help="list, export or forget references that servers learned")
    actions = learned.add_subparsers(dest="action", required=True)
    for action, meaning in (
        ("list", "list learned references"),
        ("export", "copy one to a file, to use it as DASHLIGHT_REFERENCE"),
        ("forget", "remove one; running servers learn it again, without a restart"),
    ):
        parser = actions.add_parser(action, help=meaning)
        parser.add_argument("state", metavar="STATE_DIR", type=Path, help="the directory in DASHLIGHT_STATE_DIR")
        if action != "list":
            parser.add_argument("name", metavar="NAME", help="name as listed, or a part of it that is unique")
        if action == "export":
            parser.add_argument(
                "--output", metavar="FILE", type=Path, required=True, help="the reference file to write"
            )
        parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Runs the action; returns 0, or 2 after one line on stderr that says what is wrong."""
    try:
        files = _files(arguments.state)
        if not files:
            return _failed(f"{arguments.state} holds no learned reference")
        if arguments.action == "list":
            for name, path in files.items():
                print(f"{name}: {_summary(path)}{_application(path.parent)}")
            return 0
        found = [name for name in files if arguments.name in name]
        if len(found) != 1:
            what = "several" if found else "none"
            return _failed(f"{arguments.name!r} names {what} of {', '.join(files)}")
        if arguments.action == "export":
            return _export(files[found[0]], arguments.output)
        return _forget(files[found[0]], name=found[0])
    except OSError as error:
        return _failed(f"{error.filename}: {error.strerror or error}")


def _files(state: Path) -> dict[str, Path]:
    """Path of each reference by its name: directly in *state*, and one level below, where each application has its own."""
    below = {f"{path.parent.name}/{_name(path)}": path for path in sorted(state.glob(f"*/{FILES}"))}
    return {_name(path): path for path in sorted(state.glob(FILES))} | below


def _export(path: Path, output: Path) -> int:
    file = path.read_bytes()
    try:
        # Elsewhere nobody has the key of this machine.
        reference = load(file, kept_hash_key(path.parent), to_compare=False)
    except ReferenceDataError as error:
        return _failed(f"{path} {error}")
    has_key = any(column.hash_key is not None for column in reference.columns)
    output.write_bytes(dump(reference, with_key=True) if has_key else file)
    print(f"{output}: {summary(reference)}")
    return 0


def _forget(path: Path, *, name: str) -> int:
    path.unlink()
    print(f"forgotten: {name}")
    return 0


def _name(path: Path) -> str:
    return path.stem.removeprefix("reference-")


def _summary(path: Path) -> str:
    try:
        return summary(load(path.read_bytes(), to_compare=False))
    except ReferenceDataError as error:
        return f"cannot be used: it {error}"


def _application(directory: Path) -> str:
    """Which application learned it; empty if the directory does not say."""
    try:
        text = (directory / APPLICATION).read_text(errors="replace")
    except OSError:
        return ""
    return f"; learned by {printable(text)}"


def _failed(sentence: str) -> int:
    print(f"dashlight learned: {sentence}", file=sys.stderr)
    return 2
