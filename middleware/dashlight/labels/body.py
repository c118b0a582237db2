"""The labels in a body that was sent: JSON, lines of JSON, or a table with a header. Linear in its bytes."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, cast

import msgspec

from dashlight.errors import DecodeError
from dashlight.labels.entry import IDS, MOST_LABELS, NAMES, ROWS, TOO_MANY, VALUES, Entry, labels_of
from dashlight.labels.label import Label

Form: TypeAlias = Literal["json", "ndjson", "csv"]
FORMS: Final[dict[str, Form]] = {
    "application/json": "json",
    **dict.fromkeys(
        ("application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines"), "ndjson"
    ),
    **dict.fromkeys(("text/csv", "application/csv", "text/tab-separated-values"), "csv"),
}
"""By media type."""
MOST_BYTES: Final = 2**20
_DELIMITERS: Final = ",;\t"


@dataclass(frozen=True, slots=True)
class Read:
    """What was found in a body."""

    labels: tuple[Label, ...]
    places: tuple[int, ...]
    """Of the entry in which each of *labels* stood: its number, from 1, or in lines of JSON that of its line."""
    refused: tuple[tuple[int, str], ...]
    """Place and reason of each entry that is no label."""


def form_of(content_type: str) -> Form | None:
    """How a body of this Content-Type is written; None: it is none of FORMS, or not in UTF-8."""
    media_type, _, parameters = content_type.partition(";")
    charset = parameters.strip().lower().removeprefix("charset=").strip('"')
    if parameters.strip().lower().startswith("charset=") and charset not in {"utf-8", "utf8", "us-ascii"}:
        return None
    return FORMS.get(media_type.strip().lower())


def read_labels(body: bytes, form: Form, *, now: float) -> Read:
    """The labels of *body*, at most MOST_BYTES.

    Raises:
        DecodeError: it cannot be read as *form*, or holds more than MOST_LABELS; nothing of it is quoted.
    """
    labels: list[Label] = []
    places: list[int] = []
    refused: list[tuple[int, str]] = []
    for place, entry in _READERS[form](body):
        found = entry if isinstance(entry, str) else _labels_or_reason(entry, now)
        if isinstance(found, str):
            refused.append((place, found))
        else:
            labels += found
            places += [place] * len(found)
        if len(labels) + len(refused) > MOST_LABELS:
            raise DecodeError(TOO_MANY, f"expected at most {MOST_LABELS} labels in a request: send several requests")
    return Read(tuple(labels), tuple(places), tuple(refused))


def _labels_or_reason(entry: Entry, now: float) -> list[Label] | str:
    try:
        return labels_of(entry, now=now)
    except DecodeError as error:
        if error.reason == TOO_MANY:
            raise
        return str(error)


def _of_json(body: bytes) -> Iterator[tuple[int, Entry | str]]:
    whole = _parsed(body)
    entries: list[object] = cast("list[object]", whole) if isinstance(whole, list) else [whole]
    if isinstance(whole, dict):
        named = cast("dict[str, object]", whole)
        listed = named.get(ROWS)
        if isinstance(listed, list) and not any(name in named for name in (*IDS, "entity")):
            entries = cast("list[object]", listed)
    for place, entry in enumerate(entries, 1):
        yield place, _entry(entry)


def _of_lines(body: bytes) -> Iterator[tuple[int, Entry | str]]:
    for place, line in enumerate(body.split(b"\n"), 1):
        if line.strip():
            try:
                yield place, _entry(_parsed(line))
            except DecodeError as error:
                yield place, str(error)


def _of_table(body: bytes) -> Iterator[tuple[int, Entry | str]]:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DecodeError("csv", "expected UTF-8") from None
    lines = text.split("\n")
    delimiter = max(_DELIMITERS, key=lines[0].count)
    rows = csv.reader((f"{line}\n" for line in lines), delimiter=delimiter, strict=True, skipinitialspace=True)
    try:
        header = [name.strip().lower() for name in next(rows, list[str]())]
        _check(header)
        yield from _rows(header, rows)
    except csv.Error:
        raise DecodeError("csv", f"cannot be read at line {rows.line_num}") from None


def _check(header: list[str]) -> None:
    known = [name for name in header if name in NAMES]
    if len(set(known)) < len(known):
        raise DecodeError("csv", "has two columns of one name")
    if not set(VALUES) & set(known) or not {*IDS, "entity"} & set(known):
        raise DecodeError("csv", "expected a header with the columns prediction_id (or entity and within) and label")


def _rows(header: list[str], rows: Iterable[list[str]]) -> Iterator[tuple[int, Entry | str]]:
    place = 0
    for row in rows:
        if row:
            place += 1
            yield place, dict(zip(header, row, strict=True)) if len(row) == len(header) else "does not fit the header"


def _parsed(data: bytes) -> object:
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError, RecursionError):
        raise DecodeError("json", "expected JSON in UTF-8, not nested deeply") from None


def _entry(value: object) -> Entry | str:
    return cast("dict[str, object]", value) if isinstance(value, dict) else "expected an object"


_READERS: Final = {"json": _of_json, "ndjson": _of_lines, "csv": _of_table}
