import math

import numpy as np
import pytest

from dashlight.decode.rows.tables import joined, shielded, table_of
from dashlight.privacy.names import REDACTED
from dashlight.records import Cell


def test_columns_of_ints_floats_and_null_are_numbers() -> None:
    table = table_of(["a", "b", "c"], [[1, 2.5, None], [None, None, None], ["x", None, "y"]], [0, 0, 4])

    assert table.rows == 3
    assert table.number_names == ("a", "b")
    np.testing.assert_array_equal(table.numbers, [[1, 2.5, math.nan], [math.nan] * 3])
    assert table.cell_names == ("c",)
    assert [list(column) for column in table.cells] == [["x", None, "y"]]
    assert table.exchange.tolist() == [0, 0, 4]


@pytest.mark.parametrize(
    "column",
    [[True, False], [1, True], [1, "1"], [1.0, [2.0]], [10**400, 1]],
    ids=["flags", "a flag", "a text", "a list", "huge"],
)
def test_columns_of_anything_else_are_cells(column: list[Cell]) -> None:
    table = table_of(["a"], [column], [0, 1])

    assert table.cell_names == ("a",)
    assert [list(cells) for cells in table.cells] == [column]
    assert table.numbers.shape == (0, 2)


def test_no_columns_and_no_rows_are_a_table_too() -> None:
    assert table_of([], [], [0, 1]).numbers.shape == (0, 2)
    assert table_of(["a"], [[]], []).numbers.shape == (1, 0)


def test_tables_are_joined_in_the_order_of_their_exchanges() -> None:
    first = table_of(["a", "s"], [[1, 3], ["x", "z"]], [0, 2])
    second = table_of(["a", "b"], [[2, None], [7, 8]], [1, 3])

    table = joined([first, second])

    assert table.exchange.tolist() == [0, 1, 2, 3]
    assert table.number_names == ("a", "b")
    np.testing.assert_array_equal(table.numbers, [[1, 2, 3, math.nan], [math.nan, 7, math.nan, 8]])
    assert table.cell_names == ("s",)
    assert [list(cells) for cells in table.cells] == [["x", None, "z", None]]


def test_a_column_that_is_numbers_in_one_table_and_cells_in_another_becomes_cells() -> None:
    table = joined([table_of(["a"], [[1.5, None]], [0, 1]), table_of(["a"], [["x"]], [2])])

    assert table.number_names == ()
    assert table.cell_names == ("a",)
    assert [list(cells) for cells in table.cells] == [[1.5, None, "x"]]


def test_one_table_is_joined_to_itself() -> None:
    table = table_of(["a"], [[1]], [0])

    assert joined([table]) is table


def test_texts_under_personal_names_leave_redacted_and_null_stays_null() -> None:
    table = shielded(table_of(["email", "city", "card"], [["a@b.c", None], ["Oslo", "Bergen"], [True, "x"]], [0, 1]))

    assert dict(zip(table.cell_names, map(list, table.cells), strict=True)) == {
        "email": [REDACTED, None],
        "city": ["Oslo", "Bergen"],
        "card": [True, REDACTED],
    }


def test_long_numbers_under_personal_names_leave_redacted_and_short_ones_stay() -> None:
    table = shielded(table_of(["phone", "mobile", "income"], [[4798765432, None], [1, 0], [1e9, 2e9]], [0, 1]))

    assert table.number_names == ("mobile", "income")
    np.testing.assert_array_equal(table.numbers, [[1, 0], [1e9, 2e9]])
    assert dict(zip(table.cell_names, map(list, table.cells), strict=True)) == {"phone": [REDACTED, None]}


def test_a_table_without_personal_names_is_left_as_it_is() -> None:
    table = table_of(["a", "b"], [[1], ["x"]], [0])

    assert shielded(table) is table
