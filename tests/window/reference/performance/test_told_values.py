import numpy as np
import pytest

from dashlight.window.reference.performance.told_values import MOST_ROWS, MOST_TEXTS, ToldColumn, told_values
from dashlight.window.tables import table_of_columns
from dashlight.window.values import Coded


def test_numbers_and_texts_of_one_column_are_told_apart() -> None:
    column = ToldColumn()
    column.add(np.array([1.0, np.nan, np.inf]))
    column.add(["late", None, 2, True, float("nan"), "late", [1]])

    values = column.values()

    assert values.numbers.tolist() == pytest.approx([1, np.nan, np.nan, np.nan, np.nan, 2, *[np.nan] * 4], nan_ok=True)
    assert values.names(10) == ("1", "2", "late", "true")
    assert values.places_among(["true", "late", "2"]).tolist() == [-1, -1, -1, 1, -1, 2, 0, -1, 1, -1]
    assert values.is_known.tolist() == [True, False, False, True, False, True, True, False, True, False]
    assert not values.is_numeric


def test_coded_cells_are_the_values_that_they_stand_for() -> None:
    plain, coded = ToldColumn(), ToldColumn()
    cells = ["b", None, "a", True, 3.0, "b"]
    plain.add(cells)
    coded.add(Coded(np.array([0, 1, 2, 3, 4, 0]), ["b", None, "a", True, 3.0, "never"]))

    names = ["a", "b", "true", "3", "never"]

    assert coded.values().names(10) == plain.values().names(10) == ("3", "a", "b", "true")
    assert coded.values().places_among(names).tolist() == plain.values().places_among(names).tolist()


def test_a_column_without_texts_keeps_no_codes() -> None:
    column = ToldColumn()
    column.add(np.array([1.0]))
    column.add([None, 2])

    assert column.values().codes is None
    assert column.values().is_numeric


def test_an_empty_column_is_not_numeric() -> None:
    column = ToldColumn()
    column.add([None, None])

    assert not column.values().is_numeric
    assert column.values().names(5) == ()


def test_no_more_names_are_given_than_are_asked_for() -> None:
    column = ToldColumn()
    column.add(np.arange(100.0))
    column.add(["a", "b"])

    assert column.values().names(3) == ("0", "1", "2", "3")


def test_texts_beyond_the_most_are_as_one() -> None:
    column = ToldColumn()
    column.add([f"t{number}" for number in range(MOST_TEXTS + 50)])

    values = column.values()

    assert len(values.texts) == MOST_TEXTS + 1
    assert values.codes is not None
    assert values.codes.max() == MOST_TEXTS
    assert values.places_among(["t1020"]).max() == -1


def test_a_text_that_looks_like_a_hash_of_a_number_is_a_text() -> None:
    column = ToldColumn()
    column.add(["hash:00ff#", "nan"])

    assert column.values().places_among(["hash:00ff#", "nan"]).tolist() == [0, 1]


def test_the_rows_of_tables_are_read_in_their_order_and_counted() -> None:
    tables = [
        table_of_columns({"y": np.array([1.0, 0.0]), "s": ["a", "b"]}),
        table_of_columns({"y": ["x"], "s": ["c"]}),
    ]

    values, rows = told_values(tables, ["y", "s"])

    assert rows == 3
    assert values["y"].places_among(["0", "1", "x"]).tolist() == [1, 0, 2]
    assert values["s"].places_among(["a", "b", "c"]).tolist() == [0, 1, 2]


def test_of_very_many_rows_the_first_are_read() -> None:
    piece = table_of_columns({"y": np.ones(MOST_ROWS // 2 - 1)})

    values, rows = told_values([piece] * 4, ["y"])

    assert rows == 4 * (MOST_ROWS // 2 - 1)
    assert len(values["y"].numbers) == MOST_ROWS


def test_outer_blanks_make_no_other_text() -> None:
    column = ToldColumn()
    column.add(["UA", " UA ", "  ", "DL\n"])

    assert column.values().texts == ("UA", "DL")
    assert column.values().places_among(["UA", "DL"]).tolist() == [0, 0, -1, 1]
