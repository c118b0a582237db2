"""Which rows are the very same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from dashlight.records import Table
from dashlight.window.payloads.hashing import PayloadHasher, payload_key
from dashlight.window.tables import NO_EXCHANGE, Column, table_of_columns

NAMES = ("age", "income", "city", "tags")


def hashes(columns: dict[str, Column], *, names: Sequence[str] = NAMES, key: int = 7) -> list[int]:
    return list(PayloadHasher(names, key).hashes(table_of_columns(columns)).tolist())


def of_cells(name: str, cells: Sequence[Any]) -> Table:
    """A table of one column of cells, whatever they are."""
    return Table(
        len(cells), (), np.zeros((0, len(cells))), (name,), (list(cells),), np.full(len(cells), NO_EXCHANGE, np.intp)
    )


def test_rows_are_alike_where_all_their_values_are() -> None:
    found = hashes({"age": [40.0, 41.0, 40.0, 40.0], "city": ["Bonn", "Bonn", "Bonn", "Kiel"]})

    assert found[0] == found[2]
    assert len(set(found)) == 3


def test_the_order_of_the_columns_is_no_matter_and_what_they_are_called_is() -> None:
    one = hashes({"age": [40.0], "income": [41.0]})

    assert hashes({"income": [41.0], "age": [40.0]}) == one
    assert hashes({"age": [41.0], "income": [40.0]}) != one


def test_what_is_left_out_is_as_null_and_zero_is_not() -> None:
    assert hashes({"age": [40.0], "city": [None]}) == hashes({"age": [40.0]})
    assert hashes({"age": [40.0], "income": [np.nan]}) == hashes({"age": [40.0]})
    assert hashes({"age": [40.0], "income": [0.0]}) != hashes({"age": [40.0]})
    assert hashes({"income": [-0.0]}) == hashes({"income": [0.0]})


def test_columns_that_nobody_asked_for_are_not_looked_at() -> None:
    assert hashes({"age": [40.0], "request": ["a"]}) == hashes({"age": [40.0], "request": ["b"]})


def test_a_number_is_the_same_among_cells_and_in_32_bits() -> None:
    hasher = PayloadHasher(NAMES, 7)
    plain = hashes({"age": [40.0, 0.1, 1.0, 1e300]})

    assert hasher.hashes(of_cells("age", [40, 0.1, 1, 1e300, "x"]))[:4].tolist() == plain
    assert hashes({"age": [40.0, float(np.float32(0.1)), 1.0, np.inf]}) == plain


def test_a_truth_is_no_number_and_is_what_its_text_says() -> None:
    hasher = PayloadHasher(NAMES, 7)
    first = hasher.hashes(of_cells("city", [True, 1, "true", False])).tolist()

    assert first[0] == first[2]
    assert len(set(first)) == 3
    # Once more, where all of them are known.
    assert hasher.hashes(of_cells("city", [True, "true", False, None])).tolist()[:3] == [first[0], first[0], first[3]]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([1.0, 2.0], [1.0, 3.0]),
        (["a", "b"], ["b", "a"]),
        ([[1.0], [1.0, 2.0]], [[1.0], [1.0, 3.0]]),
        ({"width": 1}, {"width": 2}),
        (b"a", b"b"),
        ("x" * 300, "x" * 299 + "y"),
        ("\ud800", "\ud801"),
    ],
    ids=["numbers", "items", "lists of lists", "an image", "bytes", "long texts", "halves of pairs"],
)
def test_what_is_no_single_value_is_told_apart_as_well(one: object, other: object) -> None:
    hasher = PayloadHasher(NAMES, 7)

    found = hasher.hashes(of_cells("tags", [one, other, one])).tolist()

    assert found[0] == found[2] != found[1]


def test_a_vector_is_the_same_as_a_list_and_as_an_array_of_single_precision() -> None:
    vector = np.random.default_rng(1).normal(size=300).tolist()
    hasher = PayloadHasher(NAMES, 7)

    found = hasher.hashes(of_cells("tags", [vector, np.array(vector, np.float32), tuple(vector)]))

    assert len(set(found.tolist())) == 1


def test_another_key_gives_other_hashes_and_the_same_one_the_same() -> None:
    assert hashes({"age": [40.0], "city": ["Bonn"]}, key=8) != hashes({"age": [40.0], "city": ["Bonn"]})
    assert payload_key("a", 1) == payload_key("a", 1) != payload_key("a", 2)


def test_what_is_remembered_stays_bounded_whatever_a_client_sends() -> None:
    hasher = PayloadHasher(NAMES, 7)
    many = hasher.hashes(of_cells("city", [f"city {number}" for number in range(20_000)]))

    for number in range(200):
        hasher.hashes(table_of_columns({"age": [1.0], f"invented {number}": [2.0]}))

    assert len(set(many.tolist())) == 20_000
    assert len(hasher._texts) <= 8192
    assert len(hasher._plans) <= 64
