from collections.abc import Sequence

import numpy as np

from dashlight.decode.rows.columns import Sheet
from dashlight.decode.rows.gather import MOST_CELLS, Gathering, Group
from dashlight.decode.rows.tables import table_of
from dashlight.records import Role

GROUP = Group("/predict", "iris", "1", "plain")


def everything(names: tuple[str, ...], role: Role) -> Sequence[int] | None:
    return None


def test_rows_of_one_group_become_one_prediction() -> None:
    gathering = Gathering()
    gathering.add_tables(GROUP, table_of(["x"], [[1.0, 3.0]], [0, 2]), table_of(["y"], [[0, 0]], [0, 2]))
    gathering.add_sheets(GROUP, 1, Sheet(("x",), [[2.0]]), Sheet(("y",), [["odd"]]))
    gathering.add_sheets(Group("/other", "", "", "plain"), 3, Sheet(("x",), [[9.0]]), None)

    first, second = gathering.predictions(everything)

    assert (first.endpoint, first.model, first.version, first.protocol) == ("/predict", "iris", "1", "plain")
    assert first.features.numbers.tolist() == [[1.0, 2.0, 3.0]]
    assert first.features.exchange.tolist() == [0, 1, 2]
    assert [list(cells) for cells in first.outputs.cells] == [[0.0, "odd", 0.0]]
    assert second.endpoint == "/other"
    assert second.outputs.rows == 0


def test_columns_are_chosen_by_name() -> None:
    gathering = Gathering()
    gathering.add_sheets(GROUP, 0, Sheet(("a", "b", "c"), [[1, 2, 3]]), Sheet(("y",), [[4]]))

    (prediction,) = gathering.predictions(lambda names, _: [at for at, name in enumerate(names) if name in {"a", "c"}])

    assert prediction.features.number_names == ("a", "c")
    assert prediction.features.numbers.tolist() == [[1.0], [3.0]]
    assert prediction.outputs.number_names == ()
    assert prediction.outputs.rows == 1


def test_exchanges_of_no_rows_leave_an_empty_table() -> None:
    gathering = Gathering()
    gathering.add_sheets(GROUP, 0, Sheet(), Sheet())

    (prediction,) = gathering.predictions(everything)

    assert (prediction.features.rows, prediction.outputs.rows) == (0, 0)


def test_rows_with_few_columns_in_common_are_parted_before_they_are_mostly_null() -> None:
    gathering = Gathering()
    for place in range(200):
        names = tuple(f"name {60 * place + at}" for at in range(60))
        gathering.add_sheets(GROUP, place, Sheet(names, [[1.0] * 60] * 15), Sheet(("y",), [[2.0]] * 15))

    found = gathering.predictions(everything)

    assert max(each.features.numbers.size for each in found) <= MOST_CELLS
    assert sum(each.features.rows for each in found) == sum(each.outputs.rows for each in found) == 200 * 15
    for each in found:
        assert np.array_equal(each.features.exchange, each.outputs.exchange)
        assert np.isfinite(each.features.numbers).sum() == 60 * each.features.rows


def test_rows_of_the_same_columns_stay_together_however_many() -> None:
    gathering = Gathering()
    for place in range(100):
        names = ("x", "y") if place % 2 else ("x",)
        gathering.add_sheets(GROUP, place, Sheet(names, [[1.0] * len(names)] * 2000), None)

    (prediction,) = gathering.predictions(everything)

    assert prediction.features.numbers.size == 2 * 100 * 2000 > MOST_CELLS
