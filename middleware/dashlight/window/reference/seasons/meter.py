"""Sums over a reference in time order, from which seasons follow: blocks of rows against the waves of day and week."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dashlight.errors import ReferenceDataError
from dashlight.window.columns import ColumnReference, Season
from dashlight.window.layout import BINS, BLOCK_ROWS
from dashlight.window.reference.seasons.fit import BlockSums, fitted_seasons
from dashlight.window.reference.seasons.waves import HIGHEST_HARMONIC, waves_at

QUARTER_SECONDS = 21_600
"""A quarter of a day: how such stretches differ from one day to the next is what a season must exceed."""
LEAST_DAYS, LEAST_WEEKS = 3, 3
"""A season that was not seen so often cannot be told from chance."""

_HARMONICS: NDArray[np.int64] = np.arange(1, HIGHEST_HARMONIC + 1, dtype=np.int64)
_MOMENTS_A_BLOCK = 10
"""Rows come in time order, so every tenth of a block tells well enough when it was."""
_BLOCKS_AT_ONCE = 64
_DAY_SECONDS, _WEEK_DAYS = 86_400, 7
_DAY_QUARTERS = _DAY_SECONDS // QUARTER_SECONDS


class SlotMeter:
    """Takes the binned rows of a reference in their order, with their moments, and tells the seasons of its columns."""

    def __init__(self, columns: Sequence[ColumnReference]) -> None:
        """*columns* need to be laid out, not counted. For 100 of them the meter holds 30 MB."""
        self._columns = len(columns)
        self._codes = np.zeros((self._columns, 0), np.uint8)
        self._moments = np.zeros(0)
        self._offset = (np.arange(self._columns) * BINS)[:, np.newaxis, np.newaxis]
        self._scales = [_Stretches(self._columns) for _ in BLOCK_ROWS]
        self._quarters = _Stretches(self._columns)
        self._blocks = 0
        self._seen: set[int] = set()
        """Quarters of days that held rows, counted from the epoch."""

    def add(self, codes: NDArray[np.uint8], at: NDArray[np.float64]) -> None:
        """Take the bins of the next rows, shape (columns, rows), and when each was, seconds since the epoch.

        Raises:
            ReferenceDataError: a moment is no number.
        """
        if not np.isfinite(at).all():
            raise ReferenceDataError("has rows without a moment")
        self._codes = np.concatenate([self._codes, codes], axis=1)
        self._moments = np.concatenate([self._moments, at])
        block = BLOCK_ROWS[0]
        whole = len(self._moments) // block * block
        step = block * _BLOCKS_AT_ONCE
        for start in range(0, whole, step):
            stop = min(start + step, whole)
            self._add_blocks(self._codes[:, start:stop], self._moments[start:stop].reshape(-1, block))
        self._codes, self._moments = self._codes[:, whole:].copy(), self._moments[whole:].copy()

    def seasons(self, counted: Sequence[ColumnReference]) -> list[Season | None]:
        """The season of each column, None where there is none; *counted* are the meter's columns with final counts.

        Daily ones where every quarter of the day was seen on three days, weekly ones where every day of the week was
        seen in three weeks; anything else has no season.
        """
        harmonics = self._observable()
        if not len(harmonics):
            return [None] * self._columns
        scales = [stretches.sums() for stretches in self._scales]
        return fitted_seasons(counted, harmonics, scales, self._quarters.sums())

    def _observable(self) -> NDArray[np.int64]:
        quarters: NDArray[np.int64] = np.array(sorted(self._seen), np.int64)
        times_of_day = np.bincount(quarters % _DAY_QUARTERS, minlength=_DAY_QUARTERS)
        days = np.unique(quarters // _DAY_QUARTERS)
        days_of_week = np.bincount(days % _WEEK_DAYS, minlength=_WEEK_DAYS)
        if times_of_day.min() < LEAST_DAYS:
            return _HARMONICS[:0]
        if days_of_week.min() < LEAST_WEEKS:
            return _HARMONICS[_WEEK_DAYS - 1 :: _WEEK_DAYS]
        return _HARMONICS

    def _add_blocks(self, codes: NDArray[np.uint8], moments: NDArray[np.float64]) -> None:
        blocks, block_rows = moments.shape
        counts = self._block_counts(codes, blocks)
        every = moments[:, :: block_rows // _MOMENTS_A_BLOCK]
        waves = waves_at(every.ravel(), _HARMONICS).reshape(*every.shape, -1).mean(axis=1) * block_rows
        quarters = (moments[:, block_rows // 2] // QUARTER_SECONDS).astype(np.int64)
        self._seen.update(np.unique(every // QUARTER_SECONDS).astype(np.int64).tolist())
        numbers: NDArray[np.int64] = self._blocks + np.arange(blocks, dtype=np.int64)
        for scale, rows in zip(self._scales, BLOCK_ROWS, strict=True):
            scale.add(counts, waves, numbers * block_rows // rows)
        self._quarters.add(counts, waves, quarters)
        self._blocks += blocks

    def _block_counts(self, codes: NDArray[np.uint8], blocks: int) -> NDArray[np.float64]:
        block_offset = (np.arange(blocks) * self._columns * BINS)[:, np.newaxis]
        flat = (codes.reshape(self._columns, blocks, BLOCK_ROWS[0]) + self._offset + block_offset).ravel()
        counts = np.bincount(flat, minlength=blocks * self._columns * BINS)
        return counts.astype(np.float64).reshape(blocks, self._columns, BINS)


class _Stretches:
    """Sums over stretches of consecutive blocks; the stretch that has not ended yet is kept apart."""

    def __init__(self, columns: int) -> None:
        waves = 1 + 2 * HIGHEST_HARMONIC
        self._stretches = 0
        self._counts = np.zeros((columns, BINS, BINS))
        self._waves_counts = np.zeros((waves, columns, BINS))
        self._waves = np.zeros((waves, waves))
        self._open_number = -1
        self._open_counts = np.zeros((columns, BINS))
        self._open_waves = np.zeros(waves)

    def add(self, counts: NDArray[np.float64], waves: NDArray[np.float64], numbers: NDArray[np.int64]) -> None:
        """Take blocks: their counts (blocks, columns, BINS), sums of waves over their rows, and the stretch of each."""
        starts = np.flatnonzero(np.diff(numbers, prepend=numbers[0] - 1))
        summed_counts = np.add.reduceat(counts, starts, axis=0)
        summed_waves = np.add.reduceat(waves, starts, axis=0)
        if numbers[0] == self._open_number:
            summed_counts[0] += self._open_counts
            summed_waves[0] += self._open_waves
        elif self._open_waves[0]:
            summed_counts = np.concatenate([self._open_counts[np.newaxis], summed_counts])
            summed_waves = np.concatenate([self._open_waves[np.newaxis], summed_waves])
        self._open_number = int(numbers[-1])
        self._open_counts, self._open_waves = summed_counts[-1], summed_waves[-1]
        self._close(summed_counts[:-1], summed_waves[:-1])

    def _close(self, counts: NDArray[np.float64], waves: NDArray[np.float64]) -> None:
        if not len(waves):
            return
        self._stretches += len(waves)
        by_row = counts / waves[:, 0, np.newaxis, np.newaxis]
        self._counts += counts.transpose(1, 2, 0) @ by_row.transpose(1, 0, 2)
        self._waves_counts += np.tensordot(waves, by_row, axes=(0, 0))
        self._waves += waves.T @ (waves / waves[:, :1])

    def sums(self) -> BlockSums:
        """The sums over all stretches that have ended."""
        return BlockSums(self._stretches, self._counts, self._waves_counts, self._waves)
