import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from dashlight.window.reference.edges import numeric_edges, value_bins

LARGEST = float(np.finfo(np.float64).max)
finite = st.floats(allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(("rows", "bins"), [(0, 4), (100, 4), (250, 10), (800, 32), (10**6, 32)])
def test_there_is_a_bin_for_every_twenty_five_rows_between_four_and_thirty_two(rows: int, bins: int) -> None:
    assert value_bins(rows) == bins


def test_few_distinct_values_get_a_bin_each_with_edges_halfway() -> None:
    values = np.array([3.0, 1.0, 1.0, 2.0, 2.0])

    assert numeric_edges(values, rows=1000).tolist() == [1.5, 2.5]


def test_neighbouring_floats_are_still_told_apart() -> None:
    lower = 1.0
    upper = float(np.nextafter(1.0, 2.0))

    assert numeric_edges(np.array([lower, upper]), rows=1000).tolist() == [upper]


def test_the_largest_floats_do_not_overflow() -> None:
    assert numeric_edges(np.array([-LARGEST, LARGEST]), rows=1000).tolist() == [0.0]


def test_no_value_gives_no_edge() -> None:
    assert numeric_edges(np.zeros(0), rows=0).tolist() == []


def test_many_distinct_values_are_cut_at_their_quantiles() -> None:
    values = np.arange(1.0, 3201.0)

    edges = numeric_edges(values, rows=3200)

    # Between two values: the last of a bin and the first of the next.
    assert edges.tolist() == [100 * k - 0.5 for k in range(1, 32)]


def test_a_heavy_value_gets_a_bin_of_its_own() -> None:
    values = np.concatenate([np.zeros(300), np.linspace(-1, 1, 701)])

    edges = numeric_edges(values, rows=1001)

    around = np.searchsorted(edges, 0.0)
    assert edges[around - 1 : around + 1].tolist() == pytest.approx([-0.00142857, 0.00142857], rel=1e-3)
    assert len(edges) == 31


def test_heavy_values_side_by_side_need_no_bin_between_them() -> None:
    values = np.concatenate([np.repeat([10.0, 11.0, 12.0], 200), np.arange(20.0, 420.0)])

    edges = numeric_edges(values, rows=1000).tolist()

    assert edges[:3] == [10.5, 11.5, 16.0]


def test_no_edge_lies_on_a_value() -> None:
    rng = np.random.default_rng(3)
    values = np.round(rng.gamma(2, 10, 5000), 1)

    edges = numeric_edges(values, rows=5000)

    assert len(edges) > 20
    assert not np.isin(edges, values).any()
    distinct = np.unique(values)
    gaps = np.abs(edges[:, np.newaxis] - distinct).min(axis=1)
    assert gaps.min() > 0.04


@given(arrays(np.float64, st.integers(0, 300), elements=finite), st.integers(0, 3000))
def test_edges_ascend_inside_the_range_and_never_exceed_thirty_one(values: NDArray[np.float64], rows: int) -> None:
    edges = numeric_edges(values, max(rows, len(values)))

    assert len(edges) <= 31
    assert (np.diff(edges) > 0).all()
    if len(edges):
        assert values.min() < edges[0]
        assert edges[-1] <= values.max()
