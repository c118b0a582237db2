"""Which columns of a reference traffic has ever brought: what never came is left out, what came and goes is judged."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.breaks.state import Place
from dashlight.judge.words import listed
from dashlight.window.columns import ColumnReference
from dashlight.window.fitting import fitted, within
from dashlight.window.layout import NULL

TELLING_ROWS = 100
"""After so many rows is told what traffic lacks: sooner, a column that is often null may not have come yet."""
_LIKELY = 0.001
"""A column of which so many rows would all be null that often may come yet."""


@dataclass(frozen=True, slots=True, eq=False)
class PresenceState:
    """What a Presence remembers."""

    came: NDArray[np.bool_]
    """Shape (columns,): whether any row ever had a value."""
    rows: int
    """So far."""
    is_told: bool
    """What traffic lacks."""
    is_unknown_told: bool
    """What the reference lacks."""


class Presence:
    """Knows of every column whether any row of traffic ever had a value in it, be it of a wrong type.

    A model may do without some columns of its training data, and no request will ever bring them: that is told once and
    is no drift. A facet came where the column that it is measured of did. A column without a value in the reference is
    as expected from the start.
    """

    def __init__(self, columns: Sequence[ColumnReference], *, are_learned: bool = False) -> None:
        """*columns* are all of the reference, counted. Those that *are_learned* from traffic came with what they learned from."""
        self._columns = tuple(columns)
        places = {(column.role, column.name): place for place, column in enumerate(columns)}
        self._whole = np.array(
            [places.get((column.role, column.of or column.name), place) for place, column in enumerate(columns)],
            np.intp,
        )
        is_empty = np.array([column.counts[NULL] >= column.rows for column in columns], np.bool_)[self._whole]
        self._came = is_empty | are_learned
        self._rows = 0
        self._is_told = self._is_unknown_told = False

    @property
    def state(self) -> PresenceState:
        """What is remembered."""
        return PresenceState(self._came, self._rows, self._is_told, self._is_unknown_told)

    def restore(self, state: PresenceState) -> None:
        """Go on from *state*; ValueError where it is of other columns."""
        self._came = fitted("columns that came", state.came, like=self._came)
        self._rows = within("rows so far", state.rows)
        self._is_told, self._is_unknown_told = state.is_told, state.is_unknown_told

    def take(self, counts: NDArray[np.int64]) -> NDArray[np.intp]:
        """Take the *counts* of the next pane, shape (columns, BINS); the places of the columns that came with it."""
        self._rows += int(counts.sum(1).max(initial=0))
        if self._came.all():
            return np.empty(0, np.intp)
        came = self._came | (counts[:, NULL + 1 :].sum(1) > 0)
        came |= came[self._whole]
        new = np.flatnonzero(came & ~self._came)
        self._came = came
        return new

    def judged(self, counts: NDArray[np.int64]) -> NDArray[np.int64]:
        """*counts* without the rows of columns that never came."""
        return counts if self._came.all() else np.where(self._came[:, np.newaxis], counts, 0)

    @property
    def never(self) -> frozenset[Place]:
        """Columns that never came, and the facets of these."""
        if self._came.all():
            return frozenset()
        pairs = zip(self._columns, self._came.tolist(), strict=True)
        return frozenset((column.role, column.name) for column, came in pairs if not came)

    def news(self, watched: Collection[Place], unknown: Sequence[str]) -> list[str]:
        """Which of the columns *watched* traffic lacks, and that it brings *unknown* ones: a sentence each, once.

        Nothing before there are rows enough. What is mostly null in the reference is not missed so soon.
        """
        news: list[str] = []
        if self._rows < TELLING_ROWS:
            return news
        if not self._is_told:
            self._is_told = True
            never = [
                column.name
                for column, came in zip(self._columns, self._came.tolist(), strict=True)
                if not (came or column.of or self._may_come(column)) and (column.role, column.name) in watched
            ]
            if never:
                news.append(f"in the reference, not in the traffic: {listed(never)}: left out")
        if unknown and not self._is_unknown_told:
            self._is_unknown_told = True
            news.append(f"in the traffic, not in the reference: {listed(unknown)}: left out")
        return news

    def _may_come(self, column: ColumnReference) -> bool:
        return float(column.counts[NULL] / max(column.rows, 1)) ** self._rows > _LIKELY
