"""The difference of two means from their sums alone: of versions that were asked one after the other."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln, xlogy

from dashlight.judge.versions.differences import OF_RATES
from dashlight.judge.versions.evidence import SequentialEvidence, shown
from dashlight.labels.rows import Floats

_PRIOR: Final = 0.5
"""Of both parameters of the beta prior."""
_HALVINGS: Final = 60


def pooled_evidence(
    stable: tuple[float, float], candidate: tuple[float, float], differences: Floats = OF_RATES
) -> SequentialEvidence:
    """Evidence of candidate's mean minus stable's, each given as (sum of values from 0 to 1, rows).

    The likelihood of each under a beta prior is divided by the largest that both have together where the difference is
    what is doubted; at the true means that ratio is at most a martingale. Valid at every look where the mean of each
    version stays what it is; by a^y b^(1-y) <= y a + (1-y) b also for values between 0 and 1.

    Source: Robbins (1970), Ann. Math. Statist. 41, 1397-1409; Wasserman, Ramdas and Balakrishnan (2020), PNAS 117.
    """
    if not (stable[1] and candidate[1]):
        nothing = np.zeros(len(differences))
        return shown(differences, nothing, nothing)
    mixed = sum(
        float(betaln(_PRIOR + total, _PRIOR + rows - total) - betaln(_PRIOR, _PRIOR))
        for total, rows in (stable, candidate)
    )
    at = candidate[0] / candidate[1] - stable[0] / stable[1]
    evidence = np.maximum(mixed - _likeliest(stable, candidate, differences), 0.0)
    return shown(differences, np.where(differences < at, evidence, 0.0), np.where(differences > at, evidence, 0.0))


def _likeliest(stable: tuple[float, float], candidate: tuple[float, float], differences: Floats) -> Floats:
    """The largest log likelihood of both together at each difference of their means."""
    low, high = np.maximum(0.0, -differences), np.minimum(1.0, 1.0 - differences)
    for _ in range(_HALVINGS):  # the likelihood is concave along the line
        middle = 0.5 * (low + high)
        with np.errstate(divide="ignore", invalid="ignore"):
            rises = _slope(stable, middle) + _slope(candidate, middle + differences) > 0
        low, high = np.where(rises, middle, low), np.where(rises, high, middle)
    middle = 0.5 * (low + high)
    return _likelihood(stable, middle) + _likelihood(candidate, middle + differences)


def _slope(of: tuple[float, float], mean: Floats) -> Floats:
    total, rows = of
    return np.divide(total, mean) - np.divide(rows - total, 1.0 - mean)


def _likelihood(of: tuple[float, float], mean: Floats) -> NDArray[np.float64]:
    total, rows = of
    likelihood: NDArray[np.float64] = xlogy(total, mean) + xlogy(rows - total, 1.0 - mean)
    return likelihood
