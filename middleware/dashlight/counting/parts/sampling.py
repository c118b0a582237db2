"""Some rows of every pane, side by side: drawn uniformly from all that came, those of failed exchanges among them.

Each row draws a number from 0 to 1, and those with the lowest are kept: samples of several processes, or panes, join to one.

Source: Cohen and Kaplan (2007), Summarizing data using bottom-k sketches, PODC.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dashlight.records import Exchange, Role
from dashlight.window.columns import Reference, columns_of
from dashlight.window.parts.sampled_rows import NOT_THERE, TRACE_ID, SampledRows

MOST_PANE_ROWS: Final = 512
"""Rows that a process sends with a pane, ..."""
LEAST_PANE_ROWS: Final = 128
"""... and so many at least, where columns are many."""
_PANE_BYTES = 65_536
"""Bins that are sent with a pane."""
_DRAWN_AT_ONCE = 4096


def pane_rows(columns: int) -> int:
    """Rows of so many *columns* that a process sends with a pane."""
    return max(LEAST_PANE_ROWS, min(MOST_PANE_ROWS, _PANE_BYTES // max(columns, 1)))


class RowSampler:
    """Draws rows of one model that are binned over *reference*. Of a reference without features, none."""

    def __init__(self, reference: Reference) -> None:
        self._reference = reference.version
        self._features, self._columns = len(columns_of(reference, "feature")), len(reference.columns)
        self._most = pane_rows(self._columns)
        self._random: np.random.Generator | None = None
        self._draws = np.empty(0)
        self._drawn = 0
        self._sample = _Buffer(0, 0)
        self._begin()

    def _begin(self) -> None:
        self._kept, self._bound = 0, 1.0

    def add(
        self,
        codes: Mapping[Role, NDArray[np.uint8]],
        places: Mapping[Role, NDArray[np.intp]],
        exchanges: Sequence[Exchange],
        trace_ids: NDArray[np.void],
        outcomes: NDArray[np.uint8] | None = None,
    ) -> None:
        """Takes the rows whose bins are *codes*, shape (columns of the role, rows), of the exchanges at *places* in the batch.

        Outputs are of the same rows only where they are of the same exchanges, in the same order. *trace_ids* and *outcomes*
        have one for each of *exchanges*; None: all are fine. Costs what the rows cost that are drawn.
        """
        features = codes.get("feature")
        if features is None or not features.shape[1] or not exchanges:
            return
        of_rows = places["feature"]
        draws = self._drawn_numbers(len(of_rows), exchanges[int(of_rows[0])])
        low = np.flatnonzero(draws < self._bound)
        if not len(low):
            return
        outputs = codes.get("output")
        if outputs is not None and not np.array_equal(of_rows, places["output"]):
            outputs = None
        if not self._sample.draws.size:
            self._sample = _Buffer(self._columns, 2 * self._most)
        for first in range(0, len(low), self._most):
            part = low[first : first + self._most]
            part = part[draws[part] < self._bound]
            kept, stop = self._kept, self._kept + len(part)
            sample, of_exchanges = self._sample, of_rows[part]
            numbers: list[int] = of_exchanges.tolist()
            sample.codes[: self._features, kept:stop] = features[:, part]
            sample.codes[self._features :, kept:stop] = NOT_THERE if outputs is None else outputs[:, part]
            sample.outcomes[kept:stop] = 0 if outcomes is None else outcomes[of_exchanges]
            sample.at[kept:stop] = [exchanges[number].started_at for number in numbers]
            sample.draws[kept:stop] = draws[part]
            sample.trace_ids[kept:stop] = trace_ids[of_exchanges]
            self._kept = stop
            if stop > self._most:
                self._keep_lowest()

    def close(self) -> SampledRows | None:
        """Ends the pane and begins the next; None where no row came."""
        if not self._kept:
            return None
        sample, kept = self._sample, slice(self._kept)
        closed = SampledRows(
            reference=self._reference,
            codes=sample.codes[:, kept].copy(),
            outcomes=sample.outcomes[kept].copy(),
            at=sample.at[kept].copy(),
            draws=sample.draws[kept].copy(),
            bound=self._bound,
            trace_ids=sample.trace_ids[kept].copy(),
        )
        self._begin()
        return closed

    def _keep_lowest(self) -> None:
        draws = self._sample.draws[: self._kept]
        self._bound = float(np.partition(draws, self._most)[self._most])
        lowest = np.flatnonzero(draws < self._bound)
        self._kept = len(lowest)
        for array in self._sample.arrays:
            array[..., : self._kept] = array[..., lowest]

    def _drawn_numbers(self, rows: int, first: Exchange) -> NDArray[np.float64]:
        if self._random is None:
            # By the first exchange, of which no other process has one like it: no two draw the same numbers.
            named = f"{self._reference} {first.id} {first.trace_id} {first.started_at!r}".encode()
            seed = int.from_bytes(blake2b(named, digest_size=16).digest(), "big")
            self._random = np.random.Generator(np.random.PCG64(seed))
        if self._drawn + rows > len(self._draws):
            self._draws, self._drawn = self._random.random(max(rows, _DRAWN_AT_ONCE)), 0
        drawn = self._draws[self._drawn : self._drawn + rows]
        self._drawn += rows
        return drawn


class _Buffer:
    """Room for so many rows."""

    def __init__(self, columns: int, rows: int) -> None:
        self.codes = np.empty((columns, rows), np.uint8)
        self.outcomes = np.empty(rows, np.uint8)
        self.at, self.draws = np.empty(rows), np.empty(rows)
        self.trace_ids = np.empty(rows, TRACE_ID)
        self.arrays = (self.codes, self.outcomes, self.at, self.draws, self.trace_ids)
