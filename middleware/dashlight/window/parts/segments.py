"""Segments: the rows of each value of a column that an operator named, counted apart from all others."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashlight.window.histogram import LATENCY
from dashlight.window.layout import BINS
from dashlight.window.panes import merge

NO_SEGMENT = 255
"""Code of a row that is in no segment of a column: its value is missing or of the wrong type."""
MOST_SEGMENT_COLUMNS = 8
"""Columns whose values are segments."""
MOST_VALUES = 32
"""Segments of one column."""
MOST_SEGMENTS = MOST_SEGMENT_COLUMNS * MOST_VALUES
_ROW_AXES = 3


@dataclass(frozen=True, slots=True, eq=False)
class SegmentColumn:
    """One feature whose values are segments."""

    name: str
    place: int
    """Among the features of the reference, in its order."""
    groups: NDArray[np.uint8]
    """Shape (BINS,): in which segment of the column each of its bins is; NO_SEGMENT: in none."""
    values: tuple[str, ...]
    """The segments in words that may be told: `UA`, `19 to 23`, `other`; at most 32."""
    first: int
    """Number of its first segment among those of all columns."""


@dataclass(frozen=True, slots=True, eq=False)
class Segmentation:
    """All segments of one reference, numbered column by column."""

    reference: str
    """Version of the reference whose bins they are made of."""
    columns: tuple[SegmentColumn, ...]
    missing: tuple[str, ...] = ()
    """Names that no feature has, or one of a kind that has no segments."""
    left_out: tuple[str, ...] = ()
    """Names beyond MOST_SEGMENT_COLUMNS."""

    @property
    def count(self) -> int:
        """Segments of all columns."""
        return sum(len(column.values) for column in self.columns)

    @property
    def names(self) -> tuple[str, ...]:
        """Of each, as `carrier=UA`."""
        return tuple(f"{column.name}={value}" for column in self.columns for value in column.values)

    def codes(self, features: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The segments of rows with these bins of *features*, shape (features of the reference, rows).

        Shape (columns, rows): numbers within each column; NO_SEGMENT: in none.
        """
        return np.array([column.groups[features[column.place]] for column in self.columns], np.uint8).reshape(
            len(self.columns), features.shape[1]
        )


@dataclass(frozen=True, slots=True, eq=False)
class SegmentPane:
    """What was counted by segment in one pane, of one model against one reference; panes of several processes add up."""

    reference: str
    rows: NDArray[np.int32]
    """Shape (segments, columns of the reference, BINS)."""
    exchanges: NDArray[np.int64]
    """Shape (segments,): exchanges all of whose rows are in the segment, as far as they were analysed; likewise the others."""
    failed: NDArray[np.int64]
    refused: NDArray[np.int64]
    durations: NDArray[np.int64]
    """Shape (segments, LATENCY.bins): of those that neither failed nor were refused."""

    @property
    def tallies(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """What is counted of exchanges: all, failed, refused, and how long they took."""
        return self.exchanges, self.failed, self.refused, self.durations


def merged_segments(panes: Sequence[SegmentPane]) -> SegmentPane:
    """Panes, at least one, of several processes as if one had counted; ValueError where they do not fit."""
    first = panes[0]
    if len(panes) == 1:
        return first
    rows = first.rows.astype(np.int64)
    for pane in panes[1:]:
        if pane.reference != first.reference or pane.rows.shape != rows.shape:
            raise ValueError("segments of different references cannot join")
        rows += pane.rows
    tallies = [merge(*alike) for alike in zip(*(pane.tallies for pane in panes), strict=True)]
    return SegmentPane(first.reference, np.minimum(rows, np.iinfo(np.int32).max).astype(np.int32), *tallies)


def check_segments(pane: SegmentPane, most: int) -> None:
    """Raises ValueError, saying what is wrong, where no process can have counted *pane*, no more than *most* of anything."""
    segments = len(pane.rows)
    columns = pane.rows.shape[1] if pane.rows.ndim == _ROW_AXES else 0
    shapes = ((segments, columns, BINS), *[(segments,)] * 3, (segments, LATENCY.bins))
    arrays: tuple[NDArray[np.integer], ...] = (pane.rows, *pane.tallies)
    if segments > MOST_SEGMENTS:
        raise ValueError(f"{segments} segments: expected {MOST_SEGMENTS} at most")
    for array, shape in zip(arrays, shapes, strict=True):
        if array.shape != shape:
            raise ValueError(f"segments in an array of shape {array.shape}: expected {shape}")
        if array.size and not (array.min() >= 0 and array.max() <= most):
            raise ValueError(f"a count of a segment below zero or above {most}")
