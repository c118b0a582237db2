from collections.abc import Callable

import numpy as np
import pytest

from dashlight.errors import ReferenceDataError
from dashlight.records import Prediction, Table
from dashlight.window.columns import Reference
from dashlight.window.reference.learning import Learning, size_of
from dashlight.window.reference.steps import finished

Tables = Callable[..., Table]


def prediction(features: Table, outputs: Table) -> Prediction:
    return Prediction("/predict", "flights", "1", "json", features, outputs)


def learned(learning: Learning) -> Reference:
    return finished(learning.reference(rng=np.random.default_rng(0), created_at=5.0, model="flights"))


def test_rows_are_collected_until_there_are_enough(table: Tables) -> None:
    learning = Learning(5)
    batch = prediction(table({"x": [1.0, 2.0]}), table({"y": [0.5, 0.5]}))

    seen = []
    while not learning.is_full:
        learning.add(batch)
        seen.append(learning.rows)

    assert seen == [2, 4, 6]
    assert learning.rows_wanted == 5
    with pytest.raises(ValueError, match="rows wanted are there"):
        learning.add(batch)


def test_the_reference_is_that_of_the_rows_in_their_order(table: Tables) -> None:
    learning = Learning(300)
    for row in range(300):
        learning.add(prediction(table({"x": [row + 0.5]}, {"c": ["ab"[row % 2]]}), table({"y": [0.5]})))

    made = learned(learning)

    assert (made.source, made.ordered, made.rows, made.model, made.created_at) == ("learned", True, 300, "flights", 5.0)
    x, c, y = made.columns
    assert (x.role, x.kind, x.low, x.high) == ("feature", "numeric", 0.5, 299.5)
    assert (c.kind, set(c.categories), y.role) == ("categorical", {"a", "b"}, "output")
    assert [part.blocks for part in x.variation] == [3, 0, 0]


def test_fewer_rows_than_wanted_are_learned_from_as_well(table: Tables) -> None:
    learning = Learning(5000)
    learning.add(prediction(table({"x": [1.0]}), table({"y": [1.0]})))

    assert learned(learning).rows == 1


def test_nothing_can_be_learned_from_no_rows() -> None:
    with pytest.raises(ReferenceDataError, match="too few rows: found 0"):
        learned(Learning(10))


def test_a_code_that_is_sometimes_a_number_is_one_column_of_categories(table: Tables) -> None:
    learning = Learning(4)
    learning.add(prediction(table({"code": [5.0, 5.0]}), table()))
    learning.add(prediction(table(cells={"code": ["A", "B"]}), table()))

    assert set(learned(learning).columns[0].categories) == {"5", "A", "B"}


def test_columns_beyond_the_limit_are_left_out(table: Tables) -> None:
    learning = Learning(10, column_limit=2)
    learning.add(prediction(table({"a": [1.0], "b": [1.0], "c": [1.0]}, {"d": ["x"]}), table({"y": [1.0]})))
    learning.add(prediction(table({"a": [1.0], "c": [1.0]}), table({"y": [1.0]})))

    assert [column.name for column in learned(learning).columns] == ["a", "b", "y"]


def test_what_is_no_single_value_is_learned_as_a_type_error_and_not_kept(table: Tables) -> None:
    learning = Learning(10)
    cells = ["x" * 10_000, "x" * 10_000, [1] * 10_000, None, True, 3, "y", "y", "y", "y"]
    learning.add(prediction(table(cells={"c": cells}), table()))

    kept = learning._tables["feature"][0].cells[0]
    column = learned(learning).columns[0]

    assert [len(cell) for cell in kept if isinstance(cell, str)] == [4096, 4096, 1, 1, 1, 1]
    assert not any(isinstance(cell, list) for cell in kept)
    assert column.counts[:3].tolist() == [1, 1, 0]
    assert set(column.categories) == {"y", "x" * 200, "3", "true"}


def test_what_was_learned_does_not_change_with_the_batch(table: Tables) -> None:
    batch = table({"x": [1.0, 2.0]})
    learning = Learning(2)
    learning.add(prediction(batch, table()))

    batch.numbers[:] = 99.0

    assert learned(learning).columns[0].high == 2.0


def test_lists_and_images_are_learned_as_what_they_stand_for(table: Tables) -> None:
    learning = Learning(300)
    films = [["Antz", "Toy Story"], [{"id": "Antz", "why": "x" * 9999}], ["Antz", None], 5]
    steps = [[{"ds": "2026-03-01", "yhat": 0.1}, {"ds": "2026-03-02", "yhat": 0.2}]] * 4
    photos = [{"format": "png", "bytes": 5, "exif": "x" * 9999}] * 4
    while not learning.is_full:
        learning.add(prediction(table(), table(cells={"films": films, "steps": steps, "photo": photos})))

    kept = learning.chunk["output"]
    columns = {column.name: column for column in learned(learning).columns}

    assert [list(cells)[:4] for cells in kept.cells] == [
        [("Antz", "Toy Story"), ("Antz",), None, 5],
        [((1772323200.0, 0.1), (1772409600.0, 0.2))] * 4,
        [{"format": "png", "bytes": 5}] * 4,
    ]
    assert {name: columns[name].kind for name in ("films", "steps", "photo")} == {
        "films": "ranking",
        "steps": "forecast",
        "photo": "image",
    }


def test_an_item_that_comes_again_is_kept_once(table: Tables) -> None:
    learning = Learning(2)
    for _ in range(2):
        learning.add(prediction(table(), table(cells={"films": [[f"film {learning.rows_wanted}"]]})))

    ((one, other),) = learning.chunk["output"].cells
    assert one[0] is other[0]  # type: ignore[index]


def test_items_are_forgotten_where_too_many_differ(table: Tables) -> None:
    learning = Learning(60)
    for row in range(60):
        learning.add(prediction(table(), table(cells={"films": [[f"{row} {place}" for place in range(1000)]]})))

    assert learning.is_full


def test_of_rows_that_are_too_large_the_first_are_kept_of_either_role(table: Tables) -> None:
    learning = Learning(100)
    texts = ["x" * 2000] * 2 + ["y" * 100] * 18
    features, outputs = table(cells={"text": texts}), table({"score": np.arange(20.0)})

    size = learning.add(prediction(features, outputs), most_bytes=5000)

    kept = learning.chunk
    assert kept["feature"].cells[0] == texts[: learning.rows]
    assert kept["output"].numbers.tolist() == [list(range(learning.rows))]
    assert 2 <= learning.rows < 20
    assert size == sum(map(size_of, kept.values())) <= 5000


def test_where_not_even_a_row_fits_none_is_kept(table: Tables) -> None:
    learning = Learning(100)

    assert learning.add(prediction(table(cells={"text": ["x" * 4000] * 3}), table()), most_bytes=3999) == 0
    assert learning.rows == 0


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("abc", 11),
        ("\u00fcbc", 17),
        (None, 8),
        (True, 8),
        (5.0, 8),
        (np.zeros(1000, np.float32), 4160),
        (("ab", "cd"), 28),
        ([(1.0, 2.0), (3.0, 4.0)], 56),
        ({"format": "png", "bytes": 5}, 160),
    ],
)
def test_a_row_holds_what_its_cells_hold(table: Tables, cell: object, expected: int) -> None:
    assert size_of(table({"x": [1.0]}, {"c": [cell]})) == expected + 16
