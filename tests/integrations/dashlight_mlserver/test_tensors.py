"""Tensors of V2 messages as rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashlight_mlserver.tensors import Rows, rows_of


@dataclass
class Contents:
    """Contents of a tensor as protobuf gives them."""

    values: Sequence[Any] = ()

    def ListFields(self) -> list[tuple[str, Sequence[Any]]]:  # noqa: N802 - the name that protobuf gives it
        return [("contents", self.values)] if len(self.values) else []


@dataclass
class Tensor:
    """A tensor of a message."""

    name: str
    datatype: str
    shape: Sequence[int]
    contents: Contents = field(default_factory=Contents)


def rows(*tensors: Tensor, raw: Sequence[bytes] = (), asked: Rows | None = None) -> list[dict[str, object]]:
    return list(rows_of([(tensors, raw)], asked))


def typed(name: str, datatype: str, shape: Sequence[int], *values: Any) -> Tensor:
    return Tensor(name, datatype, shape, Contents(values))


def test_a_row_for_each_step_of_the_first_dimension_a_cell_for_each_tensor() -> None:
    found = rows(
        typed("age", "INT64", [2, 1], 40, 41),
        typed("xy", "FP64", [2, 2], 0.5, 1.5, 2.5, 3.5),
        typed("t", "BOOL", [2], True, False),
    )

    assert found == [{"age": 40, "xy": [0.5, 1.5], "t": True}, {"age": 41, "xy": [2.5, 3.5], "t": False}]


@pytest.mark.parametrize(
    ("datatype", "numpy_type", "values"),
    [
        ("BOOL", "?", [True, False]), ("INT8", "i1", [-3, 4]), ("UINT16", "<u2", [3, 65000]),
        ("INT64", "<i8", [-(2**60), 7]), ("FP16", "<f2", [0.5, -2.0]), ("FP32", "<f4", [0.5, 3.25]),
        ("FP64", "<f8", [0.1, 1e300]),
    ],
    ids=["BOOL", "INT8", "UINT16", "INT64", "FP16", "FP32", "FP64"],
)  # fmt: skip
def test_raw_numbers_are_read_by_their_type(datatype: str, numpy_type: str, values: list[Any]) -> None:
    found = rows(Tensor("x", datatype, [2]), raw=[np.array(values, numpy_type).tobytes()])

    assert found == [{"x": value} for value in values]


def test_raw_texts_have_their_length_before_them() -> None:
    assert rows(Tensor("t", "BYTES", [2]), raw=[b"\x03\0\0\0Ulm\x05\0\0\0K\xc3\xb6ln"]) == [{"t": "Ulm"}, {"t": "Köln"}]


def test_a_raw_text_cut_short_is_what_is_there() -> None:
    assert rows(Tensor("t", "BYTES", [1]), raw=[b"\x09\0\0\0Ulm"]) == [{"t": "Ulm"}]


def test_bytes_that_are_no_text_are_nothing() -> None:
    assert rows(typed("t", "BYTES", [2], b"Ulm", b"\xff\xd8")) == [{"t": "Ulm"}, {"t": None}]


def test_floats_of_32_bits_are_as_they_were_written() -> None:
    assert rows(typed("x", "FP32", [1], float(np.float32(0.1)))) == [{"x": 0.1}]


def test_one_row_stands_for_all_and_missing_ones_are_none() -> None:
    found = rows(typed("x", "INT32", [3], 1, 2, 3), typed("one", "INT32", [1], 9), typed("two", "INT32", [2], 7, 8))

    assert found == [{"x": 1, "one": 9, "two": 7}, {"x": 2, "one": 9, "two": 8}, {"x": 3, "one": 9, "two": None}]


def test_what_is_there_counts_where_the_shape_says_otherwise() -> None:
    assert rows(typed("x", "INT32", [5, 2], 1, 2)) == [{"x": 1}, {"x": 2}]


def test_an_answer_to_one_row_may_be_a_vector() -> None:
    answer = typed("scores", "FP64", [3], 0.5, 0.25, 0.25)
    one, two = (rows_of([((typed("x", "INT32", [count], *range(count)),), ())]) for count in (1, 2))

    assert rows(answer, asked=one) == [{"scores": [0.5, 0.25, 0.25]}]
    assert rows(answer, asked=two) == [{"scores": 0.5}, {"scores": 0.25}, {"scores": 0.25}]


def test_messages_follow_one_another() -> None:
    found = rows_of([([typed("x", "INT32", [1], 1)], ()), ([Tensor("x", "INT32", [1])], [b"\x02\0\0\0"])])

    assert (list(found), len(found), found[1], found[:1]) == ([{"x": 1}, {"x": 2}], 2, {"x": 2}, [{"x": 1}])


def test_nothing_has_no_rows() -> None:
    assert rows() == rows(typed("x", "INT32", [0])) == []


def test_the_size_is_told_without_reading() -> None:
    unread = rows_of([([Tensor("x", "no such type", [10**12])], [b"12345"]), ([typed("y", "INT8", [2], 1, 2)], ())])

    assert unread.nbytes == 5 + 16


@given(st.lists(st.floats(allow_nan=False), min_size=1, max_size=20), st.integers(1, 4))
def test_raw_and_typed_contents_give_the_same_rows(values: list[float], width: int) -> None:
    shape = [len(values), width]
    elements = values * width

    by_type = rows(typed("x", "FP64", shape, *elements))
    by_bytes = rows(Tensor("x", "FP64", shape), raw=[np.array(elements, "<f8").tobytes()])

    assert by_type == by_bytes
    assert len(by_type) == len(values)


@given(
    st.sampled_from(["BOOL", "INT16", "FP16", "FP32", "FP64", "BYTES", "?"]),
    st.lists(st.integers(-1, 5), max_size=3),
    st.binary(max_size=64),
)
def test_whatever_a_client_sends_has_rows(datatype: str, shape: list[int], raw: bytes) -> None:
    assert all(list(row) == ["x"] for row in rows(Tensor("x", datatype, shape), raw=[raw]))


def test_a_shape_of_thousands_of_large_dimensions_is_not_multiplied() -> None:
    tensor = Tensor("x", "INT64", [1 << 62] * 100_000, Contents([1, 2]))

    assert rows(tensor) == [{"x": 1}, {"x": 2}]
