"""Which paired columns moved by themselves, and since when: what is older says nothing of how they depend on others. Pure.

Rows from before and after a column moved, taken together, agree as no dependence would have it: so do those of a scale
that remembers both. Until a scale has forgotten what was before, it is no witness for the pairs of that column.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.evidence.null import Floats
from dashlight.window.fitting import MOST_COUNT, fitted

FORGOTTEN = 4.0
"""Spans after which a scale has forgotten all but 2 % of what was before."""


@dataclass(frozen=True, slots=True, eq=False)
class MovedColumnsState:
    """What MovedColumns remember; both arrays have the shape (paired,)."""

    is_told: NDArray[np.bool_]
    """Whether the column has an alert of its own."""
    changed_at: Floats
    """Rows seen when it last got one, or lost it; -1 where it never had one."""


class MovedColumns:
    """The paired columns that have, or had, an alert of their own."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._is_told = np.zeros(len(names), np.bool_)
        self._changed_at = np.full(len(names), -1.0)

    @property
    def state(self) -> MovedColumnsState:
        """What is remembered: the arrays themselves."""
        return MovedColumnsState(self._is_told, self._changed_at)

    def restore(self, state: MovedColumnsState) -> None:
        """Go on from *state*; ValueError where it is of other columns."""
        self._is_told = fitted("columns with an alert", state.is_told, like=self._is_told)
        self._changed_at = fitted(
            "rows before a change", state.changed_at, like=self._changed_at, least=-1, most=MOST_COUNT
        )

    def take(self, told: Collection[str], rows: float) -> None:
        """Take which columns are *told* of by now; so many *rows* came before."""
        is_told = np.array([name in told for name in self._names], np.bool_)
        self._changed_at[is_told != self._is_told] = rows
        self._is_told = is_told

    def witnesses(
        self, first: NDArray[np.intp], second: NDArray[np.intp], spans: Floats, rows: float
    ) -> NDArray[np.bool_]:
        """Which scales of these *spans* say something of the pairs of these columns, shape (scales, pairs)."""
        changed_at = np.maximum(self._changed_at[first], self._changed_at[second])
        return np.asarray((changed_at < 0) | (FORGOTTEN * spans[:, np.newaxis] <= rows - changed_at))
