"""The alert of a column that drifted: told by the detector and the window that show the most. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeAlias

import numpy as np

from dashlight.judge.alerts import AlertWriter, Phase
from dashlight.judge.columns.causes import event_told, explain
from dashlight.judge.evidence.effects import strength
from dashlight.judge.evidence.evidence import Firing
from dashlight.judge.evidence.shift_watch import RecentWindows
from dashlight.judge.evidence.windows import Counts
from dashlight.judge.words import printable
from dashlight.records import Alert
from dashlight.window.columns import ColumnReference
from dashlight.window.events import EVENT_COUNT, FUNCTIONAL_NAMES

Others: TypeAlias = Callable[[int, int, Counts, int], str]
"""How all rows do that are not in the segment of a column, in words that follow what was said of it: by the place of the column,
the event of which the shares were told, and the counts of the segment in so many panes."""
LOCATIONS = (EVENT_COUNT + FUNCTIONAL_NAMES.index("higher"), EVENT_COUNT + FUNCTIONAL_NAMES.index("lower"))
STORY = 0.4
"""Part of the strongest effect from which a move of the values as a whole is told instead."""


class DriftWriter:
    """Writes the alerts of some columns."""

    def __init__(
        self,
        columns: Sequence[ColumnReference],
        writer: AlertWriter,
        *,
        segments: Sequence[str] = (),
        others: Others | None = None,
    ) -> None:
        """*segments* are those whose rows alone each column is of, where it is; *others* says how all other rows do."""
        self._columns, self._writer = tuple(columns), writer
        self._segments = tuple(segments) or ("",) * len(self._columns)
        self._others = others

    def key(self, place: int) -> str:
        """Of the alert on the column at *place*."""
        return self._writer.key(*self._parts(place))

    def named(self, place: int) -> str:
        """The column at *place*, and of which segment it is, in words."""
        segment, name = self._segments[place], printable(self._columns[place].name)
        return f"{printable(segment)}: {name}" if segment else name

    def write(self, place: int, recent: RecentWindows, firing: Firing, phase: Phase) -> Alert:
        """The alert on the column at *place*, of what is *firing*."""
        column, segment = self._columns[place], self._segments[place]
        shown = recent.measure(firing, recent.windows)
        telling = recent.telling(firing.age, recent.rows)
        strengths = np.where(telling[:, np.newaxis], strength(shown), -np.inf)
        row, detector = np.unravel_index(strengths.argmax(), shown.sizes.shape)
        # Values far out are spread as well; that they are higher, or lower, is the story.
        located = np.flatnonzero(np.isin(shown.detectors, LOCATIONS))
        if shown.detectors[detector] >= EVENT_COUNT and len(located):
            best = located[strengths[row, located].argmax()]
            detector = best if strengths[row, best] >= STORY * strengths[row, detector] else detector
        seen, current = int(shown.detectors[detector]), recent.windows[row]
        summary, cause = explain(column, seen, current)
        if column.season is not None:
            summary = f"{summary} (what the hour explains is taken off)"
        if self._others is not None:
            summary += self._others(place, event_told(column, seen, current), current, int(recent.panes[row]))
        alert = self._writer.write(
            *self._parts(place),
            phase=phase,
            summary=f"{printable(segment)}: {summary}" if segment else summary,
            rows=int(recent.rows[row]),
            score=float(shown.sizes[row, detector]),
            column=column.name,
            role=column.role,
            causes=(cause,),
        )
        return replace(alert, segment=segment)

    def _parts(self, place: int) -> tuple[str, ...]:
        column, segment = self._columns[place], self._segments[place]
        return (column.role, column.name, *([segment] if segment else []))
