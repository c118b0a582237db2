"""Losses by when their predictions were made: since when they are larger, and in which bins. Pure."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.evidence.change_point import WITHIN_NATS
from dashlight.labels.rows import Floats
from dashlight.window.fitting import LATEST_AT, MOST_COUNT, fitted, refuse, within
from dashlight.window.performance.hours import HOUR_SECONDS

MOST_COHORTS = 512
"""Hours that are kept apart; when there are more, the older half is merged in pairs, and again and again."""


@dataclass(frozen=True, slots=True, eq=False)
class LossCohortsState:
    """What LossCohorts remembers."""

    starts: Floats
    """When the hour of each began, ascending, shape (cohorts,)."""
    sums: Floats
    """Rows, losses and what was expected, shape (cohorts, bins, 3)."""
    coarse_until_at: float
    """Before it cohorts are several hours long."""


@dataclass(frozen=True, slots=True, eq=False)
class LossChange:
    """Since when losses are larger, by the time of prediction."""

    since_at: float
    earliest_at: float
    latest_at: float
    sums: Floats
    """Rows, losses and what was expected since then, shape (bins, 3)."""


class LossCohorts:
    """Losses of the hours in which the predictions were made."""

    def __init__(self, bins: int, *, hour_seconds: float = HOUR_SECONDS, most: int = MOST_COHORTS) -> None:
        """*most* are kept apart, at least 8."""
        self._bins, self._hour_seconds, self._most = bins, hour_seconds, most
        self._starts: Floats = np.zeros(0)
        self._sums: Floats = np.zeros((0, bins, 3))
        self._coarse_until_at = -LATEST_AT

    @property
    def state(self) -> LossCohortsState:
        """What is remembered: the arrays themselves."""
        return LossCohortsState(self._starts, self._sums, self._coarse_until_at)

    def restore(self, state: LossCohortsState) -> None:
        """Go on from *state*; ValueError where no rows lead to it."""
        count = len(state.starts)
        within("cohorts", count, 0, self._most)
        starts = fitted("hours of cohorts", state.starts, like=np.empty(count), least=-LATEST_AT, most=LATEST_AT)
        refuse("hours of cohorts that do not ascend", where=bool((np.diff(starts) <= 0).any()))
        like = np.empty((count, self._bins, 3))
        sums = fitted("losses of cohorts", state.sums, like=like, least=0, most=MOST_COUNT)
        refuse("more losses than rows", where=bool((sums[..., 1:] > sums[..., :1] * (1 + 1e-9) + 1e-9).any()))
        self._coarse_until_at = within("the end of old cohorts", state.coarse_until_at, -LATEST_AT, LATEST_AT)
        self._starts, self._sums = starts, sums

    def clear(self) -> None:
        """Forget all rows."""
        self._starts = np.zeros(0)
        self._sums = np.zeros((0, self._bins, 3))
        self._coarse_until_at = -LATEST_AT

    def add(self, starts: Floats, sums: Floats) -> None:
        """Take sums of rows, shape (hours, bins, 3), by when their hours began, ascending and all different."""
        known = self._starts
        if len(known) and self._coarse_until_at > starts[0]:
            coarse = starts < self._coarse_until_at
            older = known[np.maximum(np.searchsorted(known, starts, side="right") - 1, 0)]
            starts = np.where(coarse, older, starts)
        merged = np.union1d(known, starts)
        found = np.zeros((len(merged), self._bins, 3))
        found[np.searchsorted(merged, known)] = self._sums
        np.add.at(found, np.searchsorted(merged, starts), sums)
        self._starts, self._sums = merged, found
        while len(self._starts) > self._most:
            self._merge_older()

    def since(self, at: float) -> Floats:
        """Rows, losses and what was expected of the cohorts that begin at the moment *at* or later, shape (bins, 3)."""
        return np.asarray(self._sums[np.searchsorted(self._starts, at) :].sum(0))

    def change(self, *, bounds: Floats, variances: Floats, phi: float) -> LossChange | None:
        """Since when losses are above what was expected and the *bounds*, shape (bins,), beyond it; None: never.

        The likelihood that it began with a cohort is that of all losses since, those of one row varying by *variances*. The
        interval holds what is within WITHIN_NATS of the best.
        """
        if not len(self._starts):
            return None
        since = self._sums[::-1].cumsum(axis=0)[::-1]
        rows, losses, expected = np.moveaxis(since, -1, 0)
        excess = (losses - expected - rows * bounds).sum(1)
        spread = np.maximum((rows * variances).sum(1), 1e-12)
        nats = np.maximum(excess, 0.0) ** 2 / (2 * phi * spread)
        best = int(nats.argmax())
        if nats[best] <= 0:
            return None
        near: NDArray[np.intp] = np.flatnonzero(nats >= nats[best] - WITHIN_NATS)
        latest = min(int(near[-1]) + 1, len(nats) - 1)
        starts = self._starts
        latest_at = float(starts[latest]) if latest > near[-1] else float(starts[latest]) + self._hour_seconds
        earliest = max(int(near[0]) - 1, 0)
        return LossChange(float(starts[best]), float(starts[earliest]), latest_at, since[best])

    def _merge_older(self) -> None:
        """Merge the older half in pairs."""
        half = len(self._starts) // 4 * 2
        firsts = np.concatenate([np.arange(0, half, 2), np.arange(half, len(self._starts))])
        self._coarse_until_at = float(self._starts[half])
        self._sums = np.add.reduceat(self._sums, firsts, axis=0)
        self._starts = self._starts[firsts]
