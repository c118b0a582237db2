"""Labels split into requests."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from dashlight.cli.labelling.columns import LabelColumns
from dashlight.cli.labelling.requests import MOST_ENTRIES, LabelRequest, parts_of
from dashlight.labels.body import MOST_BYTES, read_labels


def split(rows: Iterable[Mapping[str, Any]], **named: int) -> list[LabelRequest]:
    return list(parts_of(((row, 0.5) for row in rows), LabelColumns(), **named))


def lines(part: LabelRequest) -> list[Any]:
    return [json.loads(line) for line in part.body.splitlines()]


def test_many_rows_are_several_requests_that_a_server_takes() -> None:
    parts = split({"id": f"{number:0200}", "label": 1} for number in range(12_345))

    assert all(0 < len(part.body) <= MOST_BYTES for part in parts)
    assert [row for part in parts for row in part.rows] == list(range(1, 12_346))
    assert all(len(read_labels(part.body, "ndjson", now=1.0).labels) == len(part.rows) for part in parts)
    assert parts[-1].end_row == 12_345


def test_labels_of_batches_count_as_what_they_are() -> None:
    parts = split({"id": str(number), "labels": [1] * 2000} for number in range(5))

    assert [len(part.rows) for part in parts] == [2, 2, 1]


def test_rows_without_a_label_are_counted_where_they_stand() -> None:
    (part,) = split([{"id": "a"}, {"id": "b", "label": 0}, {"id": "c", "label": None}])

    assert (part.rows, part.skipped_count, part.end_row) == ((2,), 2, 3)


def test_a_file_of_rows_without_labels_is_one_part_with_nothing_to_send() -> None:
    (part,) = split([{"id": "a"}, {"id": "b"}])

    assert (part.body, part.skipped_count, part.end_row) == (b"", 2, 2)


def test_what_no_request_can_hold_is_told_and_left_out() -> None:
    (part,) = split(
        [{"id": "a", "label": "x" * MOST_BYTES}, {"id": "b", "label": 1}, {"id": "c", "labels": [1] * 60_000}]
    )

    assert (part.rows, part.too_large) == ((2,), (1, 3))


def test_it_goes_on_after_a_row() -> None:
    rows = [{"id": str(number), "label": 1} for number in range(10)]

    (part,) = split(rows, after_row=7)

    assert part.rows == (8, 9, 10)
    assert split(rows, after_row=10) == []


def test_values_that_json_has_not_are_spelled_out() -> None:
    (part,) = split([{"id": UUID(int=1), "label": Decimal("1.5")}])

    assert lines(part) == [{"label": "1.5", "prediction_id": "00000000-0000-0000-0000-000000000001"}]


@given(
    sizes=st.lists(st.integers(0, 3000), max_size=30),
    after_row=st.integers(0, 30),
)
def test_every_row_is_in_one_part_and_in_order(sizes: list[int], after_row: int) -> None:
    rows = [{"id": str(n), "labels": [1] * size} if size else {"id": str(n)} for n, size in enumerate(sizes)]

    parts = split(rows, after_row=after_row)

    sent = [row for part in parts for row in part.rows]
    assert sent == [n for n, size in enumerate(sizes, 1) if size and n > after_row]
    assert sum(part.skipped_count for part in parts) == sum(
        1 for n, size in enumerate(sizes, 1) if not size and n > after_row
    )
    assert [part.end_row for part in parts] == sorted({part.end_row for part in parts})
    assert all(
        sum(len(line["labels"]) for line in lines(part)) <= MOST_ENTRIES or len(part.rows) == 1 for part in parts
    )
