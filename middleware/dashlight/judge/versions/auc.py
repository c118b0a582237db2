"""The difference of two areas under the ROC curve: asymptotic, unlike all other figures."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.versions.differences import OF_RATES
from dashlight.judge.versions.evidence import SequentialEvidence, shown

SCORE_BINS: Final = 100
"""Scores from 0 to 1 are kept in so many bins of one width."""
LEAST_OF_CLASS: Final = 30
"""Rows of each class and version before anything is said."""
_RHO_SQUARED: Final = 0.008
"""Bounds are narrowest, for 5 %, at about 1,000 rows."""


def auc(counts: NDArray[np.int64]) -> tuple[float, float]:
    """Area and variance of it from counts of scores, shape (2, SCORE_BINS): of negatives, of positives.

    Rows of one bin count as a half. (NaN, NaN) where a class has fewer than two rows.

    Source: DeLong, DeLong and Clarke-Pearson (1988), Biometrics 44, 837-845.
    """
    negatives, positives = counts[0], counts[1]
    of_negatives, of_positives = int(negatives.sum()), int(positives.sum())
    if min(of_negatives, of_positives) < 2:
        return float("nan"), float("nan")
    beaten = (np.cumsum(negatives) - 0.5 * negatives) / of_negatives
    beating = (of_positives - np.cumsum(positives) + 0.5 * positives) / of_positives
    area = float(beaten @ positives) / of_positives
    variance = float((beaten - area) ** 2 @ positives) / (of_positives - 1) / of_positives
    return area, variance + float((beating - area) ** 2 @ negatives) / (of_negatives - 1) / of_negatives


def auc_evidence(stable: NDArray[np.int64], candidate: NDArray[np.int64]) -> SequentialEvidence:
    """Evidence of candidate's area minus stable's, valid at every look in the limit of many rows.

    Source: Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas (2024), Ann. Statist. 52, 2613-2640, theorem 2.2.
    """
    nothing = np.zeros(len(OF_RATES))
    if min(int(counts[row].sum()) for counts in (stable, candidate) for row in (0, 1)) < LEAST_OF_CLASS:
        return shown(OF_RATES, nothing, nothing)
    (area, variance), (other, other_variance) = auc(candidate), auc(stable)
    found, noise = area - other, variance + other_variance
    if noise <= 0.0:  # both separate all rows: nothing is known of how it varies
        return shown(OF_RATES, nothing, nothing)
    rows = _RHO_SQUARED * float(stable.sum() + candidate.sum())
    evidence = (OF_RATES - found) ** 2 / noise * rows / (2.0 * (rows + 1.0)) - 0.5 * np.log1p(rows)
    return shown(OF_RATES, np.where(found > OF_RATES, evidence, 0.0), np.where(found < OF_RATES, evidence, 0.0))
