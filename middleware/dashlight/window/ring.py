"""Counts of the last panes in bounded memory, so kept that any number of the last panes is a short sum."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashlight.window.fitting import LATEST_AT, MOST_COUNT, fitted, within

SLOTS = 32
"""Panes kept at each level, where nobody says otherwise."""


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """The sum of the last panes."""

    counts: NDArray[np.int64]
    panes: int
    """How many panes it really covers."""
    first_ended_at: float
    """When the first of them ended; NaN where there is none."""
    last_ended_at: float


@dataclass(frozen=True, slots=True, eq=False)
class RingState:
    """What a ring holds."""

    closed: int
    """Panes added so far."""
    counts: tuple[NDArray[np.unsignedinteger], ...]
    """By level, each of shape (slots, *shape of a pane), in 16, 32 or 64 bits."""
    first_ended_at: NDArray[np.float64]
    """Shape (levels, slots): when the first pane of each sum ended."""
    last_ended_at: NDArray[np.float64]
    """Likewise of the last pane."""


class Ring:
    """Panes of one shape of counts: level l keeps so many *slots*, sums of 2^l consecutive panes each.

    A level is filled by adding two of the level below, so that the last panes are kept one by one and those before them
    ever more coarsely. Counts are kept in 16 bits; a level that must hold a larger one is widened to 32, then to 64.
    """

    def __init__(self, shape: tuple[int, ...], levels: int, *, slots: int = SLOTS) -> None:
        self.closed = 0
        """Panes added so far."""
        self._slots = slots
        self._counts: list[NDArray[np.unsignedinteger]] = [np.zeros((slots, *shape), np.uint16) for _ in range(levels)]
        self._first_ended_at = np.zeros((levels, slots))
        self._last_ended_at = np.zeros((levels, slots))

    @property
    def bytes(self) -> int:
        """Memory that the counts take."""
        return sum(counts.nbytes for counts in self._counts)

    @property
    def state(self) -> RingState:
        """All that it holds, in arrays that the next pane changes."""
        return RingState(self.closed, tuple(self._counts), self._first_ended_at, self._last_ended_at)

    def restore(self, state: RingState) -> None:
        """Go on from *state*, whose arrays it takes over; ValueError where that is of no ring of this shape and size."""
        if len(state.counts) != len(self._counts):
            raise ValueError(f"a ring of {len(state.counts)} levels: expected {len(self._counts)}")
        self.closed = within("panes of a ring", state.closed, 0, MOST_COUNT)
        # Whatever window is asked for, its sum stays within 64 bits.
        most = np.iinfo(np.int64).max // (2 * (self._slots + len(self._counts)))
        for level, counts in enumerate(state.counts):
            as_wide = self._counts[level].astype(f"u{min(max(counts.itemsize, 2), 8)}")
            self._counts[level] = fitted("counts of a ring", counts, like=as_wide, least=0, most=most)
        self._first_ended_at, self._last_ended_at = (
            fitted("ends of panes", ended_at, like=self._last_ended_at, least=-LATEST_AT, most=LATEST_AT)
            for ended_at in (state.first_ended_at, state.last_ended_at)
        )

    def emptied(self) -> "Ring":
        """A ring of as many panes that ended at the same moments, with nothing in them."""
        other = Ring(self._counts[0].shape[1:], len(self._counts), slots=self._slots)
        other.closed = self.closed
        other._first_ended_at, other._last_ended_at = self._first_ended_at.copy(), self._last_ended_at.copy()
        return other

    def add(self, counts: NDArray[np.int64], ended_at: float) -> None:
        """Add the pane that ended at *ended_at*."""
        slot = self.closed % self._slots
        self._put(0, slot, counts)
        self._first_ended_at[0, slot] = self._last_ended_at[0, slot] = ended_at
        self.closed += 1
        for level in range(1, len(self._counts)):
            if self.closed % (1 << level):
                break
            joined = (self.closed >> level) - 1
            earlier, later = 2 * joined % self._slots, (2 * joined + 1) % self._slots
            slot, below = joined % self._slots, level - 1
            self._put(level, slot, self._counts[below][[earlier, later]].sum(axis=0, dtype=np.int64))
            self._first_ended_at[level, slot] = self._first_ended_at[below, earlier]
            self._last_ended_at[level, slot] = self._last_ended_at[below, later]

    def forget(self, places: NDArray[np.intp]) -> None:
        """Count nothing any more of what stood at *places* along the first axis of the panes added so far."""
        for counts in self._counts:
            counts[:, places] = 0

    def last(self, panes: int) -> Stretch:
        """The sum of the last *panes*, or as few more as can be told apart, or of all that are kept.

        Exact for as many panes as there are slots; otherwise up to 2^l - 1 more, 2^l the coarseness at which so many
        are kept: with 18 slots 4 % more on average and never more than 11 %.
        """
        wanted = min(max(panes, 0), self.closed)
        level = 0
        while level < len(self._counts) - 1 and wanted > self._reach(level):
            level += 1
        recent = self.closed % (1 << level)
        coarse = min(-(-(wanted - recent) >> level), self._slots)
        first = (self.closed >> level) - coarse
        sums = np.zeros(self._counts[0].shape[1:], np.int64)
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
            float(self._first_ended_at[level, first % self._slots]),
            float(self._last_ended_at[0, (self.closed - 1) % self._slots]),
        )

    def panes_since(self, at: float) -> int:
        """How many of the last panes `last` must be asked for to cover every kept pane that ended after *at*."""
        panes = 0
        for level in range(len(self._counts)):
            blocks = self.closed >> level
            filled = min(blocks, self._slots)
            ended = self._last_ended_at[level, np.arange(blocks - filled, blocks) % self._slots]
            newer = int(np.count_nonzero(ended > at))
            panes = self.closed % (1 << level) + (newer << level)
            if newer < filled or filled == blocks:
                break
        return panes

    def _reach(self, level: int) -> int:
        return self.closed % (1 << level) + (self._slots << level)

    def _put(self, level: int, slot: int, counts: NDArray[np.integer]) -> None:
        largest = int(counts.max(initial=0))
        while largest > np.iinfo(self._counts[level].dtype).max:
            narrow = self._counts[level]
            self._counts[level] = narrow.astype(np.uint32 if narrow.dtype == np.uint16 else np.uint64)
        self._counts[level][slot] = counts

    def _add_blocks(self, sums: NDArray[np.int64], level: int, first: int, blocks: int) -> None:
        start = first % self._slots
        stop = start + blocks
        counts = self._counts[level]
        sums += counts[start : min(stop, self._slots)].sum(axis=0, dtype=np.int64)
        if stop > self._slots:
            sums += counts[: stop - self._slots].sum(axis=0, dtype=np.int64)
