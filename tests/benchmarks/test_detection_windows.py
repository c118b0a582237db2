import numpy as np
import pytest
from benchmarks.detection_windows import (
    PANES_A_MONTH,
    distribution_tests,
    monthly_level,
    psi,
    psi_bins,
    psi_of_counts,
    windows,
)
from scipy import stats
from scipy.special import kolmogorov


def test_a_window_holds_the_last_thousand_rows() -> None:
    bins = np.repeat([0, 1], [1100, 400])

    found = windows(bins, 100, 2)

    assert found[0].tolist() == [100, 0]
    assert found[9].tolist() == [1000, 0]
    assert found[12].tolist() == [800, 200]
    assert found[14].tolist() == [600, 400]


def test_the_psi_of_two_bins_is_that_of_the_formula() -> None:
    # (.7 - .5) ln(.7 / .5) + (.3 - .5) ln(.3 / .5)
    assert psi_of_counts(np.array([50, 50]), np.array([700, 300])) == pytest.approx(0.1694596)


def test_a_window_that_is_not_full_has_no_score() -> None:
    assert np.isnan(psi_of_counts(np.array([50, 50]), np.array([450, 450])))


def test_deciles_hold_a_tenth_each_and_what_is_missing_a_bin_of_its_own() -> None:
    known = np.append(np.arange(1000.0), np.nan)

    counts, bins = psi_bins(known, np.array([-5.0, 450.0, 2000.0, np.nan]))

    assert counts.tolist() == [100] * 10 + [1]
    assert bins.tolist() == [0, 4, 9, 10]


def test_a_category_that_is_new_counts_with_the_rare_ones() -> None:
    known: list[str | None] = [f"c{place}" for place in range(12) for _ in range(20 - place)]

    counts, bins = psi_bins(known, ["c0", "c8", "c9", "new", None])

    assert counts.tolist() == [20, 19, 18, 17, 16, 15, 14, 13, 12, 11 + 10 + 9, 0]
    assert bins.tolist() == [0, 8, 9, 9, 10]


def test_the_monthly_threshold_of_a_psi_is_exceeded_as_often_as_it_promises() -> None:
    rng = np.random.default_rng(1)
    level = monthly_level(1)
    _, thresholds = psi({"x": rng.standard_normal(5000)}, {"x": rng.standard_normal(1000)}, pane_rows=100)

    scale = 1 / 1000 + 1 / 5000
    reference = rng.multinomial(5000, np.full(10, 0.1), 10_000)
    window = rng.multinomial(1000, np.full(10, 0.1), 10_000)
    scores = np.array([psi_of_counts(known, found) for known, found in zip(reference, window, strict=True)])

    assert level == 1 / PANES_A_MONTH
    assert thresholds[0] == pytest.approx(scale * stats.chi2.isf(level, 9))
    assert (scores > scale * stats.chi2.isf(0.01, 9)).mean() == pytest.approx(0.01, abs=0.004)


@pytest.mark.parametrize("rounded", [False, True], ids=["no ties", "many ties"])
def test_the_distance_of_two_distributions_is_that_of_scipy(*, rounded: bool) -> None:
    rng = np.random.default_rng(2)
    known, values = rng.standard_normal(3000), 0.1 + rng.standard_normal(1200)
    if rounded:
        known, values = known.round(), values.round()
    values[::100] = np.nan

    found = distribution_tests({"x": known}, {"x": values}, pane_rows=100)[:, 0]

    window = values[200:][~np.isnan(values[200:])]
    distance = stats.ks_2samp(known, window).statistic
    effective = len(known) * len(window) / (len(known) + len(window))
    assert np.isnan(found[:9]).all()
    assert found[11] == pytest.approx(kolmogorov(distance * np.sqrt(effective)))


def test_the_test_of_words_is_that_of_scipy() -> None:
    rng = np.random.default_rng(3)
    known: list[str | None] = [f"c{each}" for each in rng.choice(3, 4000, p=[0.5, 0.3, 0.2])]
    values: list[str | None] = [f"c{each}" for each in rng.choice(3, 1000, p=[0.45, 0.35, 0.2])]

    found = distribution_tests({"x": known}, {"x": values}, pane_rows=100)[-1, 0]

    table = [[column.count(word) for word in ("c0", "c1", "c2")] for column in (known, values)]
    assert found == pytest.approx(stats.chi2_contingency(table).pvalue)
