"""Fine bins folded into the buckets that dashboards know."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dashlight.metrics.buckets import SECONDS, in_buckets, total
from dashlight.window.histogram import LATENCY, SIZE, Binning

seconds = st.lists(st.floats(0, 900), min_size=1, max_size=50)


def binned(values: list[float]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return Binning(LATENCY).count(np.array([values]))


def test_every_value_lies_in_one_bucket() -> None:
    counts = binned([0.001, 0.007, 0.03, 0.03, 0.4, 4.0, 60.0])

    assert in_buckets(counts, LATENCY, SECONDS) == (1, 1, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1)


def test_nothing_counted_gives_empty_buckets() -> None:
    nothing = np.zeros(LATENCY.bins, np.int64)

    assert in_buckets(nothing, LATENCY, (1.0, 2.0)) == (0, 0, 0)
    assert total(nothing, LATENCY) == 0


@given(seconds)
def test_no_value_gets_lost_or_counted_twice(values: list[float]) -> None:
    assert sum(in_buckets(binned(values), LATENCY, SECONDS)) == len(values)


@given(seconds)
def test_a_bound_is_off_by_five_percent_at_most(values: list[float]) -> None:
    buckets = in_buckets(binned(values), LATENCY, SECONDS)

    for place, bound in enumerate(SECONDS):
        below = sum(buckets[: place + 1])
        surely = sum(value <= bound / 1.0501 for value in values)
        perhaps = sum(value <= bound * 1.0501 for value in values)
        assert surely <= below <= perhaps


@given(seconds, seconds)
def test_buckets_of_a_sum_are_the_sum_of_the_buckets(first: list[float], second: list[float]) -> None:
    together = in_buckets(binned(first) + binned(second), LATENCY, SECONDS)

    apart = zip(in_buckets(binned(first), LATENCY, SECONDS), in_buckets(binned(second), LATENCY, SECONDS), strict=True)
    assert together == tuple(a + b for a, b in apart)


@given(st.lists(st.floats(1.1e-5, 900), min_size=1, max_size=50))
def test_a_total_is_off_by_five_percent_at_most(values: list[float]) -> None:
    exact = sum(values)

    assert exact / 1.0501 <= total(binned(values), LATENCY) <= exact * 1.0501


def test_a_body_without_a_byte_adds_none() -> None:
    counts = Binning(SIZE).count(np.array([[0.0, 0.0, 100.0]]))

    assert 88 <= total(counts, SIZE) <= 113


def test_counts_beyond_what_a_float_holds_exactly_stay_whole() -> None:
    counts = np.zeros(LATENCY.bins, np.int64)
    counts[3] = 2**52 + 1

    assert in_buckets(counts, LATENCY, (1.0,)) == (2**52 + 1, 0)
