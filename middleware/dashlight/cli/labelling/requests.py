"""Labels, split into requests that a server takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, cast

import msgspec

from dashlight.cli.labelling.columns import LabelColumns
from dashlight.cli.labelling.file import Row
from dashlight.labels.body import MOST_BYTES
from dashlight.labels.entry import MOST_LABELS, ROWS, Entry

CONTENT_TYPE: Final = "application/x-ndjson"
MOST_ENTRIES: Final = 5000
"""Of a request: as many as are stored within a second or so."""
_BYTES: Final = MOST_BYTES // 2


@dataclass(frozen=True, slots=True)
class LabelRequest:
    """Some rows of a file, as one request."""

    body: bytes
    """Empty where no row has a label."""
    rows: tuple[int, ...]
    """Numbers, from 1, of the rows of which there is a line in *body*."""
    end_row: int
    """Number of the last row that is behind us with it."""
    skipped_count: int
    """Rows without a label."""
    too_large: tuple[int, ...]
    """Rows that no request can hold."""
    share: float
    """Of the file that is read by then."""


def parts_of(rows: Iterable[Row], columns: LabelColumns, *, after_row: int = 0) -> Iterator[LabelRequest]:
    """Requests for all *rows* after the first *after_row*, in order."""
    lines: list[bytes] = []
    numbers: list[int] = []
    too_large: list[int] = []
    size = label_count = skipped_count = number = 0
    share = 1.0
    encoder = msgspec.json.Encoder(enc_hook=str)
    for number, (row, share) in enumerate(rows, 1):
        if number <= after_row:
            continue
        entry = columns.entry(row)
        if entry is None:
            skipped_count += 1
            continue
        line = encoder.encode(entry)
        count = _label_count(entry)
        if len(line) >= MOST_BYTES or count > MOST_LABELS:
            too_large.append(number)
            continue
        if lines and (size + len(line) >= _BYTES or len(lines) >= MOST_ENTRIES or label_count + count > MOST_ENTRIES):
            yield LabelRequest(b"\n".join(lines), tuple(numbers), number - 1, skipped_count, tuple(too_large), share)
            lines, numbers, too_large = [], [], []
            size = label_count = skipped_count = 0
        lines.append(line)
        numbers.append(number)
        size += len(line) + 1
        label_count += count
    if number > after_row:
        yield LabelRequest(b"\n".join(lines), tuple(numbers), number, skipped_count, tuple(too_large), 1.0)


def _label_count(entry: Entry) -> int:
    listed = entry.get(ROWS)
    return len(cast("list[object]", listed)) if isinstance(listed, list) else 1
