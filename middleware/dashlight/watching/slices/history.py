"""Sampled rows of about a week, from which a uniform sample of the rows since any moment can be taken."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dashlight.counting.memory import SAMPLED_BYTES
from dashlight.window.parts.sampled_rows import SampledRows, check_sampled

MOST_ROWS: Final = 13_500
"""Kept of a model, where its columns are not too many, ..."""
LEAST_BYTES, COLUMN_BYTES, MOST_BYTES = 200_000, 15_000, 2_000_000
"""... which may take so much, more with each column, and so much at most."""
MOST_SINCE: Final = 4_000
"""Rows of a sample since a moment that fewer rows than that ago, and soon after, ..."""
LEAST_SINCE: Final = 500
"""... and about so many of one since a moment long ago."""
LONGEST_SECONDS: Final = 7 * 86_400.0
MOST_BEFORE: Final = 3_000
"""Rows of before a moment."""
_LEAST_PART = 1 / 12
"""Of what is kept, at most: rows of a sample since long ago."""
_SLACK = 1.15
"""Over what is kept, before what is too much is looked for."""
_RECENT_PART = 0.4
"""Of what is kept, at most: rows of a sample since a short time ago. Where rows are few, that counts more than the week."""
_CELL = 0.05
"""Panes share a mark until they have this part of the rows since then."""
_LEAST_MARKS = _MOST_PARTS = 64
_ROW_BYTES = SAMPLED_BYTES + 16


def kept_rows(columns: int) -> int:
    """Rows of so many *columns* that are kept."""
    return min(MOST_ROWS, min(LEAST_BYTES + COLUMN_BYTES * columns, MOST_BYTES) // (columns + _ROW_BYTES))


def history_bytes(columns: int) -> int:
    """What the sampled rows of a model with so many *columns* take at most: a part for itself, and one for each column."""
    return int(_SLACK * min(LEAST_BYTES + COLUMN_BYTES * columns, MOST_BYTES))


@dataclass(slots=True)
class _Mark:
    """Panes in a row, one at least."""

    began_at: float
    """When the last pane before them ended."""
    came: float
    """Rows that had come before them, about, ..."""
    drawn: int
    """... and of these had been drawn."""
    bound: float
    """All their rows were drawn from that are below this."""


class SampledHistory:
    """Rows of one model over one reference, thinned the more the older they are.

    Of a pane since which n rows came, of which processes drew d, those are kept whose draw is below s c(d) / n, where
    c(d) = max(500, 4000 sqrt(4000 / d)) from d = 4000 on. That falls with the age of a pane, so that the rows since any moment
    with a draw below it are a uniform sample, of s c(d) rows. With s = 1 all of them are about 13,500 for the 31 million rows that are
    drawn in a busy week. Where fewer can be kept c is smaller; what is still too much makes s smaller, of rows of any age
    alike, and it is remembered up to which draw those of each pane are there.
    """

    def __init__(self, columns: int) -> None:
        """Of rows with so many *columns*."""
        self._columns = columns
        self.most_rows = kept_rows(columns)
        self._recent = min(MOST_SINCE, _RECENT_PART * self.most_rows)
        self._least = min(LEAST_SINCE, _LEAST_PART * self.most_rows, self._recent)
        self._parts: list[SampledRows] = []
        """By pane, or thinned, oldest first."""
        self._numbers: list[NDArray[np.float64]] = []
        """Of the rows of each part, shape (2, rows): how many had come before their panes, and had been drawn."""
        self._held = self._drawn = 0
        self._came = 0.0
        """Rows that came so far, about: as many as were drawn, by the bound up to which they were."""
        self._marks: list[_Mark] = []
        self._ended_at: float | None = None

    @property
    def row_count(self) -> int:
        """Rows kept."""
        return self._held

    @property
    def mark_count(self) -> int:
        """Moments of which it is known how many rows came since."""
        return len(self._marks)

    def fits(self, sampled: SampledRows | None) -> bool:
        """Whether some processes can have *sampled* these rows over the columns of the history."""
        try:
            if sampled is not None:
                check_sampled(sampled, self._columns)
        except ValueError:
            return False
        return True

    def take(self, sampled: SampledRows | None, at: float) -> None:
        """Keeps rows of the pane that ended *at*; they have the columns of the history."""
        began_at, self._ended_at = self._ended_at, at
        if sampled is None or not sampled.row_count:
            return
        sampled = sampled.at_most(round(self._recent))
        began_at = float(sampled.at.min()) if began_at is None else min(began_at, at)
        self._marks.append(_Mark(began_at, self._came, self._drawn, sampled.bound))
        self._parts.append(sampled)
        self._numbers.append(np.tile([[self._came], [float(self._drawn)]], sampled.row_count))
        self._came += sampled.row_count / sampled.bound
        self._drawn += sampled.row_count
        self._held += sampled.row_count
        self._join_marks()
        if len(self._parts) > _MOST_PARTS:
            self._joined()
        if self._held > _SLACK * self.most_rows:
            self._thin(at)

    def count_since(self, at: float) -> int:
        """Rows of the sample since *at*."""
        chosen, _ = self._chosen(at)
        return int(np.count_nonzero(chosen))

    def since(self, at: float) -> SampledRows | None:
        """Rows that began at *at* or later, the lowest draws of all of them; None where none is known."""
        chosen, bound = self._chosen(at)
        return self._parts[0].taken(chosen, bound) if chosen.any() else None

    def before(self, at: float) -> SampledRows | None:
        """Rows that began before *at*, the lowest draws of those that are kept.

        They are drawn uniformly as far back as that many are kept, and ever fewer of the times before: of a change that began a
        little earlier than was said hardly any rows are among them.
        """
        if not self._parts:
            return None
        self._joined()
        rows = self._parts[0]
        chosen = (rows.at < at) & (rows.at >= at - LONGEST_SECONDS)
        if not chosen.any():
            return None
        _, bound = self._chosen(at - LONGEST_SECONDS)
        earlier = rows.taken(chosen, 1.0).at_most(MOST_BEFORE)
        return replace(earlier, bound=min(bound, earlier.bound))

    def _chosen(self, from_at: float) -> tuple[NDArray[np.bool_], float]:
        """Which of the rows are the sample of those that began at a moment or later, and up to which draw."""
        if not self._parts:
            return np.zeros(0, np.bool_), 1.0
        self._joined()
        rows = self._parts[0]
        first = next(
            (place for place in range(len(self._marks) - 1, -1, -1) if self._marks[place].began_at <= from_at), 0
        )
        numbers = np.array([[self._marks[first].came], [self._marks[first].drawn]], np.float64)
        bound = min(float(self._limits(numbers)[0]), *(mark.bound for mark in self._marks[first:]), 1.0)
        return (rows.at >= from_at) & (rows.draws < bound), bound

    def _limits(self, numbers: NDArray[np.float64]) -> NDArray[np.float64]:
        """Below which draw rows are kept of panes before which so many had come and been drawn, shape (2, panes): above 1, all."""
        came, drawn = self._came - numbers[0], np.maximum(self._drawn - numbers[1], 1.0)
        kept = np.clip(self._recent * np.sqrt(self._recent / drawn), self._least, self._recent)
        limits: NDArray[np.float64] = kept / np.maximum(came, drawn)
        return limits

    def _joined(self) -> None:
        if len(self._parts) == 1:
            return
        parts = self._parts
        self._parts = [
            SampledRows(
                reference=parts[0].reference,
                codes=np.concatenate([each.codes for each in parts], axis=1),
                outcomes=np.concatenate([each.outcomes for each in parts]),
                at=np.concatenate([each.at for each in parts]),
                draws=np.concatenate([each.draws for each in parts]),
                bound=1.0,
                trace_ids=np.concatenate([each.trace_ids for each in parts]),
            )
        ]
        self._numbers = [np.concatenate(self._numbers, axis=1)]

    def _thin(self, at: float) -> None:
        """Lets go of rows that no sample needs, and of those that are too old."""
        self._joined()
        rows, numbers = self._parts[0], self._numbers[0]
        parts = rows.draws / self._limits(numbers)
        kept = (parts < 1.0) & (rows.at >= at - LONGEST_SECONDS)
        if np.count_nonzero(kept) > self.most_rows:
            part = float(np.partition(parts[kept], self.most_rows)[self.most_rows])
            kept &= parts < part
            limits = self._limits(np.array([[mark.came, mark.drawn] for mark in self._marks], np.float64).T)
            for mark, limit in zip(self._marks, limits.tolist(), strict=True):
                mark.bound = min(mark.bound, part * limit)
        self._parts, self._numbers = [rows.taken(kept, 1.0)], [numbers[:, kept]]
        self._held = int(np.count_nonzero(kept))
        first = float(self._numbers[0][0, 0]) if self._held else self._came
        while len(self._marks) > 1 and self._marks[1].came <= first:
            del self._marks[0]

    def _join_marks(self) -> None:
        """Panes of long ago share one mark: about 60 of them for ten times as many rows."""
        marks = self._marks
        if len(marks) < 2 * _LEAST_MARKS or len(marks) % _LEAST_MARKS:
            return
        joined = [marks[0]]
        for mark, after in pairwise(marks[1:]):
            first = joined[-1]
            if after.came - first.came <= _CELL * (self._came - first.came):
                first.bound = min(first.bound, mark.bound)
            else:
                joined.append(mark)
        self._marks = [*joined, marks[-1]]
