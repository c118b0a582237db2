"""What is shown of the performance of a model: its measures by label and by prediction, its labels, its estimate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import floor

import numpy as np

from dashlight.judge.evidence.intervals import wilson_interval
from dashlight.judge.performance.coverage import coverage_by_age, predictions_by_score, settled_until
from dashlight.judge.performance.displayed import displayed
from dashlight.judge.performance.estimates.estimate import PerformanceEstimate
from dashlight.judge.performance.estimates.record import EstimateRecord
from dashlight.judge.performance.measure import Measure
from dashlight.judge.performance.measures import measures
from dashlight.labels.store import WaitingCounts
from dashlight.records import Score
from dashlight.window.performance.buckets import HOURS_KEPT
from dashlight.window.performance.counts import PerformanceCounts
from dashlight.window.performance.course import AGES, PerformanceCourse
from dashlight.window.performance.hours import HOUR_SECONDS, Hours

BY_PREDICTION = "_by_prediction_time"
"""Ends the names of measures of the predictions of the window; others are of the labels that came in it."""
_AGES = {1: "1h", 6: "6h", 24: "1d", 72: "3d", 168: "7d", 720: "30d"}
"""Hours, in words."""


@dataclass(frozen=True, slots=True)
class ShownTimes:
    """Over which times something is shown."""

    window_seconds: float
    label_window_seconds: float
    unit: Hours

    def since(self, at: float) -> float:
        """The whole hour in which the window that ends *at* begins; of a day or more than two the whole day."""
        since_at = at - self.window_seconds
        hour_seconds = self.unit.hour_seconds
        unit = hour_seconds if self.window_seconds <= HOURS_KEPT * hour_seconds else self.unit.day_seconds
        return floor(since_at / unit) * unit


@dataclass(frozen=True, slots=True)
class ShownPerformance:
    """Figures, and what has to be said beside them."""

    scores: tuple[Score, ...]
    words: tuple[str, ...]


def realised_figures(
    course: PerformanceCourse,
    waiting: WaitingCounts | None,
    reference: PerformanceCounts | None,
    spans: ShownTimes,
    at: float,
) -> ShownPerformance:
    """The measures of the window that ends *at*, by label and by prediction; *waiting* are all predictions, where known."""
    since_at = spans.since(at)
    found: list[Score] = []
    words: tuple[str, ...] = ()
    by_label, by_prediction = course.by_label(since_at, at), course.by_prediction(since_at, at)
    if by_label is not None and by_label.rows:
        found.append(Score(None, None, "labels", by_label.rows, by_label.rows, by_label.rows, by_label.rows))
        found += map(_score, measures(by_label, reference=reference))
    if by_prediction is not None and by_prediction.rows:
        # By real hours it is known how many predictions wait: of less nothing can be weighted.
        if waiting is None or spans.unit.hour_seconds < HOUR_SECONDS:
            shown: Sequence[Measure] = measures(by_prediction, reference=reference)
        else:
            until_at = settled_until(at, spans.label_window_seconds)
            settled = course.by_prediction(until_at - spans.label_window_seconds, until_at)
            predictions = predictions_by_score(waiting, since_at=since_at, until_at=at)
            figures = displayed(by_prediction, predictions, settled=settled, reference=reference)
            shown, words = figures.measures, figures.words
        found += [replace(_score(each), statistic=each.name + BY_PREDICTION) for each in shown if "[" not in each.name]
    return ShownPerformance(tuple(found), words)


def coverage_figures(waiting: WaitingCounts | None, at: float) -> Iterator[Score]:
    """`label_coverage`: the share of predictions that have a label, 0 to 1, of all that wait and by their age."""
    if waiting is None or not waiting.predictions.sum():
        return
    predictions, labelled = waiting.predictions.sum(), waiting.labelled.sum()
    value, low, high = map(float, wilson_interval(labelled, predictions))
    yield Score(None, None, "label_coverage", value, low, high, int(predictions))
    for each in coverage_by_age(waiting, at):
        ages = [_AGES[round(age / HOUR_SECONDS)] for age in AGES if age <= each.least_age_seconds]
        age = f"after {ages[-1]}" if ages else "first hour"
        yield Score(None, None, f"label_coverage[{age}]", each.share, each.low, each.high, each.predictions)


def estimate_figures(estimate: PerformanceEstimate | None, record: EstimateRecord) -> Iterator[Score]:
    """`estimated_accuracy` and others, by how much they were off on days whose truth is known, or why there is none."""
    if estimate is None:
        return
    if estimate.reason is not None:
        yield Score(None, None, f"estimate_unavailable[{estimate.reason}]", 1.0, 1.0, 1.0, estimate.rows)
    if estimate.outside_share is not None:
        outside = estimate.outside_share
        yield Score(None, None, "outside_reference_rate", outside, outside, outside, estimate.rows)
    for each in estimate.measures:
        if "[" in each.name:  # of one class
            continue
        yield Score(None, None, f"estimated_{each.name}", each.value, each.low, each.high, estimate.rows)
        known = record.accuracy(each.name)
        if known is not None:
            error = known.mean_absolute_error
            yield Score(None, None, f"estimated_{each.name}_error", error, error, error, known.windows)


def realised_values(counts: PerformanceCounts | None) -> dict[str, float]:
    """The measures of *counts* under the names of those that are estimated."""
    return {} if counts is None or not counts.rows else {each.name: each.value for each in measures(counts)}


def _score(measure: Measure) -> Score:
    low, high = (float(each) if np.isfinite(each) else measure.value for each in (measure.low, measure.high))
    return Score(None, None, measure.name, measure.value, low, high, measure.rows, measure.reference)
