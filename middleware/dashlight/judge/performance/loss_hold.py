"""Labelled rows that wait until all labels of their time may have come, and batches of those that need not wait. Pure.

Where silence means no (DASHLIGHT_POSITIVE_WITHIN) the positives of an hour come long before its negatives: judged as they
come, every new hour would be all positive. Rows wait until their predictions are as old as that, so that those of one
hour count together.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.performance.loss_cohorts import LossCohorts
from dashlight.judge.performance.losses import PARTS, Places, sums_of, tally
from dashlight.labels.rows import Floats
from dashlight.window.fitting import LATEST_AT, MOST_COUNT, fitted, refuse, within
from dashlight.window.performance.hours import HOUR_SECONDS

STRETCHES = 64
"""Into which the time for which rows wait is cut, of an hour each at least."""
MOST_WAITING = STRETCHES + 4
"""Stretches that wait, even where nobody can say what silence means."""


@dataclass(frozen=True, slots=True, eq=False)
class LossHoldState:
    """What a LossHold remembers."""

    starts: NDArray[np.int64]
    """Numbers of the stretches of time whose predictions wait, ascending, shape (stretches,)."""
    waiting: Floats
    """Their losses as `losses.tally` counts, shape (stretches, bins, PARTS)."""
    batch: Floats
    """Losses that are to be judged next, shape (bins, PARTS)."""
    evaluated_at: float
    """When a batch was last judged; -LATEST_AT: never."""


class LossHold:
    """Counts rows by when they were predicted, and gives them as batches, one an hour at most."""

    def __init__(self, bins: int, settle_seconds: float, *, hour_seconds: float = HOUR_SECONDS) -> None:
        self._bins, self._settle, self._hour_seconds = bins, settle_seconds, hour_seconds
        self._stretch = max(hour_seconds, settle_seconds / STRETCHES)
        self._waiting: dict[int, Floats] = {}
        self._batch = np.zeros((bins, PARTS))
        self._evaluated_at = -LATEST_AT
        self.decided_at = LATEST_AT
        """Silence of predictions made before is a label by now, or never will be; what is as new waits however old it gets."""

    @property
    def state(self) -> LossHoldState:
        """What is remembered."""
        numbers = sorted(self._waiting)
        none = np.zeros((0, self._bins, PARTS))
        return LossHoldState(
            starts=np.array(numbers, np.int64),
            waiting=np.stack([self._waiting[each] for each in numbers]) if numbers else none,
            batch=self._batch,
            evaluated_at=self._evaluated_at,
        )

    def restore(self, state: LossHoldState) -> None:
        """Go on from *state*; ValueError where no rows lead to it."""
        count = len(state.starts)
        within("stretches that wait", count, 0, MOST_WAITING if self._settle else 0)
        limit = int(LATEST_AT / self._hour_seconds)
        starts = fitted("stretches", state.starts, like=np.empty(count, np.int64), least=-limit, most=limit)
        refuse("stretches that do not ascend", where=bool((np.diff(starts) <= 0).any()))
        like = np.empty((count, self._bins, PARTS))
        waiting = fitted("losses that wait", state.waiting, like=like, least=0, most=MOST_COUNT)
        self._batch = fitted("losses of a batch", state.batch, like=self._batch, least=0, most=MOST_COUNT)
        self._evaluated_at = within("the last batch", state.evaluated_at, -LATEST_AT, LATEST_AT)
        self._waiting = dict(zip(starts.tolist(), waiting, strict=True))

    def take(
        self, losses: Floats, bins: Places, expected: Floats, times: tuple[Floats, float], cohorts: LossCohorts
    ) -> None:
        """Take rows whose *times* are when they were predicted, and now. What need not wait goes to *cohorts* as well."""
        predicted_at, at = times
        settled_at = min(at - self._settle, self.decided_at)
        if len(losses):
            if self._settle <= 0:
                hours, groups = np.unique(predicted_at // self._hour_seconds, return_inverse=True)
                shape = (len(hours), self._bins)
                counted = tally(losses, bins, groups, expected=expected, shape=shape)
                cohorts.add(hours * self._hour_seconds, sums_of(counted))
                self._batch = self._batch + counted.sum(0)
                return
            # What is older than all that waits has waited long enough: one stretch for all of it.
            oldest = int(settled_at // self._stretch) - 2
            stretches = np.maximum((np.minimum(predicted_at, at) // self._stretch).astype(np.int64), oldest)
            numbers, groups = np.unique(stretches, return_inverse=True)
            counted = tally(losses, bins, groups, expected=expected, shape=(len(numbers), self._bins))
            for number, each in zip(numbers.tolist(), counted, strict=True):
                held = self._waiting.get(number)
                self._waiting[number] = each if held is None else held + each
        for number in sorted(self._waiting):
            # One stretch more: what silence means is found out a little after it has lasted so long.
            if (number + 2) * self._stretch > settled_at and len(self._waiting) <= MOST_WAITING:
                break
            counted = self._waiting.pop(number)
            cohorts.add(np.array([number * self._stretch]), sums_of(counted[np.newaxis]))
            self._batch = self._batch + counted

    def next_batch(self, at: float) -> Floats | None:
        """What is to be judged now, shape (bins, PARTS); None where there is nothing, or an hour has not passed."""
        is_early = 0 <= at - self._evaluated_at < self._hour_seconds
        if is_early or not self._batch[:, :-1].any():
            return None
        batch, self._batch, self._evaluated_at = self._batch, np.zeros_like(self._batch), at
        return batch
