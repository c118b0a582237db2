"""Segments: the rows of each value of a column that an operator named, counted apart from all others."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NO_SEGMENT = 255
"""Code of a row that is in no segment of a column: its value is missing or of the wrong type."""
MOST_SEGMENT_COLUMNS = 8
"""Columns whose values are segments."""


@dataclass(frozen=True, slots=True, eq=False)
class SegmentColumn:
    """One feature whose values are segments."""

    name: str
    place: int
    """Among the features of the reference."""
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
