"""How many predictions have labels, by age and by score, and cohorts that are compared at equal age. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, inf

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.evidence.intervals import wilson_interval
from dashlight.labels.store import WaitingCounts
from dashlight.window.performance.counts import PerformanceCounts
from dashlight.window.performance.course import AGES, PerformanceCourse
from dashlight.window.performance.hours import DAY_SECONDS, HOUR_SECONDS
from dashlight.window.performance.strata import NO_SCORE, STRATA


@dataclass(frozen=True, slots=True)
class LabelCoverage:
    """Which part of some predictions has a label."""

    least_age_seconds: float
    """Of the predictions, from when they were made."""
    most_age_seconds: float
    predictions: int
    labelled: int
    share: float
    low: float
    """Of Wilson's interval of it, at 95 %."""
    high: float


def label_coverage(waiting: WaitingCounts, *, since_at: float = -inf, until_at: float = inf) -> tuple[int, int]:
    """Predictions made in the hours that begin in [since_at, until_at), and those of them that have a label."""
    is_within = (waiting.predicted_at >= since_at) & (waiting.predicted_at < until_at)
    return int(waiting.predictions[is_within].sum()), int(waiting.labelled[is_within].sum())


def coverage_by_age(waiting: WaitingCounts, at: float) -> tuple[LabelCoverage, ...]:
    """Coverage of the predictions up to 1 hour old, 6 hours, 1 day, 3, 7, 30 days, and older; ages without any left out.

    An hour belongs where its oldest prediction does.
    """
    ages = np.maximum(at - waiting.predicted_at, 0.0)
    place = np.searchsorted(AGES, ages)
    predictions, labelled = (
        np.bincount(place, counts, len(AGES) + 1).astype(np.int64) for counts in (waiting.predictions, waiting.labelled)
    )
    interval = wilson_interval(labelled, predictions)
    ends = (0.0, *AGES, inf)
    return tuple(
        LabelCoverage(
            least_age_seconds=ends[each],
            most_age_seconds=ends[each + 1],
            predictions=int(predictions[each]),
            labelled=int(labelled[each]),
            share=float(interval.value[each]),
            low=float(interval.low[each]),
            high=float(interval.high[each]),
        )
        for each in np.flatnonzero(predictions).tolist()
    )


def predictions_by_score(waiting: WaitingCounts, *, since_at: float = -inf, until_at: float = inf) -> NDArray[np.int64]:
    """Shape (STRATA,): predictions made in the hours that begin in [since_at, until_at), by tenth of the score."""
    is_within = (waiting.predicted_at >= since_at) & (waiting.predicted_at < until_at)
    bins = waiting.score_bins[is_within]
    strata = np.where((bins >= 0) & (bins < NO_SCORE), bins, NO_SCORE)
    return np.bincount(strata, waiting.predictions[is_within], STRATA).astype(np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class EqualAge:
    """Cohorts of predictions, each with the labels that came within the same time."""

    age_seconds: float
    cohorts: tuple[PerformanceCounts, ...]
    """Without score cells and quantiles."""


def at_equal_age(course: PerformanceCourse, cohorts: Sequence[tuple[float, float]], at: float) -> EqualAge | None:
    """The *cohorts*, each of the days that begin in [since, until), with the labels that came as soon as the youngest's can have.

    The age is the largest of 1 hour, 6 hours, 1 day, 3, 7, 30 days that all their predictions have reached. None where the
    youngest has not reached an hour: its labels are those that come first, which are not like the others.
    """
    youngest_at = max(ceil(until / DAY_SECONDS) * DAY_SECONDS for _, until in cohorts)
    reached = [age for age in AGES if youngest_at + age <= at]
    if not reached:
        return None
    counts = [course.at_age(since, until, reached[-1]) for since, until in cohorts]
    found = tuple(each for each in counts if each is not None)
    return EqualAge(reached[-1], found) if len(found) == len(cohorts) else None


def settled_until(at: float, label_window_seconds: float) -> float:
    """The last hour's beginning before which predictions are so old that their labels would be there."""
    return (at - label_window_seconds) // HOUR_SECONDS * HOUR_SECONDS
