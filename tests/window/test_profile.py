import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from dashlight.errors import ReferenceDataError
from dashlight.records import Table
from dashlight.window.columns import ColumnReference, Profile
from dashlight.window.profile import (
    PRECISIONS,
    QUANTILES,
    ProfileMeter,
    parsed_profile,
    precisions_of,
    profile_content,
    spelling,
    types_of,
)
from dashlight.window.tables import Column, table_of_columns, taken

Make = Callable[..., ColumnReference]


def profile_of(column: ColumnReference, values: Column, step: int = 100_000) -> Profile:
    table: Table = table_of_columns({column.name: values})
    meter = ProfileMeter([column])
    for start in range(0, table.rows, step):
        meter.add(taken(table, np.arange(start, min(start + step, table.rows))))
    return meter.profiles()[column.role, column.name]


@pytest.mark.parametrize(
    ("number", "decimals"),
    [(1.0, 0), (10.0, -1), (-500.0, -2), (12000.0, -3), (1.5, 1), (0.1 + 0.2, 1), (39.02, 2), (1 / 3, 6), (-0.001, 3)],
)
def test_the_decimals_that_a_number_needs(number: float, decimals: int) -> None:
    assert PRECISIONS[precisions_of(np.array([number]))[0]] == decimals


def test_types_of_cells() -> None:
    cells: list[object] = [None, float("nan"), 1, 1.5, True, "x", [1], {}, b"x"]

    assert types_of(cells).tolist() == [0, 0, 1, 1, 2, 3, 4, 4, 4]


def test_spellings_share_a_key() -> None:
    assert len({spelling(text) for text in ("Köln", " KÖLN ", "Ko\u0308ln", "\uff2bÖLN")}) == 1


def test_a_numeric_column_is_profiled(column: Make) -> None:
    values = np.array([0.0, 0.0, 1.5, 2.0, 2.0, 2.0, 10.0, np.nan, np.nan, 30.0])

    found = profile_of(column("x"), values)

    assert found.rows == 10
    assert found.types == (0.2, 0.8, 0.0, 0.0, 0.0)
    assert found.precisions[PRECISIONS.index(-1)] == pytest.approx(2 / 6)
    assert found.precisions[PRECISIONS.index(0)] == pytest.approx(5 / 6)
    assert found.precisions[PRECISIONS.index(1)] == 1.0
    assert found.values == (0.0, 1.5, 2.0, 10.0, 30.0)
    assert found.shares == (0.25, 0.125, 0.375, 0.125, 0.125)
    assert found.frequent[:2] == (("2", 0.375), ("0", 0.25))
    assert found.repeat_share == pytest.approx(4 / 9)
    assert found.longest_run == 3
    assert (found.quantiles[0], found.quantiles[-1], len(found.quantiles)) == (0.0, 30.0, QUANTILES)


def test_quantiles_are_those_of_numpy(column: Make) -> None:
    values = np.random.default_rng(1).normal(size=50_000)

    found = profile_of(column("x"), values, step=777)

    expected = np.quantile(values, np.linspace(0.05, 0.95, 7))
    assert np.quantile(found.quantiles, np.linspace(0.05, 0.95, 7)) == pytest.approx(expected, abs=0.05)
    assert found.values == ()
    assert found.shares == ()


@pytest.mark.parametrize("step", [1, 7, 100, 333])
def test_how_the_rows_stream_by_changes_nothing(step: int, column: Make) -> None:
    rng = np.random.default_rng(2)
    numbers = np.where(rng.random(1000) < 0.5, np.nan, rng.integers(3, size=1000) * 0.5)
    words = rng.choice(["a", "b"], 1000).tolist()

    for name, kind, values in (("x", "numeric", numbers), ("w", "categorical", words)):
        assert profile_of(column(name, kind), values, step) == profile_of(column(name, kind), values)


