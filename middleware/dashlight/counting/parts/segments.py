"""Counts by segment of the rows of one model against one reference, over the bins that they have already."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dashlight.counting.parts.exchanges import RowExchanges
from dashlight.records import Exchange, Role
from dashlight.window.columns import Reference
from dashlight.window.histogram import LATENCY, Binning
from dashlight.window.layout import BINS
from dashlight.window.parts.sampled_rows import FAILED, FINE, REFUSED
from dashlight.window.parts.segments import NO_SEGMENT, Segmentation, SegmentPane

_OUTCOMES: Final = 3
_DENSE: Final = 16
"""So many times fewer values than there are counts are added one by one."""
_DURATIONS = Binning(LATENCY)


class SegmentCounter:
    """Counts what `RowCounter` has binned, once for each column whose values are segments.

    An exchange is in a segment where all its rows are. Outputs that are no more rows than exchanges, or fewer than the
    features, are in the segment of their exchange.
    """

    def __init__(self, reference: Reference, segmentation: Segmentation) -> None:
        """*segmentation* is that of *reference*, and has a segment."""
        self.segmentation = segmentation
        self._features = sum(column.role == "feature" for column in reference.columns)
        self._columns = len(reference.columns)
        self._size = self._columns * BINS
        count = segmentation.count
        # One more than there are: of rows that are in none.
        self._rows = np.zeros((count + 1) * self._size, np.int32)
        self._exchanges = np.zeros((_OUTCOMES, count + 1), np.int64)
        # Likewise one bin more, of what is no number.
        self._durations = np.zeros((count + 1, LATENCY.bins + 1), np.int32)
        self._offsets: Mapping[Role, NDArray[np.intp]] = {
            "feature": (np.arange(self._features) * BINS)[:, np.newaxis],
            "output": (np.arange(self._features, self._columns) * BINS)[:, np.newaxis],
        }
        self._places = np.array([column.place for column in segmentation.columns], np.intp)
        self._begins = (np.arange(len(self._places)) * BINS)[:, np.newaxis]
        numbers = [
            np.where(column.groups == NO_SEGMENT, count, column.first + column.groups.astype(np.intp))
            for column in segmentation.columns
        ]
        self._numbers = np.concatenate(numbers)

    def add(
        self,
        codes: Mapping[Role, NDArray[np.uint8]],
        of_row: Mapping[Role, NDArray[np.intp]],
        exchanges: Sequence[Exchange],
    ) -> None:
        """Count rows that came to something: their bins and the places of their exchanges among *exchanges*, by role."""
        if "feature" not in codes or not exchanges:
            return
        numbers = self._of_rows(codes["feature"])
        found = RowExchanges(of_row["feature"])
        of_exchanges = found.agreed(numbers, otherwise=self.segmentation.count)
        self._count("feature", codes["feature"], numbers)
        outputs = codes.get("output")
        if outputs is not None:
            is_aligned = np.array_equal(of_row["feature"], of_row["output"])
            self._count(
                "output",
                outputs,
                numbers if is_aligned else found.of_rows(of_exchanges, of_row["output"], self.segmentation.count),
            )
        self._count_exchanges(of_exchanges, np.full(len(found.places), FINE))
        places: list[int] = found.places.tolist()
        self._add_durations(of_exchanges, np.array([exchanges[place].duration_seconds for place in places]))

    def add_failed(self, codes: NDArray[np.uint8], of_row: NDArray[np.intp], outcomes: NDArray[np.uint8]) -> None:
        """Count exchanges that failed or were refused, as *outcomes* of the batch say, by the bins of their features."""
        found = RowExchanges(of_row)
        of_exchanges = found.agreed(self._of_rows(codes), otherwise=self.segmentation.count)
        self._count_exchanges(of_exchanges, outcomes[found.places])

    def close(self) -> SegmentPane | None:
        """Ends the pane and begins an empty one; None where nothing was counted."""
        if not self._exchanges.any():
            return None
        exchanges = self._exchanges[:, :-1]
        closed = SegmentPane.of(
            self.segmentation.reference,
            rows=self._rows[: -self._size].reshape(-1, self._columns, BINS),
            exchanges=exchanges.sum(axis=0),
            failed=exchanges[FAILED].copy(),
            refused=exchanges[REFUSED].copy(),
            durations=self._durations[:-1, :-1],
        )
        for counts in (self._rows, self._exchanges, self._durations):
            counts[...] = 0
        return closed

    def _of_rows(self, features: NDArray[np.uint8]) -> NDArray[np.intp]:
        """Number of the segment of each row in each column with segments, shape (columns with segments, rows)."""
        found: NDArray[np.intp] = self._numbers[features[self._places] + self._begins]
        return found

    def _count(self, role: Role, codes: NDArray[np.uint8], numbers: NDArray[np.intp]) -> None:
        cells = (self._offsets[role] + codes) + (numbers * self._size)[:, np.newaxis, :]
        if cells.size * _DENSE < self._rows.size:
            np.add.at(self._rows, cells.reshape(-1), np.int32(1))
        else:
            self._rows += np.bincount(cells.reshape(-1), minlength=self._rows.size).astype(np.int32)

    def _count_exchanges(self, numbers: NDArray[np.intp], outcomes: NDArray[np.integer]) -> None:
        cells = outcomes.astype(np.intp) * self._exchanges.shape[1] + numbers
        self._exchanges += np.bincount(cells.reshape(-1), minlength=self._exchanges.size).reshape(_OUTCOMES, -1)

    def _add_durations(self, numbers: NDArray[np.intp], seconds: NDArray[np.float64]) -> None:
        cells = numbers * self._durations.shape[1] + _DURATIONS.places(seconds[np.newaxis])
        np.add.at(self._durations.reshape(-1), cells.reshape(-1), np.int32(1))
