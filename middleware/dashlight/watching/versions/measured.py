"""What labelled rows say of the version that predicted them, in values from 0 to 1. Pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.performance.losses import GRID, PARTS, raw_losses, tally
from dashlight.judge.versions.auc import SCORE_BINS
from dashlight.judge.versions.totals import MOST_LOG_LOSS, VersionTotals
from dashlight.labels.rows import NO_CLASS, Floats, LabelledRows

_LEAST_ROWS = 20
_SCALE_QUANTILE, _SCALE_TIMES = 0.9, 4.0
_LEAST_SHARE = 1e-12


def scale_of_numbers(rows: LabelledRows) -> float | None:
    """The error of a number that counts as 1, from the first *rows* of a model; None where they are too few or have none."""
    sizes = np.abs(rows.scores - rows.labels)
    sizes = sizes[np.isfinite(sizes)]
    if rows.task != "regression" or len(sizes) < _LEAST_ROWS:
        return None
    scale = _SCALE_TIMES * float(np.quantile(sizes, _SCALE_QUANTILE))
    return scale if 0.0 < scale < float("inf") else None


def totals_of(
    rows: LabelledRows, since_at: float = float("-inf"), *, numbers_scale: float | None = None
) -> VersionTotals:
    """What those of *rows* that were predicted *since_at* say of their version; of numbers nothing without their scale."""
    taken = rows.predicted_at >= since_at
    measured: dict[str, Floats] = {}
    for name, values in _values(rows, numbers_scale).items():
        known = values[taken & np.isfinite(values)]
        if len(known):
            measured[name] = _counted(name, known)
    return VersionTotals(measured=measured, scores=_scores(rows, taken))


def _values(rows: LabelledRows, numbers_scale: float | None) -> dict[str, Floats]:
    """The value of each row in each measure, from 0 to 1; NaN where it does not count in it."""
    if rows.task == "regression":
        return (
            {} if numbers_scale is None else {"mae": np.minimum(np.abs(rows.scores - rows.labels) / numbers_scale, 1.0)}
        )
    if rows.task == "ranking":
        chosen = rows.labels > 0
        known = np.isfinite(rows.labels)
        ranks = np.where(chosen, 1.0 / np.maximum(rows.labels, 1.0), 0.0)
        return {"ctr": np.where(known, chosen, np.nan), "mrr": np.where(known, ranks, np.nan)}
    if rows.task == "text":
        return {}
    right = 1.0 - raw_losses(rows, "error")
    found: dict[str, Floats] = {"accuracy": right}
    if rows.task == "binary":
        predicted = np.where(right == 1.0, rows.labels, np.where(right == 0.0, 1.0 - rows.labels, np.nan))
        found["precision"] = np.where(predicted == 1.0, right, np.nan)
        found["recall"] = np.where(rows.labels == 1.0, right, np.nan)
        found["brier"] = raw_losses(rows, "squared_error")
        is_class = (rows.labels == 0.0) | (rows.labels == 1.0)
        shares = np.where(rows.labels == 1.0, rows.scores, 1.0 - rows.scores)
        losses = -np.log(np.clip(shares, _LEAST_SHARE, 1.0)) / MOST_LOG_LOSS
        found["log_loss"] = np.where(is_class, np.minimum(losses, 1.0), np.nan)
    elif rows.probabilities is not None:
        places = np.where(np.isfinite(rows.labels) & (rows.labels != NO_CLASS), rows.labels, 0).astype(np.intp)
        shares = rows.probabilities[np.arange(rows.row_count), np.minimum(places, rows.probabilities.shape[1] - 1)]
        losses = -np.log(np.clip(shares.astype(np.float64), _LEAST_SHARE, 1.0)) / MOST_LOG_LOSS
        known = (rows.labels >= 0) & (rows.labels < rows.probabilities.shape[1])
        found["log_loss"] = np.where(known, np.minimum(losses, 1.0), np.nan)
    return found


def _counted(name: str, values: Floats) -> Floats:
    """Rows by their value: of what lies between two values of the grid a part at each, which keeps the mean."""
    if name in {"accuracy", "precision", "recall", "ctr"}:
        right = float(np.count_nonzero(values))
        return np.array([len(values) - right, right])
    places = np.zeros(len(values), np.intp)
    counted = tally(np.clip(values, GRID[0], GRID[-1]), places, places, expected=np.zeros(len(values)), shape=(1, 1))
    return counted[0, 0, : PARTS - 1].copy()


def _scores(rows: LabelledRows, taken: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Scores of two classes by their bins: of negatives, and of positives."""
    counts = np.zeros((2, SCORE_BINS), np.int64)
    if rows.task == "binary":
        taken = taken & np.isfinite(rows.scores)
        places = np.clip(np.nan_to_num(rows.scores) * SCORE_BINS, 0, SCORE_BINS - 1).astype(np.intp)
        for label in (0, 1):
            counts[label] = np.bincount(places[taken & (rows.labels == label)], minlength=SCORE_BINS)
    return counts
