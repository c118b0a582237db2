"""Whole panes of what never happened: all missing, all of a wrong type, all a category that is new. Pure.

What the reference never held says nothing of how long it stays, and the memory of the values beside it says nothing of
it either. Panes that it fills, one after another, are evidence whatever that memory is.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashlight.window.columns import ColumnReference, stacked_counts
from dashlight.window.fitting import MOST_COUNT, fitted, refuse
from dashlight.window.layout import BINS, NULL, TYPE_ERROR, UNSEEN

LEAST_PANES, LEAST_ROWS = 3, 100
"""One burst of one client fills a pane, or two that it straddles."""
BINS_OF_OUTAGES = (NULL, TYPE_ERROR, UNSEEN)
"""Out of range is none of them: values that drift slowly leave the range of a short reference, and stay there."""


@dataclass(frozen=True, slots=True, eq=False)
class OutagesState:
    """What Outages remember; all of shape (columns,)."""

    panes: NDArray[np.int64]
    """Panes that one bin filled, one after another, up to the last."""
    rows: NDArray[np.int64]
    """That they held."""
    bins: NDArray[np.int64]
    """The bin; 0 where there are no such panes."""


@dataclass(frozen=True, slots=True)
class Outage:
    """A column that nothing but one bin fills, which the reference never held."""

    place: int
    bin: int
    panes: int


class Outages:
    """Counts for every column the last panes that were filled by what the reference never held."""

    def __init__(self, columns: Sequence[ColumnReference]) -> None:
        """Facets are left out: what is missing of a text has no length either."""
        ordered = np.array([column.kind in {"numeric", "text"} for column in columns], np.bool_)
        self._never = stacked_counts(columns)[:, BINS_OF_OUTAGES] == 0
        self._never[ordered, BINS_OF_OUTAGES.index(UNSEEN)] = False
        self._never[[bool(column.of) for column in columns]] = False
        runs = [0 if column.profile is None else column.profile.longest_run for column in columns]
        self._least_rows = np.maximum(np.array(runs, np.int64) + 1, LEAST_ROWS)
        """A column may hold its value for longer than that in the reference already."""
        self._panes, self._rows, self._bins = np.zeros((3, len(columns)), np.int64)
        self._goes_on = False
        self._of, which = np.nonzero(self._never)
        self._watched = self._of * BINS + np.array(BINS_OF_OUTAGES)[which]

    @property
    def state(self) -> OutagesState:
        """What is remembered: the arrays themselves."""
        return OutagesState(self._panes, self._rows, self._bins)

    def restore(self, state: OutagesState) -> None:
        """Go on from *state*; ValueError where no panes of these columns lead to it."""
        panes = fitted("panes of outages", state.panes, like=self._panes, least=0, most=MOST_COUNT)
        rows = fitted("rows of outages", state.rows, like=self._rows, least=0, most=MOST_COUNT)
        bins = fitted("bins of outages", state.bins, like=self._bins, least=0, most=UNSEEN)
        refuse("an outage of fewer rows than panes", where=(rows < panes).any())
        refuse("rows of an outage without panes", where=((panes == 0) & ((rows > 0) | (bins > 0))).any())
        possible = (self._never & (np.array(BINS_OF_OUTAGES) == bins[:, np.newaxis])).any(1)
        refuse("an outage of what the reference held", where=((panes > 0) & ~possible).any())
        self._panes, self._rows, self._bins = panes, rows, bins
        self._goes_on = bool(panes.any())

    def update(self, counts: NDArray[np.integer], held: NDArray[np.floating]) -> Iterator[Outage]:
        """Take the counts of a pane, shape (columns, BINS), and its rows, shape (columns,); what has lasted long enough.

        A pane without rows says nothing.
        """
        # Nearly every pane ends here, so only the bins that count are looked at.
        if not self._goes_on and not (counts.ravel().take(self._watched) == held.take(self._of)).any():
            return iter(())
        filled = (counts.take(BINS_OF_OUTAGES, axis=1) == held[:, np.newaxis]) & self._never
        rows = held.astype(np.int64)
        some = rows > 0
        filled &= some[:, np.newaxis]
        bins = np.where(filled.any(1), np.array(BINS_OF_OUTAGES)[filled.argmax(1)], 0)
        goes_on = filled.any(1) & ((bins == self._bins) | (self._panes == 0))
        before_panes, before_rows = np.where(goes_on, self._panes, 0), np.where(goes_on, self._rows, 0)
        panes = np.where(filled.any(1), before_panes + 1, 0)
        self._rows = np.where(some, np.where(filled.any(1), before_rows + rows, 0), self._rows)
        self._bins = np.where(some, bins, self._bins)
        self._panes = np.where(some, panes, self._panes)
        self._goes_on = bool(self._panes.any())
        lasting = some & (self._panes >= LEAST_PANES) & (self._rows >= self._least_rows)
        return (
            Outage(place, int(self._bins[place]), int(self._panes[place])) for place in np.flatnonzero(lasting).tolist()
        )

    def is_over(
        self, place: int, peak: NDArray[np.integer], windows: NDArray[np.integer], panes: NDArray[np.intp]
    ) -> bool:
        """Whether what fired at an outage is gone: the shortest window that would show one holds nothing of it.

        *peak* is what was seen of the column when it fired, shape (BINS,), in a window that may have begun before;
        *windows*, shape (windows, BINS), hold so many of its last *panes*.
        """
        filled = np.flatnonzero(self._never[place] & (2 * peak[list(BINS_OF_OUTAGES)] >= max(peak.sum(), 1)))
        enough = np.flatnonzero((panes >= LEAST_PANES) & (windows.sum(1) >= LEAST_ROWS))
        if not len(filled) or not len(enough):
            return False
        return bool(windows[enough[0], BINS_OF_OUTAGES[filled[0]]] == 0)
