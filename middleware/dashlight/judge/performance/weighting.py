"""Measures of all predictions from those that got labels: weighted by the inverse of the chance of a label, by score. Pure.

Who gets a label depends on the score: only approved loans repay. The mean over labelled rows is then not that over all.
Within a tenth of the score it is taken to be. For display only: evidence never uses weights.

    estimate = sum over tenths s of N_s / N * mean_s,   weight of a row = N_s / n_s,   N_s predictions, n_s labelled

Source: Horvitz, Thompson (1952), JASA 47, 663-685; post-stratified as in Holt, Smith (1979), JRSS A 142, 33-46.
"""

from dataclasses import dataclass
from math import inf, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from dashlight.judge.performance.classes import calibration_error
from dashlight.judge.performance.curves import average_precision, roc_auc
from dashlight.judge.performance.measure import Measure, around, deviate
from dashlight.labels.rows import Floats
from dashlight.window.performance.classified import (
    BRIER,
    BRIER_SQUARED,
    CORRECT,
    IMPROPER,
    LOG_LOSS,
    LOG_LOSS_SQUARED,
    PREDICTED,
    PROPER,
    Classified,
)
from dashlight.window.performance.strata import NO_SCORE, STRATA, strata_of

MOST_WEIGHT = 20.0
"""Of a row, beside the weight it has where every prediction has the same chance: N / n."""
MOST_UNKNOWN = 0.05
"""Share of the predictions of which nothing is known, up to which an interval can be made wide enough for them."""
_ROUNDING = 1e-9
_FEW = 5
"""Rows below which a tenth's own variance says little: that of all tenths stands for it."""


@dataclass(frozen=True, slots=True)
class Weighted:
    """What can be said of all predictions from those with labels."""

    measures: tuple[Measure, ...]
    """Empty where they cannot be compared. *rows* are those with labels."""
    not_comparable: tuple[int, ...]
    """Tenths of the score (10: no score) that hold predictions and no label: nothing can be said of them."""
    unknown_share: float
    """Part of the predictions there, and those beyond the largest weight."""

    @property
    def is_comparable(self) -> bool:
        """Whether the labelled rows speak for all."""
        return self.unknown_share <= MOST_UNKNOWN


def weighted_measures(counts: Classified, predictions: NDArray[np.int64], level: float = 0.95) -> Weighted:
    """Measures of all *predictions*, shape (STRATA,), from those labelled.

    Of two classes accuracy, precision, recall, F1 (of the positive class), Brier score, log loss, ECE, areas; of many
    accuracy, Brier score, log loss and ECE. Where tenths hold predictions and no label, only accuracy and the Brier score of
    two classes, with intervals that hold whatever the unknown ones are, while these are few (MOST_UNKNOWN).
    """
    labelled = counts.tallies[:, PREDICTED].astype(np.float64)
    if not labelled.any():
        labelled = counts.tallies[:, PROPER].astype(np.float64)
    # Labels may have come since the predictions were counted.
    all_rows = np.maximum(predictions, labelled)
    total = all_rows.sum()
    missing = tuple(np.flatnonzero((all_rows > 0) & (labelled == 0)).tolist())
    if not labelled.sum():
        return Weighted((), missing, 1.0 if total else 0.0)
    weights = _weights(all_rows, labelled)
    unknown = float((all_rows - weights * labelled).sum() / total)
    unknown = unknown if unknown > _ROUNDING else 0.0
    if unknown > MOST_UNKNOWN:
        return Weighted((), missing, unknown)
    z = deviate(level)
    is_binary = len(counts.confusion) == STRATA
    if is_binary:
        measures = _of_two(counts.confusion.astype(np.float64), weights, unknown, z)
    else:
        predicted, held = (counts.tallies[:, each].astype(np.float64) for each in (PREDICTED, CORRECT))
        measures = _mean("accuracy", (predicted, held, held), weights, unknown, z)
    # The sums of losses of many classes stand under the tenth of the top's probability too.
    if not counts.tallies[:, IMPROPER].any() and all(counts.tallies[weights > 0, PROPER] > 0):
        proper, sums = counts.tallies[:, PROPER].astype(np.float64), counts.sums
        # Weights are of rows with a prediction; those with a loss may be others.
        by_loss = np.divide(weights * labelled, proper, out=np.zeros(STRATA), where=proper > 0)
        if is_binary or not unknown:
            most = 1.0 if is_binary else 2.0
            brier = proper, sums[:, BRIER], sums[:, BRIER_SQUARED]
            measures += _mean("brier", brier, by_loss, unknown, z, most=most)
        if not unknown:
            log_loss = proper, sums[:, LOG_LOSS], sums[:, LOG_LOSS_SQUARED]
            measures += _mean("log_loss", log_loss, by_loss, 0.0, z, most=inf)
            measures += calibration_error(counts, z, by_loss)
    if is_binary and not unknown:
        by_cell = weights[strata_of(counts.cells.scores)]
        measures += roc_auc(counts.cells, z, by_cell) + average_precision(counts.cells, z, by_cell)
    return Weighted(tuple(measures), missing, unknown)


