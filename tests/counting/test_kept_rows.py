"""Rows to learn from, frozen once."""

from __future__ import annotations

import numpy as np
import pytest

from dashlight.counting.kept_rows import MOST_PANE_BYTES, PART_BYTES, KeptRows, LearningRoom
from dashlight.errors import StateError
from dashlight.store.frozen import freeze, thaw
from dashlight.window.tables import table_of_columns
from dashlight.window.values import WRONG

CELLS = ["a", None, True, WRONG, ("x", "y"), {"format": "png"}, ((1.0, 2.0),), 10**30]


def kept() -> KeptRows:
    features = table_of_columns({"age": np.arange(8.0), "mixed": CELLS})
    return KeptRows.of({"feature": features, "output": table_of_columns({"score": np.zeros(5)})})


def test_what_was_frozen_is_there_again_also_out_of_a_state() -> None:
    thawed = thaw(freeze(kept()))
    assert isinstance(thawed, KeptRows)

    for rows in (kept(), thawed, thawed.apart()):
        features = rows.chunk["feature"]
        assert (dict(rows.rows), rows.row_count) == ({"feature": 8, "output": 5}, 8)
        assert features.numbers.tolist() == [[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]]
        assert list(features.cells[0]) == CELLS
        assert features.cells[0][3] is WRONG
        assert rows.chunk["output"].numbers.tolist() == [[0.0] * 5]


def test_its_size_is_that_of_its_bytes() -> None:
    rows = kept()

    assert rows.size_bytes == len(freeze(rows.chunk)) == rows.frozen.nbytes


def test_apart_it_holds_nothing_of_the_file_that_it_was_read_from() -> None:
    thawed = thaw(freeze([kept(), bytes(100_000)]))
    assert isinstance(thawed, list)

    assert thawed[0].apart().frozen.base is None


def test_many_rows_are_frozen_in_parts_and_in_their_order() -> None:
    features = table_of_columns({"age": np.arange(3000.0), "text": [f"{place} " * 300 for place in range(3000)]})
    outputs = table_of_columns({"score": np.arange(100.0)})

    parts = KeptRows.parts_of({"feature": features, "output": outputs})

    # 1,700 bytes a row at the most, about.
    assert len(parts) in {4, 5}
    assert max(part.size_bytes for part in parts) < 1.5 * PART_BYTES
    ages = np.concatenate([part.chunk["feature"].numbers[0] for part in parts])
    scores = np.concatenate([part.chunk["output"].numbers[0] for part in parts])
    assert ages.tolist() == list(range(3000))
    assert scores.tolist() == list(range(100))
    assert [text for part in parts for text in part.chunk["feature"].cells[0]] == list(features.cells[0])


def test_damaged_rows_are_refused() -> None:
    rows = kept().apart()
    rows.frozen[-1] ^= 1

    with pytest.raises(StateError, match="does not match its checksum"):
        _ = rows.chunk


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
