"""Area under the ROC curve with DeLong's interval, and average precision, from rows by score. Pure."""

from math import exp, inf, log, sqrt

import numpy as np

from dashlight.judge.evidence.intervals import wilson_interval
from dashlight.judge.performance.measure import Measure, around
from dashlight.window.performance.score_cells import ScoreCells


def roc_auc(cells: ScoreCells, z: float) -> list[Measure]:
    """The chance that a positive row scores above a negative one, ties half; nothing where one of the classes is missing.

    The variance is DeLong's, of the share of the other class that each row beats, on the logit scale. Of classes that are
    parted, where it is 0, the interval is Wilson's for a share of the smaller class.

    Source: DeLong, DeLong, Clarke-Pearson (1988), Biometrics 44, 837-845.
    """
    p, q = cells.positives.astype(np.float64), cells.negatives.astype(np.float64)
    positives, negatives = p.sum(), q.sum()
    if not positives or not negatives:
        return []
    beaten = (np.cumsum(q) - q / 2) / negatives
    above = 1 - (np.cumsum(p) - p / 2) / positives
    area = float((p * beaten).sum() / positives)
    variance = float(
        (p * (beaten - area) ** 2).sum() / (positives * max(positives - 1, 1))
        + (q * (above - area) ** 2).sum() / (negatives * max(negatives - 1, 1))
    )
    low, high = _wilson(area, min(positives, negatives), z)
    if 0 < area < 1 and variance > 0 and min(positives, negatives) > 1:
        logit, error = log(area / (1 - area)), sqrt(variance) / (area * (1 - area))
        low, high = _logistic(logit - z * error), _logistic(logit + z * error)
    return [Measure("roc_auc", area, low, high, cells.count)]


def average_precision(cells: ScoreCells, z: float) -> list[Measure]:
    """Sum over the scores, descending, of the gain in recall times the precision there; nothing without positive rows.

    The interval is the logit one of a share of the positive rows, with the variance AP (1 - AP) / positives.

    Source: Boyd, Eng, Page (2013), ECML PKDD 8190, 451-466.
    """
    p, q = cells.positives[::-1].astype(np.float64), cells.negatives[::-1].astype(np.float64)
    positives = p.sum()
    if not positives:
        return []
    found = np.cumsum(p)
    value = float((p / positives * found / np.maximum(found + np.cumsum(q), 1)).sum())
    if not 0 < value < 1:
        low, high = _wilson(value, positives, z)
        return [Measure("average_precision", value, low, high, cells.count)]
    logit, error = log(value / (1 - value)), 1 / sqrt(positives * value * (1 - value))
    return [
        Measure("average_precision", value, _logistic(logit - z * error), _logistic(logit + z * error), cells.count)
    ]


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
    estimate = wilson_interval(np.rint([value * rows]).astype(np.int64), np.array([int(rows)]), z)
    return min(float(estimate.low[0]), value), max(float(estimate.high[0]), value)


def _logistic(logit: float) -> float:
    return 1 / (1 + exp(-logit)) if logit > -700 else 0.0
