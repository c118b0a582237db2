from collections.abc import Callable, Sequence

import numpy as np
import pytest

from dashlight.records import Cell, Kind, Table
from dashlight.window.bins import NAMES_SHOWN, Binner
from dashlight.window.columns import ColumnReference
from dashlight.window.reference.build import build_reference_from_columns
from dashlight.window.tables import table_of_columns
from dashlight.window.values import number_texts

NULL, WRONG, BELOW, ABOVE, FIRST, LAST = 0, 1, 2, 3, 4, 35

Columns = Callable[..., ColumnReference]
Tables = Callable[..., Table]


@pytest.fixture
def age(column: Columns) -> ColumnReference:
    return column("age", edges=[10.0, 20.0], low=0.0, high=30.0)


@pytest.fixture
def colour(column: Columns) -> ColumnReference:
    return column("colour", "categorical", categories=["red", "5", "true"], known=["rare"])


@pytest.mark.parametrize(
    ("value", "bin_"),
    [
        pytest.param(0.0, FIRST, id="the smallest of the reference"),
        pytest.param(9.99, FIRST, id="below an edge"),
        pytest.param(10.0, FIRST + 1, id="on an edge, which begins the next bin"),
        pytest.param(30.0, FIRST + 2, id="the largest of the reference"),
        pytest.param(30.0 * (1 + 1e-9), FIRST + 2, id="the largest, as another program writes it"),
        pytest.param(30.0 * (1 + 1e-6), ABOVE, id="just above the range"),
        pytest.param(10.0 * (1 - 1e-6), FIRST, id="just below an edge"),
        pytest.param(float(np.nextafter(0.0, -1.0)), BELOW, id="just below the range"),
        pytest.param(float("inf"), ABOVE, id="infinity"),
        pytest.param(float("-inf"), BELOW, id="minus infinity"),
        pytest.param(float("nan"), NULL, id="nan"),
    ],
)
def test_where_a_number_is_counted(age: ColumnReference, table: Tables, value: float, bin_: int) -> None:
    assert Binner([age]).codes(table({"age": [value]})).tolist() == [[bin_]]


def test_a_numeric_column_without_values_takes_every_finite_number(column: Columns, table: Tables) -> None:
    codes = Binner([column("x")]).codes(table({"x": [-1e308, 0.0, 1e308]}))

    assert codes.tolist() == [[FIRST] * 3]


def test_what_is_no_number_is_a_type_error_in_a_numeric_column(age: ColumnReference, table: Tables) -> None:
    codes = Binner([age]).codes(table(cells={"age": [15, 25.0, None, "15", True, [15], float("nan"), 10**400]}))

    assert codes.tolist() == [[FIRST + 1, FIRST + 2, NULL, WRONG, WRONG, WRONG, NULL, ABOVE]]


@pytest.mark.parametrize(
    "cells",
    [
        pytest.param(["red", "rare", None], id="all known"),
        pytest.param(["red", "rare", None, "new"], id="one unseen"),
        pytest.param(["red", "rare", None, "new", ["red"], 5, 5.0, True, {}, b"red"], id="of all types"),
    ],
)
def test_where_a_category_is_counted(colour: ColumnReference, table: Tables, cells: Sequence[Cell]) -> None:
    codes = Binner([colour]).codes(table(cells={"colour": cells}))

    expected = [FIRST, LAST, NULL, ABOVE, WRONG, FIRST + 1, FIRST + 1, FIRST + 2, WRONG, WRONG]
    assert codes.tolist() == [expected[: len(cells)]]


def test_numbers_in_a_categorical_column_count_by_their_text(colour: ColumnReference, table: Tables) -> None:
    codes = Binner([colour]).codes(table({"colour": [5.0, 5.5, float("nan")]}))

    assert codes.tolist() == [[FIRST + 1, ABOVE, NULL]]


def test_a_category_too_long_to_be_kept_is_known_by_its_beginning(column: Columns, table: Tables) -> None:
    colour = column("colour", "categorical", categories=["x" * 200])

    assert Binner([colour]).codes(table(cells={"colour": ["x" * 500]})).tolist() == [[FIRST]]


def test_only_a_truth_fits_a_boolean_column(column: Columns, table: Tables) -> None:
    binner = Binner([column("flag", "boolean", categories=["false"])])

    assert binner.codes(table(cells={"flag": [False, True, None, "false", 0]})).tolist() == [
        [FIRST, ABOVE, NULL, WRONG, WRONG]
    ]
    assert binner.codes(table({"flag": [0.0, float("nan")]})).tolist() == [[WRONG, NULL]]


def test_all_texts_fall_into_one_bin_of_a_text_column(column: Columns, table: Tables) -> None:
    binner = Binner([column("note", "text")])

    assert binner.codes(table(cells={"note": ["a", "b", 7, None, [], True]})).tolist() == [
        [FIRST, FIRST, FIRST, NULL, WRONG, FIRST]
    ]
    assert binner.codes(table({"note": [1.0, float("nan")]})).tolist() == [[FIRST, NULL]]


