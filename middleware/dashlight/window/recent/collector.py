"""The rows of one pane that are kept as they came: what a process collects, and what it hands on."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from dashlight.privacy.names import is_tellable
from dashlight.records import Role, Table
from dashlight.window.columns import ColumnReference
from dashlight.window.profile import NULL_TYPE, NUMBER_TYPE, TEXT_TYPE, types_of
from dashlight.window.recent.pane import (
    MOST_UNKNOWN,
    PANE_ROWS,
    ROLES,
    PaneRows,
    RecentPane,
    RecentSide,
    UnknownInPane,
    blank_rows,
)
from dashlight.window.recent.texts import RecentTexts
from dashlight.window.recent.values import ABSENT, ROWS_OF_EXCHANGE, TEXT_CHARACTERS
from dashlight.window.tables import NO_EXCHANGE
from dashlight.window.values import Text, number_text, numbers_of, text_of, whole_text

_PLANS_KEPT = 64


class RecentCollector:
    """Collects PANE_ROWS rows of *columns* in every pane, evenly chosen from all that came in it."""

    def __init__(self, columns: Sequence[ColumnReference], *, known: Collection[tuple[Role, str]] = ()) -> None:
        """Others that are *known*, by role and name, are not kept and are no news either: what is measured of a text."""
        self._sides: dict[Role, _Side] = {
            role: _Side([column for column in columns if column.role == role]) for role in ROLES
        }
        self._known = frozenset(known)
        self._exchange = 0
        # Remembered over the panes: ever new names must not displace those that came before them.
        self._followed: set[tuple[Role, str]] = set()
        self._unknown: dict[tuple[Role, str], UnknownInPane] = {}

    def add(self, role: Role, table: Table) -> None:
        """Take the rows of *table*; its exchanges are others than those of any table before."""
        if not table.rows:
            return
        side = self._sides[role]
        for name in side.plan(table).unknown:
            if (role, name) not in self._known and is_tellable(name):
                self._see_unknown(role, name, table.rows)
        side.add(table, self._exchange)
        self._exchange += max(table.rows, int(table.exchange.max()) + 1)

    def close(self) -> RecentPane | None:
        """End the pane and begin the next; None where no row came."""
        if not any(side.rows for side in self._sides.values()):
            return None
        sides: dict[Role, RecentSide] = {role: side.close() for role, side in self._sides.items()}
        pane = RecentPane(sides, tuple(self._unknown.values()))
        self._unknown = {}
        self._exchange = 0
        return pane

    def _see_unknown(self, role: Role, name: str, rows: int) -> None:
        key = (role, name)
        seen = self._unknown.get(key)
        if seen is not None:
            self._unknown[key] = replace(seen, rows=seen.rows + rows)
        elif key in self._followed or len(self._followed) < MOST_UNKNOWN:
            self._followed.add(key)
            self._unknown[key] = UnknownInPane(role, name, self._sides[role].rows, rows)


class _Side:
    """The columns of one role, and the rows of theirs in the pane that fills."""

    def __init__(self, columns: Sequence[ColumnReference]) -> None:
        self.rows = 0
        self._columns = columns
        self._place = {column.name: place for place, column in enumerate(columns)}
        self._plans: dict[tuple[tuple[str, ...], tuple[str, ...]], _Plan] = {}
        self._texts = [None if column.hash_key is None else RecentTexts(column) for column in columns]
        self._next_key: int | None = None
        """Number of the next row, over all panes; None before the first."""
        self._sample = PaneRows(*blank_rows(len(columns), rows=0))
        self._keys = np.empty(0)
        """Of the sample: twice PANE_ROWS of both, once a row came."""
        self._begin()

    def _begin(self) -> None:
        self.rows = 0
        self._present = np.zeros(len(self._columns), np.bool_)
        self._kept = 0
        self._limit = 1.0
        """So many of PANE_ROWS rows are known that a row with a higher key is not kept."""

    def plan(self, table: Table) -> "_Plan":
        key = (table.number_names, table.cell_names)
        plan = self._plans.get(key)
        if plan is None:
            if len(self._plans) >= _PLANS_KEPT:
                self._plans.clear()
            plan = self._plans[key] = _planned(self._columns, self._place, table, self._texts)
        return plan

    def add(self, table: Table, exchange: int) -> None:
        """Take the rows of *table*, whose exchanges are numbered from *exchange*."""
        plan = self.plan(table)
        self._present[plan.present] = True
        self.rows += table.rows
        chosen = _chosen(table.exchange)
        number = _first_number(table) if self._next_key is None else self._next_key
        keys, self._next_key = _keys(number, len(chosen)), number + len(chosen)
        low = np.flatnonzero(keys < self._limit)
        if len(low) > PANE_ROWS:
            low = low[_lowest(keys[low])]
        if not len(low):
            return
        rows, start, stop = chosen[low], self._kept, self._kept + len(low)
        if stop > len(self._keys):
            self._make_room()
            start, stop = self._kept, self._kept + len(low)
        exchanges = np.where(table.exchange[rows] == NO_EXCHANGE, rows, table.exchange[rows]) + exchange
        _fill(_part(self._sample, slice(start, stop)), table, plan, rows, exchanges)
        self._keys[start:stop], self._kept = keys[low], stop
        if stop >= 2 * PANE_ROWS:
            self._keep_lowest()

    def close(self) -> RecentSide:
        if self._kept > PANE_ROWS:
            self._keep_lowest()
        kept = slice(self._kept)
        sample = PaneRows(*(array.copy() for array in _arrays(_part(self._sample, kept))))
        side = RecentSide(self.rows, self._present, sample, self._keys[kept].copy())
        self._begin()
        return side

    def _make_room(self) -> None:
        """Room for PANE_ROWS more rows."""
        if len(self._keys):
            self._keep_lowest()
            return
        self._sample = PaneRows(*blank_rows(len(self._columns), rows=2 * PANE_ROWS))
        self._keys = np.empty(2 * PANE_ROWS)

    def _keep_lowest(self) -> None:
        lowest = _lowest(self._keys[: self._kept])
        self._kept = len(lowest)
        for array in (*_arrays(self._sample), self._keys):
            array[..., : self._kept] = array[..., lowest]
        self._limit = float(self._keys[: self._kept].max())


@dataclass(frozen=True, slots=True, eq=False)
class _Plan:
    """Where the columns are found in tables of one set of names."""

    places: NDArray[np.intp]
    rows: NDArray[np.intp]
    worded_rows: tuple[tuple[int, int], ...]
    """(column, row of the table's numbers) of columns that are not numeric."""
    cells: tuple[tuple[int, int, bool], ...]
    """(column, place among the table's cells, whether its texts are kept)."""
    present: NDArray[np.intp]
    unknown: tuple[str, ...]
    texts: Sequence[RecentTexts | None]
    """Of every column: what writes its texts; None where they are kept as they are."""


def _planned(
    columns: Sequence[ColumnReference], place: dict[str, int], table: Table, texts: Sequence[RecentTexts | None]
) -> _Plan:
    found = [(place[name], row) for row, name in enumerate(table.number_names) if name in place]
    cells = [(place[name], at) for at, name in enumerate(table.cell_names) if name in place]
    return _Plan(
        places=np.array([at for at, _ in found], np.intp),
        rows=np.array([row for _, row in found], np.intp),
        worded_rows=tuple((at, row) for at, row in found if columns[at].kind in {"categorical", "boolean"}),
        cells=tuple((at, cell, columns[at].kind not in {"text", "vector"}) for at, cell in cells),
        present=np.array([at for at, _ in found + cells], np.intp),
        unknown=tuple(name for name in table.number_names + table.cell_names if name not in place),
        texts=texts,
    )


def _chosen(exchange: NDArray[np.intp]) -> NDArray[np.intp]:
    """Of every exchange at most ROWS_OF_EXCHANGE rows, evenly; rows of one exchange stand together."""
    starts = np.flatnonzero(np.concatenate([[True], exchange[1:] != exchange[:-1]]) | (exchange == NO_EXCHANGE))
    lengths = np.diff(np.concatenate([starts, [len(exchange)]]))
    if lengths.max() <= ROWS_OF_EXCHANGE:
        return np.arange(len(exchange))
    within = np.arange(len(exchange)) - np.repeat(starts, lengths)
    every = np.repeat(-(-lengths // ROWS_OF_EXCHANGE), lengths)
    return np.flatnonzero(within % every == 0)


def _first_number(table: Table) -> int:
    """Where the rows of a process are numbered from, by its first one: so that no two processes draw the same keys."""
    cells = repr([str(cells[0])[:TEXT_CHARACTERS] for cells in table.cells])
    return crc32(table.numbers[:, 0].tobytes() + cells.encode("utf-8", "surrogatepass")) << 24


def _keys(start: int, rows: int) -> NDArray[np.float64]:
    """Keys of row number *start* and those after it, 0 to 1: the same for the same row, and without any pattern.

    Were every k-th row taken instead, of k clients who take turns it would be one client's.

    Source: Steele, Lea and Flood (2014), Fast splittable pseudorandom number generators, OOPSLA (its mix64).
    """
    mixed = np.arange(start + 1, start + rows + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed = (mixed ^ (mixed >> np.uint64(31))) >> np.uint64(11)
    return mixed.astype(np.float64) * 2.0**-53


def _lowest(keys: NDArray[np.float64]) -> NDArray[np.intp]:
    """Places of the PANE_ROWS lowest *keys*, or of all, ascending."""
    return np.sort(np.argsort(keys, kind="stable")[:PANE_ROWS])


def _part(rows: PaneRows, part: slice) -> PaneRows:
    return PaneRows(*(array[..., part] for array in _arrays(rows)))


def _arrays(rows: PaneRows) -> tuple[Any, ...]:
    return rows.numbers, rows.types, rows.texts, rows.exchanges


def _fill(room: PaneRows, table: Table, plan: _Plan, rows: NDArray[np.intp], exchanges: NDArray[np.int64]) -> None:
    room.numbers[:] = np.nan
    room.types[:] = ABSENT
    room.texts[:] = None
    room.exchanges[:] = exchanges
    if len(plan.places):
        numbers = table.numbers[plan.rows][:, rows]
        room.numbers[plan.places] = numbers
        room.types[plan.places] = np.where(np.isnan(numbers), NULL_TYPE, NUMBER_TYPE)
    for place, row in plan.worded_rows:
        texts = [number_text(number) for number in table.numbers[row, rows].tolist()]
        room.texts[place] = _kept(texts, plan.texts[place])
    for place, at, keeps_texts in plan.cells:
        cells = table.cells[at]
        if len(rows) < table.rows:
            cells = [cells[row] for row in rows.tolist()]
        if set(map(type, cells)) == {str}:  # the usual case
            room.types[place] = TEXT_TYPE
            if keeps_texts:
                held = cast("Sequence[str]", cells)
                room.texts[place] = (
                    [whole_text(cell[:TEXT_CHARACTERS]) for cell in held]
                    if plan.texts[place] is None
                    else _kept([text_of(cell) for cell in held], plan.texts[place])
                )
            continue
        room.types[place] = types_of(cells)
        room.numbers[place] = numbers_of(cells)[0]
        if keeps_texts:
            room.texts[place] = _kept([text_of(cell) for cell in cells], plan.texts[place])


def _kept(texts: Sequence[Text], writer: RecentTexts | None) -> list[str | None]:
    """What is kept of *texts*: as they are, cut short, or as *writer* writes them."""
    write = _cut if writer is None else writer.write
    return [write(text) if isinstance(text, str) else None for text in texts]


def _cut(text: str) -> str:
    return text[:TEXT_CHARACTERS]
