from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy.spatial.distance import jensenshannon
from scipy.stats import ks_2samp, wasserstein_distance

from dashlight.judge.columns.divergence import js, js_of_shares, ks, psi, psi_of_shares, w1
from dashlight.judge.evidence.intervals import Estimate, wilson_interval
from dashlight.window.layout import ABOVE, BELOW, BINS, STRUCTURAL_BINS, VALUE_BINS

Counts = NDArray[np.int64]

MANY = 10**9
SMALL_COUNTS = arrays(np.int64, BINS, elements=st.integers(0, 300))


def in_bins(values: list[int]) -> Counts:
    counts = np.zeros(BINS, np.int64)
    counts[STRUCTURAL_BINS : STRUCTURAL_BINS + len(values)] = values
    return counts


def even_borders() -> NDArray[np.float64]:
    return np.arange(VALUE_BINS + 1.0)


def test_psi_of_many_rows_is_the_textbook_sum() -> None:
    # (0.25 - 0.5) ln 0.5 + (0.75 - 0.5) ln 1.5
    found = psi(in_bins([MANY // 2, MANY // 2]), in_bins([MANY // 4, 3 * MANY // 4]))

    assert found.value == pytest.approx(0.274653, abs=1e-6)


def test_js_of_many_rows_is_what_scipy_says() -> None:
    p, q = [0.5, 0.3, 0.2], [0.1, 0.3, 0.6]

    found = js(in_bins([int(share * MANY) for share in p]), in_bins([int(share * MANY) for share in q]))

    assert found.value == pytest.approx(jensenshannon(p, q, base=2), abs=1e-6)


def test_ks_is_what_scipy_says_of_the_binned_values() -> None:
    rng = np.random.default_rng(100)
    before, after = rng.integers(0, 32, 5000), rng.integers(3, 32, 400)

    found = ks(in_bins(np.bincount(before, minlength=32).tolist()), in_bins(np.bincount(after, minlength=32).tolist()))

    assert found.value == pytest.approx(ks_2samp(before, after).statistic)


def test_ks_counts_values_below_the_range_first_and_above_it_last() -> None:
    before, after = in_bins([50, 50]), in_bins([0, 0])
    after[BELOW], after[ABOVE] = 30, 70

    assert ks(before, after).value == pytest.approx(0.7)
    after[BELOW], after[ABOVE] = 100, 0
    assert ks(before, after).value == pytest.approx(1.0)


def test_w1_is_what_scipy_says_of_values_even_in_their_bins() -> None:
    rng = np.random.default_rng(101)
    p, q = rng.dirichlet(np.ones(VALUE_BINS)), rng.dirichlet(np.ones(VALUE_BINS))
    middles = (np.arange(VALUE_BINS * 200) + 0.5) / 200
    expected = wasserstein_distance(middles, middles, np.repeat(p, 200), np.repeat(q, 200))
    cumulative = np.concatenate([[0.0], np.cumsum(p)])
    quartiles = np.interp([0.25, 0.75], cumulative, even_borders())

    found = w1(
        in_bins(np.round(p * MANY).astype(int).tolist()),
        in_bins(np.round(q * MANY).astype(int).tolist()),
        even_borders(),
    )

    assert found.value == pytest.approx(expected / (quartiles[1] - quartiles[0]), rel=1e-3)


def test_w1_is_in_ranges_where_the_middle_half_is_one_value() -> None:
    borders = np.full(VALUE_BINS + 1, 10.0)
    borders[:3] = [0.0, 5.0, 5.0]

    found = w1(in_bins([100, 800, 100]), in_bins([100, 0, 900]), borders)

    # 0.8 of the rows move from 5 to between 5 and 10: 0.8 * 2.5 of a range of 10.
    assert found.value == pytest.approx(0.2)


def test_w1_of_a_constant_column_is_none() -> None:
    constant = np.full(VALUE_BINS + 1, 3.0)

    assert w1(in_bins([100]), in_bins([50]), constant) == Estimate(np.array(0.0), np.array(0.0), np.array(0.0))


@pytest.mark.parametrize(
    ("held", "total", "low", "high"),
    # Agresti and Coull (1998), and the closed form worked by hand for 0 of 10.
    [(8, 10, 0.4902, 0.9433), (0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1.0)],
)
def test_wilson_intervals_are_those_of_the_table(held: int, total: int, low: float, high: float) -> None:
    found = wilson_interval(np.array(held), np.array(total))

    assert found.low == pytest.approx(low, abs=1e-4)
    assert found.high == pytest.approx(high, abs=1e-4)


def test_a_rate_of_nothing_may_be_anything() -> None:
    found = wilson_interval(np.array(0), np.array(0))

    assert [float(part) for part in found] == [0.0, 0.0, 1.0]


@pytest.mark.parametrize("statistic", [psi, js], ids=["psi", "js"])
def test_without_drift_the_corrected_distance_is_none(statistic: Callable[[Counts, Counts], Estimate]) -> None:
    rng = np.random.default_rng(102)
    shares = np.full(VALUE_BINS, 1 / VALUE_BINS)
    reference = np.stack([in_bins(rng.multinomial(10_000, shares).tolist()) for _ in range(1000)])
    current = np.stack([in_bins(rng.multinomial(1000, shares).tolist()) for _ in range(1000)])

    found = statistic(reference, current)

    assert (found.low == 0).mean() >= 0.95
    assert np.median(found.value) < 0.06


@pytest.mark.parametrize("statistic", [psi, js], ids=["psi", "js"])
def test_bounds_hold_the_true_distance_nine_times_in_ten(statistic: Callable[[Counts, Counts], Estimate]) -> None:
    rng = np.random.default_rng(103)
    p, q = np.full(10, 0.1), np.arange(1, 11) / 55
    true = statistic(in_bins((p * MANY).astype(int).tolist()), in_bins((q * MANY).astype(int).tolist())).value
    reference = np.stack([in_bins(rng.multinomial(5000, p).tolist()) for _ in range(1000)])
    current = np.stack([in_bins(rng.multinomial(500, q).tolist()) for _ in range(1000)])

    found = statistic(reference, current)

    assert ((found.low <= true) & (true <= found.high)).mean() >= 0.9


def test_bounds_of_ks_and_w1_hold_the_true_distance() -> None:
    rng = np.random.default_rng(104)
    p, q = np.full(VALUE_BINS, 1 / VALUE_BINS), np.roll(np.arange(1, VALUE_BINS + 1) / 528, 5)
    exact = [in_bins((share * MANY).astype(int).tolist()) for share in (p, q)]
    reference = np.stack([in_bins(rng.multinomial(5000, p).tolist()) for _ in range(1000)])
    current = np.stack([in_bins(rng.multinomial(500, q).tolist()) for _ in range(1000)])
    borders = np.tile(even_borders(), (1000, 1))

    far, moved = ks(reference, current), w1(reference, current, borders)

    true_ks, true_w1 = ks(exact[0], exact[1]).value, w1(exact[0], exact[1], even_borders()).value
    assert ((far.low <= true_ks) & (true_ks <= far.high)).mean() >= 0.95
    assert ((moved.low <= true_w1) & (true_w1 <= moved.high)).mean() >= 0.9


@given(SMALL_COUNTS, SMALL_COUNTS)
def test_distances_are_never_negative_and_lie_within_their_bounds(reference: Counts, current: Counts) -> None:
    found = [psi(reference, current), js(reference, current), ks(reference, current)]
    found.append(w1(reference, current, even_borders()))

    for value, low, high in found:
        assert 0 <= low <= value <= high
    assert found[1].high <= 1
    assert found[2].high <= 1


@given(SMALL_COUNTS, SMALL_COUNTS)
def test_psi_and_js_do_not_care_which_is_the_reference(reference: Counts, current: Counts) -> None:
    for statistic in (psi, js):
        assert statistic(reference, current).value == pytest.approx(statistic(current, reference).value, abs=1e-9)


@given(shares=st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 1000)), min_size=2, max_size=36))
def test_js_of_shares_is_scipys_to_the_last_digits(shares: list[tuple[int, int]]) -> None:
    p, q = (np.array(side, np.float64) for side in zip(*shares, strict=True))
    assume(p.sum() > 0 and q.sum() > 0)

    found = js_of_shares(p / p.sum(), q / q.sum())

    assert float(found) == pytest.approx(float(jensenshannon(p, q, base=2)), abs=1e-7)


