import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashlight.decode.rows.budget import MAX_COLUMNS, MAX_ROWS
from dashlight.decode.rows.columns import Sheet, tabulate
from dashlight.decode.rows.layouts import (
    beside,
    columns_in,
    length_of_answer,
    listed_rows,
    named_rows,
    parameters_beside,
    rows_in,
    split_rows,
)
from dashlight.records import Cell

Rows = list[list[Cell]]


def rows_of(sheet: Sheet | None) -> Rows:
    assert sheet is not None
    return [list(row) for row in sheet.values]


@pytest.mark.parametrize(
    ("value", "answer_length", "names", "values"),
    [
        ([[1, 2], [3, 4]], None, ("x[0]", "x[1]"), [[1, 2], [3, 4]]),
        ([1, 2], None, ("x[0]", "x[1]"), [[1, 2]]),
        ([1, 2], 2, ("x",), [[1], [2]]),
        ({"a": [1, 2], "b": [3, 4]}, None, ("a", "b"), [[1, 3], [2, 4]]),
        ({"a": [1, 2], "b": [3]}, None, ("a[0]", "a[1]", "b"), [[1, 2, 3]]),
        ({"a": 1}, None, ("a",), [[1]]),
        ({"a": [], "b": []}, None, (), []),
        ({}, None, (), [[]]),
        ("text", None, ("x",), [["text"]]),
    ],
    ids=["a matrix", "a vector", "a number for each answer", "columns", "columns of several lengths", "an object",
         "empty columns", "an empty object", "a text"],
)  # fmt: skip
def test_rows_are_found_in_every_layout(
    value: object, answer_length: int | None, names: tuple[str, ...], values: Rows
) -> None:
    sheet = rows_in(value, name="x", answer_length=answer_length)

    assert sheet.names == names
    assert rows_of(sheet) == values


def test_truth_values_are_numbers_that_make_one_row() -> None:
    assert rows_of(listed_rows([True, 2, None], name="", answer_length=None)) == [[True, 2, None]]


@pytest.mark.parametrize(
    ("fields", "answer_length", "is_certain", "found"),
    [
        ({"a": [1, 2], "b": [3, 4]}, 2, False, True),
        ({"a": [1, 2], "b": [3, 4]}, 3, False, False),
        ({"a": [1], "b": [3]}, None, False, True),
        ({"a": [1, 2]}, 2, False, False),
        ({"a": [1, 2]}, None, True, True),
        ({"a": [1, 2], "b": [3]}, None, True, False),
        ({"a": [], "b": []}, None, True, False),
        ({"a": [1], "b": 3}, None, True, False),
    ],
)
def test_columns_have_one_length_and_the_answer_too(
    fields: dict[str, object], *, answer_length: int | None, is_certain: bool, found: bool
) -> None:
    assert (columns_in(fields, answer_length, is_certain=is_certain) is not None) is found


def test_a_split_table_has_names_rows_and_ids() -> None:
    sheet = split_rows({"columns": ["a", "id"], "index": ["r1", "r2"], "data": [[1, 7], [2, 8]]})

    assert sheet is not None
    assert sheet.names == ("a",)
    assert sheet.row_ids == ("r1", "r2")


def test_without_an_index_a_column_of_ids_names_the_rows() -> None:
    sheet = split_rows({"columns": ["a", "id"], "data": [[1, 7], [2, 8]]})

    assert sheet is not None
    assert sheet.row_ids == (7, 8)


@pytest.mark.parametrize("frame", [{}, {"data": 3}, {"columns": ["a"]}], ids=str)
def test_a_split_table_without_data_is_none(frame: dict[str, object]) -> None:
    assert split_rows(frame) is None


@pytest.mark.parametrize(
    ("data", "names", "called", "values"),
    [
        ([[1, 2], 3], ["a", "b"], ("a", "b"), [[1, 2], [3, None]]),
        ([1, 2], ["a", "b"], ("a", "b"), [[1, 2]]),
        ([1, 2], ["a"], ("a",), [[1], [2]]),
        ([1], ["a"], ("a",), [[1]]),
        ([[1, 2]], [3, None], ("3", "None"), [[1, 2]]),
        ([[1, 2]], ["a", "a"], ("a",), [[2]]),
        ([[1, 2]], [], ("0", "1"), [[1, 2]]),
        ([[1, 2]], "ab", ("0", "1"), [[1, 2]]),
        ([], ["a"], (), []),
    ],
    ids=["a row and a number", "a row", "a column", "a cell", "names that are no texts", "a name twice", "no names",
         "a text for names", "no data"],
)  # fmt: skip
def test_names_are_given_to_rows(data: list[object], names: object, called: tuple[str, ...], values: Rows) -> None:
    sheet = named_rows(data, names, role="feature")

    assert sheet.names == called
    assert rows_of(sheet) == values


def test_more_columns_and_rows_than_are_kept_are_counted() -> None:
    wide = named_rows([[1] * (MAX_COLUMNS + 5)], ["a"], role="feature")
    long = named_rows([[1]] * (MAX_ROWS + 7), ["a"], role="feature")

    assert (len(wide.names), wide.dropped_count, wide.flags) == (MAX_COLUMNS, 5, frozenset({"over_limit"}))
    assert (len(long.values), long.dropped_count, long.flags) == (MAX_ROWS, 7, frozenset({"over_limit"}))


def test_a_name_too_long_becomes_no_column() -> None:
    assert named_rows([[1, 2]], ["n" * 300, "b"], role="feature").names == ("b",)


@given(st.lists(st.lists(st.integers() | st.none(), min_size=1, max_size=4), min_size=1, max_size=5), st.data())
def test_names_move_no_cell(data: list[list[Cell]], draws: st.DataObject) -> None:
    width = max(map(len, data))
    names = [f"c{at}" for at in range(draws.draw(st.integers(1, width)))]

    sheet = named_rows(data, names, role="feature")

    assert rows_of(sheet) == [row + [None] * (width - len(row)) for row in data]


@pytest.mark.parametrize(
    ("answer", "length"),
    [([1, 2], 2), ({"y": [1, 2], "z": 3}, 2), ({"y": [1, 2], "z": [3]}, None), ({"y": 1}, None), (3, None)],
    ids=str,
)
def test_the_length_of_an_answer_is_told_where_it_can_be(answer: object, length: int | None) -> None:
    assert length_of_answer(answer) == length


def test_parameters_are_told_by_their_own_names_without_credentials() -> None:
    fields = {
        "inputs": "a",
        "parameters": {"k": 1, "password": "x", "n" * 300: 2},
        "params": 3,
        "deep": {"api_key": "x", "y": 1},
        "token": "x",
    }

    assert parameters_beside(fields, frozenset({"inputs"})) == {
        "k": 1,
        "params": 3,
        "deep": {"api_key": "[redacted]", "y": 1},
    }


def test_so_many_parameters_are_told() -> None:
    assert len(parameters_beside({f"k{at}": at for at in range(1000)}, frozenset())) == MAX_COLUMNS


def test_what_stands_beside_the_rows_is_left_out_and_why() -> None:
    sheet = tabulate([[1]], name="", role="feature")

    fields = {"inputs": 1, "k": 2, "token": "x", "n" * 300: 3, "parameters": {"k": 1, "api_key": "x"}, "params": 3}
    told = beside(sheet, fields, frozenset({"inputs"}))

    assert told.left_out == {
        "k": "parameter",
        "token": "credential",
        "parameters": "parameter",
        "parameters.api_key": "credential",
        "params": "parameter",
    }
    assert beside(sheet, {"inputs": 1}, frozenset({"inputs"})) is sheet
