"""Area under the ROC curve with DeLong's interval, and average precision, from rows by score. Pure."""

from math import exp, inf, log, sqrt

import numpy as np

from dashlight.judge.evidence.intervals import wilson_interval
from dashlight.judge.performance.measure import Measure, around
from dashlight.labels.rows import Floats
from dashlight.window.performance.score_cells import ScoreCells


def roc_auc(cells: ScoreCells, z: float, weights: Floats | None = None) -> list[Measure]:
    """The chance that a positive row scores above a negative one, ties half; nothing where one of the classes is missing.

    The variance is DeLong's, of the share of the other class that each row beats, on the logit scale. Of classes that are
    parted, where it is 0, the interval is Wilson's for a share of the smaller class. *weights*, shape (cells,), are of rows.

    Source: DeLong, DeLong, Clarke-Pearson (1988), Biometrics 44, 837-845.
    """
    w = np.ones(cells.scores.size) if weights is None else weights
    p, q = w * cells.positives, w * cells.negatives
    positives, negatives = p.sum(), q.sum()
    if not positives or not negatives:
        return []
    beaten = (np.cumsum(q) - q / 2) / negatives
    above = 1 - (np.cumsum(p) - p / 2) / positives
    area = float((p * beaten).sum() / positives)
    rows = effective_rows(p, w), effective_rows(q, w)
    variance = sum(
        float((w * each * (won - area) ** 2).sum()) / total**2 * n / max(n - 1, 1)
        for each, won, total, n in ((p, beaten, positives, rows[0]), (q, above, negatives, rows[1]))
    )
    low, high = _wilson(area, min(rows), z)
    if 0 < area < 1 and variance > 0 and min(rows) > 1:
        logit, error = log(area / (1 - area)), sqrt(variance) / (area * (1 - area))
        low, high = _logistic(logit - z * error), _logistic(logit + z * error)
    return [Measure("roc_auc", area, low, high, cells.count)]


def average_precision(cells: ScoreCells, z: float, weights: Floats | None = None) -> list[Measure]:
    """Sum over the scores, descending, of the gain in recall times the precision there; nothing without positive rows.

    Within cells of several scores the rows are taken to come in any order.

    *weights*, shape (cells,), are of rows. The interval is on the logit scale, its variance the sum over rows of w^2 times the
    square of how much one more row like it moves the figure (P positives, shown: rows at least as high):

        positive: (precision - AP) / P + sum over lower scores of gain (1 - precision) / shown
        negative: - sum over lower scores of gain precision / shown
    """
    w = np.ones(cells.scores.size) if weights is None else weights[::-1]
    p, q = w * cells.positives[::-1], w * cells.negatives[::-1]
    positives = p.sum()
    if not positives:
        return []
    shown, gain = np.cumsum(p) + np.cumsum(q), p / positives
    precision = np.divide(np.cumsum(p), shown, out=np.zeros(shown.size), where=shown > 0)
    mixed = cells.is_joined[::-1] & (p > 0)
    precision[mixed] = _mixed_precision(np.cumsum(p) - p, shown - p - q, p, p + q)[mixed]
    value = min(float((gain * precision).sum()), 1.0)
    rows = effective_rows(p, w)
    by_row = np.divide(gain, shown, out=np.zeros(shown.size), where=shown > 0)
    of_positive = (precision - value) / positives + _from_here((1 - precision) * by_row)
    of_negative = _from_here(precision * by_row)
    variance = float((w * (p * of_positive**2 + q * of_negative**2)).sum())
    low, high = _wilson(value, rows, z)
    if 0 < value < 1 and variance > 0 and rows > 1:
        logit, error = log(value / (1 - value)), sqrt(variance) / (value * (1 - value))
        low, high = _logistic(logit - z * error), _logistic(logit + z * error)
    return [Measure("average_precision", value, low, high, cells.count)]


def _mixed_precision(found: Floats, shown: Floats, positives: Floats, rows: Floats) -> Floats:
    """Mean precision over the positives of a cell whose *rows* come in any order, after *found* of those *shown* before.

    integral over t from 0 to 1 of (f + p t) / (s + m t),  f = found + 1/2, s = shown + 1/2: the middle of each positive
    """
    f, s, m = found + 0.5, shown + 0.5, np.maximum(rows, 1e-300)
    return positives / m + (f - positives * s / m) / m * np.log1p(m / s)


def _from_here(values: Floats) -> Floats:
    return np.cumsum(values[::-1])[::-1]


def effective_rows(weighted: Floats, weights: Floats) -> float:
    """How many rows of one weight say as much: (sum of w)^2 / sum of w^2; *weighted*: rows times weights, by cell."""
    return float(weighted.sum() ** 2 / max((weights * weighted).sum(), 1e-300))


def one_vs_rest(curves: tuple[ScoreCells, ...], z: float) -> list[Measure]:
    """The mean over all classes of the area of each against the rest; nothing where a class is missing.

    It is scikit-learn's macro average. The interval is that of areas that move together: as wide as theirs on average.
    """
    areas = [area for curve in curves for area in roc_auc(curve, z)]
    if not areas or len(areas) < len(curves):
        return []
    value = sum(area.value for area in areas) / len(areas)
    error = max(sum(area.high - area.value for area in areas), sum(area.value - area.low for area in areas)) / len(
        areas
    )
    return around("roc_auc_ovr", value, error / z if z else inf, areas[0].rows, z, least=0.0, most=1.0)


def _wilson(value: float, rows: float, z: float) -> tuple[float, float]:
    # Of weighted rows there are a fraction more than are counted, and never may more hold than there are.
    count = max(int(rows), 1)
    estimate = wilson_interval(np.array([round(value * count)]), np.array([count]), z)
    return min(float(estimate.low[0]), value), max(float(estimate.high[0]), value)


def _logistic(logit: float) -> float:
    return 1 / (1 + exp(-logit)) if logit > -700 else 0.0
