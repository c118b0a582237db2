"""Counts of the last panes in bounded memory, so kept that any number of the last panes is a short sum."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SLOTS = 32
"""Panes kept at each level."""


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """The sum of the last panes."""

    counts: NDArray[np.int64]
    panes: int
    """How many panes it really covers."""
    first_ended_at: float
    """When the first of them ended; NaN where there is none."""
    last_ended_at: float


class Ring:
    """Panes of one shape of counts: level l keeps SLOTS sums of 2^l consecutive panes each.

    A level is filled by adding two of the level below, so that the last SLOTS panes are kept one by one and those
    before them ever more coarsely. Counts are kept in 32 bits: a sum of 4 billion rows would be the first to overflow.
    """

    def __init__(self, shape: tuple[int, ...], levels: int) -> None:
        self.closed = 0
        """Panes added so far."""
        self._levels = levels
        self._counts = np.zeros((levels, SLOTS, *shape), np.uint32)
        self._first_ended_at = np.full((levels, SLOTS), np.nan)
        self._last_ended_at = np.full((levels, SLOTS), np.nan)

    def add(self, counts: NDArray[np.int64], ended_at: float) -> None:
        """Add the pane that ended at *ended_at*."""
        slot = self.closed % SLOTS
        self._counts[0, slot] = counts
        self._first_ended_at[0, slot] = self._last_ended_at[0, slot] = ended_at
        self.closed += 1
        for level in range(1, self._levels):
            if self.closed % (1 << level):
                break
            joined = (self.closed >> level) - 1
            earlier, later = 2 * joined % SLOTS, (2 * joined + 1) % SLOTS
            slot, below = joined % SLOTS, level - 1
            np.add(self._counts[below, earlier], self._counts[below, later], out=self._counts[level, slot])
            self._first_ended_at[level, slot] = self._first_ended_at[below, earlier]
            self._last_ended_at[level, slot] = self._last_ended_at[below, later]

    def last(self, panes: int) -> Stretch:
        """The sum of the last *panes*, or as few more as can be told apart, or of all that are kept.

        Exact for SLOTS panes and fewer; otherwise up to 2^l - 1 more, 2^l the coarseness at which so many are kept.
        """
        wanted = min(max(panes, 0), self.closed)
        level = 0
        while level < self._levels - 1 and wanted > self._reach(level):
            level += 1
        recent = self.closed % (1 << level)
        coarse = min(-(-(wanted - recent) >> level), SLOTS)
        first = (self.closed >> level) - coarse
        sums = np.zeros(self._counts.shape[2:], np.int64)
        self._add_blocks(sums, level, first, coarse)
        covered = coarse << level
        for finer in range(level - 1, -1, -1):  # the newest panes, which do not fill a block of the level yet
            if self.closed >> finer & 1:
                self._add_blocks(sums, finer, (self.closed >> finer) - 1, 1)
                covered += 1 << finer
        if not covered:
            return Stretch(sums, 0, float("nan"), float("nan"))
        return Stretch(
            sums,
            covered,
            float(self._first_ended_at[level, first % SLOTS]),
            float(self._last_ended_at[0, (self.closed - 1) % SLOTS]),
        )

    def panes_since(self, at: float) -> int:
        """How many of the last panes `last` must be asked for to cover every kept pane that ended after *at*."""
        panes = 0
        for level in range(self._levels):
            blocks = self.closed >> level
            kept = min(blocks, SLOTS)
            ended = self._last_ended_at[level, np.arange(blocks - kept, blocks) % SLOTS]
            newer = int(np.count_nonzero(ended > at))
            panes = self.closed % (1 << level) + (newer << level)
            if newer < kept or kept == blocks:
                break
        return panes

    def _reach(self, level: int) -> int:
        return self.closed % (1 << level) + (SLOTS << level)

    def _add_blocks(self, sums: NDArray[np.int64], level: int, first: int, blocks: int) -> None:
        start = first % SLOTS
        stop = start + blocks
        sums += self._counts[level, start : min(stop, SLOTS)].sum(axis=0, dtype=np.int64)
        if stop > SLOTS:
            sums += self._counts[level, : stop - SLOTS].sum(axis=0, dtype=np.int64)
