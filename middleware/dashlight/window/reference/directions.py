"""The reference of whole rows: what a learned direction is bet against, for joint rows, vectors and hashed texts.

The first half A of the reference gives the centre from which a direction is learned, the second half B the mean that no
drift has along it: taken from the same rows, the reference's own error would be learned and bet on.
"""

import numpy as np
from numpy.typing import NDArray

from dashlight.window.columns import DirectionReference, Floats, HalfFloats
from dashlight.window.layout import BLOCK_ROWS
from dashlight.window.normal_scores import MOST_DIMENSIONS, projected
from dashlight.window.reference.direction_rows import EvenlySpread, HalvedSums

LEAST_ROWS = 400
"""Of fewer rows nothing can be said: four blocks of the shortest length, two for each half."""
SPREAD_SHRINKAGE = 0.05
"""Part of the mean variance that is added to every dimension's, so that a nearly constant one is not blown up."""
_MOST_KEPT_BLOCKS = 24
"""Blocks of the whole reference kept row by row; the second half, which stays, has 6 to 12 of them."""
_MOST_BLOCK_MEANS = 128
"""Of each length: a variance of 64 or more means is off by 18 % at most."""
_LARGEST_SQUARE = 1e200
"""Rows whose squares add up to more are left out: products of a million others fit into a number."""
_SINGLE_LARGEST = 1e30
"""Sums of many such products of single precision are numbers still."""
_HALF_LARGEST = 6e4
"""Largest number of half precision; a row so many deviations out is clipped by any score."""


class RowsMeter:
    """Takes the rows of a reference in their order, however many there will be, in bounded memory."""

    def __init__(self, dims: int, *, rng: np.random.Generator, name: str = "", ordered: bool = True) -> None:
        """*dims* is the width of the rows as they come, at least 1; *rng* chooses which blocks are kept."""
        self._name, self._width, self._ordered = name, dims, ordered
        held = min(dims, MOST_DIMENSIONS)
        self._pending = np.zeros((0, held))
        self._origin: Floats | None = None
        self._seen = 0
        self._sum: Floats = np.zeros(held)
        self._products: Floats = np.zeros((held, held))
        self._halves = HalvedSums(held)
        self._kept = EvenlySpread(_MOST_KEPT_BLOCKS, rng)
        self._means = [EvenlySpread(_MOST_BLOCK_MEANS, rng) for _ in BLOCK_ROWS]
        self._waiting: list[list[Floats]] = [[] for _ in BLOCK_ROWS]

    def add(self, matrix: NDArray[np.floating]) -> None:
        """Take the next rows, shape (rows, dims); those that hold a NaN, or numbers beyond 1e100, are left out."""
        rows = projected(np.asarray(matrix, np.float64))
        with np.errstate(over="ignore", invalid="ignore"):
            rows = np.concatenate([self._pending, rows[(rows * rows).sum(1) < _LARGEST_SQUARE]])
        block = BLOCK_ROWS[0]
        whole = len(rows) // block * block
        for first in range(0, whole, block):
            self._add_block(rows[first : first + block])
        self._pending = rows[whole:].copy()

    def reference(self) -> DirectionReference | None:
        """What was learned; None of fewer than LEAST_ROWS whole rows. Rows short of a whole block do not count."""
        if self._origin is None or self._seen < LEAST_ROWS:
            return None
        first, second = self._halves.halves()
        mean = first.total / first.rows
        variance = np.maximum(first.squares / first.rows - mean**2, 0.0)
        centre = self._origin + mean
        rounding = 1e-6 * np.abs(centre).max() + 1e-12
        spread = np.sqrt(variance + SPREAD_SHRINKAGE * variance.mean() + rounding**2)
        overall = self._sum / self._seen
        covariance = (self._products / self._seen - np.outer(overall, overall)) / np.outer(spread, spread)
        kept = [block for start, block in self._kept.items if start >= first.rows]
        return DirectionReference(
            name=self._name,
            width=self._width,
            centre=centre,
            spread=spread,
            total_rows=self._seen,
            covariance=in_single(covariance),
            mean=in_single((second.total / second.rows - mean) / spread),
            mean_rows=second.rows,
            rows=_halved((np.concatenate(kept) - centre) / spread),
            block_means=tuple(
                _halved((np.array([item for _, item in means.items]).reshape(-1, len(centre)) - centre) / spread)
                for means in self._means
            ),
            ordered=self._ordered,
        )

    def _add_block(self, block: Floats) -> None:
        # Sums of squares of numbers far from zero would lose their digits.
        origin: Floats = block.mean(0) if self._origin is None else self._origin
        self._origin = origin
        moved: Floats = block - origin
        self._sum += moved.sum(0)
        self._products += moved.T @ moved
        self._halves.add(moved)
        self._kept.add(self._seen, block)
        self._add_mean(0, self._seen, block.mean(0))
        self._seen += len(block)

    def _add_mean(self, place: int, start: int, mean: Floats) -> None:
        """A mean of the length at *place*; enough of them make one of the next length."""
        self._means[place].add(start, mean)
        if place + 1 == len(BLOCK_ROWS):
            return
        waiting = self._waiting[place]
        waiting.append(mean)
        merged = BLOCK_ROWS[place + 1] // BLOCK_ROWS[place]
        if len(waiting) == merged:
            self._add_mean(place + 1, start - (merged - 1) * BLOCK_ROWS[place], np.mean(waiting, axis=0))
            waiting.clear()


def in_single(deviations: NDArray[np.floating]) -> NDArray[np.float32]:
    """*deviations*, or products of them, in single precision and none so large that sums of them are no numbers."""
    drawn_in: NDArray[np.floating] = np.clip(deviations, -_SINGLE_LARGEST, _SINGLE_LARGEST)
    return drawn_in.astype(np.float32)


def _halved(deviations: Floats) -> HalfFloats:
    return np.clip(deviations, -_HALF_LARGEST, _HALF_LARGEST).astype(np.float16)
