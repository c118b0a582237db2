"""The rows of a file of labels, whatever its format: one at a time, with how much of the file is behind them."""

from __future__ import annotations

import csv
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import BinaryIO, Final, TypeAlias, cast

import msgspec

from dashlight.cli.labelling.columns import LabelColumns
from dashlight.cli.scan.csv_layout import csv_layout
from dashlight.cli.scan.database import QueryError, batches_of, open_database, rows_of
from dashlight.cli.scan.encodings import readable
from dashlight.cli.scan.formats import PACKED, TEXT, source_of
from dashlight.cli.scan.paths import local_files
from dashlight.errors import ReferenceDataError
from dashlight.labels.entry import IDS, ROWS

Row: TypeAlias = tuple[Mapping[str, object], float]
"""A row, and the share of the file that is read with it, 0 to 1."""

STANDARD_INPUT: Final = "-"
EXPECTED: Final = ".csv, .tsv, .txt, .json, .jsonl (also .gz, .zst, .bz2, .xz), .parquet or .feather"
_JSON: Final = frozenset({"json", "jsonl", "ndjson"})
_MOST_DOCUMENT_BYTES: Final = 64 * 2**20
_MOST_LINE_BYTES: Final = 2**20
_BATCH_ROWS: Final = 10_000
_PIECE_BYTES: Final = 2**20
_TABLE: Final = "labels"


@dataclass(frozen=True, slots=True)
class LabelFile:
    """A file that was opened."""

    path: Path | None
    """None: standard input, of which nothing is left to begin anew from."""
    rows: Callable[[], Iterator[Row]]
    note: str
    """A remark on what was read, empty where there is none."""


@contextmanager
def label_file(given: str, columns: LabelColumns, standard_input: BinaryIO) -> Generator[LabelFile]:
    """The file *given*, a path, or STANDARD_INPUT, which holds CSV or JSON; its *columns* are those wanted.

    Raises:
        ReferenceDataError: it cannot be read, holds no rows, or not these columns.
        MissingExtraError: what reads its format is not installed.
        OSError: it is not there.
    """
    folder = Path(mkdtemp(prefix="dashlight-"))
    try:
        if given == STANDARD_INPUT:
            path = _copied(standard_input, folder)
        else:
            (path,) = _one(given)
        words = path.name.lower().split(".")[1:]
        word = "".join([each for each in words if each not in PACKED][-1:])
        copy = folder / "unpacked"
        if word in _JSON:
            text, note = readable(path, copy)
            rows = _json_rows(text, columns)
        elif word in TEXT:
            text, note = readable(path, copy)
            rows = _text_rows(text, columns)
        else:
            rows, note = _typed_rows(path, folder, columns), ""
        yield LabelFile(None if given == STANDARD_INPUT else path, rows, note)
    finally:
        rmtree(folder, ignore_errors=True)


def _one(given: str) -> tuple[Path, ...]:
    files = local_files([given])
    if len(files) > 1:
        raise ReferenceDataError(f"matches {len(files)} files: send one after the other")
    return files


def _copied(standard_input: BinaryIO, folder: Path) -> Path:
    """Standard input as a file, whose name says whether it holds JSON or a table."""
    path = folder / "input"
    with path.open("wb") as out:
        while piece := standard_input.read(_PIECE_BYTES):
            out.write(piece)
    with path.open("rb") as file:
        head = file.read(_PIECE_BYTES).removeprefix(b"\xef\xbb\xbf").lstrip()
    return path.rename(path.with_suffix(".json" if head[:1] in {b"{", b"["} else ".csv"))


