"""Counts of labelled rows by hour for the last days, by day before: bounded, and whole hours and days only."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import floor
from typing import Final

import numpy as np

from dashlight.labels.rows import Floats
from dashlight.window.fitting import LATEST_AT, refuse, within
from dashlight.window.performance.counts import PerformanceCounts
from dashlight.window.performance.hours import Hours

HOURS_KEPT: Final = 48
_MOST_DAYS = 3661
"""Ten years."""


@dataclass(frozen=True, slots=True, eq=False)
class Bucket:
    """Counts under a number."""

    number: int
    """Of the hour or the day since the epoch, or as its owner says."""
    counts: PerformanceCounts


@dataclass(frozen=True, slots=True, eq=False)
class BucketsState:
    """What Buckets hold."""

    hours: tuple[Bucket, ...]
    days: tuple[Bucket, ...]

    @property
    def is_filled(self) -> bool:
        """Whether there is any bucket."""
        return bool(self.hours or self.days)


class Buckets:
    """Counts by the hour, HOURS_KEPT back from the latest moment; what is older is added up by day."""

    def __init__(self, seconds: float, unit: Hours) -> None:
        """*seconds* back from the latest moment days are kept, of the hours and days of *unit*."""
        self._seconds, self._unit = seconds, unit
        self._hours: dict[int, PerformanceCounts] = {}
        self._days: dict[int, PerformanceCounts] = {}

    @property
    def state(self) -> BucketsState:
        """All that they hold."""
        return BucketsState(bucketed(self._hours), bucketed(self._days))

    def restore(self, state: BucketsState, empty: PerformanceCounts) -> None:
        """Go on from *state*, counts of the task and classes of *empty*; ValueError where it does not fit."""
        self._hours = buckets_of(state.hours, empty, most=HOURS_KEPT + 1)
        self._days = buckets_of(state.days, empty, most=_MOST_DAYS)

    def all(self) -> Iterator[PerformanceCounts]:
        """All counts."""
        yield from self._hours.values()
        yield from self._days.values()

    def add(self, hour: int, counts: PerformanceCounts, at: float) -> None:
        """Add *counts* of that *hour* since the epoch, which is not after *at*."""
        is_old = hour < _first_hour(at, self._unit)
        held, number = (self._days, hour // self._unit.hours_a_day) if is_old else (self._hours, hour)
        before = held.get(number)
        held[number] = counts if before is None else before + counts

    def forget(self, at: float) -> None:
        """Add up the hours that are no longer recent *at* that moment, and let go of days before the window."""
        for hour in sorted(hour for hour in self._hours if hour < _first_hour(at, self._unit)):
            self.add(hour, self._hours.pop(hour), at)
        first_day = floor((at - self._seconds) / self._unit.day_seconds)
        self._days = {day: counts for day, counts in self._days.items() if day >= first_day}

    def between(self, since_at: float, until_at: float) -> Iterator[PerformanceCounts]:
        """The counts of the hours and days that begin in [since_at, until_at), the earliest first."""
        for held, seconds in ((self._days, self._unit.day_seconds), (self._hours, self._unit.hour_seconds)):
            yield from (held[number] for number in sorted(held) if since_at <= number * seconds < until_at)


def hours_told_apart(moments: Floats, at: float, unit: Hours) -> Floats:
    """The hour since the epoch of each of *moments*; of those that are kept by day the first hour of it."""
    hours = np.floor(moments / unit.hour_seconds)
    return np.where(hours < _first_hour(at, unit), np.floor(hours / unit.hours_a_day) * unit.hours_a_day, hours)


def bucketed(held: Mapping[int, PerformanceCounts]) -> tuple[Bucket, ...]:
    """Counts by number as plain data."""
    return tuple(Bucket(number, counts) for number, counts in sorted(held.items()))


def buckets_of(buckets: Sequence[Bucket], empty: PerformanceCounts, *, most: int) -> dict[int, PerformanceCounts]:
    """Counts by number as read from a state; ValueError where they are too many, or not of the task of *empty*."""
    within("buckets of performance", len(buckets), 0, most)
    for bucket in buckets:
        within("number of a bucket", bucket.number, 0, int(LATEST_AT))
        is_other = (bucket.counts.task, bucket.counts.classes) != (empty.task, empty.classes)
        refuse("performance of another task", where=is_other)
    found = {bucket.number: bucket.counts.checked() for bucket in buckets}
    refuse("two buckets of one number", where=len(found) < len(buckets))
    return found


def _first_hour(at: float, unit: Hours) -> int:
    return floor(at / unit.hour_seconds) - HOURS_KEPT
