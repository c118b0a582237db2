"""Which rows are of one exchange, and what is said of all of them alike."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Whole = TypeVar("Whole", bound=np.integer)


class RowExchanges:
    """The exchanges of some rows."""

    def __init__(self, of_rows: NDArray[np.intp]) -> None:
        """*of_rows*, shape (rows,), has at least one row: the place of the exchange of each."""
        steps = np.diff(of_rows)
        self._has_one_row_each = bool((steps > 0).all())
        self._order = None if (steps >= 0).all() else np.argsort(of_rows, kind="stable")
        ordered = of_rows if self._order is None else of_rows[self._order]
        self._begins = np.flatnonzero(np.diff(ordered, prepend=-1))
        self.places: NDArray[np.intp] = ordered[self._begins]
        """Of each, ascending."""

    def agreed(self, numbers: NDArray[Whole], otherwise: int) -> NDArray[Whole]:
        """What *numbers*, shape (columns, rows), say of all rows of each exchange alike; *otherwise* where they differ."""
        if self._has_one_row_each:
            return numbers
        ordered = numbers if self._order is None else numbers[:, self._order]
        least = np.minimum.reduceat(ordered, self._begins, axis=1)
        return np.where(least == np.maximum.reduceat(ordered, self._begins, axis=1), least, otherwise)

    def of_rows(self, numbers: NDArray[Whole], rows: NDArray[np.intp], otherwise: int) -> NDArray[Whole]:
        """The *numbers* of each exchange, shape (columns, exchanges), for other *rows*, by the places of their exchanges."""
        at = np.minimum(np.searchsorted(self.places, rows), len(self.places) - 1)
        return np.where(self.places[at] == rows, numbers[:, at], otherwise)
