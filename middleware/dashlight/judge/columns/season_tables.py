"""Evidence where columns follow the time of day: each pane is judged by the score tables of its own slot. Pure.

The state of the bets is one and the same all day. A pane's factor is an e-value for what its own slot expects, so the
product over the panes stays one, whatever the order of the slots. Thresholds and the parting of the budget do not
change with the slot: they are those of the tables that the state began with.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.evidence.null import Floats, null_of
from dashlight.judge.evidence.pane_ends import PANES_REMEMBERED
from dashlight.judge.evidence.score_tables import EvidenceTables, evidence_tables
from dashlight.window.columns import ColumnReference, Season, stacked_counts
from dashlight.window.fitting import MOST_COUNT, fitted, refuse, within
from dashlight.window.reference.seasons.waves import SLOT_SECONDS, SLOTS, WEEK_SECONDS, in_season, slot_of

_TABLES_KEPT = 2
"""Those of 100 columns are 1.2 MB; panes that arrive late belong to the slot before."""


def slots_between(began_at: float, ended_at: float) -> dict[int, float]:
    """Seconds of each slot between the two moments; at most the last week.

    A span shorter than a slot counts as all in the slot of its middle, so that tables change once a slot.
    """
    began_at = max(began_at, ended_at - WEEK_SECONDS)
    if ended_at - began_at <= SLOT_SECONDS:
        return {slot_of((began_at + ended_at) / 2): 1.0}
    first = int(began_at // SLOT_SECONDS)
    borders = np.arange(first, int(ended_at // SLOT_SECONDS) + 2) * float(SLOT_SECONDS)
    seconds = np.diff(np.clip(borders, began_at, ended_at)).tolist()
    spent: dict[int, float] = {}
    for number, inside in enumerate(seconds, first):
        if inside > 0:
            slot = slot_of(number * float(SLOT_SECONDS))
            spent[slot] = spent.get(slot, 0.0) + inside
    return spent


def without_season(columns: Sequence[ColumnReference], seasons: Sequence[Season | None]) -> tuple[ColumnReference, ...]:
    """*columns* with the natural variation that their seasons do not explain: what effects are measured by."""
    return tuple(
        column if season is None else replace(column, variation=season.variation)
        for column, season in zip(columns, seasons, strict=True)
    )


def expected_counts(
    columns: Sequence[ColumnReference], seasons: Sequence[Season | None], slot_rows: Mapping[int, float]
) -> NDArray[np.int64]:
    """The reference's counts for a window with so many rows of each slot, shape (columns, BINS).

    A row's sum says how many independent rows of reference show these shares.
    """
    return stacked_counts(in_season(columns, seasons, slot_rows))


class SeasonTables:
    """The score tables of the slot that is on, made when it begins."""

    def __init__(
        self,
        columns: Sequence[ColumnReference],
        seasons: Sequence[Season | None],
        weights: Floats,
        *,
        panes: float,
        like: EvidenceTables,
    ) -> None:
        """*weights* and *panes* as for `evidence_tables`; *like* are the tables that the state began with."""
        self._columns, self._seasons = tuple(columns), tuple(seasons)
        self._weights, self._panes = weights, panes
        self._like = like
        self._made: dict[tuple[tuple[int, float], ...], EvidenceTables] = {}

    def tables(self, slot_seconds: Mapping[int, float]) -> EvidenceTables:
        """What a row scores in a pane that lay in these slots, as `slots_between` tells."""
        if not any(self._seasons):
            return self._like
        key = tuple(sorted(slot_seconds.items()))
        made = self._made.pop(key, None)
        if made is None:
            null = null_of(in_season(self._columns, self._seasons, dict(key)))
            made = evidence_tables(null, self._weights, panes=self._panes, like=self._like)
        self._made[key] = made  # the last used stands last
        while len(self._made) > _TABLES_KEPT:
            del self._made[next(iter(self._made))]
        return made


@dataclass(frozen=True, slots=True, eq=False)
class SlotRowsState:
    """Rows of the last panes by slot, one entry for each slot of each pane, the oldest pane first."""

    closed: int
    """Panes so far."""
    panes: NDArray[np.int64]
    """Shape (entries,), as are all: the number of the pane, counted from 0."""
    slots: NDArray[np.int16]
    rows: NDArray[np.float64]
    """Of the pane, in the slot."""


class SlotRows:
    """In which slots the rows of the last panes lay."""

    def __init__(self) -> None:
        self.state = SlotRowsState(0, np.zeros(0, np.int64), np.zeros(0, np.int16), np.zeros(0))

    def restore(self, state: SlotRowsState) -> None:
        """Go on from *state*; ValueError where no panes can have had such slots and rows."""
        entries = len(state.panes)
        within("closed panes", state.closed)
        within("slots of panes", entries, 0, min(state.closed, PANES_REMEMBERED) * SLOTS)
        self.state = SlotRowsState(
            state.closed,
            fitted(
                "panes in slots",
                state.panes,
                like=np.empty(entries, np.int64),
                least=max(state.closed - PANES_REMEMBERED, 0),
                most=state.closed - 1,
            ),
            fitted("slots", state.slots, like=np.empty(entries, np.int16), least=0, most=SLOTS - 1),
            fitted("rows in slots", state.rows, like=np.empty(entries), least=0, most=MOST_COUNT),
        )
        refuse("panes that are not in ascending order", where=(state.panes[1:] < state.panes[:-1]).any())

    def add(self, slot_seconds: Mapping[int, float], rows: int) -> None:
        """Remember a pane with *rows* rows, spread evenly over the time that it lay in each slot."""
        before = self.state
        remembered = slice(int(np.searchsorted(before.panes, before.closed + 1 - PANES_REMEMBERED)), None)
        rows_a_second = rows / sum(slot_seconds.values())
        self.state = SlotRowsState(
            before.closed + 1,
            np.concatenate([before.panes[remembered], np.full(len(slot_seconds), before.closed)]),
            np.concatenate([before.slots[remembered], np.fromiter(slot_seconds, np.int16)]),
            np.concatenate([before.rows[remembered], rows_a_second * np.fromiter(slot_seconds.values(), np.float64)]),
        )

    def of_last(self, panes: int) -> dict[int, float]:
        """Rows of each slot that has some in the last *panes* panes, or in all that are remembered."""
        state = self.state
        first = int(np.searchsorted(state.panes, state.closed - min(panes, PANES_REMEMBERED)))
        rows = np.bincount(state.slots[first:], weights=state.rows[first:], minlength=SLOTS)
        return {slot: float(rows[slot]) for slot in np.flatnonzero(rows).tolist()}
