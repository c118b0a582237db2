"""Measures of a classifier: agreement, precision and recall, proper scores, calibration. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.evidence.intervals import wilson_interval
from dashlight.judge.performance.curves import average_precision, one_vs_rest, roc_auc
from dashlight.judge.performance.measure import Measure, around, mean, named, share
from dashlight.labels.rows import Floats
from dashlight.privacy.detectors import found_in, may_be_a_person
from dashlight.privacy.hashing import is_hash
from dashlight.window.disclosure import LEAST_LABEL_SHARE
from dashlight.window.performance.classified import (
    BRIER,
    BRIER_SQUARED,
    CORRECT,
    HITS,
    IMPROPER,
    LOG_LOSS,
    LOG_LOSS_SQUARED,
    PREDICTED,
    PROPER,
    SCORE,
    SCORED,
    Classified,
)
from dashlight.window.performance.strata import TENTHS


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """One tenth of the score: what was foretold, and what came."""

    low: float
    """Scores from here to a tenth above."""
    mean_score: float
    positive_share: float
    """Share of positive labels; of many classes the share of rows whose top class was right."""
    share_low: float
    """Of Wilson's interval of it."""
    share_high: float
    rows: int


def class_measures(counts: Classified, words: Sequence[str], z: float, *, is_binary: bool) -> list[Measure]:
    """All measures that *counts* allow; *words* is what each class may be called."""
    tallies, sums = counts.tallies.sum(axis=0), counts.sums.sum(axis=0)
    confusion = counts.confusion.sum(axis=0)
    measures = share("accuracy", int(tallies[CORRECT]), int(tallies[PREDICTED]), z)
    if is_binary:
        measures += of_class(confusion, 1, z)
        measures += _averages(confusion, z)
        measures += roc_auc(counts.cells, z) + average_precision(counts.cells, z)
    else:
        measures += [_plain(each) for each in _averages(confusion, z)]
        measures += one_vs_rest(counts.one_vs_rest, z)
    if not tallies[IMPROPER]:
        proper = float(tallies[PROPER])
        measures += mean("log_loss", proper, sums[LOG_LOSS], sums[LOG_LOSS_SQUARED], z, least=0.0)
        measures += mean("brier", proper, sums[BRIER], sums[BRIER_SQUARED], z, least=0.0)
        measures += calibration_error(counts, z)
    for place, name in enumerate(words):
        measures += named(of_class(confusion, place, z), name)
    return measures


def of_class(confusion: NDArray[np.int64], place: int, z: float) -> list[Measure]:
    """Precision, recall and F1 of the class at *place*, each where it can be said.

    F1 = 2 J / (1 + J) of the share J = hit / (hit + missed + false): its interval is that of J, carried over, which
    unlike the delta method's is sensible near 0 and 1.
    """
    hit, labelled, predicted = int(confusion[place, place]), int(confusion[place].sum()), int(confusion[:, place].sum())
    measures = share("precision", hit, predicted, z) + share("recall", hit, labelled, z)
    for union in share("f1", hit, labelled + predicted - hit, z):
        value, low, high = (2 * each / (1 + each) for each in (union.value, union.low, union.high))
        measures.append(Measure("f1", value, low, high, union.rows))
    return measures


def calibration(counts: Classified) -> tuple[CalibrationBin, ...]:
    """The calibration curve over tenths of the score, those with rows."""
    scored, hits = counts.tallies[:TENTHS, SCORED], counts.tallies[:TENTHS, HITS]
    interval = wilson_interval(hits, scored)
    return tuple(
        CalibrationBin(
            low=place / TENTHS,
            mean_score=float(counts.sums[place, SCORE] / scored[place]),
            positive_share=float(interval.value[place]),
            share_low=float(interval.low[place]),
            share_high=float(interval.high[place]),
            rows=int(scored[place]),
        )
        for place in np.flatnonzero(scored).tolist()
    )