def test_psi_of_shares_is_that_of_a_written_table() -> None:
    # Ten bins of a scorecard, by hand: (q - p) ln(q / p) = .02 ln 1.2 + .02 ln 1.25 + .04 ln 1.4.
    p = np.array([0.1] * 10)
    q = np.array([0.12, 0.08, 0.1, 0.1, 0.1, 0.1, 0.1, 0.14, 0.1, 0.06])

    by_hand = 0.02 * 0.1823215568 + 0.02 * 0.2231435513 + 0.04 * 0.3364722366 + 0.04 * 0.5108256238

    assert float(psi_of_shares(p, q)) == pytest.approx(by_hand, abs=1e-9)


def test_w1_is_finite_where_the_middle_half_is_one_value_and_where_numbers_are_the_largest() -> None:
    reference, current = in_bins([90, 5, 5]), in_bins([80, 10, 10])
    mostly_zero = np.concatenate([[0.0, np.nextafter(0.0, 1.0), 50.0], np.full(VALUE_BINS - 2, 100.0)])
    largest = np.concatenate([[-1.7e308, 0.0], np.full(VALUE_BINS - 1, 1.7e308)])

    for borders in (mostly_zero, largest):
        found = w1(reference, current, borders)
        assert all(np.isfinite(part) for part in found)
        assert found.low <= found.value <= found.high
