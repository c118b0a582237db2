"""How far two versions' outputs are apart: the largest difference of their cumulated shares over the same bins."""

from __future__ import annotations

from math import log
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.versions.differences import OF_RATES
from dashlight.judge.versions.evidence import SequentialEvidence, shown
from dashlight.labels.rows import Floats

OF_DISTANCES: Final = OF_RATES[OF_RATES >= 0.0]
_WIDTH, _SLOPE, _START = 0.85, 0.8, 1612.0
"""0.85 sqrt((log log(e n) + 0.8 log(1612 / level)) / n) bounds the distance of n rows from their distribution, for all n."""
_HALVINGS: Final = 50


def distance(stable: NDArray[np.int64], candidate: NDArray[np.int64]) -> float:
    """The largest difference of the cumulated shares of counts of shape (bins,), from 0 to 1; NaN without rows.

    Of categories it is that in the order of their bins: at least half the largest difference of one share.
    """
    if not (stable.any() and candidate.any()):
        return float("nan")
    return float(np.abs(np.cumsum(stable) / stable.sum() - np.cumsum(candidate) / candidate.sum()).max())


def distance_evidence(stable: NDArray[np.int64], candidate: NDArray[np.int64]) -> SequentialEvidence:
    """Evidence of the distance itself, 0 to 1, valid at every look where each version's distribution stays what it is.

    Half of the level each has for its bound, which add up.

    Source: Howard and Ramdas (2022), Bernoulli 28, 1704-1728, equation for the uniform bound of a distribution.
    """
    found = distance(stable, candidate)
    if not found >= 0.0:
        nothing = np.zeros(len(OF_DISTANCES))
        return shown(OF_DISTANCES, nothing, nothing)
    evidence = _evidence(np.abs(found - OF_DISTANCES), int(stable.sum()), int(candidate.sum()))
    return shown(
        OF_DISTANCES,
        np.where(found > OF_DISTANCES, evidence, 0.0),
        np.where(found < OF_DISTANCES, evidence, 0.0),
    )


def _evidence(apart: Floats, *rows: int) -> Floats:
    """Logs of one over the level at which the two bounds together come to *apart*."""
    low, high = np.zeros(len(apart)), np.full(len(apart), 4.0 * max(rows) + 1.0)
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        term = _SLOPE * (log(2.0 * _START) + middle)
        bound = sum(_WIDTH * np.sqrt((log(log(np.e * n)) + term) / n) if n > 1 else 1.0 for n in rows)
        low, high = np.where(bound < apart, middle, low), np.where(bound < apart, high, middle)
    return low