def is_biased(counts: Classified, predictions: NDArray[np.int64]) -> bool:
    """Whether the chance of a label depends on the score: by more than chance, and by more than a tenth of it.

    Pearson's chi-square over the tenths, at 1 in 1,000.
    """
    labelled = counts.tallies[:, [PREDICTED, PROPER]].max(axis=1).astype(np.float64)
    all_rows = np.maximum(predictions, labelled)
    is_there = all_rows > 0
    labelled, all_rows = labelled[is_there], all_rows[is_there]
    share = labelled.sum() / max(all_rows.sum(), 1)
    if not 0 < share < 1:
        return False
    distance = float(((labelled - all_rows * share) ** 2 / (all_rows * share * (1 - share))).sum())
    large = all_rows >= 0.01 * all_rows.sum()
    differs = np.abs(labelled[large] / all_rows[large] - share).max() > 0.1 * share
    return bool(differs and chdtrc(max(is_there.sum() - 1, 1), distance) < 0.001)


def missing_words(weighted: Weighted) -> str:
    """One sentence on what cannot be compared; empty where all can."""
    if not weighted.not_comparable:
        return "" if weighted.is_comparable else "not comparable: too few labels for some scores"
    scores = ", ".join(
        "no score" if each == NO_SCORE else f"{each / 10:.1f} to {(each + 1) / 10:.1f}"
        for each in weighted.not_comparable
    )
    return f"not comparable: predictions but no labels at scores {scores}"


def _weights(all_rows: Floats, labelled: Floats) -> Floats:
    weights = np.divide(all_rows, labelled, out=np.zeros(STRATA), where=labelled > 0)
    most: float = MOST_WEIGHT * float(all_rows.sum() / labelled.sum())
    return np.minimum(weights, most)


def _mean(
    name: str,
    moments: tuple[Floats, Floats, Floats],
    weights: Floats,
    unknown: float,
    z: float,
    *,
    most: float = 1.0,
) -> list[Measure]:
    """With the variance sum of w_s^2 n_s var_s / (sum of w_s n_s)^2; *moments* are rows, sums and squares by tenth."""
    rows, sums, squares = moments
    total = float((weights * rows).sum())
    if not total:
        return []
    n = np.maximum(rows, 1)
    means = sums / n
    variances = np.maximum(squares / n - means**2, 0.0) * n / np.maximum(n - 1, 1)
    pooled = float((variances * rows).sum() / rows.sum())
    variances = np.where(rows < _FEW, np.maximum(variances, pooled), variances)
    error = sqrt(float((weights**2 * rows * variances).sum())) / total
    value = float((weights * sums).sum() / total)
    return [_widened(each, unknown) for each in around(name, value, error, int(rows.sum()), z, least=0.0, most=most)]


def _of_two(confusion: Floats, weights: Floats, unknown: float, z: float) -> list[Measure]:
    """Delta method: var = sum over s of w_s^2 (sum of g^2 c_s - (sum of g c_s)^2 / n_s), g the slopes by label and prediction.

    Half a row is added for each label that a prediction may have had in its tenth, so that none that was always right is
    taken for certain.
    """
    cells = np.einsum("s,sij->ij", weights, confusion)
    has_column = confusion.sum(axis=1, keepdims=True) > 0
    smooth = confusion + 0.5 * has_column * (np.arange(3)[None, :, None] < 2)
    rows = int(confusion.sum())
    is_right = np.zeros((3, 3))
    is_right[0, 0] = is_right[1, 1] = 1
    found: list[Measure] = []
    hit = np.zeros((3, 3))
    hit[1, 1] = 1
    of_prediction, of_label = np.zeros((3, 3)), np.zeros((3, 3))
    of_prediction[:, 1], of_label[1] = 1, 1
    for name, above, below in (
        ("accuracy", is_right, np.ones((3, 3))),
        ("precision", hit, of_prediction),
        ("recall", hit, of_label),
        ("f1", 2 * hit, of_prediction + of_label),
    ):
        divisor = float((cells * below).sum())
        if not divisor or (unknown and name != "accuracy"):
            continue
        value = float((cells * above).sum()) / divisor
        slopes = (above - value * below) / divisor
        first, second = (slopes * smooth).sum(axis=(1, 2)), (slopes**2 * smooth).sum(axis=(1, 2))
        n = np.maximum(smooth.sum(axis=(1, 2)), 1)
        error = sqrt(float((weights**2 * np.maximum(second - first**2 / n, 0.0)).sum()))
        found += [_widened(each, unknown) for each in around(name, value, error, rows, z, least=0.0, most=1.0)]
    return found


def _widened(measure: Measure, unknown: float) -> Measure:
    """Whatever the *unknown* part is, from 0 to 1 a row."""
    known = 1 - unknown
    if not unknown:
        return measure
    return Measure(measure.name, measure.value, known * measure.low, known * measure.high + unknown, measure.rows)
