"""Rows to learn from, frozen once."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, cast

import msgspec
import numpy as np
import pytest

from dashlight.counting.kept_rows import MOST_PANE_BYTES, PART_BYTES, KeptRows, LearningRoom
from dashlight.errors import StateError
from dashlight.records import Role, Table
from dashlight.store.layout import Layout
from dashlight.window.tables import table_of_columns
from dashlight.window.values import WRONG

KEPT: Layout[tuple[KeptRows, ...]] = Layout("kept", 1, tuple[KeptRows, ...])
CELLS = [
    "a",
    None,
    True,
    WRONG,
    ("x", "y"),
    {"format": "png", "width": 3},
    ((1.0, 2.0),),
    10**30,
    np.float64(0.5),
    7,
    b"b",
]
READ = ["a", None, True, WRONG, ["x", "y"], {"format": "png", "width": 3}, [[1.0, 2.0]], 1e30, 0.5, 7, WRONG]


def kept() -> KeptRows:
    features = table_of_columns({"age": np.arange(11.0), "mixed": CELLS})
    return KeptRows.of({"feature": features, "output": table_of_columns({"score": np.zeros(5)})})


def read_again(rows: KeptRows) -> KeptRows:
    (found,) = KEPT.thaw(b"".join(KEPT.freeze((rows,))))
    return found


def test_what_was_frozen_is_there_again_also_out_of_a_state() -> None:
    thawed = read_again(kept())

    for rows in (kept(), thawed, thawed.apart()):
        features = rows.chunk()["feature"]
        assert (dict(rows.rows), rows.row_count) == ({"feature": 11, "output": 5}, 11)
        assert features.numbers.tolist() == [list(map(float, range(11)))]
        assert list(features.cells[0]) == READ
        assert features.cells[0][3] is WRONG
        assert rows.chunk()["output"].numbers.tolist() == [[0.0] * 5]


@pytest.mark.parametrize("dtype", ["i1", "<i2", ">i4", "i8", "u1", "u8", "f2", "f4", ">f8"])
def test_lists_of_numbers_keep_their_type(dtype: str) -> None:
    numbers = np.array([1, 2, 3], dtype)

    (found,) = KeptRows.of({"feature": table_of_columns({"list": [numbers]})}).chunk()["feature"].cells[0]

    assert isinstance(found, np.ndarray)
    assert found.dtype == numbers.dtype.newbyteorder("<")
    assert found.tolist() == [1, 2, 3]


def test_numbers_of_more_digits_than_ours_are_the_nearest() -> None:
    cells = [np.array([0.5, 2.0], np.longdouble), 10**400]

    found = KeptRows.of({"feature": table_of_columns({"list": cells})}).chunk()["feature"].cells[0]

    assert isinstance(found[0], np.ndarray)
    assert found[0].tolist() == [0.5, 2.0]
    assert found[1] == float("inf")


def test_half_of_a_surrogate_pair_does_not_keep_the_others_from_being_kept() -> None:
    found = KeptRows.of({"feature": table_of_columns({"t\ud800": ["a", "b\udfff", ("\U0001f600",)]})}).chunk()[
        "feature"
    ]

    assert found.cell_names == ("t\ufffd",)
    assert list(found.cells[0]) == ["a", "b\ufffd", ["\U0001f600"]]


def test_apart_it_holds_nothing_of_the_file_that_it_was_read_from() -> None:
    features = table_of_columns({"age": np.arange(10_000.0)})
    thawed = read_again(KeptRows.of({"feature": features}))

    assert thawed.frozen.base is not None
    assert thawed.apart().frozen.base is None


def test_many_rows_are_frozen_in_parts_and_in_their_order() -> None:
    features = table_of_columns({"age": np.arange(3000.0), "text": [f"{place} " * 300 for place in range(3000)]})
    outputs = table_of_columns({"score": np.arange(100.0)})

    parts = KeptRows.parts_of({"feature": features, "output": outputs})

    # 1,700 bytes a row at the most, about.
    assert len(parts) in {4, 5}
    assert max(part.size_bytes for part in parts) < 1.5 * PART_BYTES
    ages = np.concatenate([part.chunk()["feature"].numbers[0] for part in parts])
    scores = np.concatenate([part.chunk()["output"].numbers[0] for part in parts])
    assert ages.tolist() == list(range(3000))
    assert scores.tolist() == list(range(100))
    assert [text for part in parts for text in part.chunk()["feature"].cells[0]] == list(features.cells[0])


ROWS: Layout[dict[Role, Table]] = Layout("rows", 1, dict[Role, object])


def of_tables(**tables: Table) -> KeptRows:
    """Rows as another process could write them."""
    file = b"".join(ROWS.freeze(cast("dict[Role, Table]", tables)))
    return KeptRows({"feature": tables["feature"].rows}, np.frombuffer(file, np.uint8))


def test_marks_that_nobody_makes_count_as_no_single_value() -> None:
    marks = [msgspec.msgpack.Ext(77, b"abc"), msgspec.msgpack.Ext(5, b"abc"), msgspec.msgpack.Ext(1, b"")]
    table = Table(3, (), np.empty((0, 3)), ("t",), (marks,), np.zeros(3, np.intp))

    assert list(of_tables(feature=table).chunk()["feature"].cells[0]) == [WRONG] * 3


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"rows": 3}, "columns of different lengths"),
        ({"rows": -1}, "columns of different lengths"),
        ({"numbers": np.zeros((2, 2))}, "columns of different lengths"),
        ({"numbers": np.zeros(2)}, "columns of different lengths"),
        ({"numbers": np.zeros((1, 2), np.int64)}, "expected float64"),
        ({"number_names": ("t",)}, "a column that occurs twice"),
        ({"cell_names": ()}, "columns of different lengths"),
        ({"cells": (["a"],)}, "columns of different lengths"),
        ({"cells": (["a", [[["deep"]]]],)}, "Expected `bool | int | float | str | null`"),
        ({"cells": (["a", {"x" * 33: 1}],)}, "Expected `str` of length <= 32"),
        ({"exchange": np.zeros(3, np.int64)}, "columns of different lengths"),
        ({"exchange": np.full(2, -2)}, "an exchange before the first"),
    ],
    ids=lambda value: "" if isinstance(value, str) else next(iter(value)),
)
def test_rows_that_do_not_agree_are_refused(change: dict[str, Any], sentence: str) -> None:
    table = Table(2, ("n",), np.zeros((1, 2)), ("t",), (["a", "b"],), np.zeros(2, np.intp))
    assert of_tables(feature=table).chunk()["feature"].rows == 2

    with pytest.raises(StateError, match=re.escape(sentence)):
        _ = of_tables(feature=replace(table, **change)).chunk()


def test_damaged_rows_are_refused() -> None:
    rows = kept().apart()
    rows.frozen[-1] ^= 1

    with pytest.raises(StateError, match="does not match its checksum"):
        _ = rows.chunk()


def test_rows_that_are_not_as_many_as_they_are_said_to_be_are_refused() -> None:
    with pytest.raises(StateError, match=r"expected \{'feature': 10"):
        _ = KeptRows({"feature": 10}, kept().frozen).chunk()


def test_no_rows_are_none() -> None:
    assert KeptRows.of({}).row_count == 0


def test_a_room_is_full_once_something_was_left_out_until_the_pane_ends() -> None:
    room = LearningRoom()
    room.take(MOST_PANE_BYTES - 10)
    room.leave_out(0)
    assert (room.left_bytes, room.is_full) == (10, False)
    room.leave_out(3)
    room.leave_out(4)
    assert room.is_full

    assert room.empty() == 7
    assert (room.left_bytes, room.is_full, room.empty()) == (MOST_PANE_BYTES, False, 0)
