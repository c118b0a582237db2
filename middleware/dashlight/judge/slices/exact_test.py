"""Whether a slice rose more than the rest did, exactly: the conditional test of two tables of two by two."""

import numpy as np

from dashlight.judge.slices.choose import log_choose
from dashlight.judge.slices.gain import Counted
from dashlight.judge.slices.predictive_test import beyond_foreseen

_AT_MOST = 2.0


def rose_more(part: Counted, whole: Counted) -> float:
    """P of the hypothesis that the odds of hurting rose in the slice *part* by no more than they did in the rest of *whole*.

    Given how many rows hurt now (K) and usually (L), and how many of both in the slice together (t), the number of those now,
    k, has under equal odds ratios the weights C(n, k) C(N-n, K-k) C(m, t-k) C(M-m, L-t+k) (Zelen, 1971, Biometrika 58,
    129-137): what is usual is allowed for as exactly as it is known. Where nobody knows it (M = 0) that is Fisher's test.

    "Alike" may also mean by as much, or by as many times: each weight is multiplied by x^k, where x >= 1 is the ratio of odds
    ratios that a rise alike in one of these ways would give, the largest of them, as estimated. It only makes p larger.

    p is no less than that of `beyond_foreseen`, which takes into account how little is known of what is usual, and no more than twice
    that: the fewer rows hurt usually, the less does t leave k to vary, so that of a slice of which none did the exact p is 1,
    whatever happened.
    """
    exact = _conditional(part, whole)
    if not float(whole.usual_rows):
        return exact
    foreseen = beyond_foreseen(part, whole)
    return min(max(foreseen, min(exact, _AT_MOST * foreseen)), 1.0)


def _conditional(part: Counted, whole: Counted) -> float:
    n, k, rest = float(part.rows), float(part.hurt), float(whole.rows - part.rows)
    m, usual_rest = float(part.usual_rows), float(whole.usual_rows - part.usual_rows)
    hurt, usual_hurt = float(whole.hurt), float(whole.usual_hurt)
    both = k + float(part.usual_hurt)
    least, most = max(0.0, hurt - rest), min(n, hurt)
    is_usual_told = m + usual_rest > 0
    if is_usual_told:
        least = max(least, both - m, both - usual_hurt)
        most = min(most, both, usual_rest - usual_hurt + both)
    counts = np.arange(least, most + 1)
    weights = log_choose(n, counts) + log_choose(rest, hurt - counts)
    if is_usual_told:
        weights += log_choose(m, both - counts) + log_choose(usual_rest, usual_hurt - both + counts)
        weights += counts * np.log(_ratio_of_a_rise_alike(part, whole))
    shares = np.exp(weights - weights.max())
    return float(shares[counts >= k].sum() / shares.sum())


def rose(now_hurt: float, now_rows: float, usual_hurt: float, usual_rows: float) -> float:
    """P of the hypothesis that rows hurt no more often now than usually (Fisher's exact test, one-sided)."""
    hurt = now_hurt + usual_hurt
    counts = np.arange(max(0.0, hurt - usual_rows), min(now_rows, hurt) + 1)
    weights = log_choose(now_rows, counts) + log_choose(usual_rows, hurt - counts)
    shares = np.exp(weights - weights.max())
    return float(shares[counts >= now_hurt].sum() / shares.sum())


def _ratio_of_a_rise_alike(part: Counted, whole: Counted) -> float:
    m, usual_rest_rows = float(part.usual_rows) + 1, float(whole.usual_rows - part.usual_rows) + 1
    usual = (float(part.usual_hurt) + 0.5) / m
    usual_rest = (float(whole.usual_hurt - part.usual_hurt) + 0.5) / usual_rest_rows
    rest = (float(whole.hurt - part.hurt) + 0.5) / (float(whole.rows - part.rows) + 1)
    # A difference that may be chance is taken for as little as it is likely to be (James and Stein, 1961).
    chance = usual * (1 - usual) / m + usual_rest * (1 - usual_rest) / usual_rest_rows
    usual = usual_rest + (usual - usual_rest) * max(0.0, 1 - chance / max((usual - usual_rest) ** 2, 1e-12))
    likely = max(usual + rest - usual_rest, usual * rest / usual_rest, usual)
    likely = min(likely, 1 - 0.5 / (float(part.rows) + 1))
    return max(1.0, _odds(likely) / _odds(usual) * _odds(usual_rest) / _odds(rest))


def _odds(rate: float) -> float:
    return rate / (1 - rate)
