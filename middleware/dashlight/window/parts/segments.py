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
MOST_COLUMNS = 1 << 16
"""Of a reference, among which rows are counted by segment."""
_MOST_COUNT = 2**31 - 1
"""Of rows in one bin of a column of a segment, or of exchanges that took so long: more stays that."""


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
    """What was counted by segment in one pane, of one model against one reference; panes of several processes add up.

    Of the counts of rows and of durations it holds which are not zero, and those in as few bytes as do: panes are sent.
    """

    reference: str
    columns: int
    """Of the reference."""
    exchanges: NDArray[np.int64]
    """Shape (segments,): exchanges all of whose rows are in the segment, as far as they were analysed; likewise the others."""
    failed: NDArray[np.int64]
    refused: NDArray[np.int64]
    row_bits: NDArray[np.uint8]
    """Of each count of *rows*, flat, whether it is not zero, as `np.packbits` has it."""
    row_counts: NDArray[np.unsignedinteger]
    """Those that are not."""
    duration_bits: NDArray[np.uint8]
    """Likewise of *durations*."""
    duration_counts: NDArray[np.unsignedinteger]

    @classmethod
    def of(
        cls,
        reference: str,
        *,
        rows: NDArray[np.integer],
        exchanges: NDArray[np.int64],
        failed: NDArray[np.int64],
        refused: NDArray[np.int64],
        durations: NDArray[np.integer],
    ) -> "SegmentPane":
        """Of counts in full, shape (segments, columns, BINS) of *rows*, (segments, LATENCY.bins) of *durations*."""
        return cls(reference, rows.shape[1], exchanges, failed, refused, *_packed(rows), *_packed(durations))

    @property
    def rows(self) -> NDArray[np.int32]:
        """Shape (segments, columns of the reference, BINS): made anew each time."""
        return _unpacked(self.row_bits, self.row_counts, (len(self.exchanges), self.columns, BINS))

    @property
    def durations(self) -> NDArray[np.int32]:
        """Shape (segments, LATENCY.bins): of exchanges that neither failed nor were refused; made anew each time."""
        return _unpacked(self.duration_bits, self.duration_counts, (len(self.exchanges), LATENCY.bins))


def merged_segments(panes: Sequence[SegmentPane]) -> SegmentPane:
    """Panes, at least one, of several processes as if one had counted; ValueError where they do not fit.

    Where a reference has been replaced, processes follow one after another: those count that are against that of the last.
    """
    panes = [pane for pane in panes if pane.reference == panes[-1].reference]
    first = panes[0]
    if len(panes) == 1:
        return first
    shape = (len(first.exchanges), first.columns)
    if any((len(pane.exchanges), pane.columns) != shape for pane in panes):
        raise ValueError(f"segments of other shapes cannot join {shape[0]} segments of {shape[1]} columns")
    rows = np.zeros((*shape, BINS), np.int64)
    durations = np.zeros((shape[0], LATENCY.bins), np.int64)
    for pane in panes:
        rows += pane.rows
        durations += pane.durations
    return SegmentPane.of(
        first.reference,
        rows=rows,
        exchanges=merge(*(pane.exchanges for pane in panes)),
        failed=merge(*(pane.failed for pane in panes)),
        refused=merge(*(pane.refused for pane in panes)),
        durations=durations,
    )


def check_segments(pane: SegmentPane, most: int) -> None:
    """Raises ValueError, saying what is wrong, where no process can have counted *pane*, no more than *most* of anything."""
    segments = len(pane.exchanges)
    if segments > MOST_SEGMENTS or not 0 <= pane.columns <= MOST_COLUMNS:
        raise ValueError(
            f"{segments} segments of {pane.columns} columns: expected {MOST_SEGMENTS} of {MOST_COLUMNS} at most"
        )
    for tally in (pane.exchanges, pane.failed, pane.refused):
        if tally.shape != (segments,) or (segments and not (tally.min() >= 0 and tally.max() <= most)):
            raise ValueError(f"counts of {segments} segments that are none, or above {most}")
    for bits, counts, size in (
        (pane.row_bits, pane.row_counts, segments * pane.columns * BINS),
        (pane.duration_bits, pane.duration_counts, segments * LATENCY.bins),
    ):
        if bits.shape != (-(-size // 8),) or counts.shape != (int(np.unpackbits(bits, count=size).sum()),):
            raise ValueError(f"{size} counts of segments in arrays of shapes {bits.shape} and {counts.shape}")
        if len(counts) and not 0 < counts.min() <= counts.max() <= _MOST_COUNT:
            raise ValueError("a count of a segment that is none")


def _packed(counts: NDArray[np.integer]) -> tuple[NDArray[np.uint8], NDArray[np.unsignedinteger]]:
    flat = counts.reshape(-1)
    is_there = flat != 0
    held = np.minimum(flat[is_there], _MOST_COUNT)
    most = int(held.max(initial=0))
    return np.packbits(is_there), held.astype(np.uint8 if most < 1 << 8 else np.uint16 if most < 1 << 16 else np.uint32)


def _unpacked(
    bits: NDArray[np.uint8], counts: NDArray[np.unsignedinteger], shape: tuple[int, ...]
) -> NDArray[np.int32]:
    found = np.zeros(shape, np.int32)
    found.reshape(-1)[np.unpackbits(bits, count=found.size).view(np.bool_)] = counts
    return found