def calibration_error(counts: Classified, z: float, weights: Floats | None = None) -> list[Measure]:
    """Expected calibration error over ten bins of equal width.

    ECE = sum over bins of |sum of scores - positive rows| / rows

    Where rows are few it is too large, as chance alone moves every bin; the interval is of the sum of the bins' noise.
    *weights*, shape (STRATA,), are of rows by tenth.
    """
    w = np.ones(TENTHS) if weights is None else weights[:TENTHS]
    scored, hits = counts.tallies[:TENTHS, SCORED].astype(np.float64), counts.tallies[:TENTHS, HITS]
    rows = float((w * scored).sum())
    if not rows:
        return []
    gaps = np.abs(counts.sums[:TENTHS, SCORE] - hits)
    p = (hits + 1) / (scored + 2)
    error = sqrt(float((w**2 * scored * p * (1 - p)).sum())) / rows
    return around("ece", float((w * gaps).sum() / rows), error, int(scored.sum()), z, least=0.0, most=1.0)


def class_words(classes: tuple[str, ...], *counts: Classified) -> list[str]:
    """What each of the counted classes may be called: by its number where it is rare in all of *counts*.

    So may all where any of them may be somebody's: as categories of an output (`window.disclosure`).
    """
    is_open = not any(is_hash(name) or may_be_a_person(name) or found_in(name) is not None for name in classes)
    is_frequent = np.zeros(len(counts[0].confusion[0]), np.bool_)
    for each in counts:
        confusion = each.confusion.sum(axis=0)
        rows = max(int(confusion.sum()), 1)
        is_frequent |= np.maximum(confusion.sum(axis=1), confusion.sum(axis=0)) >= LEAST_LABEL_SHARE * rows
    counted = classes[: len(is_frequent) - 1]
    return [name if is_open and is_frequent[place] else f"class #{place + 1}" for place, name in enumerate(counted)]


def _averages(confusion: NDArray[np.int64], z: float) -> list[Measure]:
    """Macro and weighted averages over the classes that occur, as scikit-learn's with zero_division=0.

    The variance is the delta method's over the cells of the confusion c_ij: sum of c_ij (df / dc_ij)^2, as all are of degree 0.
    """
    occurs = (confusion.sum(axis=0) + confusion.sum(axis=1)) > 0
    c = confusion[np.ix_(occurs, occurs)].astype(np.float64)
    rows = float(c.sum())
    if not rows:
        return []
    hit, labelled, predicted = np.diag(c), c.sum(axis=1), c.sum(axis=0)
    size = len(c)
    is_hit, of_label, of_prediction = (
        np.einsum("ki,kj->kij", *pair)
        for pair in (
            (np.eye(size), np.eye(size)),
            (np.eye(size), np.ones((size, size))),
            (np.ones((size, size)), np.eye(size)),
        )
    )
    measures: list[Measure] = []
    for name, above, below, slope_above, slope_below in (
        ("precision", hit, predicted, is_hit, of_prediction),
        ("recall", hit, labelled, is_hit, of_label),
        ("f1", 2 * hit, labelled + predicted, 2 * is_hit, of_label + of_prediction),
    ):
        divisor = np.maximum(below, 1)
        values = above / divisor
        slopes = (slope_above - values[:, None, None] * slope_below) / divisor[:, None, None]
        macro, weights = float(values.mean()), labelled / rows
        weighted = float((weights * values).sum())
        steep = np.einsum("k,kij->ij", weights, slopes) + (np.einsum("k,kij->ij", values, of_label) - weighted) / rows
        measures += around(f"{name}_macro", macro, _delta(c, slopes.mean(axis=0)), int(rows), z, least=0.0, most=1.0)
        measures += around(f"{name}_weighted", weighted, _delta(c, steep), int(rows), z, least=0.0, most=1.0)
    return measures


def _delta(cells: Floats, slopes: Floats) -> float:
    return sqrt(float((cells * slopes**2).sum()))


def _plain(measure: Measure) -> Measure:
    """Of many classes the macro average goes by the plain name."""
    return Measure(measure.name.removesuffix("_macro"), measure.value, measure.low, measure.high, measure.rows)