@pytest.mark.parametrize("kind", ["numeric", "categorical", "boolean", "text"])
def test_a_column_that_is_not_there_is_null_in_every_row(column: Columns, table: Tables, kind: Kind) -> None:
    assert Binner([column("x", kind)]).codes(table({"y": [1.0, 2.0]})).tolist() == [[NULL, NULL]]


def test_columns_are_found_by_name_in_any_order(column: Columns, age: ColumnReference, table: Tables) -> None:
    size = column("size", edges=[1.0], low=0.0, high=2.0)
    binner = Binner([age, column("colour", "categorical", categories=["red"]), size])

    codes = binner.codes(table({"size": [0.5], "ignored": [9.0], "age": [25.0]}, {"colour": ["red"]}))

    assert codes.tolist() == [[FIRST + 2], [FIRST], [FIRST]]


def test_one_numeric_column_may_arrive_as_numbers_and_another_mixed(
    column: Columns, age: ColumnReference, table: Tables
) -> None:
    size = column("size", edges=[1.0], low=0.0, high=2.0)
    batch = table({"size": [0.5, 1.5]}, {"age": [5, "old"]})

    assert Binner([age, size]).codes(batch).tolist() == [[FIRST, WRONG], [FIRST, FIRST + 1]]
    assert batch.numbers.tolist() == [[0.5, 1.5]]


def test_columns_that_the_reference_does_not_know_are_counted_and_named(age: ColumnReference, table: Tables) -> None:
    binner = Binner([age])

    names = [f"n{place}" for place in range(30)]
    assert binner.unknown(table({"age": [1.0]})) == (0, ())
    assert binner.unknown(table({"a": [1.0], "age": [1.0]}, {"b": ["x"]})) == (2, ("a", "b"))
    assert binner.unknown(table({name: [1.0] for name in names})) == (30, tuple(names[:NAMES_SHOWN]))


def test_ever_new_sets_of_names_are_binned_as_well(age: ColumnReference, table: Tables) -> None:
    binner = Binner([age])

    for place in range(200):
        assert binner.codes(table({f"new{place}": [1.0], "age": [15.0]})).tolist() == [[FIRST + 1]]


def test_a_name_may_occur_once_only(age: ColumnReference) -> None:
    with pytest.raises(ValueError, match="twice"):
        Binner([age, age])


def test_counts_are_of_every_column_and_bin(age: ColumnReference, colour: ColumnReference, table: Tables) -> None:
    binner = Binner([age, colour])
    codes = binner.codes(table({"age": [5.0, 5.0, 15.0]}, {"colour": ["red", "new", "new"]}))

    counts = binner.count(codes)

    assert counts.shape == (2, 36)
    assert counts.sum(axis=1).tolist() == [3, 3]
    assert (counts[0, FIRST], counts[0, FIRST + 1], counts[1, FIRST], counts[1, ABOVE]) == (2, 1, 1, 2)


def test_there_may_be_no_columns_and_no_rows(age: ColumnReference, table: Tables) -> None:
    assert Binner([]).count(Binner([]).codes(table({"age": [1.0]}))).shape == (0, 36)
    assert Binner([age]).count(Binner([age]).codes(table({"age": []}))).sum() == 0


def test_the_last_row_of_every_bin_is_kept(age: ColumnReference, table: Tables) -> None:
    binner = Binner([age])
    kept = np.full((1, 36), -1)

    binner.keep_last(binner.codes(table({"age": [5.0, 15.0, 5.0]})), np.array([7, 8, 9]), kept)
    binner.keep_last(binner.codes(table({"age": [15.0]})), np.array([10]), kept)

    assert (kept[0, FIRST], kept[0, FIRST + 1], kept[0, FIRST + 2]) == (9, 10, -1)


@pytest.mark.parametrize("kind", [np.float64, np.float32], ids=["64 bits", "32 bits"])
def test_how_a_number_is_written_moves_it_to_no_other_bin(kind: type) -> None:
    rng = np.random.default_rng(0)
    common = np.array([0.1, 0.30000000000000004, 7.7, 23.02, -1e-7, 1e15 / 3])
    values = np.concatenate([rng.choice(common, 3000), rng.normal(20, 10, 1000).round(2)])
    reference = build_reference_from_columns({"x": values}, {}, rng=rng, created_at=0.0)
    binner = Binner(reference.columns)

    written = np.array([float(f"{value:.15g}") for value in common]).astype(kind).astype(np.float64)

    assert (
        binner.codes(table_of_columns({"x": written})).tolist()
        == binner.codes(table_of_columns({"x": common})).tolist()
    )


def test_a_number_is_the_same_category_however_it_is_written() -> None:
    assert number_texts(np.array([0.1, 0.1 + 1e-16, np.float32(0.1), 0.1000001])) == ["0.1", "0.1", "0.1", "0.1000001"]
