"""Do two columns rise together? In every row each numeric column has a sign: low, high or neither, by the reference.

A pair of columns agrees in a row where both are low or both are high; only rows in which both have a sign inform. The
share of agreement sees a change of how columns depend on one another that leaves each of them as it was.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashlight.window.columns import ColumnReference, Tally
from dashlight.window.layout import ABOVE, BELOW, BINS, STRUCTURAL_BINS

MOST_PAIRED = 100
"""Columns; the first ones. Twice as many are four times as many pairs."""
NEUTRAL = 0.4
"""Part of the rows, in the middle of the distribution, that has no sign: what depends shows at the ends. Measured on
correlations of -.5 to .8: a tenth to a third fewer rows than the plain side of the median."""
LEAST_SIDE = 0.05
"""A column of which fewer rows are on one side has no sign at all: all that it could tell is how the others lie."""
_ROWS_AT_ONCE = 255
"""Counts of so many rows fit into one byte each."""
_BYTE = 256
_ORDER = np.array([BELOW, *range(STRUCTURAL_BINS, BINS), ABOVE])
"""The bins of a numeric column by their values."""


@dataclass(frozen=True, slots=True, eq=False)
class PairCounts:
    """Rows of some time, by pair and by column. Counts of several workers add: whole numbers, exact up to 2 ** 24."""

    agreeing: Tally
    """Shape (m,)."""
    informative: Tally
    """Shape (m,)."""
    sides: Tally
    """Shape (2, paired): rows in which each column was low, and high."""
    rows: int
    """All of them."""

    def __add__(self, other: "PairCounts") -> "PairCounts":
        return PairCounts(
            self.agreeing + other.agreeing,
            self.informative + other.informative,
            self.sides + other.sides,
            self.rows + other.rows,
        )


class PairCounter:
    """Counts agreement in the binned rows of a pane."""

    def __init__(self, places: NDArray[np.intp], signs: NDArray[np.int8]) -> None:
        """*places* and *signs* as in PairReference."""
        self._places = places
        self._digit_of_code = np.select([signs > 0, signs < 0], [1, _BYTE], 0).astype(np.float32).ravel()
        self._offset = (np.arange(len(places)) * BINS)[:, np.newaxis]
        first, second = pairs_of(len(places))
        self._upper = first * len(places) + second

    def count(self, codes: NDArray[np.uint8]) -> PairCounts:
        """The counts of rows whose bins are *codes*, shape (columns, rows)."""
        paired = codes[self._places]
        total = self._count(paired[:, :_ROWS_AT_ONCE])
        for start in range(_ROWS_AT_ONCE, paired.shape[1], _ROWS_AT_ONCE):
            total = total + self._count(paired[:, start : start + _ROWS_AT_ONCE])
        return total

    def _count(self, codes: NDArray[np.uint8]) -> PairCounts:
        # With 1 for high and 256 for low one product of matrices counts, in one byte each, the rows in which both are
        # high, in which they differ, and in which both are low: below 2 ** 24, so exact in 32 bits of floating point.
        digits = self._digit_of_code.take(codes + self._offset)
        high, differing, low = _bytes_of((digits @ digits.T).take(self._upper))
        agreeing = high + low
        ups, downs, _ = _bytes_of(digits.sum(axis=1))
        return PairCounts(
            agreeing.astype(np.float32),
            (agreeing + differing).astype(np.float32),
            np.stack([downs, ups]).astype(np.float32),
            codes.shape[1],
        )


def pairs_of(paired: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """First and second column of every pair of *paired* columns, each of shape (m,), m = paired (paired - 1) / 2."""
    first, second = np.triu_indices(paired, 1)
    return first, second


def paired_places(columns: Sequence[ColumnReference]) -> NDArray[np.intp]:
    """Places of the first MOST_PAIRED numeric ones of *columns*."""
    numeric = [place for place, column in enumerate(columns) if column.kind == "numeric"]
    return np.array(numeric[:MOST_PAIRED], np.intp)


def bin_signs(counts: NDArray[np.integer]) -> NDArray[np.int8]:
    """The sign of every bin of numeric columns with *counts*, both of shape (columns, BINS).

    Low and high are whole bins from either end whose share of the values is as near to (1 - NEUTRAL) / 2 as can be, at
    least one that occurs. Where one end is a single heavier value, the other side may grow towards its weight. Missing
    and mistyped values are 0.
    """
    return np.array([_signs(held) for held in counts], np.int8).reshape(-1, BINS)


def _bytes_of(numbers: Tally) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
    """The three bytes of whole numbers below 2 ** 24, the lowest first."""
    whole = numbers.astype(np.int32)
    return whole & 255, whole >> 8 & 255, whole >> 16


def _signs(counts: NDArray[np.integer]) -> NDArray[np.int8]:
    signs = np.zeros(BINS, np.int8)
    values = counts[_ORDER].astype(np.float64)
    total = values.sum()
    occupied = np.flatnonzero(values)
    if len(occupied) < 2:
        return signs
    upwards = np.cumsum(values[occupied]) / total
    downwards = np.cumsum(values[occupied][::-1]) / total
    wanted = (1 - NEUTRAL) / 2
    low, high = _nearest(upwards[:-1], wanted), _nearest(downwards[:-1], wanted)
    # A side heavier than wanted is one value: the more the other holds, the better they balance.
    if upwards[low] > downwards[high]:
        high = _nearest(downwards[: len(occupied) - 1 - low], upwards[low])
    else:
        low = _nearest(upwards[: len(occupied) - 1 - high], downwards[high])
    if min(upwards[low], downwards[high]) < LEAST_SIDE:
        return signs
    # Whatever lies beyond has the same sign, whether the reference saw it or not.
    signs[_ORDER[: occupied[low] + 1]] = -1
    signs[_ORDER[occupied[-1 - high] :]] = 1
    return signs


def _nearest(shares: NDArray[np.float64], wanted: float) -> int:
    return int(np.abs(shares - wanted).argmin())
