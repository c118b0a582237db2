"""How a CSV file is laid out: what parts its fields, and its header. Decided by its first lines, not by their types."""

from __future__ import annotations

import csv
import io
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final, Never

from dashlight.errors import ReferenceDataError

DELIMITERS: Final = (",", ";", "\t", "|")
LONGEST_ROW: Final = 2**24
"""Bytes: a longer one is no row but a mistake."""
_SAMPLE_CHARACTERS: Final = 2**20
_SAMPLE_ROWS: Final = 200
_MOST, _ALMOST_ALL = 0.5, 0.9
"""Shares of the first rows: some may be damaged, which is told later, with the line."""


@dataclass(frozen=True, slots=True)
class CsvLayout:
    """The layout of one file."""

    delimiter: str
    names: tuple[str, ...]
    """Its header."""
    skipped_lines: int
    """Before the header: the line `sep=;` that Excel reads and writes."""


@contextmanager
def _long_fields() -> Generator[None]:
    """Python's parser takes a field as long as a row here, and afterwards what it took before: its limit is everybody's."""
    limit = csv.field_size_limit(LONGEST_ROW)
    try:
        yield
    finally:
        csv.field_size_limit(limit)


@_long_fields()
def csv_layout(path: Path) -> CsvLayout:
    """The layout of the UTF-8 file *path*.

    Raises:
        ReferenceDataError: it is empty, has no valid header, or one name twice.
    """
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        sample = file.read(_SAMPLE_CHARACTERS)
        is_whole = not file.read(1)
    first, end, rest = sample.partition("\n")
    declared = first.strip().removeprefix("sep=") if first.startswith("sep=") else ""
    skipped = int(len(declared) == 1)
    if skipped:
        sample = rest
    elif not end and not is_whole:
        raise ReferenceDataError(f"has a first line of more than {_SAMPLE_CHARACTERS:,} characters: is it a CSV file?")
    delimiter = declared if skipped else _delimiter(sample, is_whole=is_whole)
    try:
        names = next(csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter), list[str]())
    except csv.Error as error:
        raise ReferenceDataError(f"has a header that cannot be read: {error}") from None
    if not names:
        raise ReferenceDataError("holds no rows")
    check_names(names)
    return CsvLayout(delimiter, tuple(names), skipped)


def check_names(names: list[str]) -> None:
    """ReferenceDataError where a name occurs twice."""
    for name in names:
        if names.count(name) > 1:
            raise ReferenceDataError(f"has two columns of the name {name!r}")


@_long_fields()
def explain(path: Path, layout: CsvLayout, *, otherwise: str) -> Never:
    """Raise a ReferenceDataError that says in which line of *path* the fields do not fit its header; else *otherwise*."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        for _ in range(layout.skipped_lines):
            file.readline()
        rows = csv.reader(file, delimiter=layout.delimiter, strict=True)
        line = 1
        try:
            for row in rows:
                if row and len(row) != len(layout.names):
                    raise ReferenceDataError(
                        f"does not fit its header at line {rows.line_num + layout.skipped_lines}:"
                        f" found {len(row)} fields, expected {len(layout.names)}"
                    )
                line = rows.line_num + 1
        except csv.Error as error:
            raise ReferenceDataError(f"cannot be read at line {line + layout.skipped_lines}: {error}") from None
    raise ReferenceDataError(otherwise)


def _delimiter(sample: str, *, is_whole: bool) -> str:
    """The one that gives most rows as many fields as the header, and of several the one that gives most fields.

    Where two give as many, commas stand in numbers and texts more often than the others do. A file of one column is
    parted by commas unless most rows have one that the header has not: a decimal comma.
    """
    fits = [(delimiter, *_fit(sample, delimiter, is_whole=is_whole)) for delimiter in DELIMITERS]
    several = [(fit > _ALMOST_ALL, width, delimiter) for delimiter, width, fit in fits if width > 1 and fit > _MOST]
    if several:
        return max(several, key=lambda each: (each[0], each[1], DELIMITERS.index(each[2])))[2]
    return next((delimiter for delimiter, width, fit in fits if width == 1 and fit > _MOST), DELIMITERS[0])


def _fit(sample: str, delimiter: str, *, is_whole: bool) -> tuple[int, float]:
    """Fields of the header, and the share of the first rows that have as many."""
    try:
        rows = list(islice(csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter), _SAMPLE_ROWS))
    except csv.Error:
        return 0, 0.0
    if not is_whole and 1 < len(rows) < _SAMPLE_ROWS:
        rows.pop()  # cut off
    widths = [len(row) for row in rows if row]
    return (widths[0], widths.count(widths[0]) / len(widths)) if widths else (0, 0.0)
