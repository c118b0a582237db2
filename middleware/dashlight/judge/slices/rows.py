"""The rows among which a slice is searched."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from dashlight.window.layout import BINS

Bins: TypeAlias = tuple[int, ...]
"""Bins of one column, ascending."""
BinWords: TypeAlias = Callable[[int, Collection[int]], str]
"""(place of a column, bins of it) -> what a row in them is, in words that may be told: `UA`, `19 to 23`, `missing`."""


@dataclass(frozen=True, slots=True, eq=False)
class HurtRows:
    """Rows drawn uniformly, and how much each of them hurts."""

    codes: NDArray[np.uint8]
    """Shape (columns, rows): bins; a code of BINS or more is in no bin (an output that nobody answered)."""
    hurt: NDArray[np.float64]
    """Shape (rows,): 0 or 1, or a loss from 0 to 1."""

    @property
    def row_count(self) -> int:
        """Rows in it."""
        return len(self.hurt)

    def where(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> "HurtRows":
        """The rows that *chosen* picks, by mask or by place."""
        return HurtRows(self.codes[:, chosen], self.hurt[chosen])

    def within(self, place: int, bins: Collection[int]) -> NDArray[np.bool_]:
        """Shape (rows,): which rows have one of *bins* in the column at *place*."""
        held = np.zeros(256, np.bool_)
        held[[bin_ for bin_ in bins if bin_ < BINS]] = True
        inside: NDArray[np.bool_] = held[self.codes[place]]
        return inside
