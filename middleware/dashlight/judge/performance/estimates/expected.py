"""Measures of classes as calibrated probabilities make them expected, and how far the realised ones may lie from them.

Each measure is a function of the labels y_i, 0 or 1, that are not known, with E y_i = p_i. Its value is taken at y = p, and its
slope by each label says what chance and the reference's own error do to it:

    variance = sum_i slope_i^2 p_i (1 - p_i)  +  sum_b (sum_{i in b} slope_i)^2 v_b / R_b

with the bins b of the score, in which the reference has R_b rows whose label has the variance v_b. The first part is exact for
what is linear in the labels (accuracy, precision, Brier), else it is the delta method.

Source: CBPE, NannyML's documentation, "Estimation of Performance of the Monitored Model"; for the slopes van der Vaart,
Asymptotic Statistics, 3.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.performance.estimates.estimate import EstimatedMeasure, EstimateMethod
from dashlight.labels.rows import Floats

Z = 1.96
"""Of an interval that holds 95 of 100 normal values."""
SCORE_BINS = 20
_SURE = 1e-15
"""As near as a probability comes to 0 or 1 in a logarithm, as scikit-learn's log_loss."""
_NONE = 1e-6
"""Rows of a class up to which none is expected, and nothing is said of it."""


@dataclass(frozen=True, slots=True, eq=False)
class Expected:
    """One measure, and by how much each row's label moves it."""

    name: str
    value: float
    slopes: Floats
    """Shape (rows,): how it rises with each label."""


@dataclass(frozen=True, slots=True, eq=False)
class ScoreEvidence:
    """How many reference rows stand behind the calibration, by score."""

    edges: Floats
    """Shape (bins - 1,), ascending: inner edges; bins are right-open."""
    rows: Floats
    """Shape (bins,): how many independent rows they count for, above 0."""

    def bins_of(self, scores: Floats) -> NDArray[np.intp]:
        """The bin of each score."""
        return np.searchsorted(self.edges, scores, side="right")


def score_evidence(scores: Floats, weights: Floats | None, rows: float) -> ScoreEvidence:
    """The bins of about equally many of *scores*, finite ones, at least one, that stand for *rows* rows by *weights*.

    Of weighted rows each bin counts as many as Kish's effective size says.
    """
    edges = np.unique(np.quantile(scores, np.arange(1, SCORE_BINS) / SCORE_BINS, method="inverted_cdf"))
    places = np.searchsorted(edges, scores, side="right")
    weights = np.ones(len(scores)) if weights is None else weights
    sums = np.bincount(places, weights, len(edges) + 1)
    squares = np.bincount(places, weights**2, len(edges) + 1)
    effective = np.divide(sums**2, squares, out=np.zeros_like(sums), where=squares > 0)
    return ScoreEvidence(edges, np.maximum(effective * rows / len(scores), 1.0))


def binary_measures(scores: Floats, predicted: NDArray[np.bool_], chances: Floats) -> list[Expected]:
    """All measures of a binary task.

    Args:
        scores: Shape (rows,), at least one, finite: what the model said, by which rows are ranked.
        predicted: Shape (rows,): whether the positive class was predicted.
        chances: Shape (rows,): the calibrated probability of the positive class.
    """
    rows = len(scores)
    right = np.where(predicted, chances, 1 - chances)
    accuracy = Expected("accuracy", float(right.mean()), np.where(predicted, 1.0, -1.0) / rows)
    measures = [accuracy, *confusion_measures(predicted, chances), *_auc(scores, chances)]
    if scores.min() < 0 or scores.max() > 1:
        return measures  # margins, which are no probabilities
    said = np.clip(scores, _SURE, 1 - _SURE)
    return [
        *measures,
        _mean("brier", (1 - scores) ** 2, scores**2, chances),
        _mean("log_loss", -np.log(said), -np.log1p(-said), chances),
    ]


def confusion_measures(predicted: NDArray[np.bool_], chances: Floats) -> list[Expected]:
    """Precision, recall and F1 of one class, those that are defined: *predicted* says of which rows it was said."""
    found = float(chances[predicted].sum())
    said, there = int(predicted.sum()), float(chances.sum())
    said_so = predicted.astype(np.float64)
    measures: list[Expected] = []
    if said:
        measures.append(Expected("precision", found / said, said_so / said))
    if there > _NONE:
        measures.append(Expected("recall", found / there, (said_so - found / there) / there))
    if said + there > _NONE:
        f1 = 2 * found / (said + there)
        measures.append(Expected("f1", f1, (2 * said_so - f1) / (said + there)))
    return measures


def told(
    measures: Sequence[Expected],
    scores: Floats,
    chances: Floats,
    evidence: ScoreEvidence,
    method: EstimateMethod,
) -> tuple[EstimatedMeasure, ...]:
    """*measures* with their intervals; *chances* are the probabilities of the labels by which they have their slopes."""
    places, bins = evidence.bins_of(scores), len(evidence.rows)
    variances = chances * (1 - chances)
    in_bin = np.bincount(places, minlength=bins)
    of_label = np.divide(np.bincount(places, variances, bins), in_bin, out=np.zeros(bins), where=in_bin > 0)
    told_measures: list[EstimatedMeasure] = []
    for measure in measures:
        by_chance = float((measure.slopes**2 * variances).sum())
        by_reference = float((np.bincount(places, measure.slopes, bins) ** 2 * of_label / evidence.rows).sum())
        reach = Z * np.sqrt(by_chance + by_reference)
        top = np.inf if measure.name == "log_loss" else 1.0
        low, high = max(measure.value - reach, 0.0), min(measure.value + reach, top)
        told_measures.append(EstimatedMeasure(measure.name, measure.value, float(low), float(high), method))
    return tuple(told_measures)


def _mean(name: str, if_true: Floats, if_false: Floats, chances: Floats) -> Expected:
    """The mean of a loss that is *if_true* for a label of 1, else *if_false*."""
    return Expected(
        name, float((chances * if_true + (1 - chances) * if_false).mean()), (if_true - if_false) / len(chances)
    )


def _auc(scores: Floats, chances: Floats) -> list[Expected]:
    """Chance that a positive row has a higher score than a negative one, half of the ties: each row is p of one, 1 - p of the other."""
    _, groups = np.unique(scores, return_inverse=True)
    positives, negatives = np.bincount(groups, chances), np.bincount(groups, 1 - chances)
    of_positives, of_negatives = float(positives.sum()), float(negatives.sum())
    if min(of_positives, of_negatives) <= _NONE:
        return []
    negatives_below = (np.cumsum(negatives) - negatives / 2) / of_negatives
    positives_above = 1 - (np.cumsum(positives) - positives / 2) / of_positives
    area = float((positives * negatives_below).sum() / of_positives)
    slopes = (negatives_below - area) / of_positives - (positives_above - area) / of_negatives
    return [Expected("roc_auc", area, slopes[groups])]
