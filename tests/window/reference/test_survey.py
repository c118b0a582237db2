from collections.abc import Callable, Sequence

import numpy as np
import pytest

from dashlight.records import Cell, Kind, Table
from dashlight.window.columns import ColumnReference
from dashlight.window.reference.survey import TableSurvey

Tables = Callable[..., Table]


def layout(*tables: Table, categorical: Sequence[str] = ()) -> dict[str, ColumnReference]:
    survey = TableSurvey("feature", np.random.default_rng(0), categorical)
    for table in tables:
        survey.add(table)
    return {column.name: column for column in survey.layout()}


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        pytest.param([True, False, None], "boolean", id="truths"),
        pytest.param(["a", "b", None], "categorical", id="texts"),
        pytest.param([1, 2.5, None, "x"] + [3] * 10, "numeric", id="numbers with a stray text"),
        pytest.param([1, 2, "x"], "categorical", id="numbers and texts"),
        pytest.param([True] * 9 + ["x"], "boolean", id="truths with a stray text"),
        pytest.param([True, 1, "x"], "categorical", id="of all types"),
        pytest.param([None, None], "text", id="nothing but nulls"),
        pytest.param([[1], {"a": 2}], "text", id="nothing but lists"),
        pytest.param([float("nan"), "x"], "categorical", id="nan and a text"),
        pytest.param([f"{row} {'word ' * 9}" for row in range(50)], "text", id="sentences"),
    ],
)
def test_the_kind_of_a_column_follows_from_its_values(table: Tables, cells: Sequence[Cell], kind: Kind) -> None:
    assert layout(table(cells={"x": cells}))["x"].kind == kind


def test_numbers_make_a_numeric_column_over_their_finite_range(table: Tables) -> None:
    column = layout(table({"x": [3.0, float("nan"), 1.0]}), table({"x": [float("inf"), 2.0]}))["x"]

    assert column.kind == "numeric"
    assert (column.low, column.high) == (1.0, 3.0)
    assert column.edges.tolist() == [1.5, 2.5]


def test_a_column_of_infinities_has_no_range(table: Tables) -> None:
    column = layout(table({"x": [float("inf")]}))["x"]

    assert (column.kind, column.low, column.high) == ("numeric", float("-inf"), float("inf"))


def test_numbers_that_are_codes_make_categories(table: Tables) -> None:
    column = layout(table({"code": [7.0, 7.0, 9.0]}, {"other": ["a"] * 3}), categorical=["code"])["code"]

    assert (column.kind, column.categories) == ("categorical", ("7", "9"))


def test_numbers_and_texts_together_make_categories_of_both(table: Tables) -> None:
    column = layout(table(cells={"x": ["a", 5, "a", 5.0, 5]}))["x"]

    assert column.categories == ("5", "a")


def test_the_categories_of_a_boolean_column_are_its_truths(table: Tables) -> None:
    column = layout(table(cells={"x": [False] * 20 + [True] * 5 + ["unknown"]}))["x"]

    assert (column.kind, column.categories, column.known) == ("boolean", ("false", "true"), frozenset())


def test_rare_values_of_a_column_with_few_distinct_ones_get_their_bin(table: Tables) -> None:
    parts = [table({"x": [0.0] * 40_000}), table({"x": [1.0] + [0.0] * 40_000})]

    assert layout(*parts)["x"].edges.tolist() == [0.5]


def test_more_distinct_values_than_rows_pay_for_are_cut_at_quantiles(table: Tables) -> None:
    edges = layout(table({"x": list(range(20))}))["x"].edges

    assert len(edges) == 3


def test_columns_keep_the_order_in_which_they_appeared(table: Tables) -> None:
    columns = layout(table({"b": [1.0]}, {"a": ["x"]}), table({"c": [1.0]}))

    assert list(columns) == ["b", "a", "c"]


def test_blocks_are_counted_from_the_first_row_of_all_tables(table: Tables) -> None:
    tables = [table(cells={"x": ["a"] * 60}), table(cells={"x": ["b"] * 60})]

    assert layout(*tables)["x"].single_block_rows == 60
