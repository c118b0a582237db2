"""What is kept of a stream of unknown length: blocks spread evenly over it, and the sums of its two halves."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_MOST_PARTS = 64
"""The halves differ by at most so many parts' one: 3 %."""


class EvenlySpread:
    """Keeps at most *most* items of a stream, one of each stretch of as many, chosen at random inside the stretch.

    A fixed step could beat in time with a season; a plain reservoir leaves gaps.
    """

    def __init__(self, most: int, rng: np.random.Generator) -> None:
        """*most* is even."""
        self._most, self._rng = most, rng
        self._items: list[tuple[int, NDArray[np.float64]]] = []
        self._stretch, self._inside, self._chosen = 1, 0, 0

    @property
    def items(self) -> tuple[tuple[int, NDArray[np.float64]], ...]:
        """What was kept, in its order: (where it starts, the item)."""
        return tuple(self._items)

    def add(self, start: int, item: NDArray[np.float64]) -> None:
        """Offer the next *item*, which starts at row *start* of the stream."""
        if self._inside == self._chosen:
            self._items.append((start, item.copy()))
        self._inside += 1
        if self._inside < self._stretch:
            return
        if len(self._items) == self._most:
            picks = self._rng.integers(0, 2, self._most // 2).tolist()
            self._items = [self._items[2 * pair + pick] for pair, pick in enumerate(picks)]
            self._stretch *= 2
        self._inside, self._chosen = 0, int(self._rng.integers(self._stretch))


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """Sums over consecutive rows."""

    rows: int
    total: NDArray[np.float64]
    """Shape (dims,)."""
    squares: NDArray[np.float64]
    """Shape (dims,)."""

    def __add__(self, other: "Sums") -> "Sums":
        """Sums over the rows of both."""
        return Sums(self.rows + other.rows, self.total + other.total, self.squares + other.squares)


class HalvedSums:
    """Sums of the first and of the second half of a stream: of at most 64 parts of one length, which grows."""

    def __init__(self, dims: int) -> None:
        self._none = Sums(0, np.zeros(dims), np.zeros(dims))
        self._parts: list[Sums] = []
        self._last, self._blocks, self._blocks_a_part = self._none, 0, 1

    def add(self, rows: NDArray[np.float64]) -> None:
        """Take the next block of rows, shape (rows, dims); all blocks are of one length."""
        self._last += Sums(len(rows), rows.sum(0), (rows * rows).sum(0))
        self._blocks += 1
        if self._blocks < self._blocks_a_part:
            return
        self._parts.append(self._last)
        self._last, self._blocks = self._none, 0
        if len(self._parts) == _MOST_PARTS:
            self._parts = [self._parts[at] + self._parts[at + 1] for at in range(0, _MOST_PARTS, 2)]
            self._blocks_a_part *= 2

    def halves(self) -> tuple[Sums, Sums]:
        """Sums of the first and of the second half, of which the second is never the shorter one."""
        middle = len(self._parts) // 2
        return sum(self._parts[:middle], self._none), sum(self._parts[middle:], self._none) + self._last
