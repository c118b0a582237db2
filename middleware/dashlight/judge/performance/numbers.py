"""Measures of a regression or a forecast, of a ranking, and of texts by their grades. Pure."""

from math import inf, isfinite, sqrt

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.performance.measure import Measure, around, mean, named, share
from dashlight.judge.words import number
from dashlight.labels.rows import MOST_ITEMS, Floats
from dashlight.window.disclosure import told_number
from dashlight.window.performance.counts import Grades
from dashlight.window.performance.error_cells import ErrorCells
from dashlight.window.performance.numeric import (
    ABSOLUTE,
    ERROR,
    FOURTH,
    MOST_STEPS,
    RELATIVE,
    RELATIVE_SQUARED,
    ROWS,
    SQUARED,
    Numeric,
)

QUANTILES = (0.5, 0.9, 0.95, 0.99)
"""Of the size of the error."""
RESIDUAL_QUANTILES = (0.05, 0.95)
"""Of the error itself."""
TOPS = (1, 3, 5, 10, 20)
"""k of hit rate@k and NDCG@k."""


def number_measures(counts: Numeric, z: float) -> list[Measure]:
    """Of the errors of a regression; of a forecast for each step as well. An error is the prediction less the label."""
    measures = _of_sums(counts.total, z)
    total = counts.total
    measures += mean("mape", total[ROWS], total[RELATIVE], total[RELATIVE_SQUARED], z, least=0.0)
    measures += _explained(counts, z)
    sizes = counts.errors.magnitudes()
    for quantile in QUANTILES:
        measures += _quantile("error_quantile", sizes, quantile, z)
    for quantile in RESIDUAL_QUANTILES:
        measures += _quantile("residual_quantile", counts.errors, quantile, z)
    for step in range(1, len(counts.steps)):
        name = f"step {step}" if step <= MOST_STEPS else f"steps beyond {MOST_STEPS}"
        measures += named(_of_sums(counts.steps[step], z), name)
    return measures


def place_measures(places: NDArray[np.int64], z: float) -> list[Measure]:
    """Of a ranking, of which one item is chosen or none: rows of which none was count in all measures, with 0.

    MRR = mean of 1 / place, NDCG@k = mean of 1 / log2(1 + place) up to place k. A place below those kept counts as 0 in
    these two: MRR is too small by 1/21 of their share at most.

    Source: Jarvelin, Kekalainen (2002), ACM TOIS 20, 422-446, with one relevant item.
    """
    rows = int(places.sum())
    place = np.arange(1, MOST_ITEMS + 1)
    kept = places[1:-1].astype(np.float64)
    measures = share("ctr", int(places[1:].sum()), rows, z)
    for k in TOPS:
        measures += share(f"hit_rate@{k}", int(places[1 : k + 1].sum()), rows, z)
    gains = [("mrr", 1 / place)]
    gains += [(f"ndcg@{k}", np.where(place <= k, 1 / np.log2(1 + place), 0.0)) for k in TOPS]
    for name, gain in gains:
        measures += mean(name, rows, float((kept * gain).sum()), float((kept * gain**2).sum()), z, least=0.0)
    return measures


def grade_measures(grades: Grades, z: float) -> list[Measure]:
    """The mean grade, and the share of each where there are not too many."""
    measures = mean("mean_grade", grades.count, grades.total, grades.squares, z)
    for value, count in zip(grades.values.tolist(), grades.counts.tolist(), strict=True):
        measures += named(share("grade_share", count, grades.count, z), number(told_number(value)))
    return measures


def _of_sums(sums: Floats, z: float) -> list[Measure]:
    """RMSE by the delta method: variance of e^2 / (4 rows RMSE^2)."""
    rows, squared = float(sums[ROWS]), float(sums[SQUARED])
    if not rows:
        return []
    measures = mean("mae", rows, float(sums[ABSOLUTE]), squared, z, least=0.0)
    measures += mean("bias", rows, float(sums[ERROR]), squared, z)
    rmse = sqrt(squared / rows)
    spread = max(float(sums[FOURTH]) / rows - (squared / rows) ** 2, 0.0)
    error = sqrt(spread / max(rows - 1, 1)) / (2 * rmse) if rmse else 0.0
    return measures + around("rmse", rmse, error if rows > 1 else inf, int(rows), z, least=0.0)


def _explained(counts: Numeric, z: float) -> list[Measure]:
    """R2 = 1 - sum of e^2 / sum of (label - mean)^2; nothing where all labels are one.

    Its standard error is taken as 2 (1 - R2) / sqrt(rows), that of normal errors and labels that know nothing of each other,
    which is too wide where they do: Olkin and Finn's (1995, Psychological Bulletin 118, 155-164) is R times it.
    """
    rows, squares = counts.labels.count, counts.labels.squares
    if rows < 2 or not squares:
        return []
    value = 1 - float(counts.total[SQUARED]) / squares
    return around("r2", value, 2 * (1 - value) / sqrt(rows), rows, z, most=1.0)


def _quantile(name: str, errors: ErrorCells, quantile: float, z: float) -> list[Measure]:
    """With the order statistics z sqrt(rows q (1 - q)) ranks below and above, and the sketch's own error."""
    rows = errors.count
    value = errors.quantile(quantile)
    if not isfinite(value):
        return []
    margin = z * sqrt(quantile * (1 - quantile) / rows)
    low, high = (errors.quantile(quantile + side * margin) for side in (-1, 1))
    off = errors.relative_error
    # Beyond the first and the last row anything may be; a size is at least 0.
    least = 0.0 if name == "error_quantile" else -inf
    low = low - off * abs(low) if rows * (quantile - margin) >= 1 else least
    high = high + off * abs(high) if rows * (quantile + margin) <= rows - 1 else inf
    return [Measure(f"{name}[{number(quantile)}]", value, low, high, rows)]
