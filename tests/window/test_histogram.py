import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashlight.window.histogram import LATENCY, SIZE, Binning, Quantile, quantile, scale

ONE = Binning(LATENCY)


def counted(*values: float) -> Quantile:
    return quantile(ONE.count(np.array([values])), LATENCY, 0.5)


@given(st.floats(10e-6, 999.0))
def test_a_latency_is_known_to_within_five_percent(seconds: float) -> None:
    known = counted(seconds)

    assert known.value == pytest.approx(seconds, rel=0.05 + 1e-9)


@given(st.floats(1.0, 2.0**30 * 0.99))
def test_a_size_is_known_to_within_twelve_percent(size: float) -> None:
    counts = Binning(SIZE).count(np.array([[size]]))

    assert quantile(counts, SIZE, 0.5).value == pytest.approx(size, rel=0.12 + 1e-9)


@pytest.mark.parametrize(
    ("seconds", "value"),
    [
        pytest.param(0.0, 10e-6, id="no time at all"),
        pytest.param(-1.0, 10e-6, id="a clock that went back"),
        pytest.param(1e9, 1000.0, id="longer than any bin"),
        pytest.param(math.inf, 1000.0, id="for ever"),
    ],
)
def test_what_lies_off_the_scale_counts_at_its_end(seconds: float, value: float) -> None:
    assert counted(seconds).value == pytest.approx(value, rel=0.06)


def test_nan_is_counted_nowhere() -> None:
    assert ONE.count(np.array([[math.nan, 1.0]])).sum() == 1


def test_every_scale_is_counted_in_bins_of_its_own() -> None:
    counts = Binning(LATENCY, SIZE).count(np.array([[0.1, 0.1], [500.0, math.nan]]))

    assert len(counts) == LATENCY.bins + SIZE.bins
    assert (counts[: LATENCY.bins].sum(), counts[LATENCY.bins :].sum()) == (2, 1)


def test_a_scale_covers_its_range_with_bins_of_one_ratio() -> None:
    decades = scale(1.0, 1000.0, error=math.sqrt(10) - 1)

    assert decades.bins == 5
    assert [decades.edge(bin_) for bin_ in range(4)] == pytest.approx([1, 10, 100, 1000])


def test_quantiles_agree_with_numpy() -> None:
    seconds = np.random.default_rng(7).lognormal(-4, 1, 20_000)
    counts = ONE.count(seconds[np.newaxis])

    for share in (0.5, 0.9, 0.99):
        found = quantile(counts, LATENCY, share)
        exact = float(np.quantile(seconds, share))
        assert found.value == pytest.approx(exact, rel=0.05)
        assert found.low < exact < found.high


def test_the_interval_of_a_quantile_holds_the_truth_at_least_as_often_as_it_says() -> None:
    rng = np.random.default_rng(11)
    truth = 0.02 * math.log(20)  # the 95 % quantile of an exponential of mean 0.02

    held = 0
    for _ in range(400):
        found = quantile(ONE.count(rng.exponential(0.02, (1, 200))), LATENCY, 0.95)
        held += found.low <= truth <= found.high

    assert held >= 0.95 * 400


def test_too_few_values_leave_the_interval_open() -> None:
    found = counted(0.1, 0.2, 0.3)

    assert (found.low, found.high) == (0.0, math.inf)


def test_nothing_counted_is_nan_and_could_be_anything() -> None:
    found = quantile(np.zeros(LATENCY.bins, np.int64), LATENCY, 0.99)

    assert math.isnan(found.value)
    assert (found.low, found.high) == (0.0, math.inf)


def test_the_smallest_value_is_the_quantile_of_nothing() -> None:
    assert quantile(ONE.count(np.array([[0.1, 5.0]])), LATENCY, 0.0).value == pytest.approx(0.1, rel=0.05)
