"""The most frequent of many things in constant memory: a sketch that merges, and never says too much.

Source: Misra and Gries (1982), Sci. Comput. Program. 2, 143-152; merging by Agarwal et al. (2012), "Mergeable
summaries", PODS: of n things counted in *most* places each count is short by at most n / (most + 1).
"""

import numpy as np
from numpy.typing import NDArray

from dashlight.window.payloads.hashing import Hashes

Counts = NDArray[np.int64]


class HeavyHitters:
    """Counts hashes in at most *most* places."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.hashes: Hashes = np.zeros(0, np.uint64)
        """Those that have a place, ascending."""
        self.counts: Counts = np.zeros(0, np.int64)
        """At least so many of each came, and at most *shortfall* more."""
        self.shortfall = 0
        self.total = 0
        """All that were counted."""

    def add(self, hashes: Hashes, counts: Counts) -> None:
        """Count *hashes*, each so many times; they are distinct."""
        self.total += int(counts.sum())
        joined, places = np.unique(np.concatenate([self.hashes, hashes]), return_inverse=True)
        sums: Counts = np.bincount(places, np.concatenate([self.counts, counts]), len(joined)).astype(np.int64)
        if len(joined) > self._most:
            least = int(np.partition(sums, len(sums) - self._most - 1)[len(sums) - self._most - 1])
            self.shortfall += least
            held = sums > least
            joined, sums = joined[held], sums[held] - least
        self.hashes, self.counts = joined, sums

    def of(self, hashes: Hashes) -> Counts:
        """How many of each of *hashes* are known to have come, shape (len(hashes),); 0 where it has no place."""
        if not len(self.hashes):
            return np.zeros(len(hashes), np.int64)
        places = np.searchsorted(self.hashes, hashes).clip(max=len(self.hashes) - 1)
        return np.where(self.hashes[places] == hashes, self.counts[places], 0)
