import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from dashlight.window.ranks import MOST_EDGES, Ranks

any_number = st.floats(allow_nan=False)
few_numbers = st.sampled_from([-1.0, 0.0, 0.5, 1.0, 2.0, float("inf"), float("-inf")])


@given(
    st.lists(st.lists(any_number | few_numbers, max_size=MOST_EDGES).map(sorted), min_size=2, max_size=2),
    arrays(np.float64, (2, 40), elements=any_number | few_numbers),
)
def test_ranks_agree_with_searchsorted(edges: list[list[float]], values: NDArray[np.float64]) -> None:
    ranks = Ranks([np.array(ascending) for ascending in edges]).of(values)

    for ascending, row, rank in zip(edges, values, ranks, strict=True):
        assert rank.tolist() == np.searchsorted(np.array(ascending), row, side="right").tolist()


def test_ranks_agree_with_searchsorted_over_more_rows_than_a_slice() -> None:
    values = np.linspace(-2, 2, 3000)[np.newaxis]
    edges = np.linspace(-1, 1, 33)

    assert Ranks([edges]).of(values)[0].tolist() == np.searchsorted(edges, values[0], side="right").tolist()


def test_nan_has_reached_nothing() -> None:
    assert Ranks([np.array([-np.inf, 0.0])]).of(np.array([[np.nan]])).tolist() == [[0]]


@pytest.mark.parametrize("shape", [(0, 5), (2, 0)])
def test_there_may_be_no_columns_or_no_rows(shape: tuple[int, int]) -> None:
    assert Ranks([np.array([1.0])] * shape[0]).of(np.zeros(shape)).shape == shape
