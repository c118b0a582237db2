from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from dashlight.window.events import (
    EVENT_BINS,
    EVENT_COUNT,
    EVENTS,
    FUNCTIONAL_COUNT,
    FUNCTIONAL_NAMES,
    event_counts,
    event_matrices,
    functionals,
)
from dashlight.window.layout import BINS

HIGHER, LOWER, WIDER, NARROWER = 0, 1, 2, 3
LEGENDRE_3, LEGENDRE_4 = 4, 6

FLAT = np.where(np.arange(BINS) < 4, 0.0, 1 / 32)[np.newaxis]
NUMERIC = np.array([True])


def test_there_are_four_structural_events_and_eighty_eight_intervals() -> None:
    widths = [stop - first for first, stop in EVENT_BINS]

    assert EVENT_COUNT == 92
    assert EVENT_BINS[:9] == ((0, 1), (1, 2), (2, 3), (3, 4), (4, 20), (12, 28), (20, 36), (4, 12), (8, 16))
    assert [widths[4:].count(width) for width in (16, 8, 4, 2, 1)] == [3, 7, 15, 31, 32]


@pytest.mark.parametrize("width", [16, 8, 4, 2])
def test_intervals_of_a_width_overlap_by_half(width: int) -> None:
    starts = [first for first, stop in EVENT_BINS if stop - first == width]

    assert set(np.diff(starts)) == {width // 2}
    assert (starts[0], starts[-1] + width) == (4, 36)


def test_an_event_holds_the_bins_it_says() -> None:
    held = [set(range(first, stop)) for first, stop in EVENT_BINS]

    assert [set(np.flatnonzero(column)) for column in EVENTS.T] == held


def test_the_events_cannot_be_written_to() -> None:
    with pytest.raises(ValueError, match="read-only"):
        EVENTS[0, 0] = 2.0


def test_an_unseen_category_counts_as_other_only_where_that_is_expected() -> None:
    counts = np.zeros((2, BINS))
    counts[:, 3] = 5

    held = event_counts(counts, np.array([False, True]))

    with_last_bin = np.array([stop == BINS for _, stop in EVENT_BINS])
    unseen = np.arange(EVENT_COUNT) == 3
    assert held[0].tolist() == np.where(unseen, 5, 0).tolist()
    assert held[1].tolist() == np.where(unseen | with_last_bin, 5, 0).tolist()


@given(
    arrays(np.int64, (3, 2, BINS), elements=st.integers(0, 1000)),
    arrays(np.bool_, 2),
)
def test_event_counts_are_the_product_of_the_counts_with_the_matrices(
    counts: NDArray[np.int64], unseen_is_other: NDArray[np.bool_]
) -> None:
    expected = np.einsum("bck,cke->bce", counts, event_matrices(unseen_is_other))

    assert np.array_equal(event_counts(counts, unseen_is_other), expected)


def test_every_functional_has_a_name() -> None:
    assert FUNCTIONAL_COUNT == len(FUNCTIONAL_NAMES) == 8


def test_the_first_functional_is_the_normal_score_of_the_mid_rank() -> None:
    normal = NormalDist()

    scores = functionals(FLAT, NUMERIC)[0, HIGHER]

    expected = [normal.inv_cdf((bin_ + 0.5) / 32) for bin_ in range(32)]
    assert scores[4:].tolist() == pytest.approx(expected)
    assert scores[2:4].tolist() == pytest.approx([-2.753875, 2.753875], abs=1e-6)


def test_legendre_functionals_agree_with_numpys_polynomials() -> None:
    t = (np.arange(32) + 0.5) / 16 - 1

    scores = functionals(FLAT, NUMERIC)[0]

    legval = np.polynomial.legendre.legval
    assert scores[LEGENDRE_3, 4:] == pytest.approx(legval(t, [0, 0, 0, 1]))
    assert scores[LEGENDRE_4, 4:] == pytest.approx(legval(t, [0, 0, 0, 0, 1]))
    assert scores[LEGENDRE_3, 2:4].tolist() == [-1, 1]
    assert scores[LEGENDRE_4, 2:4].tolist() == [1, 1]


def test_functionals_come_with_both_signs() -> None:
    scores = functionals(FLAT, NUMERIC)[0]

    assert np.array_equal(scores[HIGHER], -scores[LOWER])
    assert np.array_equal(scores[WIDER], -scores[NARROWER])
    assert np.array_equal(scores[WIDER, 2:], scores[HIGHER, 2:] ** 2)


@given(arrays(np.float64, (1, BINS), elements=st.floats(0.01, 1)), st.floats(0, 0.9))
def test_nulls_and_type_errors_leave_the_mean_of_a_functional_where_it_is(
    weights: NDArray[np.float64], missing: float
) -> None:
    shares = weights / weights.sum()
    scores = functionals(shares, NUMERIC)
    values_only = np.where(np.arange(BINS) < 2, 0.0, shares)
    values_only /= values_only.sum()
    with_missing = values_only * (1 - missing)
    with_missing[:, 0] = missing

    assert (scores @ with_missing[0]) == pytest.approx(scores @ values_only[0], abs=1e-9)


def test_a_bin_that_is_empty_in_the_reference_scores_nothing() -> None:
    shares = FLAT.copy()
    shares[0, 20] = 0

    assert functionals(shares, NUMERIC)[0, :, 20].tolist() == [0] * 8


def test_few_bins_still_put_a_value_out_of_range_far_out() -> None:
    shares = np.zeros((1, BINS))
    shares[0, 4] = 1

    assert functionals(shares, NUMERIC)[0, HIGHER, 2:4].tolist() == [-2.4, 2.4]


def test_a_column_without_order_has_no_functionals() -> None:
    assert not functionals(FLAT, np.array([False])).any()
