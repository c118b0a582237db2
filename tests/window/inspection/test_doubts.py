from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from dashlight.window.columns import Reference
from dashlight.window.inspection.doubts import Doubt, doubts, is_label_name
from dashlight.window.inspection.facts import FirstPass
from dashlight.window.reference.build import build_reference
from dashlight.window.tables import Column, table_of_columns

ROWS = 2000


def built(columns: Mapping[str, Column], **options: Any) -> tuple[FirstPass, Reference]:
    seen: list[FirstPass] = []
    table = table_of_columns(columns)
    made = build_reference(
        lambda: [{"feature": table}], rng=np.random.default_rng(0), created_at=0.0, seen=seen.append, **options
    )
    return seen[0], made


def doubted(columns: Mapping[str, Column], *, has_time: bool = False, **options: Any) -> list[Doubt]:
    return doubts(*built(columns, **options), has_time=has_time)


def normal(seed: int) -> Any:
    return np.random.default_rng(seed).normal(size=ROWS)


def test_columns_as_they_should_be_raise_no_doubt() -> None:
    rng = np.random.default_rng(1)
    columns: dict[str, Column] = {
        "x": normal(2),
        "age": rng.integers(18, 90, ROWS),
        "city": [str(each) for each in rng.choice(["Bonn", "Kiel"], ROWS)],
        "paid": (rng.random(ROWS) < 0.3).tolist(),
        "note": [" ".join(rng.choice(["tea", "sun", "red", "go"], 8)) for _ in range(ROWS)],
        "missing": np.where(rng.random(ROWS) < 0.5, np.nan, normal(3)),
    }

    assert doubted(columns) == []


@pytest.mark.parametrize(("odd", "at"), [("eleven", 1234), (True, 0), ([1], 1999)], ids=["text", "truth", "list"])
def test_one_odd_cell_is_told_with_its_place(odd: Any, at: int) -> None:
    cells = list(normal(2).tolist())
    cells[at] = odd

    (doubt,) = doubted({"x": cells})

    assert (doubt.kind, doubt.row, doubt.rows, doubt.text) == ("odd_cells", at + 1, 1, str(odd))


def test_an_odd_cell_among_truth_values_is_told() -> None:
    cells: list[Any] = [row % 2 == 0 for row in range(ROWS)]
    cells[77] = "yes"

    (doubt,) = doubted({"x": cells})

    assert (doubt.kind, doubt.row, doubt.text) == ("odd_cells", 78, "yes")


def test_many_odd_cells_are_a_mixture() -> None:
    cells = [float(row % 90) + 0.5 if row % 3 else "b" for row in range(ROWS)]

    (doubt,) = doubted({"x": cells})

    assert (doubt.kind, doubt.row, doubt.text) == ("mixed", 1, "b")
    assert doubt.share == pytest.approx(1 / 3, abs=0.01)


@pytest.mark.parametrize(
    ("cells", "kind", "text"),
    [
        ([3] * ROWS, "constant", "3"),
        (["EUR"] * ROWS, "constant", "EUR"),
        ([True] * ROWS, "constant", "true"),
        ([None] * 100 + ["EUR"] * (ROWS - 100), "constant", "EUR"),
        (["EUR"] * (ROWS - 1) + ["USD"], "nearly_constant", "EUR"),
        ([0] * (ROWS - 15) + list(range(1, 16)), "nearly_constant", "0"),
    ],
    ids=["number", "word", "truth", "and nulls", "but one", "but a few numbers"],
)
def test_one_value_that_is_nearly_all_is_told(cells: list[Any], kind: str, text: str) -> None:
    (doubt,) = doubted({"x": cells})

    assert (doubt.kind, doubt.text) == (kind, text)
    assert doubt.share == pytest.approx(1, abs=0.01)


def test_half_of_the_rows_are_not_nearly_all() -> None:
    assert doubted({"x": [0] * 1900 + list(range(1, 101))}) == []


def test_columns_that_are_equal_in_every_row_are_told() -> None:
    x, words = normal(2), [f"w{row % 7}" for row in range(ROWS)]

    found = doubted({"a": x, "b": normal(3), "c": x.copy(), "d": words, "e": [*words], "f": -x})

    assert [(each.kind, each.column, each.other) for each in found] == [
        ("duplicate", "c", "a"),
        ("duplicate", "e", "d"),
    ]


def test_rows_that_are_sorted_by_a_column_are_told_where_nobody_said_their_order() -> None:
    columns = {"price": np.sort(np.random.default_rng(1).gamma(3, 50, ROWS).round(2)), "x": normal(2)}

    assert [(each.kind, each.column) for each in doubted(columns)] == [("rising", "price")]
    assert doubted(columns, ordered=False) == []
    assert doubted(columns, has_time=True) == []


def test_what_is_left_out_is_not_doubted() -> None:
    assert doubted({"n": np.arange(ROWS), "x": normal(2)}, keep=()) == []


@pytest.mark.parametrize(
    "name", ["label", "target", "y", "class", "outcome", "churned", "is_fraud", "y_true", "Survived"]
)
def test_names_of_labels_are_known(name: str) -> None:
    assert is_label_name(name)


@pytest.mark.parametrize("name", ["age", "classroom", "targeted_ads", "day", "yes", "labelling"])
def test_other_names_are_no_labels(name: str) -> None:
    assert not is_label_name(name)


def test_a_row_that_is_repeated_is_told_where_others_differ() -> None:
    rng = np.random.default_rng(5)
    repeated = rng.random(ROWS) < 0.1
    columns: dict[str, Column] = {
        "x": np.where(repeated, 1.25, rng.normal(size=ROWS)),
        "c": ["q" if each else "pr"[row % 2] for row, each in enumerate(repeated.tolist())],
    }

    (doubt,) = doubted(columns)

    assert (doubt.kind, doubt.row) == ("repeated", int(np.flatnonzero(repeated)[0]) + 1)
    assert doubt.share == pytest.approx(0.1, abs=0.02)


def test_values_that_are_each_frequent_make_no_repetition_of_rows() -> None:
    rng = np.random.default_rng(6)
    inflated = np.where(rng.random(ROWS) < 0.95, 0.0, rng.gamma(2, 2, ROWS))
    columns: dict[str, Column] = {
        "claims": inflated,
        "paid": (rng.random(ROWS) < 0.1).tolist(),
        "x": [None] * 10 + [2.5, 1.5] * 995,
    }

    assert [each.kind for each in doubted(columns)] == []
    assert doubted({name: (rng.random(ROWS) < 0.3).tolist() for name in "abc"}) == []


def test_rows_are_told_by_their_place_in_the_whole_file() -> None:
    seen: list[FirstPass] = []
    cells: list[Any] = [*normal(2).tolist(), "eleven"]
    tables = [table_of_columns({"x": cells[start : start + 300]}) for start in range(0, len(cells), 300)]
    made = build_reference(
        lambda: [{"feature": table} for table in tables],
        rng=np.random.default_rng(0),
        created_at=0.0,
        seen=seen.append,
    )

    (doubt,) = doubts(seen[0], made, has_time=False)

    assert doubt.row == ROWS + 1
