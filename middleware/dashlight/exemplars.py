"""Which exchanges show what an alert says: for every bin the last ones whose value fell into it."""

import numpy as np
from numpy.typing import NDArray

from dashlight.window.bins import Binner
from dashlight.window.layout import BINS

_PLANES = 8
"""Slices of which an exemplar is kept for each bin, the last that fell into it."""
_MOST_EXEMPLARS = 5
_GROWN_BINS = 5
"""Bins looked at for exemplars: those that grew the most."""
_TRACE_ID = np.dtype("V16")
_NO_TRACE = np.zeros((), _TRACE_ID)


class Exemplars:
    """Trace ids of recent exchanges by column and bin, in constant memory."""

    def __init__(self, columns: int) -> None:
        self._traces = np.zeros((_PLANES, columns, BINS), _TRACE_ID)
        # The pane of each plane, so that an exemplar of an alert is from after the change.
        self._pane_of_plane = [-1] * _PLANES
        self._slices = 0
        self._plane = self._traces[0]

    def begin_slice(self, pane: int) -> None:
        """The rows that come belong together, and to pane number *pane*."""
        place = self._slices % _PLANES
        self._slices += 1
        self._plane = self._traces[place]
        if self._pane_of_plane[place] != pane:
            self._pane_of_plane[place] = pane
            self._plane[:] = _NO_TRACE

    def keep(self, binner: Binner, codes: NDArray[np.uint8], trace_ids: NDArray[np.void], *, columns: slice) -> None:
        """Keep the last of *trace_ids* (one a row) in each bin of *codes*, which *binner* gave for these *columns*."""
        binner.keep_last(codes, trace_ids, self._plane[columns])

    def of(
        self, column: int, *, current: NDArray[np.int64], reference: NDArray[np.int64], since_pane: int
    ) -> tuple[str, ...]:
        """Exchanges since pane *since_pane* with a value in the bins that grew the most from *reference* to *current*.

        Both are counts of shape (BINS,). Trace ids in 32 hexadecimal digits, newest slice first.
        """
        growth = current / max(current.sum(), 1) - reference / max(reference.sum(), 1)
        grown = [bin_ for bin_ in np.argsort(-growth)[:_GROWN_BINS].tolist() if growth[bin_] > 0]
        found: dict[str, None] = {}
        for back in range(1, _PLANES + 1):
            plane = (self._slices - back) % _PLANES
            if self._pane_of_plane[plane] >= since_pane:
                traces = self._traces[plane, column, grown]
                found.update(dict.fromkeys(bytes(each).hex() for each in traces[traces != _NO_TRACE]))
        return tuple(found)[:_MOST_EXEMPLARS]
