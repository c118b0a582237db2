"""Which exchanges are among the slowest of their endpoint, as it has answered in the last minutes. Pure."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dashlight.window.histogram import LATENCY

SLOW_QUANTILE: Final = 0.99
FEWEST: Final = 100
"""Exchanges from which the quantile is known: one is beyond it."""
MEMORY_SECONDS: Final = 600.0
"""After so long an exchange counts a third of what it did."""
_STALE: Final = 1.05
"""The quantile is looked up again when so many times as many exchanges are known."""


class Slowness:
    """The 99th percentile of the time that an endpoint takes, rolling, from the histograms that are counted anyway."""

    def __init__(self, *, pane_seconds: float) -> None:
        self._kept_share = math.exp(-pane_seconds / MEMORY_SECONDS)
        self._past = np.zeros(LATENCY.bins)
        self._known = 0.0
        """Exchanges that the quantile could be looked up from, ..."""
        self._due = float(FEWEST)
        """... and from how many on it is looked up next."""
        self.limit_seconds = math.inf
        """An exchange that takes longer is slow; infinite while too little is known."""

    def slow(self, seconds: NDArray[np.float64], current: NDArray[np.int64]) -> NDArray[np.intp]:
        """Places of those that took longer than the limit, as it was before them.

        *seconds* are their times, shape (exchanges,); *current* the counts of this pane, theirs included, shape
        (LATENCY.bins,).
        """
        places = np.flatnonzero(seconds > self.limit_seconds)
        self._known += len(seconds)
        if self._known >= self._due:
            self._look_up(self._past + current)
        return places

    def close(self, durations: NDArray[np.int64]) -> None:
        """Ends a pane of these counts, shape (LATENCY.bins,); what came before fades."""
        self._past = self._past * self._kept_share + durations
        self._known = float(self._past.sum())
        if self._known >= FEWEST:
            self._look_up(self._past)

    def _look_up(self, counts: NDArray[np.float64]) -> None:
        upto: NDArray[np.float64] = np.cumsum(counts)
        self.limit_seconds = LATENCY.edge(int(np.searchsorted(upto, SLOW_QUANTILE * float(upto[-1]))))
        self._due = max(self._known * _STALE, self._known + 1)
