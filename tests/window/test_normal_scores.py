from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import norm

from dashlight.window.columns import ColumnReference
from dashlight.window.layout import ABOVE, BELOW, BINS, NULL, STRUCTURAL_BINS, TYPE_ERROR
from dashlight.window.normal_scores import MOST_COLUMNS, MOST_DIMENSIONS, joint_places, normal_scores, projected, scored

MakeColumn = Callable[..., ColumnReference]


def test_a_bin_scores_the_normal_quantile_of_its_middle_rank(column: MakeColumn) -> None:
    counted = column(counts={4: 100, 5: 300, 6: 600}, edges=[1.0, 2.0])

    (scores,) = normal_scores([counted])

    assert scores.dtype == np.float32
    assert scores[4:7] == pytest.approx(norm.ppf([0.05, 0.25, 0.7]), abs=1e-5)
    assert scores[[NULL, TYPE_ERROR]].tolist() == [0.0, 0.0]
    assert scores[BELOW] < scores[4]
    assert scores[ABOVE] > scores[6]


def test_no_score_is_far_out(column: MakeColumn) -> None:
    even = column(counts=dict.fromkeys(range(STRUCTURAL_BINS, BINS), 1000))

    assert np.abs(normal_scores([even])).max() < 2.9


def test_a_column_without_order_scores_nothing(column: MakeColumn) -> None:
    codes = column(kind="categorical", counts={4: 10, 5: 20}, categories=["a", "b"])

    assert not normal_scores([codes]).any()


def test_rows_are_scored_by_the_bins_of_their_columns() -> None:
    table = np.arange(2 * BINS, dtype=np.float32).reshape(2, BINS)
    codes = np.array([[0, 5, 35], [1, 1, 4]], np.uint8)

    rows = scored(table, codes)

    assert rows.tolist() == [[0.0, 37.0], [5.0, 37.0], [35.0, 40.0]]
    assert rows.flags.c_contiguous


def test_joint_rows_are_of_numeric_columns_that_are_no_facet(column: MakeColumn) -> None:
    names = [column(name=f"x{place}") for place in range(MOST_COLUMNS + 5)]
    facet = ColumnReference(
        "t.length", "feature", "numeric", 1, np.zeros(BINS, np.int64), np.zeros(0), 0, 1, (), frozenset(), 0, (), "t"
    )

    places = joint_places([column(name="word", kind="categorical"), facet, *names])

    assert places.tolist() == list(range(2, 2 + MOST_COLUMNS))


def test_narrow_rows_stay_as_they_are() -> None:
    rows = np.arange(2.0 * MOST_DIMENSIONS).reshape(2, MOST_DIMENSIONS)

    assert projected(rows) is rows


def test_a_projection_keeps_lengths_and_angles_on_average() -> None:
    rows = np.random.default_rng(3).standard_normal((40, 1000))

    held = projected(rows)

    assert held.shape == (40, MOST_DIMENSIONS)
    before, after = rows @ rows.T / 1000, held @ held.T / 1000
    assert np.abs(after - before).max() < 0.35
    assert np.abs((after - before).mean()) < 0.01


def test_a_projection_is_a_sum_of_signed_dimensions() -> None:
    unit = np.eye(600)

    held = projected(unit)

    # Each dimension goes to one place, dimension d to d mod 256, with a sign of its own.
    assert (np.abs(held).sum(1) == 1).all()
    assert np.abs(held).argmax(1).tolist() == [place % 256 for place in range(600)]
    signs: NDArray[np.float64] = held.sum(1)
    assert 240 < (signs > 0).sum() < 360
    assert abs(signs[:-1] @ signs[1:]) < 90
