"""Columns that follow the time of day or of the week: what rows score now, and windows without the season. Pure."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.columns.season_tables import SeasonTables, SlotRows, SlotRowsState, expected_counts, slots_between
from dashlight.judge.evidence.null import Floats
from dashlight.judge.evidence.score_tables import EvidenceTables
from dashlight.window.bins import reference_shares
from dashlight.window.columns import ColumnReference

Counts: TypeAlias = NDArray[np.int64]
Window: TypeAlias = Callable[[int], tuple[Counts, int]]


class Seasons:
    """What of the panes of some columns is the season's."""

    def __init__(
        self, columns: Sequence[ColumnReference], weights: Floats, *, panes: float, like: EvidenceTables
    ) -> None:
        """*columns*, *weights* and *panes* as for `evidence_tables`, which made *like* of them without any season."""
        seasons = [column.season for column in columns]
        self._tables = SeasonTables(columns, seasons, weights, panes=panes, like=like)
        self._rows = SlotRows()
        self._places = [place for place, season in enumerate(seasons) if season is not None]
        self._columns = [columns[place] for place in self._places]
        self._seasons = [seasons[place] for place in self._places]
        self._usual = reference_shares(self._columns)

    @property
    def state(self) -> SlotRowsState:
        """All that is remembered: tables are made again when they are needed."""
        return self._rows.state

    def restore(self, state: SlotRowsState) -> None:
        """Go on from *state*; ValueError where no panes can have had such slots and rows."""
        self._rows.restore(state)

    def tables(self, began_at: float, ended_at: float, rows: int) -> EvidenceTables:
        """What the *rows* rows of the pane between these moments score; they count in the windows from now on."""
        slots = slots_between(began_at, ended_at)
        self._rows.add(slots, rows)
        return self._tables.tables(slots)

    def taken_off(self, window: Window) -> Window:
        """*window* without the season: what was seen, less what its hours expect, and what a mean hour has instead.

        Its counts are then compared with the reference's as those of any other column are. A bin that would hold less
        than nothing holds nothing.
        """

        def without(panes: int) -> tuple[Counts, int]:
            counts, covered = window(panes)
            expected = expected_counts(self._columns, self._seasons, self._rows.of_last(covered)).astype(np.float64)
            expected /= np.maximum(expected.sum(1, keepdims=True), 1.0)
            seen = counts[self._places]
            adjusted = seen + seen.sum(1, keepdims=True) * (self._usual - expected)
            counts = counts.copy()
            counts[self._places] = np.maximum(np.rint(adjusted), 0.0).astype(np.int64)
            return counts, covered

        return without
