"""The counts of an endpoint's columns, pane by pane; every window is a sum of panes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashlight.window.fitting import MOST_COUNT, fitted
from dashlight.window.layout import BINS
from dashlight.window.ring import Ring, RingState

SLOTS, LEVELS = 18, 9
"""18 panes each of 1, 2, 4 ... 256: windows of up to 4,608 panes, nearly thirteen hours of ten seconds; 1.2 MB for 100
columns, and up to four times that where a bin holds more rows than 16 bits can count."""


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """The last panes, merged."""

    counts: NDArray[np.int64]
    """Shape (columns, BINS)."""
    panes: int
    """How many panes it really covers."""
    first_ended_at: float
    """When its first pane ended; NaN where there is none."""
    last_ended_at: float

    @property
    def rows(self) -> NDArray[np.int64]:
        """Rows of each column, shape (columns,)."""
        return rows_of(self.counts)


@dataclass(frozen=True, slots=True, eq=False)
class PanesState:
    """What Panes hold."""

    current: NDArray[np.int64]
    """Shape (columns, BINS)."""
    closed: RingState


class Panes:
    """The pane that fills, and those that were closed."""

    def __init__(self, columns: int, levels: int = LEVELS) -> None:
        """*columns* is how many there are, *levels* how far back they are kept: SLOTS * 2^(levels - 1) panes."""
        self.current = np.zeros((columns, BINS), np.int64)
        """Counts of the pane that fills, shape (columns, BINS)."""
        self._ring = Ring((columns, BINS), levels, slots=SLOTS)

    @property
    def state(self) -> PanesState:
        """All that they hold, in arrays that later rows change."""
        return PanesState(self.current, self._ring.state)

    def restore(self, state: PanesState) -> None:
        """Go on from *state*, whose arrays are taken over; ValueError where it is of other columns, or no count of rows."""
        self.current = fitted("rows of a pane", state.current, like=self.current, least=0, most=MOST_COUNT)
        self._ring.restore(state.closed)

    def emptied(self) -> "Panes":
        """As many panes that ended at the same moments, with nothing in them."""
        columns, levels = len(self.current), len(self._ring.state.counts)
        empty = Panes(columns, levels)
        empty._ring = self._ring.emptied()
        return empty

    def add(self, counts: NDArray[np.int64]) -> None:
        """Add rows, binned and counted, to the current pane."""
        self.current += counts

    def close(self, at: float) -> NDArray[np.int64]:
        """End the current pane at *at*, begin an empty one, and give what the ended one held."""
        closed = self.current
        self._ring.add(closed, at)
        self.current = np.zeros_like(closed)
        return closed

    def forget(self, columns: NDArray[np.intp]) -> None:
        """Let go of the closed panes' rows of *columns*, by place."""
        self._ring.forget(columns)

    @property
    def closed(self) -> int:
        """Panes closed so far."""
        return self._ring.closed

    @property
    def bytes(self) -> int:
        """Memory that the counts take."""
        return self._ring.bytes + self.current.nbytes

    def window(self, panes: int) -> Window:
        """The last *panes*: exact up to SLOTS; of more, as few more as are kept apart; of too many, all that are kept."""
        stretch = self._ring.last(panes)
        return Window(stretch.counts, stretch.panes, stretch.first_ended_at, stretch.last_ended_at)

    def since(self, at: float) -> Window:
        """The shortest window that covers every kept pane that ended after *at*."""
        return self.window(self._ring.panes_since(at))


def merge(*counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Counts of the same columns from several processes, as if one had counted all rows; ValueError if shapes differ."""
    merged = counts[0].astype(np.int64)
    for more in counts[1:]:
        if more.shape != merged.shape:
            raise ValueError(f"counts of shape {more.shape} cannot join counts of shape {merged.shape}")
        merged += more
    return merged


def rows_of(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Rows of each column, shape (columns,), from counts of shape (columns, BINS)."""
    rows: NDArray[np.int64] = counts.sum(axis=1)
    return rows
