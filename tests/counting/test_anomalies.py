"""Which exchanges of a batch are anomalous, and in what way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from dashlight.counting.anomalies import NEW_CATEGORY, OUT_OF_RANGE, WRONG_TYPE
from dashlight.counting.policy import Policy
from dashlight.counting.rows import RowCounter
from dashlight.records import Prediction, Table
from dashlight.window.columns import Reference
from dashlight.window.reference.build import build_reference_from_columns
from dashlight.window.tables import table_of_columns

ROWS = 2000
CITIES = ("Bonn", "Oslo", "Rome")


def a_reference(rows: int = ROWS, **columns: Any) -> Reference:
    rng = np.random.default_rng(7)
    held = {
        "age": rng.uniform(18, 90, rows),
        "city": rng.choice(CITIES, rows).tolist(),
        "member": rng.choice([True, False], rows).tolist(),
        "note": [f"words number {at} of {rows}" for at in range(rows)],
        "score": rng.random(rows),
    }
    return build_reference_from_columns({**held, **columns}, {"score": "output"}, rng=rng, created_at=0.0)


@pytest.fixture(scope="module")
def reference() -> Reference:
    """2,000 rows of a number, a category, a truth value, a text and an output."""
    return a_reference()


def marked(
    reference: Reference,
    features: dict[str, Sequence[Any]],
    outputs: dict[str, Sequence[Any]] | None = None,
    *,
    exchange: Sequence[int] | None = None,
    policy: Policy | None = None,
    times: int = 1,
) -> list[int]:
    """The marks of each exchange after the last of some batches alike."""
    asked = table_of_columns(features)
    places = np.array(range(asked.rows) if exchange is None else exchange, np.intp)
    answered = table_of_columns(outputs or {"score": [0.5] * asked.rows})
    counter = RowCounter(reference, policy or Policy())
    marks = np.zeros(int(places.max()) + 1, np.uint8)
    for _ in range(times):
        marks[:] = 0
        prediction = Prediction("/p", "", "", "plain", _of(asked, places), _of(answered, places))
        counter.add(prediction, np.zeros(len(marks), "V16"), None, marks)
    found: list[int] = marks.tolist()
    return found


def _of(table: Table, places: Any) -> Table:
    return Table(table.rows, table.number_names, table.numbers, table.cell_names, table.cells, places)


def usual(**columns: Sequence[Any]) -> dict[str, Sequence[Any]]:
    rows = len(next(iter(columns.values())))
    others: dict[str, list[Any]] = {
        "age": [40.0],
        "city": ["Bonn"],
        "member": [True],
        "note": ["words number 3 of 2000"],
    }
    return {**{name: values * rows for name, values in others.items()}, **columns}


CASES: dict[str, tuple[dict[str, Sequence[Any]], list[int]]] = {
    "above and below the range": (usual(age=[40.0, 200.0, -5.0]), [0, OUT_OF_RANGE, OUT_OF_RANGE]),
    "a category never seen": (usual(city=["Bonn", "Lima"]), [0, NEW_CATEGORY]),
    "a text for a number": (usual(age=[40.0, "old"]), [0, WRONG_TYPE]),
    "a list for a category": (usual(city=["Bonn", [1, 2]]), [0, WRONG_TYPE]),
    "a number for a truth value": (usual(member=[True, 7.5]), [0, WRONG_TYPE]),
    "several things": (usual(age=[500.0, 40.0], city=["Lima", "Bonn"]), [OUT_OF_RANGE | NEW_CATEGORY, 0]),
    "nothing there": (usual(age=[None, 40.0], city=["Bonn", None]), [0, 0]),
    "a number that is written": (usual(age=["41", 40.0]), [0, 0]),
}


@pytest.mark.parametrize(("features", "expected"), CASES.values(), ids=CASES.keys())
def test_what_is_wrong_with_an_exchange_is_marked(
    reference: Reference, features: dict[str, Sequence[Any]], expected: list[int]
) -> None:
    assert marked(reference, features) == expected


def test_an_output_is_anomalous_as_a_feature_is(reference: Reference) -> None:
    assert marked(reference, usual(age=[40.0, 41.0]), {"score": [0.5, 7.0]}) == [0, OUT_OF_RANGE]


def test_of_an_exchange_of_many_rows_one_is_enough(reference: Reference) -> None:
    features = usual(age=[40.0, 300.0, 41.0, 42.0], city=["Bonn", "Bonn", "Lima", "Rome"])

    assert marked(reference, features, exchange=[0, 0, 0, 1]) == [OUT_OF_RANGE | NEW_CATEGORY, 0]


def test_of_columns_that_nobody_watches_nothing_is_wrong(reference: Reference) -> None:
    features = usual(age=[500.0, 40.0], city=["Bonn", "Lima"])

    assert marked(reference, features, policy=Policy(ignored=("age",))) == [0, NEW_CATEGORY]
    assert marked(reference, features, policy=Policy(importance={"city": 0.0})) == [OUT_OF_RANGE, 0]


def test_what_the_reference_itself_has_often_says_nothing() -> None:
    rng = np.random.default_rng(8)
    names = [f"c{number}" for number in rng.zipf(1.6, ROWS)]
    reference = a_reference(city=names)

    assert next(column for column in reference.columns if column.name == "city").kind == "categorical"
    assert marked(reference, usual(city=["c1x", "c2x"])) == [0, 0]


def test_what_repeats_is_as_anomalous_as_the_first_time(reference: Reference) -> None:
    assert marked(reference, usual(age=[500.0] * 200), times=3) == [OUT_OF_RANGE] * 200


def test_rows_like_the_reference_are_seldom_anomalous(reference: Reference) -> None:
    rng = np.random.default_rng(9)
    features: dict[str, Any] = {
        "age": rng.uniform(18, 90, 4000).tolist(),
        "city": rng.choice(CITIES, 4000).tolist(),
        "member": rng.choice([True, False], 4000).tolist(),
        "note": ["words number 7 of 2000"] * 4000,
    }

    assert sum(mark > 0 for mark in marked(reference, features, {"score": rng.random(4000).tolist()})) < 30
