"""Whether labels have stopped to come. Pure.

Time is measured in hours in which labels are to be expected: an hour of the week counts as much as the share of such hours
in which labels came, and nothing while no prediction was made that should have one by now. A feed of nights and weekends, of
one batch a day or of one settlement a month thus has pauses of a few such hours. A pause alarms that is k times as long as
the longest so far and one hour; where so many pauses were seen in T hours, and the tail of their lengths is no heavier than
that of a Pareto law of index TAIL, that happens at most 1 / (T k**TAIL) times an hour, which is the budget's rate A at

    k = (1 / (A T)) ** (1 / TAIL),  at least LEAST_TIMES.

The feed is trusted as far as it was watched: nothing alarms before a week. Hours of the week that were not seen add nothing.
It cannot see that fewer labels come, as long as some do.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashlight.labels.rows import Floats
from dashlight.window.fitting import LATEST_AT, MOST_COUNT, fitted, refuse, within

HOUR_SECONDS = 3600.0
CLASSES = 168
"""Hours of a week."""
TAIL = 6.0
LEAST_TIMES = 2.0
LEAST_WATCHED = 168
"""Hours from the first label to the last before which nothing alarms."""
MOST_WEEKS = 26
"""After so many of an hour of the week the older half is forgotten."""
REMEMBERED = 2208
"""Hours for which it is known whether predictions were made: DASHLIGHT_LABEL_WINDOW and two days."""
NEVER = -1


@dataclass(frozen=True, slots=True, eq=False)
class LabelSilenceState:
    """What a LabelSilence remembers; hours are numbered from the epoch, NEVER: there was none."""

    seen: Floats
    """Hours of each class that ended before the present pause, shape (CLASSES,)."""
    active: Floats
    """Of these, those with labels."""
    paused: Floats
    """Hours of the present pause."""
    predicted: NDArray[np.bool_]
    """Whether predictions were made in an hour, which stands at its number modulo REMEMBERED, shape (REMEMBERED,)."""
    hour: int
    """That is open."""
    has_labels: bool
    first: int
    """In which labels came; likewise the last."""
    last: int
    gap: float
    """Expected hours of the present pause; likewise the longest so far, and the longest that alarmed."""
    longest: float
    fired: float


class LabelSilence:
    """The hours in which labels of one model came, and the present pause."""

    def __init__(self, rarity_hours: float) -> None:
        """*rarity_hours*: mean time between false alarms."""
        self._rarity = rarity_hours
        self._seen, self._active, self._paused = np.zeros(CLASSES), np.zeros(CLASSES), np.zeros(CLASSES)
        self._predicted = np.zeros(REMEMBERED, np.bool_)
        self._hour, self._has_labels = NEVER, False
        self._first = self._last = NEVER
        self.gap = 0.0
        """Expected hours without labels by now."""
        self._longest = self._fired = 0.0

    @property
    def state(self) -> LabelSilenceState:
        """What is remembered: the arrays themselves."""
        return LabelSilenceState(
            seen=self._seen,
            active=self._active,
            paused=self._paused,
            predicted=self._predicted,
            hour=self._hour,
            has_labels=self._has_labels,
            first=self._first,
            last=self._last,
            gap=self.gap,
            longest=self._longest,
            fired=self._fired,
        )

    def restore(self, state: LabelSilenceState) -> None:
        """Go on from *state*; ValueError where no hours lead to it."""
        self._seen = fitted("hours of the week", state.seen, like=self._seen, least=0, most=MOST_COUNT)
        self._active = fitted("hours with labels", state.active, like=self._active, least=0, most=MOST_COUNT)
        refuse("more hours with labels than hours", where=bool((self._active > self._seen).any()))
        self._paused = fitted("hours of a pause", state.paused, like=self._paused, least=0, most=MOST_COUNT)
        self._predicted = fitted("hours with predictions", state.predicted, like=self._predicted)
        latest = int(LATEST_AT / HOUR_SECONDS)
        self._hour = within("an hour", state.hour, NEVER, latest)
        self._first = within("the first hour with labels", state.first, NEVER, state.hour)
        self._last = within("the last hour with labels", state.last, state.first, state.hour)
        refuse("hours with labels, and no first", where=state.first == NEVER < state.last)
        self._has_labels = state.has_labels
        self.gap = within("a pause", state.gap)
        self._longest = within("the longest pause", state.longest)
        self._fired = within("the longest pause that alarmed", state.fired)

    @property
    def watched(self) -> int:
        """Hours from the first label to the last; 0 before there were two hours with labels."""
        return self._last - self._first

    @property
    def last_at(self) -> float:
        """When the last hour with labels ended."""
        return (self._last + 1) * HOUR_SECONDS

    @property
    def times(self) -> float:
        """How long the present pause is, in lengths that alarm: at 1 or more it does."""
        if self.watched < LEAST_WATCHED:
            return 0.0
        times = max(float((self._rarity / self.watched) ** (1 / TAIL)), LEAST_TIMES)
        return self.gap / (times * (self._longest + 1))

    @property
    def longest(self) -> float:
        """Expected hours without labels, the most so far."""
        return self._longest

    def take(self, at: float, *, labels: int, predictions: int, delays: tuple[float, float]) -> None:
        """Take what came until *at*.

        *delays*: by which the earlier half of labels comes, and most of them, in seconds.
        """
        hour = max(int(at // HOUR_SECONDS), 0)
        if self._hour == NEVER:
            self._hour = hour
        if hour - self._hour > REMEMBERED:  # nobody watched: of the time between nothing is known
            self._predicted[:] = False
            self._hour, self._has_labels = hour, False
        while self._hour < hour:
            self._end_hour(delays)
            self._hour += 1
            self._predicted[self._hour % REMEMBERED] = False
            self._has_labels = False
        self._predicted[self._hour % REMEMBERED] |= predictions > 0
        if labels and not self._has_labels:
            self._has_labels = True
            self._heard()

    def _heard(self) -> None:
        """The pause is over; one that alarmed teaches only as far as one before it was as long."""
        if self._first == NEVER:
            self._first = self._hour
        learned = self.gap if self.times < 1 else min(self.gap, self._fired)
        self._fired = max(self._fired, self.gap) if self.times >= 1 else self._fired
        self._longest = max(self._longest, learned)
        self._last = self._hour
        self._seen += self._paused
        self._paused[:] = 0
        self.gap = 0.0

    def _end_hour(self, delays: tuple[float, float]) -> None:
        if self._first == NEVER:
            return
        place = (self._hour + 72) % CLASSES  # the epoch began on a Thursday; weeks here on a Monday
        if self._has_labels:
            self._seen[place] += 1
            self._active[place] += 1
            if self._seen[place] > MOST_WEEKS:
                self._seen[place] /= 2
                self._active[place] /= 2
            return
        self._paused[place] += 1
        if self._is_due(delays):
            self.gap += float(self._active[place] / (self._seen[place] + 1))

    def _is_due(self, delays: tuple[float, float]) -> bool:
        """Whether predictions were made whose labels were to come in this hour."""
        soonest, latest = (min(int(each // HOUR_SECONDS), REMEMBERED - 1) for each in delays)
        hours = np.arange(self._hour - latest, self._hour - soonest + 1)
        return bool(self._predicted[hours % REMEMBERED].any())
