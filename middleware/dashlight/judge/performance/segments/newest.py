"""The newest labelled rows of one model with their segments, of which the figures of each segment are made."""

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dashlight.labels.rows import LabelledRows
from dashlight.window.parts.segments import Segmentation
from dashlight.window.performance.counts import array_bytes, chosen_rows

MOST_SEGMENTED: Final = 10_000
"""Rows; where more labels come in a window, figures are of the newest."""


class NewestSegmented:
    """The newest MOST_SEGMENTED rows, about 50 bytes each and 4 a class. Of this life of the process alone."""

    def __init__(self) -> None:
        self._sets: deque[LabelledRows] = deque()
        self._count = 0
        self.complete_since_at = np.inf
        """From which moment on all rows are here whose label came then; inf before the first ones."""

    @property
    def bytes(self) -> int:
        """Memory that they take."""
        return sum(map(array_bytes, self._sets))

    def add(self, rows: LabelledRows) -> None:
        """Take *rows*, all with segments of one segmentation; those of another task or other classes begin anew."""
        if not rows.row_count:
            return
        self.complete_since_at = min(self.complete_since_at, float(rows.labelled_at.min()))
        if self._sets and (self._sets[0].task, self._sets[0].classes) != (rows.task, rows.classes):
            self._sets.clear()
            self._count = 0
        if self._sets and (self._sets[0].probabilities is None) != (rows.probabilities is None):
            rows = replace(rows, probabilities=None)
            self._sets = deque(replace(each, probabilities=None) for each in self._sets)
        kept = np.arange(max(rows.row_count - MOST_SEGMENTED, 0), rows.row_count)
        if len(kept) < rows.row_count:
            self.complete_since_at = float(rows.labelled_at[kept[0]])
        self._sets.append(chosen_rows(rows, kept))
        self._count += self._sets[-1].row_count
        while self._count - self._sets[0].row_count >= MOST_SEGMENTED:
            gone = self._sets.popleft()
            self._count -= gone.row_count
            self.complete_since_at = max(self.complete_since_at, float(gone.labelled_at.max()))

    def since(
        self, at: float, segmentation: Segmentation, *, predicted_until_at: float | None = None
    ) -> Iterator[tuple[int, LabelledRows]]:
        """The rows of each segment whose label came *at* that moment or later, by number of the segment.

        *predicted_until_at*: those that were predicted between the two moments.
        """
        if predicted_until_at is None:
            recent = [chosen_rows(each, each.labelled_at >= at) for each in self._sets]
        else:
            until = predicted_until_at
            recent = [chosen_rows(each, (each.predicted_at >= at) & (each.predicted_at < until)) for each in self._sets]
        recent = [each for each in recent if each.row_count]
        if not recent:
            return
        rows = _joined(recent)
        for column, codes in zip(segmentation.columns, np.asarray(rows.segments), strict=True):
            for value in np.unique(codes[codes < len(column.values)]).tolist():
                yield column.first + value, chosen_rows(rows, np.flatnonzero(codes == value))


def _joined(sets: list[LabelledRows]) -> LabelledRows:
    """All rows of *sets*, of one task, in their order."""
    first = sets[0]

    def all_of(name: str, axis: int = 0) -> NDArray[np.generic]:
        return np.concatenate([getattr(each, name) for each in sets], axis=axis)

    names = ("predicted_at", "labelled_at", "scores", "predictions", "labels", "steps", "is_implied")
    more = {name: all_of(name) for name in (*names, *(("probabilities",) if first.probabilities is not None else ()))}
    return replace(first, **more, segments=all_of("segments", 1))  # type: ignore[arg-type]
