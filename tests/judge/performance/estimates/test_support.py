from collections.abc import Callable

import numpy as np
import pytest

from dashlight.judge.performance.estimates.support import Outside, Support, missing_pairs
from dashlight.offline.reference import reference_of
from dashlight.offline.tables import table_of
from dashlight.window.bins import Binner
from dashlight.window.reference.steps import finished

Look = Callable[[dict[str, object]], Outside]
ROWS = 4000


def people(rng: np.random.Generator, rows: int = ROWS) -> dict[str, object]:
    """Children are not married."""
    ages = rng.uniform(0, 80, rows)
    married = (ages > 18) & (rng.random(rows) < 0.6)
    return {
        "age": ages,
        "married": np.where(married, "yes", "no").tolist(),
        "city": rng.choice(["Bonn", "Kiel"], rows).tolist(),
    }


@pytest.fixture(scope="module")
def look() -> Look:
    columns = people(np.random.default_rng(0))
    reference = reference_of(columns, None, ordered=False, created_at=0.0)
    binner = Binner(reference.columns)

    def codes(values: dict[str, object]) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        return binner.codes(table_of(values, len(values["city"])))  # type: ignore[arg-type]

    support = Support(reference.columns, finished(missing_pairs(reference.columns, codes(columns))))
    return lambda values: finished(support.outside(codes(values)))


def test_rows_like_those_of_the_reference_lie_inside(look: Look) -> None:
    assert look(people(np.random.default_rng(1))).share < 0.005


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("age", np.full(ROWS, 200.0)),
        ("age", np.full(ROWS, -5.0)),
        ("age", np.full(ROWS, np.nan)),
        ("city", ["Rome"] * ROWS),
    ],
    ids=["above", "below", "null that never was", "new category"],
)
def test_a_value_that_the_reference_never_had_lies_outside(look: Look, column: str, values: object) -> None:
    outside = look(people(np.random.default_rng(2)) | {column: values})

    assert outside.share == 1.0
    assert outside.columns[0] == (column, 1.0)


def test_two_usual_values_that_never_met_lie_outside(look: Look) -> None:
    rows = people(np.random.default_rng(3)) | {"age": np.full(ROWS, 7.0), "married": ["yes"] * ROWS}

    outside = look(rows)

    assert outside.share == 1.0
    assert outside.columns[0] == ("age with married", 1.0)


def test_the_share_is_that_of_the_rows(look: Look) -> None:
    rows = people(np.random.default_rng(4))
    ages = np.array(rows["age"])
    ages[::4] = 500.0

    assert look(rows | {"age": ages}).share == pytest.approx(0.25, abs=0.005)


def test_a_new_category_among_very_many_is_one_more_rare_one() -> None:
    rng = np.random.default_rng(5)
    columns = {"zip": [f"z{code}" for code in rng.integers(0, 400, ROWS)]}
    reference = reference_of(columns, None, ordered=False, created_at=0.0)
    codes = Binner(reference.columns).codes(table_of({"zip": ["new"] * 100}, 100))

    assert finished(Support(reference.columns).outside(codes)).share == 0.0
