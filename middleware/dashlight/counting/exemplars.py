"""Which exchanges show what an alert says: for every bin the last ones whose value fell into it."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from dashlight.records import Exchange
from dashlight.window.bins import Binner
from dashlight.window.fitting import fitted, refuse, within
from dashlight.window.layout import BINS

_PANES = 8
"""Panes of which an exemplar is kept for each bin, the last that fell into it."""
_MOST_EXEMPLARS = 5
_GROWN_BINS = 5
"""Bins looked at for exemplars: those that grew the most."""
_TRACE_ID = np.dtype("V16")


@dataclass(frozen=True, slots=True, eq=False)
class ExemplarPane:
    """One exemplar of each bin that a pane has one of."""

    places: NDArray[np.uint32]
    """Shape (exemplars,), ascending: column * BINS + bin."""
    trace_ids: NDArray[np.void]
    """Shape (exemplars,), 16 bytes each."""


ExemplarsState: TypeAlias = tuple[tuple[int, ExemplarPane], ...]
"""Panes with the number of each, oldest first."""


def batch_trace_ids(exchanges: Sequence[Exchange]) -> NDArray[np.void]:
    """Trace ids of a batch, 16 bytes each; one of zeros, which stands for none, where no exchange brought its rows."""
    if not exchanges:
        return np.zeros(1, _TRACE_ID)
    return np.frombuffer(b"".join([exchange.trace_id.to_bytes(16, "big") for exchange in exchanges]), _TRACE_ID)


class ExemplarCollector:
    """Trace ids of the exchanges of one pane, by bin of so many *columns*: 16 bytes for each bin."""

    def __init__(self, columns: int) -> None:
        self._traces = np.zeros((columns, BINS), _TRACE_ID)

    def keep(self, binner: Binner, codes: NDArray[np.uint8], trace_ids: NDArray[np.void], *, columns: slice) -> None:
        """Keep the last of *trace_ids* (one a row) in each bin of *codes*, which *binner* gave for these *columns*."""
        binner.keep_last(codes, trace_ids, self._traces[columns])

    def close(self) -> ExemplarPane | None:
        """End the pane and begin the next; None where there is no exemplar."""
        traces = self._traces.reshape(-1)
        # Compared as numbers: NumPy compares 16 opaque bytes one by one.
        places = np.flatnonzero(traces.view(np.uint64).reshape(-1, 2).any(axis=1))
        if not len(places):
            return None
        pane = ExemplarPane(places.astype(np.uint32), traces[places])
        self._traces[:] = np.zeros((), _TRACE_ID)
        return pane


class Exemplars:
    """The exemplars of so many *columns* in the last panes that had any, in bounded memory."""

    def __init__(self, columns: int) -> None:
        self._places = columns * BINS
        self._panes: list[tuple[int, ExemplarPane]] = []
        """With the number of each, so that an exemplar of an alert is from after the change; oldest first."""

    @property
    def state(self) -> ExemplarsState:
        """All that they hold."""
        return tuple(self._panes)

    def restore(self, state: ExemplarsState) -> None:
        """Go on from *state*; ValueError where it is of more columns, or not in order."""
        within("panes of exemplars", len(state), 0, _PANES)
        for number, pane in state:
            within("number of a pane", number)
            count = within("exemplars", pane.places.size, 1, self._places)
            fitted("places", pane.places, like=np.empty(count, np.uint32), most=self._places - 1)
            fitted("trace ids", pane.trace_ids, like=np.empty(count, _TRACE_ID))
            refuse("exemplars that are not in their order", where=(pane.places[1:] <= pane.places[:-1]).any())
        refuse(
            "panes that are not in their order",
            where=any(later < sooner for (sooner, _), (later, _) in pairwise(state)),
        )
        self._panes = list(state)

    def take(self, panes: Sequence[ExemplarPane], *, pane: int) -> None:
        """Keep the exemplars of pane number *pane*: where *panes*, of several processes, share a bin, those of the last.

        ValueError where one is of more columns.
        """
        if any(exemplars.places[-1] >= self._places for exemplars in panes):
            raise ValueError("exemplars of other columns: they were collected beside another reference")
        if panes:
            self._panes = [*self._panes[1 - _PANES :], (pane, _joined(panes))]

    def of(
        self, column: int, *, current: NDArray[np.int64], reference: NDArray[np.int64], since_pane: int
    ) -> tuple[str, ...]:
        """Exchanges since pane *since_pane* with a value in the bins that grew the most from *reference* to *current*.

        Both are counts of shape (BINS,). Trace ids in 32 hexadecimal digits, newest pane first.
        """
        growth = current / max(current.sum(), 1) - reference / max(reference.sum(), 1)
        grown = [bin_ for bin_ in np.argsort(-growth)[:_GROWN_BINS].tolist() if growth[bin_] > 0]
        wanted = column * BINS + np.array(grown, np.uint32)
        shown: dict[str, None] = {}
        for number, pane in reversed(self._panes):
            if number >= since_pane:
                at = np.searchsorted(pane.places, wanted).clip(max=len(pane.places) - 1)
                traces = pane.trace_ids[at[pane.places[at] == wanted]]
                shown.update(dict.fromkeys(bytes(trace_id).hex() for trace_id in traces))
        return tuple(shown)[:_MOST_EXEMPLARS]


def _joined(panes: Sequence[ExemplarPane]) -> ExemplarPane:
    """All of *panes*, of each place the last one's."""
    # np.unique gives the first of equals.
    places = np.concatenate([pane.places for pane in reversed(panes)])
    trace_ids = np.concatenate([pane.trace_ids for pane in reversed(panes)])
    filled, first = np.unique(places, return_index=True)
    return ExemplarPane(filled, trace_ids[first])