def test_the_roundest_block_of_a_reference_is_remembered(column: Make) -> None:
    rng = np.random.default_rng(3)
    values = np.concatenate([rng.random(300), np.arange(1, 101), rng.random(350), np.arange(1, 51)])

    found = profile_of(column("x"), values)

    assert found.precisions[PRECISIONS.index(0)] == pytest.approx(150 / 800)
    assert found.roundest[PRECISIONS.index(0)] == 1.0


def test_a_categorical_column_is_profiled(column: Make) -> None:
    cells = ["Ulm", "Ulm", None, "Bonn", 3, True, [1]]

    found = profile_of(column("city", "categorical", categories=("Ulm", "Bonn"), known=("ULM",)), cells)

    assert found.types == pytest.approx((1 / 7, 1 / 7, 1 / 7, 3 / 7, 1 / 7))
    assert found.spellings == {"ulm": "Ulm", "bonn": "Bonn"}
    assert found.frequent[0] == ("Ulm", 0.4)
    assert found.repeat_share == pytest.approx(1 / 6)
    assert found.longest_run == 2


def test_a_column_that_the_table_lacks_is_null(column: Make) -> None:
    meter = ProfileMeter([column("x"), column("y")])

    meter.add(table_of_columns({"x": np.array([1.0, 2.0])}))

    assert meter.profiles()["feature", "y"].types[0] == 1.0


def test_an_empty_profile_has_no_quantiles(column: Make) -> None:
    found = profile_of(column("x"), np.zeros(0))

    assert found == Profile(0, (0.0,) * 5)


def test_empty_tables_change_nothing(column: Make) -> None:
    meter = ProfileMeter([column("x"), column("w", "categorical")])

    meter.add(table_of_columns({"x": np.ones(2), "w": ["a", "b"]}))
    before = meter.profiles()
    meter.add(table_of_columns({"x": np.ones(0), "w": np.array([], object)}))

    assert meter.profiles() == before


def test_numbers_too_large_to_multiply_are_bounded(column: Make) -> None:
    found = profile_of(column("x"), np.array([1e300, -1e308, np.inf, 1.0]))

    assert found.quantiles[0] == -1e150
    assert found.values == (-1e150, 1.0, 1e150)


def test_a_profile_survives_its_file(column: Make) -> None:
    rng = np.random.default_rng(4)
    for kind, values in (("numeric", rng.normal(size=500)), ("categorical", rng.choice(["a", "B"], 500).tolist())):
        found = profile_of(column("x", kind, categories=("a", "B")), values)

        assert parsed_profile(json.loads(json.dumps(profile_content(found)))) == found


@pytest.mark.parametrize(
    "change",
    [
        {"rows": -1},
        {"rows": "many"},
        {"types": [1.0]},
        {"types": [2.0, 0, 0, 0, 0]},
        {"precisions": [0.5]},
        {"roundest": []},
        {"quantiles": [1.0, 2.0]},
        {"quantiles": [float(-at) for at in range(QUANTILES)]},
        {"values": [2.0, 1.0], "shares": [0.5, 0.5]},
        {"values": [1e200], "shares": [1.0]},
        {"shares": [0.1, 0.2]},
        {"frequent": [["a", 0.1]] * 6},
        {"spellings": {"a": 1}},
        {"unknown": 1},
    ],
)
def test_nonsense_is_no_profile(change: dict[str, Any], column: Make) -> None:
    content = profile_content(profile_of(column("x"), np.arange(50.0)))

    with pytest.raises(ReferenceDataError, match="holds no profile of a column"):
        parsed_profile(content | change)


def test_a_list_is_no_profile() -> None:
    with pytest.raises(ReferenceDataError, match="holds no profile"):
        parsed_profile([])


def test_an_array_among_the_cells_is_of_another_type() -> None:
    types = types_of([np.zeros(3), "a", float("nan"), None, 1.0])

    assert types[0] == types_of([[1.0]])[0]
    assert types[2] == types[3]
