from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from dashlight.window.inspection.distinct import DistinctSample, HeavyRows, hashed, hashed_cells


def sampled(values: np.ndarray, most: int = 256, piece: int = 700) -> DistinctSample:
    sample = DistinctSample(most)
    for start in range(0, len(values), piece):
        sample.add(hashed(values[start : start + piece].astype(np.float64)))
    return sample


def test_few_values_are_counted_exactly() -> None:
    sample = sampled(np.repeat(np.arange(50.0), 7))

    assert (sample.distinct_count, sample.distinct_share, sample.most_rows) == (50, 50 / 350, 7)


@pytest.mark.parametrize("rows_of_each", [1, 2, 5])
def test_of_many_values_a_sample_tells_how_often_they_recur(rows_of_each: int) -> None:
    values = np.random.default_rng(1).permutation(np.repeat(np.arange(20_000.0), rows_of_each))

    sample = sampled(values)

    assert sample.distinct_share == pytest.approx(1 / rows_of_each)
    assert sample.most_rows == rows_of_each
    assert sample.distinct_count == pytest.approx(20_000, rel=0.2)


def test_zero_is_one_value_whatever_its_sign() -> None:
    assert sampled(np.array([0.0, -0.0])).distinct_count == 1


def test_nothing_has_no_values() -> None:
    assert (DistinctSample().distinct_share, DistinctSample().most_rows, HeavyRows().heaviest) == (0.0, 0, None)


@pytest.mark.parametrize("piece", [1, 37, 1000, 20_000])
def test_the_row_that_dominates_is_found_wherever_it_stands(piece: int) -> None:
    rng = np.random.default_rng(2)
    values = rng.normal(size=20_000 if piece > 1 else 2000)
    heavy = rng.random(len(values)) < 0.06
    values[heavy] = 4.25
    rows = HeavyRows()

    for start in range(0, len(values), piece):
        rows.add(hashed(values[start : start + piece]))

    assert rows.heaviest is not None
    _, count, first = rows.heaviest
    assert heavy.sum() - len(values) / 256 <= count <= heavy.sum()
    assert count >= 0.9 * heavy.sum()
    if piece > 37:  # what was forgotten for a while begins again
        assert first == np.flatnonzero(heavy)[0]


def nested(depth: int) -> list[object]:
    cell: list[object] = []
    for _ in range(depth):
        cell = [cell]
    return cell


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: [10**5000], id="a number that Python does not write"),
        pytest.param(lambda: [[10**5000]], id="one in a list in a list"),
        pytest.param(lambda: {"a": 10**5000}, id="one in an object"),
        pytest.param(lambda: nested(100_000), id="very deep"),
        pytest.param(lambda: np.arange(6.0).reshape(2, 3), id="an array"),
        pytest.param(lambda: [np.arange(3), np.float64(1), np.int64(2)], id="NumPy's among a list"),
        pytest.param(lambda: np.array([1, "a", None, [10**5000]], object), id="an array of objects"),
        pytest.param(lambda: np.array(5.0), id="an array without a dimension"),
        pytest.param(lambda: [Decimal("1.5"), datetime(2026, 1, 2, tzinfo=UTC), 1j], id="other types"),
        pytest.param(lambda: [Decimal("sNaN"), "\ud800", b"\xff"], id="what cannot be hashed or written"),
        pytest.param(lambda: {1, 2}, id="a set"),
    ],
)
def test_cells_of_any_kind_have_a_hash_and_equal_ones_the_same(make: Callable[[], Any]) -> None:
    one, two, *_ = hashed_cells([make(), make(), [1]])

    assert one == two


def test_lists_that_differ_have_other_hashes_and_their_neighbours_do_not_matter() -> None:
    cells: list[Any] = [
        *([], [1], [2], [1, 2], [[1], 2], ["1"], [None], [10**5000], [10**5001], [0.5] * 5000, [0.5] * 4999 + [0.25]),
        *(np.arange(4), np.arange(4.0), np.arange(4).reshape(2, 2), {"a": 1}, {"a": 2}, "a", 1, None),
    ]

    together = hashed_cells(cells)

    assert len(set(together.tolist())) == len(cells)
    assert [hashed_cells([cell])[0] for cell in cells] == together.tolist()
