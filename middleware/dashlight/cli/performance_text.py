"""How good the model was on its reference, in words, for the terminal."""

import numpy as np

from dashlight.judge.words import printable
from dashlight.labels.rows import Floats
from dashlight.privacy.hashing import is_hash
from dashlight.window.columns import Reference
from dashlight.window.performance_reference import PerformanceReference
from dashlight.window.reference.performance.losses import SCALE_QUANTILE

_WAITING = "estimates of it wait until enough labels have come"


def performance_words(reference: Reference) -> list[str]:
    """What *reference* knows of performance, a line each; the first one begins with `performance:`."""
    performance = reference.performance
    if performance is None:
        why = (
            "it was learned from traffic"
            if reference.source == "learned"
            else "no predictions were compared with labels (--label, --score)"
        )
        return [f"performance: unknown, {why}: {_WAITING}"]
    return [
        f"performance: {performance.task}, by label {_columns(performance)}, {performance.rows:,} rows with a label",
        *(f"  {line}" for line in _figures(performance)),
    ]


def _columns(performance: PerformanceReference) -> str:
    parts = [repr(printable(performance.label))]
    if performance.task == "binary":
        positive = performance.classes[1]
        parts[0] += " (positive: " + ("hashed" if is_hash(positive) else repr(printable(positive))) + ")"
    elif performance.classes:
        parts[0] += f" of {len(performance.classes)} classes"
    parts.append(f"score {printable(performance.score)!r}" if performance.score else "no score")
    if performance.prediction and performance.prediction != performance.score:
        parts.append(f"prediction {printable(performance.prediction)!r}")
    elif performance.task == "binary":
        parts.append("predicted positive from a score of 0.5")
    return ", ".join(parts)


def _figures(performance: PerformanceReference) -> list[str]:
    lines = [_accuracy(performance)] if performance.classes else [_errors(performance)]
    known = ~np.isnan(performance.scores) & ~np.isnan(performance.labels)
    scores, labels = performance.scores[known], performance.labels[known]
    if performance.task == "binary" and len(np.unique(labels)) > 1:
        auc = area_under_curve(scores, labels)
        lines.append(f"ROC AUC {auc:.3f}, {len(scores):,} rows")
        if auc < 0.5:
            other = "" if is_hash(performance.classes[0]) else f" {performance.classes[0]}"
            lines[-1] += f": below 0.5, is the score that of the other class (--positive{other})?"
    if performance.task == "binary" and performance.score:
        lines.append(
            "scores are taken for probabilities as they are"
            if performance.calibration is None
            else f"scores are calibrated, by {len(performance.calibration[0])} points"
        )
    if not performance.score:
        lines.append(f"no score (--score), so that {_WAITING}")
    elif not any(int(loss.rows.sum()) for loss in performance.losses):
        lines.append(f"no row has both a label and a score: {_WAITING}")
    return lines


def _accuracy(performance: PerformanceReference) -> str:
    error = next((loss for loss in performance.losses if loss.name == "error"), None)
    rows = 0 if error is None else int(error.rows.sum())
    if error is None or not rows:
        return "accuracy unknown: no row has both a label and a prediction"
    return f"accuracy {1 - float(error.sums.sum()) / rows:.3f}, {rows:,} rows"


def _errors(performance: PerformanceReference) -> str:
    apart = np.abs(performance.scores - performance.labels)
    apart = apart[~np.isnan(apart)]
    loss = next(iter(performance.losses), None)
    if loss is None or not len(apart):
        return "mean absolute error unknown: no row has both a label and a prediction"
    return (
        f"mean absolute error {float(apart.mean()):.4g}, {len(apart):,} rows; an error of {loss.scale:.4g} or more,"
        f" as one row in {round(1 / (1 - SCALE_QUANTILE))} has, is a loss of 1"
    )


def area_under_curve(scores: Floats, labels: Floats) -> float:
    """The chance that a row of label 1 has a higher score than one of label 0, ties halved; there are rows of both.

    Source: Mann and Whitney (1947), Annals of Mathematical Statistics 18, 50-60.
    """
    _, places = np.unique(scores, return_inverse=True)
    positive = np.bincount(places, labels)
    negative = np.bincount(places, 1 - labels)
    below = np.cumsum(negative) - negative
    return float((positive * (below + negative / 2)).sum() / (positive.sum() * negative.sum()))
