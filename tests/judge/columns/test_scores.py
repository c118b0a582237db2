from collections.abc import Callable

import numpy as np
import pytest

from dashlight.judge.columns.divergence import ks, psi
from dashlight.judge.columns.scores import scores
from dashlight.records import Score
from dashlight.window.columns import ColumnReference, stacked_counts
from dashlight.window.layout import ABOVE, NULL, TYPE_ERROR, UNSEEN

MakeColumns = Callable[..., tuple[ColumnReference, ...]]


@pytest.fixture
def columns(columns_of: MakeColumns) -> tuple[ColumnReference, ...]:
    rng = np.random.default_rng(110)
    return columns_of(
        {
            "temp": rng.standard_normal(2000),
            "dest": rng.choice(["ATL", "ORD", "LAX"], 2000).tolist(),
            "late": rng.choice([True, False], 2000).tolist(),
            "remark": [f"remark number {place}" for place in range(2000)],
        }
    )


def named(found: list[Score], column: str) -> dict[str, Score]:
    return {score.statistic: score for score in found if score.column == column}


def test_each_kind_of_column_has_the_scores_that_mean_something(columns: tuple[ColumnReference, ...]) -> None:
    counts = stacked_counts(columns)

    found = scores(columns, counts, counts)

    everyone = {"missing_rate", "type_error_rate", "psi", "js"}
    assert set(named(found, "temp")) == everyone | {"out_of_range_rate", "ks", "w1"}
    assert set(named(found, "dest")) == everyone | {"unseen_rate"}
    assert set(named(found, "late")) == everyone | {"unseen_rate"}
    assert set(named(found, "remark")) == everyone


def test_a_column_like_its_reference_is_at_no_distance(columns: tuple[ColumnReference, ...]) -> None:
    counts = stacked_counts(columns)

    found = scores(columns, counts, counts)

    distances = [score for score in found if score.statistic in {"psi", "js", "ks", "w1"}]
    assert [score.value for score in distances] == [0.0] * len(distances)


def test_rates_come_with_an_interval_and_the_references_value(columns: tuple[ColumnReference, ...]) -> None:
    reference = stacked_counts(columns)
    current = np.zeros_like(reference)
    current[0, [NULL, TYPE_ERROR, ABOVE, 20]] = [5, 1, 3, 91]
    current[1, [UNSEEN, 4]] = [8, 92]

    found = scores(columns, reference, current)

    missing = named(found, "temp")["missing_rate"]
    # Wilson's interval of 5 in 100.
    assert (missing.value, missing.reference, missing.rows) == (0.05, 0.0, 100)
    assert (missing.low, missing.high) == pytest.approx((0.0215, 0.1118), abs=1e-4)
    assert named(found, "temp")["type_error_rate"].value == 0.01
    assert named(found, "temp")["out_of_range_rate"].value == 0.03
    assert named(found, "dest")["unseen_rate"].value == 0.08


def test_distances_are_those_of_the_columns_own_counts(columns: tuple[ColumnReference, ...]) -> None:
    reference = stacked_counts(columns)
    current = np.zeros_like(reference)
    current[:, 4:8] = [[10, 20, 30, 40]] * len(columns)

    found = named(scores(columns, reference, current), "temp")

    assert found["psi"].value == pytest.approx(float(psi(reference[0], current[0]).value))
    assert found["ks"].value == pytest.approx(float(ks(reference[0], current[0]).value))
    assert found["psi"].reference is None


def test_w1_is_in_the_references_interquartile_ranges(columns_of: MakeColumns) -> None:
    # Even from 0 to 100, then all in its upper half: moved by 25, half of the middle half's width of 50.
    columns = columns_of({"x": np.arange(10_000) / 100})
    reference = stacked_counts(columns)
    current = reference.copy()
    current[0, 4:20] = 0

    found = named(scores(columns, reference, current), "x")

    assert found["w1"].value == pytest.approx(0.5, abs=0.01)


def test_a_column_without_rows_has_no_scores(columns: tuple[ColumnReference, ...]) -> None:
    reference = stacked_counts(columns)
    current = np.zeros_like(reference)
    current[0, 4] = 10

    found = scores(columns, reference, current)

    assert {score.column for score in found} == {"temp"}


def test_no_columns_have_no_scores() -> None:
    nothing = stacked_counts([])

    assert scores([], nothing, nothing) == []
