"""Training data in CSV, plain or gzipped, read as a stream."""

import csv
import gzip
import io
import zlib
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, Never, cast

import numpy as np
from numpy.typing import NDArray

from dashlight.cli.progress import Report
from dashlight.cli.training import CHUNK_ROWS, MOMENTS_KEPT, Look, iso_moment, moments_note
from dashlight.decode.cells.grammar import MOST_ODD_SHARE, OddCells, likely_mark, odd_cells, read, writing_of
from dashlight.decode.cells.shapes import CellCounts
from dashlight.errors import ReferenceDataError
from dashlight.records import Table
from dashlight.window.columns import Writing, WrittenKind
from dashlight.window.tables import table_of_columns

_DELIMITERS = (",", ";", "\t")
_GZIP_MAGIC = b"\x1f\x8b"

_SHOWN = 40
_KINDS: dict[WrittenKind, str] = {"number": "numbers", "time": "times", "boolean": "truth values", "text": "texts"}


class CsvFile:
    """A CSV file with a header."""

    def __init__(self, path: Path, categorical: Collection[str] = (), moments_kept: int = MOMENTS_KEPT) -> None:
        """Reads the header; ReferenceDataError if there is no valid one."""
        self._path = path
        self._moments_kept = moments_kept
        self._categorical = frozenset(categorical)
        self._delimiter = ","
        self.writings: Mapping[str, Writing] = {}
        """How the columns are written that `look` was asked for."""
        with self._text() as (text, _):
            first = text.readline()
        # A spreadsheet set to a language with decimal commas writes semicolons.
        self._delimiter = next((found for found in _DELIMITERS if found in first), ",")
        with self._text() as (text, _):
            self._names = next(csv.reader(text, delimiter=self._delimiter), list[str]())
        if not self._names:
            raise ReferenceDataError("holds no rows")
        for name in self._names:
            if self._names.count(name) > 1:
                raise ReferenceDataError(f"has two columns of the name {name!r}")

    @property
    def names(self) -> Sequence[str]:
        """The header."""
        return self._names

    @property
    def moments_in(self) -> Collection[str]:
        """Empty: CSV has no type for them."""
        return ()

    @property
    def unusable(self) -> Collection[str]:
        """Empty: every column of a CSV file is usable."""
        return ()

    def look(self, names: Sequence[str], time: str | None, report: Report) -> Look:
        """Reads it once, to learn whether the columns *names* are numbers, booleans or texts, and whether *time* ascends."""
        columns = {name: CellCounts() for name in names}
        rows, latest, backward_row = 0, float("-inf"), None
        pieces: list[NDArray[np.float64]] = []
        for chunk in self._chunks([*names, *([] if time is None else [time])], report):
            for counts, texts in zip(columns.values(), chunk, strict=False):
                counts.add(texts)
            if time is not None:
                piece = _moments(chunk[-1], time)
                if backward_row is None:
                    backward = np.flatnonzero(piece < np.concatenate([[latest], piece[:-1]]))
                    backward_row = rows + int(backward[0]) + 1 if len(backward) else None
                    latest = float(piece[-1])
                if rows < self._moments_kept:
                    pieces.append(piece)
            rows += len(chunk[0])
        likely = likely_mark(list(columns.values()), separator=self._delimiter)
        writings = {
            # Of codes none is odd.
            name: writing_of(counts, likely=likely, most_odd_share=0 if name in self._categorical else MOST_ODD_SHARE)
            for name, counts in columns.items()
        }
        self.writings = writings
        is_whole = bool(pieces) and rows <= self._moments_kept
        notes = [moments_note(name) for name, writing in writings.items() if writing.kind == "time"]
        notes += [
            _note(name, writing, odd)
            for name, writing in writings.items()
            if (odd := odd_cells(columns[name], writing)) is not None
        ]
        return Look(rows, backward_row, np.concatenate(pieces) if is_whole else None, tuple(notes))

    def tables(self, names: Sequence[str], report: Report) -> Iterator[Table]:
        """The columns *names*, some rows at a time; call `look` first."""
        for chunk in self._chunks(names, report):
            columns = zip(names, chunk, strict=True)
            yield table_of_columns({name: read(texts, self.writings[name]) for name, texts in columns})

    def moments(self, time: str) -> NDArray[np.float64]:
        """The column *time* as numbers: unchanged, or seconds since the epoch if they are ISO 8601 times."""
        return np.concatenate([_moments(chunk[0], time) for chunk in self._chunks([time], lambda _: None)])

    def _chunks(self, names: Sequence[str], report: Report) -> Iterator[list[tuple[str, ...]]]:
        places = [self._names.index(name) for name in names]
        with self._text() as (text, share_read):
            rows = csv.reader(text, delimiter=self._delimiter)
            try:
                next(rows)
                while read := list(islice(rows, CHUNK_ROWS)):
                    widths = set(map(len, read))
                    if widths - {0, len(self._names)}:
                        self._raise_at_wrong_width()
                    chunk = [row for row in read if row] if 0 in widths else read  # a blank line is no row
                    if chunk:
                        columns = list(zip(*chunk, strict=True))
                        yield [columns[place] for place in places]
                    report(share_read())
            except csv.Error as error:
                raise ReferenceDataError(f"cannot be read at line {rows.line_num}: {error}") from None

    def _raise_at_wrong_width(self) -> Never:
        # Read again, row by row: rows may contain line breaks, so only this gives the line.
        with self._text() as (text, _):
            rows = csv.reader(text, delimiter=self._delimiter)
            found = next(len(row) for row in rows if row and len(row) != len(self._names))
            raise ReferenceDataError(
                f"does not fit its header at line {rows.line_num}: found {found} fields, expected {len(self._names)}"
            )

    @contextmanager
    def _text(self) -> Generator[tuple[io.TextIOWrapper, Callable[[], float]]]:
        size = max(self._path.stat().st_size, 1)
        with self._path.open("rb") as file:
            is_zipped = file.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
            file.seek(0)
            unpacked = cast("IO[bytes]", gzip.GzipFile(fileobj=file) if is_zipped else file)
            try:
                with io.TextIOWrapper(unpacked, encoding="utf-8-sig", newline="") as text:
                    yield text, lambda: file.tell() / size
            except UnicodeDecodeError as error:
                raise ReferenceDataError(
                    f"is not UTF-8 text: {error.reason} 0x{error.object[error.start]:02x}"
                ) from None
            except (EOFError, gzip.BadGzipFile, zlib.error) as error:
                raise ReferenceDataError(f"is a damaged gzip file: {error}") from None


def _note(name: str, writing: Writing, odd: OddCells) -> str:
    """What is *odd* about the column *name*."""
    more = f" and {odd.count - 1} more" if odd.count > 1 else ""
    return (
        f"Column {name!r} holds {_KINDS[writing.kind]}, and {odd.text[:_SHOWN]!r} in row {odd.row + 1}{more}: counted as of a"
        " wrong type."
    )


def _moments(texts: Sequence[str], time: str) -> NDArray[np.float64]:
    try:
        moments = np.array(list(map(float, texts)))
        if not np.isnan(moments).any():
            return moments
    except ValueError:
        pass
    return np.array([iso_moment(text, time) for text in texts])
