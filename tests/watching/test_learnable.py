from typing import Any

import numpy as np

from dashlight.records import Table
from dashlight.watching.learnable import learnable
from dashlight.window.tables import table_of_columns


def names(table: Table) -> set[str]:
    return {*table.number_names, *table.cell_names}


def test_a_column_of_few_rows_is_no_column_of_the_model() -> None:
    rows: dict[str, list[Any]] = {
        "age": list(range(1000)),
        "Kunigunde": [1.0] * 9 + [None] * 991,
        "city": ["Rome"] * 10 + [None] * 990,
    }

    found, _ = learnable({"feature": table_of_columns(rows)})

    assert names(found["feature"]) == {"age", "city"}


def test_a_column_whose_name_looks_like_a_particular_is_left_out() -> None:
    rows: dict[str, list[Any]] = {
        "age": [1, 2],
        "maria@example.com": [1, 2],
        "4111111111111111": ["a", "b"],
        "Maria Kowalska": [1, 2],
    }

    found, _ = learnable({"feature": table_of_columns(rows)})

    assert names(found["feature"]) == {"age"}


def test_a_column_of_card_numbers_is_left_out_and_told() -> None:
    rows = {"age": [1.0, 2.0], "card": [4111111111111111.0, 4929123456789014.0], "amount": [1e12 + 0.5, 2.0]}

    found, long = learnable({"feature": table_of_columns(rows)})

    assert names(found["feature"]) == {"age", "amount"}
    assert long == ("card",)


def test_a_long_number_among_others_is_null() -> None:
    found, long = learnable({"feature": table_of_columns({"age": [31.0, 4111111111111111.0, 44.0]})})

    np.testing.assert_equal(found["feature"].numbers, [[31.0, np.nan, 44.0]])
    assert long == ()


def test_rows_of_nothing_stay_nothing() -> None:
    assert learnable({}) == ({}, ())
    assert names(learnable({"feature": table_of_columns({})})[0]["feature"]) == set()
