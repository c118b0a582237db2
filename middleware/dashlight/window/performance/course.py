"""The performance of one model over time: counts by when a prediction was made, and by when its label came."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import reduce
from math import floor
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dashlight.labels.rows import MOST_CLASSES, NO_CLASS, LabelledRows, Task
from dashlight.window.fitting import MOST_COUNT, moment, refuse, within
from dashlight.window.performance.buckets import Bucket, Buckets, BucketsState, bucketed, buckets_of, hours_told_apart
from dashlight.window.performance.counts import PerformanceCounts, chosen_rows, counted, no_counts
from dashlight.window.performance.error_cells import ErrorCells, errors_of, joined_errors, no_errors
from dashlight.window.performance.hours import DAY_SECONDS, HOUR_SECONDS, Hours, kept_seconds

AGES: Final = (HOUR_SECONDS, 6 * HOUR_SECONDS, DAY_SECONDS, 3 * DAY_SECONDS, 7 * DAY_SECONDS, 30 * DAY_SECONDS)
"""How long after its prediction a label came: up to each of them, or later."""
_MOST_DELAY_DAYS = 3661


@dataclass(frozen=True, slots=True, eq=False)
class DelayBucket:
    """How long after their predictions the labels of one day came."""

    day: int
    seconds: ErrorCells


@dataclass(frozen=True, slots=True, eq=False)
class PerformanceCourseState:
    """What outlives the process of a PerformanceCourse."""

    task: Task | None
    classes: tuple[str, ...]
    by_prediction: BucketsState
    by_label: BucketsState
    by_age: tuple[Bucket, ...]
    delays: tuple[DelayBucket, ...]
    latest_at: float
    too_old: int
    refused: int


class PerformanceCourse:
    """Counts of the labelled rows of one model: hour by hour for two days, day by day for as long as labels are taken.

    A late label goes where its prediction stands, and, by label, to when it came. The first rows say the task and the
    classes; of later ones that name them otherwise, classes are found by name. Of 90 days it takes 18 MB at most, where
    every bucket is full of different scores: 10 MB of two classes, 0.3 MB where scores are few.
    """

    def __init__(self, label_window_seconds: float, unit: Hours | None = None) -> None:
        """*label_window_seconds*: so long after a prediction labels are taken.

        Counts stay longer than that, see `kept_seconds`. Their hours and days are those of *unit*, real ones without it.
        """
        self._unit = unit or Hours()
        self._window = label_window_seconds
        self._kept_seconds = kept_seconds(label_window_seconds)
        self._task: Task | None = None
        self._classes: tuple[str, ...] = ()
        self._by_prediction, self._by_label = (Buckets(self._kept_seconds, self._unit) for _ in range(2))
        self._by_age: dict[int, PerformanceCounts] = {}
        self._delays: dict[int, ErrorCells] = {}
        self._latest_at = 0.0
        self.too_old = 0
        """Rows that were not counted: they were predicted before the window."""
        self.refused = 0
        """Rows that were not counted: of another task, or without a time."""

    @property
    def state(self) -> PerformanceCourseState:
        """All that it holds."""
        return PerformanceCourseState(
            self._task,
            self._classes,
            self._by_prediction.state,
            self._by_label.state,
            bucketed(self._by_age),
            tuple(DelayBucket(day, seconds) for day, seconds in sorted(self._delays.items())),
            self._latest_at,
            self.too_old,
            self.refused,
        )

    def restore(self, state: PerformanceCourseState) -> None:
        """Go on from *state*; ValueError where no rows lead to it, of a window of this length or another."""
        self._task, self._classes = state.task, state.classes
        self._latest_at = moment("the latest row of a course", state.latest_at)
        self.too_old = within("rows too old", state.too_old)
        self.refused = within("rows refused", state.refused)
        is_empty = not (state.by_prediction.is_filled or state.by_label.is_filled or state.by_age)
        refuse("performance of no task", where=state.task is None and not is_empty)
        empty = no_counts(state.task or "text", state.classes)
        self._by_prediction.restore(state.by_prediction, empty)
        self._by_label.restore(state.by_label, empty)
        self._by_age = buckets_of(state.by_age, empty, most=(len(AGES) + 1) * _MOST_DELAY_DAYS)
        within("days of delays", len(state.delays), 0, _MOST_DELAY_DAYS)
        self._delays = {within("day", each.day, 0, MOST_COUNT): each.seconds.checked() for each in state.delays}
        self._forget()

    @property
    def bytes(self) -> int:
        """Memory that the counts take, without Python's own."""
        held = [*self._by_prediction.all(), *self._by_label.all(), *self._by_age.values()]
        return sum(counts.bytes for counts in held) + sum(
            each.codes.nbytes + each.counts.nbytes for each in self._delays.values()
        )

    def add(self, rows: LabelledRows, at: float) -> None:
        """Count *rows*, which are known *at*; times after that count as *at*."""
        self._latest_at = max(self._latest_at, at)
        if self._task is None and rows.row_count:
            self._task, self._classes = rows.task, rows.classes
        has_time = np.isfinite(rows.predicted_at) & np.isfinite(rows.labelled_at) & (rows.predicted_at >= 0)
        if rows.task != self._task:
            has_time[:] = False
        is_recent = rows.predicted_at >= self._latest_at - self._window
        self.refused += int(np.count_nonzero(~has_time))
        self.too_old += int(np.count_nonzero(has_time & ~is_recent))
        rows = chosen_rows(rows, has_time & is_recent)
        if rows.row_count:
            self._count(_of_classes(rows, self._classes))
        self._forget()

    def by_prediction(self, since_at: float, until_at: float) -> PerformanceCounts | None:
        """Counts of the predictions made in the hours, or beyond two days the days, that begin in [since_at, until_at).

        None before the first row.
        """
        return self._sum(self._by_prediction.between(since_at, until_at))

    def by_label(self, since_at: float, until_at: float) -> PerformanceCounts | None:
        """Likewise of the labels that came then."""
        return self._sum(self._by_label.between(since_at, until_at))

    def at_age(self, since_at: float, until_at: float, most_age_seconds: float) -> PerformanceCounts | None:
        """Counts of the predictions of some days whose labels came soon enough: to compare cohorts at equal age.

        The days are those that begin in [since_at, until_at); the age is the largest of AGES that is at most
        *most_age_seconds*. Without score cells and quantiles.
        """
        ages = sum(age <= most_age_seconds for age in AGES)
        return self._sum(
            counts
            for number, counts in sorted(self._by_age.items())
            if since_at <= number // (len(AGES) + 1) * DAY_SECONDS < until_at and number % (len(AGES) + 1) < ages
        )

    def delays(self, since_at: float = 0.0) -> ErrorCells:
        """How many seconds after their predictions labels came, of those that came on days from *since_at* on.

        Its `quantile` is within 1 %. Labels that are only implied are not among them.
        """
        first = floor(since_at / DAY_SECONDS)
        return joined_errors([no_errors(), *(each for day, each in self._delays.items() if day >= first)])

    def _count(self, rows: LabelledRows) -> None:
        predicted_at = np.minimum(rows.predicted_at, self._latest_at)
        labelled_at = np.clip(rows.labelled_at, predicted_at, self._latest_at)
        for buckets, moments in ((self._by_prediction, predicted_at), (self._by_label, labelled_at)):
            for hour, counts in _groups(rows, hours_told_apart(moments, self._latest_at, self._unit), counted):
                buckets.add(hour, counts, self._latest_at)
        seconds = labelled_at - predicted_at
        ages = np.searchsorted(AGES, seconds)
        numbers = np.floor(predicted_at / DAY_SECONDS) * (len(AGES) + 1.0) + ages
        for number, counts in _groups(rows, numbers, _lightly_counted):
            before = self._by_age.get(number)
            self._by_age[number] = counts if before is None else before + counts
        days = np.floor(labelled_at / DAY_SECONDS).astype(np.int64)
        for day in np.unique(days[~rows.is_implied]).tolist():
            cells = errors_of(seconds[(days == day) & ~rows.is_implied])
            self._delays[day] = cells + self._delays.get(day, no_errors())

    def _forget(self) -> None:
        first_day = floor((self._latest_at - self._kept_seconds) / DAY_SECONDS)
        self._by_prediction.forget(self._latest_at)
        self._by_label.forget(self._latest_at)
        self._by_age = {each: counts for each, counts in self._by_age.items() if each // (len(AGES) + 1) >= first_day}
        self._delays = {day: each for day, each in self._delays.items() if day >= first_day}

    def _sum(self, parts: Iterator[PerformanceCounts]) -> PerformanceCounts | None:
        return (
            None
            if self._task is None
            else reduce(lambda one, other: one + other, parts, no_counts(self._task, self._classes))
        )


def _groups(
    rows: LabelledRows, numbers: NDArray[np.floating], count: Callable[[LabelledRows], PerformanceCounts]
) -> Iterator[tuple[int, PerformanceCounts]]:
    order = np.argsort(numbers, kind="stable")
    found, starts = np.unique(numbers[order], return_index=True)
    for number, places in zip(found.tolist(), np.split(order, starts[1:]), strict=True):
        yield int(number), count(chosen_rows(rows, places))


def _lightly_counted(rows: LabelledRows) -> PerformanceCounts:
    return counted(rows).without_cells()


def _of_classes(rows: LabelledRows, classes: tuple[str, ...]) -> LabelledRows:
    """*rows* whose classes are numbered as in *classes*; those that are not among them are no class."""
    if rows.classes == classes:
        return rows
    places = {name: place for place, name in enumerate(classes)}
    codes = np.array([places.get(name, NO_CLASS) for name in rows.classes] + [NO_CLASS], np.int32)
    is_class = (rows.labels >= 0) & (rows.labels < len(rows.classes))
    labels = codes[np.where(is_class, rows.labels, len(rows.classes)).astype(np.intp)].astype(np.float64)
    is_predicted = (rows.predictions >= 0) & (rows.predictions < len(rows.classes))
    predictions = codes[np.where(is_predicted, rows.predictions, len(rows.classes))]
    scores = rows.scores
    if rows.task == "binary" and len(classes) == 2 and rows.classes == classes[::-1]:
        scores = 1 - scores
    return replace(
        rows,
        classes=classes,
        labels=np.where(np.isnan(rows.labels), np.nan, labels),
        predictions=predictions,
        scores=scores,
        probabilities=_columns(rows.probabilities, rows.classes, places),
    )


def _columns(
    probabilities: NDArray[np.float32] | None, classes: tuple[str, ...], places: dict[str, int]
) -> NDArray[np.float32] | None:
    """Of the classes in *places*; None where they are too many, or not all the probability is theirs."""
    if probabilities is None or probabilities.shape[1] != len(classes) or len(places) > MOST_CLASSES:
        return None
    if not set(classes) <= set(places):
        return None
    found = np.zeros((len(probabilities), len(places)), np.float32)
    found[:, [places[name] for name in classes]] = probabilities
    return found
