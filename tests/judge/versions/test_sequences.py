"""Quantiles, distributions, areas and sums: that their intervals hold at every look, and become narrow."""

from __future__ import annotations

from math import exp, isinf, log
from typing import Any

import numpy as np
import pytest
from scipy.special import betaln, ndtri, xlogy

from dashlight.judge.versions.auc import SCORE_BINS, auc, auc_evidence
from dashlight.judge.versions.distributions import distance, distance_evidence
from dashlight.judge.versions.evidence import SequentialEvidence, shown
from dashlight.judge.versions.pooled import pooled_evidence
from dashlight.judge.versions.quantiles import latency_evidence
from dashlight.window.histogram import LATENCY, Binning

BINS = Binning(LATENCY)


def misses(intervals: list[tuple[float, float]], truth: float) -> bool:
    return any(not low <= truth <= high for low, high in intervals)


def test_the_difference_of_a_quantile_lies_in_its_interval_at_every_look() -> None:
    rng = np.random.default_rng(21)
    truth = 0.5 * exp(-3 + 0.6 * float(ndtri(0.9)))
    missed, last = 0, (0.0, 0.0)
    for _ in range(20):
        stable, candidate = np.zeros((2, LATENCY.bins), np.int64)
        intervals: list[tuple[float, float]] = []
        for _ in range(15):
            stable = stable + BINS.count(rng.lognormal(-3, 0.6, (1, 300)))
            candidate = candidate + BINS.count(1.5 * rng.lognormal(-3, 0.6, (1, 100)))
            intervals.append(latency_evidence(stable, candidate, 0.9).interval())
        missed += misses(intervals, truth)
        last = intervals[-1]

    assert missed <= 3
    assert last[0] >= 0.0
    assert last[1] < 0.12


def test_of_too_few_rows_no_quantile_is_bounded() -> None:
    few = BINS.count(np.full((1, 5), 0.1))

    assert all(map(isinf, latency_evidence(few, few, 0.99).interval()))
    assert all(map(isinf, latency_evidence(few, 0 * few, 0.5).interval()))


def test_latencies_beyond_all_bins_are_bounded_as_far_as_bins_go() -> None:
    stable, endless = BINS.count(np.full((1, 500), 0.1)), BINS.count(np.full((1, 500), 5000.0))

    low, high = latency_evidence(stable, endless, 0.5).interval()

    assert low == 800.0
    assert isinf(high)


def test_the_distance_of_outputs_lies_in_its_interval_at_every_look() -> None:
    rng = np.random.default_rng(22)
    usual, other = np.full(20, 0.05), np.repeat([0.07, 0.05, 0.03], [5, 10, 5])
    truth = float(np.abs(np.cumsum(usual - other)).max())
    missed, last = 0, (0.0, 0.0)
    for _ in range(30):
        stable, candidate = np.zeros((2, 20), np.int64)
        intervals: list[tuple[float, float]] = []
        for _ in range(20):
            stable = stable + rng.multinomial(400, usual)
            candidate = candidate + rng.multinomial(100, other)
            intervals.append(distance_evidence(stable, candidate).interval())
        missed += misses(intervals, truth)
        last = intervals[-1]

    assert missed <= 3
    assert 0 < last[0] < truth < last[1] < 0.3


def test_the_bound_of_a_distribution_is_that_of_the_paper() -> None:
    counts, level = np.array([500, 500]), 0.05
    evidence = distance_evidence(counts, counts)

    # 0.85 sqrt((log log(e n) + 0.8 log(1612 / level)) / n), of each version at half the level, for two sides.
    bound = 2 * 0.85 * ((log(log(exp(1) * 1000)) + 0.8 * log(1612 / (level / 4))) / 1000) ** 0.5
    assert evidence.high(level / 2) == min(each for each in evidence.differences if each >= bound)


def test_no_rows_are_no_distance_apart() -> None:
    nothing = np.zeros(3, np.int64)

    assert np.isnan(distance(nothing, np.array([1, 0, 0])))
    assert distance_evidence(nothing, nothing).interval() == (-float("inf"), float("inf"))


