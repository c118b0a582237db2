import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from dashlight.decode.cells.known_columns import (
    MOST_TEXTS,
    KnownColumn,
    as_known,
    as_sent,
    known_columns,
    never_texts,
    typed_columns,
)
from dashlight.records import Cell
from dashlight.window.columns import ColumnReference, Writing
from dashlight.window.layout import BINS
from dashlight.window.tables import table_of_columns

COMMA = Writing("number", decimal=",")


def column(name: str, *, low: float = 0.0) -> ColumnReference:
    return ColumnReference(
        name, "feature", "numeric", 0, np.zeros(BINS, np.int64), np.zeros(0), low, 2e9, (), frozenset(), 0
    )


def number(writing: Writing = Writing("number"), *, may_be_time: bool = False) -> KnownColumn:  # noqa: B008  # frozen
    return KnownColumn(writing, may_be_time=may_be_time)


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        ([1, 2.5, None, "N/A"], [1, 2.5, None, None]),
        (["12,5", "1,250"], [12.5, 1.25]),
        (["12.5", "1,250"], [12.5, 1250]),
        (["1,250", "$5", "5 %"], [1250, 5, 5]),
        (["?", "-", "", " "], [None, None, None, None]),
        (["2024-01-01", "x", True, [1]], ["2024-01-01", "x", True, [1]]),
        (["1" * 1000], ["1" * 1000]),
    ],
)
def test_texts_of_a_column_of_numbers_are_what_they_write(cells: list[Cell], values: list[Cell]) -> None:
    assert number().read(cells) == values


def test_what_texts_leave_open_the_reference_says_until_traffic_shows_it() -> None:
    column = number(COMMA)

    assert column.read(["1,250", "1.250"]) == [1.25, 1250]
    assert column.read(["0.5", "1,250"]) == [0.5, 1250]
    assert column.read(["1.250"]) == [1.25]
    assert column.read(["0,5", "0,25", "1,250"]) == [0.5, 0.25, 1.25]


def test_days_are_told_from_months_as_the_traffic_shows() -> None:
    column = number(Writing("time", dates="mdy"))

    assert column.read(["3/4/2024"]) == [1709510400.0]
    assert column.read(["31/12/2024", "3/4/2024"]) == [1735603200.0, 1712102400.0]


def test_texts_may_be_moments_where_numbers_may_be() -> None:
    assert number(may_be_time=True).read(["2024-01-01", "1704067200", "NaT"]) == [1704067200.0, 1704067200.0, None]
    assert number().read(["2024-01-01"]) == ["2024-01-01"]


def test_however_many_texts_come_few_are_remembered() -> None:
    column = number()
    tracemalloc.start()

    for start, rows in ((0, 1024), (1024, 1024), (2048, 20 * MOST_TEXTS), (90_000, 1024)):
        assert column.read([str(start + at) for at in range(rows)]) == [start + at for at in range(rows)]
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert size < 400 * MOST_TEXTS


def test_columns_are_read_by_what_the_reference_says_of_them() -> None:
    columns = [
        column("age"),
        column("at", low=1.6e9),
        replace(column("born"), low=-1e9, writing=Writing("time")),
        replace(column("late"), kind="boolean"),
        replace(column("grade"), kind="categorical", writing=Writing("number")),
        replace(column("city"), kind="categorical", writing=Writing("text", nulls=("",))),
        replace(column("name"), kind="categorical"),
    ]
    table = table_of_columns(
        {
            "age": ["41", None],
            "at": ["2020-09-13T12:26:40", "N/A"],
            "born": ["1960-01-01", -5.0],
            "late": ["yes", "F"],
            "grade": ["7.0", "A"],
            "city": ["", "NA"],
            "name": ["", "NA"],
            "other": ["1", "2"],
        }
    )

    known = as_known(table, known_columns(columns))

    assert known.number_names == ("age", "at", "born")
    assert np.nan_to_num(known.numbers, nan=-1).tolist() == [[41, -1], [1.6e9, -1], [-315619200, -5]]
    assert dict(zip(known.cell_names, known.cells, strict=True)) == {
        "late": [True, False], "grade": [7, "A"], "city": [None, "NA"], "name": ["", "NA"], "other": ["1", "2"],
    }  # fmt: skip


def test_a_table_without_texts_in_known_columns_is_the_same() -> None:
    table = table_of_columns({"age": [1, 2], "late": [True, None], "name": ["a", "b"]})

    assert as_known(table, known_columns([column("age"), replace(column("late"), kind="boolean")])) is table


def test_texts_among_numbers_and_truths_by_type_are_read_before_a_reference_is_learned() -> None:
    table = table_of_columns(
        {
            "x": [1, 2, "N/A", "3,5"],
            "b": [True, False, "n/a", None],
            "zip": ["1", "2", "3", "4"],
            "m": [1, "a", "b", "NA"],
        }
    )

    columns = typed_columns(table)
    read = as_known(table, columns)

    assert {name: column.writing for name, column in columns.items()} == {
        "x": Writing("number", decimal=","), "b": Writing("boolean"),
    }  # fmt: skip
    assert read.number_names == ("x",)
    assert np.nan_to_num(read.numbers, nan=-1).tolist() == [[1, 2, -1, 3.5]]
    assert dict(zip(read.cell_names, read.cells, strict=True)) == {
        "b": [True, False, None, None], "zip": ["1", "2", "3", "4"], "m": [1, "a", "b", "NA"],
    }  # fmt: skip


def test_what_was_never_text_is_told_as_it_was_sent() -> None:
    columns = [
        column("size"),
        replace(column("late"), kind="boolean"),
        replace(column("price"), writing=COMMA),
        column("at", low=1.6e9),
        column("age"),
    ]
    sent = table_of_columns(
        {"size": ["1,5", 2.0, "N/A"], "late": ["yes", "n/a", True], "price": ["1,5", "2", "x"], "at": ["2024-01-01"] * 3,
         "age": [1, 2, 3], "other": ["a", "b", "c"]}
    )  # fmt: skip
    known = as_known(sent, known_columns(columns))

    back = as_sent(known, sent, never_texts(columns))

    assert never_texts(columns) == {"size", "late", "age"}
    assert back.number_names == ("age", "at")
    assert dict(zip(back.cell_names, back.cells, strict=True)) == {
        "size": ["1,5", 2.0, pytest.approx(float("nan"), nan_ok=True)], "late": ["yes", None, True],
        "price": [1.5, 2.0, "x"], "other": ["a", "b", "c"],
    }  # fmt: skip
    assert as_sent(known, sent, frozenset({"age"})) is known
