import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from dashlight.records import Cell, Table
from dashlight.window.tables import joined, selected, table_of_columns, taken

Tables = Callable[..., Table]


@pytest.mark.parametrize(
    ("values", "numbers"),
    [
        pytest.param([1, 2.5, None], [1, 2.5, math.nan], id="list of numbers and nulls"),
        pytest.param([10**400], [math.inf], id="integer beyond all floats"),
        pytest.param(np.array([1, 2]), [1, 2], id="array of integers"),
        pytest.param(np.array([1, 2], np.float32), [1, 2], id="array of short floats"),
    ],
)
def test_numbers_stand_in_the_array(values: Sequence[Cell], numbers: list[float]) -> None:
    made = table_of_columns({"x": values})

    assert (made.number_names, made.cell_names) == (("x",), ())
    assert made.numbers.tolist() == [pytest.approx(numbers, nan_ok=True)]


@pytest.mark.parametrize(
    ("values", "cells"),
    [
        pytest.param([True, None], [True, None], id="truths"),
        pytest.param([1, "a"], [1, "a"], id="mixed"),
        pytest.param(np.array([True, False]), [True, False], id="array of truths"),
        pytest.param(np.array(["a", "b"]), ["a", "b"], id="array of texts"),
    ],
)
def test_everything_else_stands_in_cells(values: Sequence[Cell], cells: list[Cell]) -> None:
    made = table_of_columns({"x": values})

    assert (made.number_names, made.cell_names) == ((), ("x",))
    assert list(made.cells[0]) == cells


def test_columns_of_one_table_are_of_one_length() -> None:
    with pytest.raises(ValueError, match=r"not of \[1, 2\]"):
        table_of_columns({"a": [1], "b": [1, 2]})


def test_a_table_may_have_no_columns() -> None:
    assert (table_of_columns({}).rows, table_of_columns({}).numbers.shape) == (0, (0, 0))


def test_joined_tables_keep_their_rows_in_order(table: Tables) -> None:
    made = joined([table({"x": [1.0, 2.0]}, {"c": ["a", "b"]}), table({"x": [3.0]}, {"c": ["d"]})])

    assert made.rows == 3
    assert made.numbers.tolist() == [[1, 2, 3]]
    assert made.cells == (["a", "b", "d"],)


def test_a_column_that_a_table_lacks_is_null_in_its_rows(table: Tables) -> None:
    made = joined([table({"x": [1.0]}), table(cells={"c": ["a"]})])

    assert made.numbers.tolist() == [pytest.approx([1, math.nan], nan_ok=True)]
    assert made.cells == ([None, "a"],)


def test_a_column_of_numbers_here_and_texts_there_is_one_of_cells(table: Tables) -> None:
    made = joined([table({"x": [1.0, math.nan]}), table(cells={"x": ["a"]})])

    assert (made.number_names, made.cells) == ((), ([1.0, None, "a"],))


def test_nothing_joined_is_an_empty_table() -> None:
    assert joined([]).rows == 0


def test_selected_columns_keep_the_tables_order(table: Tables) -> None:
    made = selected(table({"a": [1.0], "b": [2.0]}, {"c": ["x"], "d": ["y"]}), ["d", "b"])

    assert (made.number_names, made.numbers.tolist()) == (("b",), [[2]])
    assert (made.cell_names, made.cells) == (("d",), (["y"],))


def test_taken_rows_come_in_the_order_asked_for(table: Tables) -> None:
    made = taken(table({"a": [1.0, 2.0, 3.0]}, {"c": ["x", "y", "z"]}), np.array([2, 0]))

    assert (made.rows, made.numbers.tolist(), made.cells) == (2, [[3, 1]], (["z", "x"],))
    assert made.exchange.tolist() == [2, 0]
