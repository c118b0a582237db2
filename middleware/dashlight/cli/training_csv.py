"""Training data in CSV, plain or gzipped, read as a stream."""

import csv
import gzip
import io
import re
import zlib
from collections import deque
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, Literal, Never, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from dashlight.cli.progress import Report
from dashlight.cli.training import CHUNK_ROWS, MOMENTS_KEPT, Look, iso_moment
from dashlight.errors import ReferenceDataError
from dashlight.records import Cell, Table
from dashlight.window.tables import table_of_columns

MISSING = frozenset({"", "NA", "NaN", "nan", "null", "NULL"})
NO_NUMBERS = MISSING | {
    "N/A", "n/a", "n.a.", "NaT", "None", "none", "<NA>", "#N/A", "#NA", "#DIV/0!", "#VALUE!", "#REF!", "#NUM!", "#NAME?",
    "#NULL!", "?", "-", "--", ".", "-nan", "-NaN", "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN",
}  # fmt: skip
"""What stands for nothing in a column of numbers or truth values; among texts these may be categories."""
FEW_ODD_SHARE = 0.01
"""Of the values of a column: as many may be no numbers among numbers."""

_TRUTHS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_DELIMITERS = (",", ";", "\t")
_GZIP_MAGIC = b"\x1f\x8b"

_COMMA = re.compile(r"[-+]?(?:[0-9]+|[0-9]{1,3}(?:\.[0-9]{3})+),[0-9]+(?:[eE][-+]?[0-9]+)?")
"""A number with a decimal comma, as spreadsheets write it that part their columns with semicolons."""
_SHOWN = 40

_Reading: TypeAlias = Literal["number", "comma", "truth", "text"]


class CsvFile:
    """A CSV file with a header."""

    def __init__(self, path: Path, categorical: Collection[str] = (), moments_kept: int = MOMENTS_KEPT) -> None:
        """Reads the header; ReferenceDataError if there is no valid one."""
        self._path = path
        self._moments_kept = moments_kept
        self._categorical = frozenset(categorical)
        self._delimiter = ","
        self._readings: dict[str, _Reading] = {}
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
        columns = {
            name: _ColumnLook(is_code=name in self._categorical, is_split_by_comma=self._delimiter == ",")
            for name in names
        }
        rows, latest, backward_row = 0, float("-inf"), None
        pieces: list[NDArray[np.float64]] = []
        for chunk in self._chunks([*names, *([] if time is None else [time])], report):
            for look, texts in zip(columns.values(), chunk, strict=False):
                look.add(texts)
            if time is not None:
                piece = _moments(chunk[-1], time)
                if backward_row is None:
                    backward = np.flatnonzero(piece < np.concatenate([[latest], piece[:-1]]))
                    backward_row = rows + int(backward[0]) + 1 if len(backward) else None
                    latest = float(piece[-1])
                if rows < self._moments_kept:
                    pieces.append(piece)
            rows += len(chunk[0])
        self._readings = {name: look.reading for name, look in columns.items()}
        is_whole = bool(pieces) and rows <= self._moments_kept
        notes = tuple(note for name, look in columns.items() if (note := look.note(name)))
        return Look(rows, backward_row, np.concatenate(pieces) if is_whole else None, notes)

    def tables(self, names: Sequence[str], report: Report) -> Iterator[Table]:
        """The columns *names*, some rows at a time; call `look` first."""
        for chunk in self._chunks(names, report):
            columns = zip(names, chunk, strict=True)
            yield table_of_columns({name: _column(texts, self._readings[name]) for name, texts in columns})

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


class _ColumnLook:
    """What type all texts of a column so far can have."""

    def __init__(self, *, is_code: bool, is_split_by_comma: bool) -> None:
        self._is_code = is_code
        self._has_commas = not is_split_by_comma
        self._are_truths = True
        self._is_padded = False
        self._rows = self._odd_rows = self._comma_rows = 0
        self._odd: str | None = None
        self._odd_row = 0

    def add(self, texts: Sequence[str]) -> None:
        values = {value for value in set(texts) if not _is_nothing(value)}
        # Leading zeros belong to a code: 007 is not 7.
        self._is_padded = self._is_padded or (self._is_code and any(map(_is_padded, values)))
        self._are_truths = self._are_truths and values <= _TRUTHS.keys()
        if not _all_numbers(values):
            odd = {value for value in values if not _all_numbers([value])}
            commas = {value for value in odd if _COMMA.fullmatch(value.strip())} if self._has_commas else set[str]()
            for at, text in enumerate(texts):
                self._odd_rows += text in odd
                self._comma_rows += text in commas
                if text in odd and text not in commas and self._odd is None:
                    self._odd, self._odd_row = text, self._rows + at + 1
        self._rows += len(texts)

    @property
    def reading(self) -> _Reading:
        if self._are_truths and self._odd_rows:
            return "truth"
        odd = self._odd_rows - self._comma_rows
        is_odd = odd > FEW_ODD_SHARE * self._rows or (odd and self._is_code)
        if self._is_padded or is_odd or (self._comma_rows and self._is_code):
            return "text"
        return "comma" if self._comma_rows else "number"

    def note(self, name: str) -> str:
        """What is odd about the column *name* that counts as numbers; empty where nothing is."""
        if self.reading not in {"number", "comma"} or self._odd is None:
            return ""
        count = self._odd_rows - self._comma_rows
        more = f" and {count - 1} more" if count > 1 else ""
        return (
            f"Column {name!r} holds numbers, and {self._odd[:_SHOWN]!r} in row {self._odd_row}{more}: counted as of a wrong"
            " type."
        )


def _is_nothing(text: str) -> bool:
    return text in NO_NUMBERS or not text.strip()


def _all_numbers(values: Collection[str]) -> bool:
    if "_" in "".join(values):  # Python reads 1_000 as a number, nobody else does
        return False
    try:
        deque(map(float, values), maxlen=0)
    except ValueError:
        return False
    return True


def _is_padded(value: str) -> bool:
    digits = value.lstrip(" -+")
    return digits[:1] == "0" and digits[1:2].isdigit()


def _column(texts: Sequence[str], reading: _Reading) -> NDArray[np.float64] | list[Cell]:
    if reading == "number":
        try:
            return np.array(list(map(float, texts)))
        except ValueError:
            return [_number(text) for text in texts]
    if reading == "comma":
        return [_number(text.replace(".", "").replace(",", ".") if "," in text else text) for text in texts]
    if reading == "truth":
        return [_TRUTHS.get(text) for text in texts]
    return [None if text in MISSING else text for text in texts]


def _number(text: str) -> Cell:
    """The number that *text* is; null where it says that there is none, and *text* itself where it is something else."""
    if _is_nothing(text):
        return None
    return float(text) if _all_numbers([text]) else text


def _moments(texts: Sequence[str], time: str) -> NDArray[np.float64]:
    try:
        moments = np.array(list(map(float, texts)))
        if not np.isnan(moments).any():
            return moments
    except ValueError:
        pass
    return np.array([iso_moment(text, time) for text in texts])
