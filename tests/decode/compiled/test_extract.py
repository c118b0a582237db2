import math
from operator import attrgetter
from types import SimpleNamespace

import numpy as np

from dashlight.decode.compiled.extract import Steps, extractor, path_of, reach
from dashlight.records import Table

NUMBER, TEXT, ANY = frozenset({"number"}), frozenset({"text", "null"}), frozenset({"number", "text"})


def cells(table: Table) -> dict[str, list[object]]:
    return dict(zip(table.cell_names, map(list, table.cells), strict=True))


def test_values_are_reached_by_attributes_and_places() -> None:
    rows = [SimpleNamespace(a=(1, SimpleNamespace(b="x"))), SimpleNamespace(a=(2, SimpleNamespace(b="y")))]

    assert list(reach(rows, path_of(("a", 1, "b")))) == ["x", "y"]
    assert list(reach(rows, [attrgetter("a")])) == [rows[0].a, rows[1].a]


def test_columns_are_taken_from_attributes_nested_objects_and_lists() -> None:
    columns: dict[str, Steps] = {
        "a": ("f0",),
        "b": ("f1", "f0"),
        "v[0]": ("f2", 0),
        "v[1]": ("f2", 1),
        "one": ("f4", 0),
        "s": ("f3",),
        "t": ("f5",),
    }
    sorts = dict.fromkeys(columns.values(), NUMBER) | {("f3",): TEXT, ("f5",): TEXT}
    rows = [
        SimpleNamespace(f0=1.0, f1=SimpleNamespace(f0=None), f2=(3.0, 4.0), f3="x", f4=(5.0, 6.0), f5="p"),
        SimpleNamespace(f0=7.0, f1=SimpleNamespace(f0=8.0), f2=(9.0, 10.0), f3=None, f4=(11.0, 12.0), f5="q"),
    ]

    table = extractor(columns, sorts).table(rows, [0, 3])

    assert table.number_names == ("a", "b", "v[0]", "v[1]", "one")
    np.testing.assert_array_equal(table.numbers, [[1, 7], [math.nan, 8], [3, 9], [4, 10], [5, 11]])
    assert cells(table) == {"s": ["x", None], "t": ["p", "q"]}
    assert table.exchange.tolist() == [0, 3]


def test_a_row_may_be_the_value_itself() -> None:
    numbers = extractor({"prediction": ()}, {(): NUMBER}).table([1.0, 2.0], [0, 1])
    texts = extractor({"prediction": ()}, {(): TEXT}).table(["a", "b"], [0, 1])

    np.testing.assert_array_equal(numbers.numbers, [[1.0, 2.0]])
    assert cells(texts) == {"prediction": ["a", "b"]}


def test_a_column_that_may_be_anything_is_numbers_where_it_holds_nothing_else() -> None:
    taken = extractor({"a": ("f0",), "s": ("f1",)}, {("f0",): ANY, ("f1",): TEXT})

    numbers = taken.table([SimpleNamespace(f0=1.0, f1=None), SimpleNamespace(f0=None, f1=None)], [0, 1])
    mixed = taken.table([SimpleNamespace(f0=1.0, f1=None), SimpleNamespace(f0="x", f1="y")], [0, 1])

    assert numbers.number_names == ("a", "s")
    np.testing.assert_array_equal(numbers.numbers, [[1.0, math.nan], [math.nan, math.nan]])
    assert numbers.cell_names == ()
    assert mixed.number_names == ()
    assert cells(mixed) == {"a": [1.0, "x"], "s": [None, "y"]}


def test_no_columns_make_a_table_of_rows_without_columns() -> None:
    table = extractor({}, {}).table([1, 2, 3], [0, 1, 2])

    assert table.rows == 3
    assert table.numbers.shape == (0, 3)
