from math import comb

import numpy as np
import pytest
from scipy.stats import fisher_exact

from dashlight.judge.slices.exact_test import rose, rose_more
from dashlight.judge.slices.gain import Counted


def counted(rows: int, hurt: int, usual_rows: int = 0, usual_hurt: int = 0) -> Counted:
    return Counted(*(np.asarray(number, np.float64) for number in (rows, hurt, usual_rows, usual_hurt)))


@pytest.mark.parametrize(("part", "whole"), [((20, 9), (200, 30)), ((100, 50), (300, 60)), ((5, 0), (50, 20))])
def test_where_nobody_knows_what_is_usual_it_is_fishers(part: tuple[int, int], whole: tuple[int, int]) -> None:
    table = [[part[1], part[0] - part[1]], [whole[1] - part[1], whole[0] - part[0] - whole[1] + part[1]]]

    assert rose_more(counted(*part), counted(*whole)) == pytest.approx(
        fisher_exact(table, alternative="greater").pvalue
    )


def test_where_groups_do_not_differ_it_is_zelens() -> None:
    # n = 12 of N = 60, m = 20 of M = 100; k = 7 of K = 13 hurt, l = 2 of L = 10: what is usual is the same.
    weights = {
        k: comb(12, k) * comb(48, 13 - k) * comb(20, 9 - k) * comb(80, 10 - 9 + k) for k in range(10) if 10 - 9 + k >= 0
    }
    expected = sum(weight for k, weight in weights.items() if k >= 7) / sum(weights.values())

    assert rose_more(counted(12, 7, 20, 2), counted(60, 13, 100, 10)) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("rate", "rest_rate"), [(0.5, 0.2), (0.6, 0.2), (0.57, 0.2)], ids=["by as much", "by as many times", "by the odds"]
)
def test_what_rose_alike_is_not_more_though_groups_differ(rate: float, rest_rate: float) -> None:
    part, whole = (
        counted(1_000, round(1_000 * rate), 5_000, 1_500),
        counted(2_000, round(1_000 * (rate + rest_rate)), 10_000, 2_000),
    )

    assert rose_more(part, whole) > 0.3


def test_few_rows_of_before_make_it_less_sure() -> None:
    many = rose_more(counted(100, 30, 1_000, 100), counted(2_000, 220, 20_000, 2_000))
    few = rose_more(counted(100, 30, 30, 3), counted(2_000, 220, 600, 60))

    assert many < 1e-6 < few


def test_a_slice_of_no_rows_has_not_risen() -> None:
    assert rose_more(counted(0, 0, 0, 0), counted(100, 10, 100, 10)) == 1.0


def test_a_rise_of_all_is_tested_by_fisher() -> None:
    expected = fisher_exact([[30, 70], [40, 260]], alternative="greater").pvalue

    assert rose(30, 100, 40, 300) == pytest.approx(expected)


def test_the_share_of_false_confirmations_is_below_the_level() -> None:
    rng = np.random.default_rng(1)
    false = 0
    for _ in range(2_000):
        hurt, usual = rng.binomial([150, 1_350], 0.15), rng.binomial([200, 1_800], 0.1)
        part = counted(150, int(hurt[0]), 200, int(usual[0]))
        false += rose_more(part, counted(1_500, int(hurt.sum()), 2_000, int(usual.sum()))) <= 0.05

    assert false / 2_000 <= 0.06
