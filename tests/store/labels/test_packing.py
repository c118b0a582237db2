from __future__ import annotations

from collections.abc import Callable

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dashlight.errors import StateError
from dashlight.labels.row_sets import RowLayout, labelled
from dashlight.labels.rows import ScoredRows
from dashlight.store.labels.packing import (
    codes_of,
    keys_of,
    labelled_of,
    layout_of,
    packed_codes,
    packed_labelled,
    packed_layout,
    packed_rows,
    rows_of,
)

Make = Callable[..., ScoredRows]


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(damage=st.tuples(st.integers(0, 2000), st.binary(max_size=9)))
def test_whatever_is_damaged_is_refused_or_read_as_rows(damage: tuple[int, bytes], rows: Make) -> None:
    made = rows(["a", "b", "c"], codes=True)
    layout = RowLayout.of(made)
    met = labelled(made, np.zeros(3), np.zeros(3), is_implied=False)
    assert made.sampled is not None
    assert made.codes is not None
    readers: list[tuple[bytes, Callable[[bytes], object]]] = [
        (packed_rows(made), lambda content: rows_of(content, layout)),
        (packed_labelled(met), lambda content: labelled_of(content, layout, begin=0, end=3)),
        (packed_codes(made.sampled, made.codes), codes_of),
        (packed_layout(layout).encode(), lambda content: layout_of(content.decode(errors="replace"))),
    ]
    place, put = damage
    for content, read in readers:
        place %= len(content) + 1
        for spoiled in (content[:place], content[:place] + put + content[place + len(put) :]):
            try:
                read(spoiled)
            except StateError as error:
                assert error.kind == "corrupt"  # noqa: PT017


@pytest.mark.parametrize("columns", [{}, {"keys": ("|V16", (1,), b"k" * 16)}], ids=["none", "one"])
def test_rows_without_a_column_are_refused(columns: dict[str, object], rows: Make) -> None:
    content = msgspec.msgpack.encode(columns)
    layout = RowLayout.of(rows(["a"]))

    for read in (
        lambda: rows_of(content, layout),
        lambda: labelled_of(content, layout, begin=0, end=1),
        lambda: codes_of(content),
    ):
        with pytest.raises(StateError, match="no '"):
            read()


def test_columns_of_several_lengths_and_keys_that_are_cut_are_refused(rows: Make) -> None:
    made = rows(["a", "b"])
    columns = msgspec.msgpack.decode(packed_rows(made))
    columns["places"] = ["|i1", [1], b"\0"]

    with pytest.raises(StateError, match="several lengths"):
        rows_of(msgspec.msgpack.encode(columns), RowLayout.of(made))
    with pytest.raises(StateError, match="cut"):
        keys_of(b"k" * 17)


def test_a_type_that_no_column_has_is_a_mistake(rows: Make) -> None:
    with pytest.raises(TypeError, match="complex"):
        packed_codes(np.arange(2), np.zeros((1, 2), np.complex128))


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("sampled", ("|i1", (2,), b"\1\0")),
        ("sampled", ("|i1", (2,), b"\0\7")),
        ("sampled", ("|i1", (1,), b"\0")),
        ("codes", ("|u1", (2,), b"\0\0")),
        ("origins", ("|V16", (1,), b"o" * 16)),
    ],
    ids=["descending", "beyond the rows", "fewer", "of one dimension", "of other rows"],
)
def test_bins_of_other_rows_than_the_labelled_are_refused(name: str, column: object, rows: Make) -> None:
    made = rows(["a", "b"], codes=True)
    columns = msgspec.msgpack.decode(packed_labelled(labelled(made, np.zeros(2), np.zeros(2), is_implied=False)))
    columns[name] = column

    with pytest.raises(StateError, match="of other rows"):
        labelled_of(msgspec.msgpack.encode(columns), RowLayout.of(made), begin=0, end=2)
