"""How much the reference itself moved: the spread of every event and functional between blocks of consecutive rows."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from dashlight.window.bins import reference_shares
from dashlight.window.columns import ColumnReference, Runs, Variation, is_numeric, unseen_is_other
from dashlight.window.events import EVENT_COUNT, FUNCTIONAL_COUNT, event_counts, event_matrices, functionals
from dashlight.window.layout import BINS, BLOCK_ROWS

_BLOCKS_AT_ONCE = 64
"""Bounds the memory of one step: 64 blocks of 100 columns and 92 events are 5 MB."""
FEWEST_OCCURRENCES = 20
"""An event that fewer rows of the reference hold, or lack, is too rare to measure."""
RARE_SHARE = 0.05
"""Of an event that fewer rows hold, or lack, the transform hides bursts: a block of none and a burst of a hundred are no
further apart than one of ten. Its counts themselves tell too."""
_MEASURABLE_VARIANCE = 1e-6


class VariationMeter:
    """Takes the binned rows of a reference in their order and tells how their shares moved."""

    def __init__(self, columns: Sequence[ColumnReference]) -> None:
        """*columns* need to be laid out, not counted."""
        self._pending = np.zeros((len(columns), 0), np.uint8)
        self._offset = (np.arange(len(columns)) * BINS)[:, np.newaxis, np.newaxis]
        self._unseen = unseen_is_other(columns)
        self._scales = [_Scale(rows, self._unseen) for rows in BLOCK_ROWS]
        self._last = np.zeros((len(columns), 0), np.uint8)
        self._held = np.zeros((len(columns), BINS), np.int64)
        self._steps = np.zeros((len(columns), BINS, BINS), np.int64)
        """How often a row in one bin was followed by one in another, shape (columns, BINS, BINS)."""
        self._merged = [longer // shorter for shorter, longer in pairwise(BLOCK_ROWS)]

    def add(self, codes: NDArray[np.uint8]) -> None:
        """Take the bins of the next rows, shape (columns, rows)."""
        self._add_steps(codes)
        codes = np.concatenate([self._pending, codes], axis=1)
        block = BLOCK_ROWS[0]
        step = block * _BLOCKS_AT_ONCE
        whole = codes.shape[1] // block * block
        for start in range(0, whole, step):
            self._add_blocks(self._block_counts(codes[:, start : min(start + step, whole)]))
        self._pending = codes[:, whole:].copy()

    def variations(self, counted: Sequence[ColumnReference]) -> list[tuple[Variation, ...]]:
        """For each column its variation at every scale; *counted* are the meter's columns with their final counts."""
        if not counted:
            return []
        shares = reference_shares(counted)
        scores = functionals(shares, is_numeric(counted))
        mean = np.einsum("ck,cfk->cf", shares, scores)
        variance = np.einsum("ck,cfk->cf", shares, scores**2) - mean**2
        event_shares = event_counts(shares, unseen_is_other(counted))
        rows = self._held.sum(1, keepdims=True)
        held = event_counts(self._held, self._unseen)
        measurable = np.minimum(held, rows - held) >= FEWEST_OCCURRENCES
        by_scale = [scale.variation(measurable, event_shares, scores, variance) for scale in self._scales]
        return [tuple(of_scale[place] for of_scale in by_scale) for place in range(len(counted))]

    def runs(self) -> list[Runs | None]:
        """For each column how its rows followed one another; None with fewer than two blocks."""
        if self._scales[0].blocks < 2:
            return [None] * len(self._held)
        events = event_matrices(self._unseen)
        held = np.einsum("ck,cke->ce", self._held, events)
        kept_on = np.einsum("cke,ckl,cle->ce", events, self._steps, events, optimize=True)
        counts = np.rint(held - kept_on).astype(np.int64)
        rows = self._held.sum(1)
        shares = held / np.maximum(rows, 1)[:, np.newaxis]
        bursts = self._scales[0].bursts(shares)
        parts = zip(rows.tolist(), np.rint(held).astype(np.int64), counts, bursts, strict=True)
        return [Runs(*part) for part in parts]

    def _add_steps(self, codes: NDArray[np.uint8]) -> None:
        columns = len(codes)
        offset = np.arange(columns, dtype=np.intp)[:, np.newaxis] * BINS
        self._held += np.bincount((codes + offset).ravel(), minlength=self._held.size).reshape(self._held.shape)
        whole = np.concatenate([self._last, codes], axis=1)
        steps = (whole[:, :-1] + offset) * BINS + whole[:, 1:]
        self._steps += np.bincount(steps.ravel(), minlength=self._steps.size).reshape(self._steps.shape)
        self._last = whole[:, -1:].copy()

    def _block_counts(self, codes: NDArray[np.uint8]) -> NDArray[np.float64]:
        columns = len(codes)
        blocks = codes.reshape(columns, codes.shape[1] // BLOCK_ROWS[0], BLOCK_ROWS[0])
        block_offset = (np.arange(blocks.shape[1]) * columns * BINS)[:, np.newaxis]
        flat = (blocks + self._offset + block_offset).ravel()
        counts = np.bincount(flat, minlength=blocks.shape[1] * columns * BINS)
        return counts.astype(np.float64).reshape(blocks.shape[1], columns, BINS)

    def _add_blocks(self, counts: NDArray[np.float64]) -> None:
        self._scales[0].add(counts)
        for scale, merged in zip(self._scales[1:], self._merged, strict=True):
            counts = scale.join(counts, merged)
            scale.add(counts)


class _Scale:
    """Blocks of one length: sums from which the variance of every statistic follows, in one pass over the blocks."""

    def __init__(self, block_rows: int, unseen: NDArray[np.bool_]) -> None:
        columns = len(unseen)
        self._block_rows = block_rows
        self._unseen = unseen
        self.blocks = 0
        self._mean = np.zeros((columns, EVENT_COUNT))
        self._squares = np.zeros((columns, EVENT_COUNT))
        self._count_sum = np.zeros((columns, BINS))
        self._count_products = np.zeros((columns, BINS, BINS))
        self._unjoined = np.zeros((0, columns, BINS))
        self._fullest = np.zeros((columns, EVENT_COUNT))
        self._emptiest = np.full((columns, EVENT_COUNT), np.inf)

    def join(self, shorter: NDArray[np.float64], merged: int) -> NDArray[np.float64]:
        """Blocks of this length out of *merged* consecutive shorter ones; what is left over waits for more."""
        waiting = np.concatenate([self._unjoined, shorter])
        whole = len(waiting) // merged * merged
        self._unjoined = waiting[whole:]
        joined: NDArray[np.float64] = waiting[:whole].reshape(whole // merged, merged, *waiting.shape[1:]).sum(axis=1)
        return joined

    def add(self, counts: NDArray[np.float64]) -> None:
        """Take the counts of further blocks, shape (blocks, columns, BINS)."""
        added = len(counts)
        if not added:
            return
        held = event_counts(counts, self._unseen)
        self._fullest = np.maximum(self._fullest, held.max(axis=0))
        self._emptiest = np.minimum(self._emptiest, held.min(axis=0))
        # Anscombe's variance-stabilising transform: variance 1/n for independent rows, whatever the share.
        statistic = 2 * np.arcsin(np.sqrt((held + 0.375) / (self._block_rows + 0.75)))
        mean = statistic.mean(axis=0)
        squares = ((statistic - mean) ** 2).sum(axis=0)
        # Chan, Golub and LeVeque (1979): means and squares of two parts give those of the whole.
        total = self.blocks + added
        shift = mean - self._mean
        self._mean += shift * (added / total)
        self._squares += squares + shift**2 * (self.blocks * added / total)
        self.blocks = total
        # Counts are whole numbers, so these sums are exact.
        self._count_sum += counts.sum(axis=0)
        self._count_products += counts.transpose(1, 2, 0) @ counts.transpose(1, 0, 2)

    def bursts(self, shares: NDArray[np.float64]) -> NDArray[np.float64]:
        """By how many rows the fullest block held more of every event than its share makes expected; see Runs."""
        if not self.blocks:
            return np.zeros_like(shares)
        expected = shares * self._block_rows
        return np.maximum(np.where(shares <= 0.5, self._fullest - expected, expected - self._emptiest), 0.0)

    def variation(
        self,
        measurable: NDArray[np.bool_],
        shares: NDArray[np.float64],
        scores: NDArray[np.float64],
        variance: NDArray[np.float64],
    ) -> list[Variation]:
        """The ratios of every column.

        *shares* are those of the events; the scores of a functional weight the bins and *variance* is that of one row.
        """
        events = np.full(measurable.shape, np.nan)
        means = np.full(variance.shape, np.nan)
        if self.blocks > 1:
            outer = self._count_sum[:, :, np.newaxis] * self._count_sum[:, np.newaxis, :]
            covariance = (self._count_products - outer / self.blocks) / (self.blocks - 1)
            transformed = self._squares / (self.blocks - 1) * self._block_rows
            matrices = event_matrices(self._unseen)
            plain = np.einsum("cke,ckl,cle->ce", matrices, covariance, matrices, optimize=True) / self._block_rows
            one_row = np.maximum(shares * (1 - shares), 1e-12)
            rare = np.minimum(shares, 1 - shares) < RARE_SHARE
            events = np.where(rare, np.maximum(transformed, plain / one_row), transformed)
            events = np.where(measurable, events, np.nan)
            # The mean of a functional is linear in the counts, so its variance follows from their covariance.
            spread = np.einsum("cfk,ckl,cfl->cf", scores, covariance, scores, optimize=True) / self._block_rows
            np.divide(spread, variance, out=means, where=(variance > _MEASURABLE_VARIANCE) & (spread > 0))
        return [
            Variation(self._block_rows, self.blocks, of_events, of_means)
            for of_events, of_means in zip(events, means.reshape(-1, FUNCTIONAL_COUNT), strict=True)
        ]
