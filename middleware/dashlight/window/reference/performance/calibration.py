"""Whether the scores of a binary task are probabilities, and what makes them some where they are not."""

import numpy as np
from numpy.typing import NDArray

from dashlight.labels.rows import Floats
from dashlight.window.reference.isotonic import isotonic, isotonic_at

FOLDS = 10
FEWEST_ROWS = 200
"""With fewer, a tenth of them does not show whether a fit helps."""

_ECE_BINS = 10


def calibration_of(scores: Floats, labels: Floats, rng: np.random.Generator) -> tuple[Floats, Floats] | None:
    """The isotonic fit of *labels*, 0 or 1, by *scores*; None where it does not make probabilities of rows held out better.

    Better is a smaller expected calibration error (ECE) on average over ten random folds, each held out in turn.

    Args:
        scores, labels: Shape (rows,); rows of which either is not known (NaN) are left out.
        rng: Parts the rows into folds.

    Source: CBPE as NannyML does it, https://nannyml.readthedocs.io/en/stable/how_it_works/performance_estimation.html
    """
    known = ~np.isnan(scores) & ~np.isnan(labels)
    count = int(known.sum())
    if count < FEWEST_ROWS:
        return None
    folds = rng.permutation(count) * FOLDS // count
    order = np.argsort(scores[known], kind="stable")
    ordered, truth, folds = scores[known][order], labels[known][order], folds[order]
    places, groups = np.unique(ordered, return_inverse=True)
    rows = _by_fold(groups, folds, np.ones(count), len(places))
    positives = _by_fold(groups, folds, truth, len(places))
    gains: list[float] = []
    for fold in range(FOLDS):
        trained = rows.sum(0) - rows[fold]
        shares = (positives.sum(0) - positives[fold]) / np.maximum(trained, 1)
        held = folds == fold
        fitted = isotonic_at(ordered[held], isotonic(places, shares, trained))
        gains.append(_ece(ordered[held], truth[held]) - _ece(fitted, truth[held]))
    if not np.mean(gains) > 0:
        return None
    weights = rows.sum(0)
    return isotonic(places, positives.sum(0) / weights, weights)


def _by_fold(groups: NDArray[np.intp], folds: NDArray[np.intp], values: Floats, width: int) -> Floats:
    """Sums of *values* by fold and group, shape (FOLDS, width)."""
    sums = np.bincount(folds * width + groups, values, FOLDS * width)
    return sums.astype(np.float64).reshape(FOLDS, width)


def _ece(probabilities: Floats, labels: Floats) -> float:
    """Expected calibration error over tenths of the rows, which come in the order of their probabilities.

        ECE = sum over bins of rows in it / all rows * |mean probability - share of positive labels|

    Source: Naeini, Cooper and Hauskrecht (2015), AAAI.
    """
    count = len(labels)
    starts = np.unique(-(-np.arange(_ECE_BINS) * count // _ECE_BINS))
    apart = np.add.reduceat(probabilities - labels, starts[starts < count])
    return float(np.abs(apart).sum() / count)