def test_the_evidence_of_sums_is_the_likelihood_ratio() -> None:
    evidence = pooled_evidence((30.0, 100.0), (60.0, 100.0))

    def likelihood(total: float, mean: Any) -> Any:
        return xlogy(total, mean) + xlogy(100 - total, 1 - mean)

    means = np.linspace(1e-6, 1 - 1e-6, 200_001)
    mixed = sum(betaln(0.5 + each, 100.5 - each) - betaln(0.5, 0.5) for each in (30.0, 60.0))
    expected = mixed - (likelihood(30, means) + likelihood(60, means)).max()
    assert evidence.above[evidence.differences.index(0.0)] == pytest.approx(expected, abs=1e-4)


def test_the_difference_of_sums_lies_in_its_interval_at_every_look() -> None:
    rng = np.random.default_rng(23)
    missed, last = 0, (0.0, 0.0)
    for _ in range(60):
        totals = np.zeros((2, 2))
        intervals: list[tuple[float, float]] = []
        for _ in range(20):
            totals += [[rng.binomial(200, 0.05), 200], [rng.binomial(50, 0.15), 50]]
            (stable, candidate) = totals.tolist()
            intervals.append(pooled_evidence((stable[0], stable[1]), (candidate[0], candidate[1])).interval())
        missed += misses(intervals, 0.1)
        last = intervals[-1]

    assert missed <= 6
    assert last[0] > 0


def test_an_area_and_its_variance_are_those_of_all_pairs_of_rows() -> None:
    rng = np.random.default_rng(24)
    negatives, positives = rng.integers(0, 70, 40), rng.integers(30, SCORE_BINS, 25)
    counts = np.array([np.bincount(each, minlength=SCORE_BINS) for each in (negatives, positives)])
    wins = (positives[:, None] > negatives) + 0.5 * (positives[:, None] == negatives)

    area, variance = auc(counts)

    assert area == pytest.approx(wins.mean())
    expected = wins.mean(1).var(ddof=1) / 25 + wins.mean(0).var(ddof=1) / 40
    assert variance == pytest.approx(expected)


def test_an_area_is_bounded_once_there_are_enough_of_both_classes() -> None:
    rng = np.random.default_rng(25)
    few = np.array([np.bincount(rng.integers(0, 100, 20), minlength=SCORE_BINS)] * 2)
    worse = np.array([rng.multinomial(2000, np.full(100, 0.01)), rng.multinomial(2000, np.full(100, 0.01))])
    slope = np.arange(100) / 4950
    better = np.array([rng.multinomial(2000, slope[::-1]), rng.multinomial(2000, slope)])

    assert all(map(isinf, auc_evidence(few, few).interval()))
    assert auc_evidence(better, worse).decision(0.1, higher_is_worse=False) == "worse"
    assert auc_evidence(worse, worse).interval()[0] <= 0 <= auc_evidence(worse, worse).interval()[1]


def test_two_areas_that_do_not_vary_say_nothing() -> None:
    apart = np.zeros((2, SCORE_BINS), np.int64)
    apart[0, 0] = apart[1, -1] = 100

    assert all(map(isinf, auc_evidence(apart, apart).interval()))


def test_between_two_values_the_careful_one_decides() -> None:
    evidence = SequentialEvidence((-0.1, 0.0, 0.1, 0.2), (9.0, 5.0, 2.0, 0.0), (0.0, 0.0, 2.0, 4.0))

    assert evidence.decision(0.0) == "worse"
    assert evidence.decision(0.05) == "undecided"
    assert evidence.decision(0.15) == "undecided"
    assert evidence.decision(0.2) == "no_worse"
    assert evidence.decision(0.25) == "no_worse"
    assert evidence.decision(0.1, 0.2) == "worse"
    assert evidence.decision(0.0, 0.001) == "undecided"
    assert evidence.decision(0.1, higher_is_worse=False) == "no_worse"


def test_what_was_shown_of_a_larger_value_alone_is_not_shown() -> None:
    found = shown(np.array([0.0, 0.1, 0.2]), np.array([4.0, 1.0, 5.0]), np.array([3.0, 1.0, 2.0]))

    assert found.above == (4.0, 1.0, 1.0)
    assert found.below == (1.0, 1.0, 2.0)