def _text_rows(path: Path, columns: LabelColumns) -> Callable[[], Iterator[Row]]:
    layout = csv_layout(path)
    columns.checked(layout.names)
    size = path.stat().st_size or 1

    def rows() -> Iterator[Row]:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for _ in range(layout.skipped_lines):
                file.readline()
            read_bytes = 0

            def lines() -> Iterator[str]:
                nonlocal read_bytes
                for line in file:
                    read_bytes += len(line)  # of ASCII; others are told a little early
                    yield line

            reader = csv.reader(lines(), delimiter=layout.delimiter)
            try:
                next(reader, None)  # the header
                for cells in reader:
                    if cells:
                        if len(cells) != len(layout.names):
                            line = reader.line_num + layout.skipped_lines
                            raise ReferenceDataError(
                                f"does not fit its header at line {line}: found {len(cells)} fields, expected"
                                f" {len(layout.names)}"
                            )
                        yield dict(zip(layout.names, cells, strict=True)), min(read_bytes / size, 1.0)
            except csv.Error as error:
                raise ReferenceDataError(f"cannot be read at line {reader.line_num + 1}: {error}") from None

    return rows


def _json_rows(path: Path, columns: LabelColumns) -> Callable[[], Iterator[Row]]:
    """One document, a list of objects or `{"labels": [...]}`, or an object a line, whatever it is called."""
    size = path.stat().st_size
    if size <= _MOST_DOCUMENT_BYTES:
        entries = _listed(_parsed(path.read_bytes()))
        if entries is not None:
            return _of_entries(
                lambda: ((each, (place + 1) / len(entries)) for place, each in enumerate(entries)), columns
            )

    def lines() -> Iterator[tuple[object, float]]:
        read_bytes = 0
        with path.open("rb") as file:
            for number, line in enumerate(iter(lambda: file.readline(_MOST_LINE_BYTES + 1), b""), 1):
                read_bytes += len(line)
                if line.strip():
                    found = _parsed(line) if len(line) <= _MOST_LINE_BYTES else None
                    if found is None:
                        raise ReferenceDataError(f"is no JSON at line {number}: expected a list, or an object a line")
                    yield found, read_bytes / size

    return _of_entries(lines, columns)


def _listed(document: object) -> list[object] | None:
    """The entries of *document*: those of a list, also of one that stands in an object, else itself; None where there is none."""
    if isinstance(document, dict):
        named = cast("dict[str, object]", document)
        listed = named.get(ROWS)
        if isinstance(listed, list) and not any(name in named for name in IDS):
            return cast("list[object]", listed)
        return [named]
    if isinstance(document, list):
        return cast("list[object]", document)
    return None if document is None else [document]


def _of_entries(
    entries: Callable[[], Iterator[tuple[object, float]]], columns: LabelColumns
) -> Callable[[], Iterator[Row]]:
    def rows() -> Iterator[Row]:
        for place, (entry, share) in enumerate(entries(), 1):
            if not isinstance(entry, dict):
                raise ReferenceDataError(f"holds no object at its entry {place}")
            yield cast("dict[str, object]", entry), share

    first = next(rows(), None)
    if first is None:
        raise ReferenceDataError("holds no rows")
    columns.checked(list(first[0]))
    return rows


def _parsed(data: bytes) -> object:
    """What *data* says; None where it is no JSON, or null."""
    try:
        return msgspec.json.decode(data.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None


def _typed_rows(path: Path, folder: Path, columns: LabelColumns) -> Callable[[], Iterator[Row]]:
    """Of Parquet and Arrow, which DuckDB reads."""
    resolved = path.resolve()
    database = open_database([resolved], folder)
    try:
        source = source_of(database, resolved, folder)
    except ReferenceDataError as error:
        if "unknown format" in str(error):
            raise ReferenceDataError(f"has an unknown format: expected {EXPECTED}") from None
        raise
    columns.checked(source.columns)
    names = [name for name, held in source.columns.items() if held != "unusable"]
    query = source.query(names, exact=True)

    def rows() -> Iterator[Row]:
        try:
            # A table, which every cursor sees; what was registered for Arrow it would not.
            rows_of(database, f"CREATE OR REPLACE TABLE {_TABLE} AS {query}")
        except QueryError as error:
            raise source.explain(error) from None
        count = int(rows_of(database, f"SELECT count(*) FROM {_TABLE}")[0][0]) or 1  # noqa: S608 - a name of ours
        place = 0
        for batch in batches_of(database, f"FROM {_TABLE}", _BATCH_ROWS):
            for cells in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                place += 1
                yield dict(zip(names, cells, strict=True)), place / count

    return rows
