"""The rows of one pane that are kept as they came: what a process collects, and what it hands on."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from dashlight.records import Cell, Role, Table
from dashlight.window.columns import ColumnReference
from dashlight.window.last_rows import LastRows
from dashlight.window.profile import NULL_TYPE, NUMBER_TYPE, TEXT_TYPE, types_of
from dashlight.window.recent import ABSENT, ROWS_OF_EXCHANGE, SPARSE_STRIDE, TEXT_CHARACTERS
from dashlight.window.recent_pane import (
    MOST_UNKNOWN,
    RECENT_ROWS,
    ROLES,
    PaneRows,
    RecentPane,
    RecentSide,
    UnknownInPane,
    blank_rows,
)
from dashlight.window.tables import NO_EXCHANGE
from dashlight.window.values import number_text, numbers_of, text_of, whole_text

_PLANS_KEPT = 64


class RecentCollector:
    """Collects the last RECENT_ROWS rows of *columns* in a pane, and of those that the stride chooses as many."""

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
            if (role, name) not in self._known:
                self._see_unknown(role, name, table.rows)
        side.add(table, self._exchange)
        self._exchange += max(table.rows, int(table.exchange.max()) + 1)

    def close(self) -> RecentPane | None:
        """End the pane and begin the next; None where no row came. The stride counts on."""
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
        self._stride_rows = 0
        """Rows that the stride has counted, in all panes."""
        self._begin()

    def _begin(self) -> None:
        self.rows = 0
        self._taken_rows = 0
        self._present = np.zeros(len(self._columns), np.bool_)
        self._dense = LastRows(*blank_rows(len(self._columns), rows=0), most=RECENT_ROWS)
        self._sparse = LastRows(*blank_rows(len(self._columns), rows=0), most=RECENT_ROWS)

    def plan(self, table: Table) -> "_Plan":
        key = (table.number_names, table.cell_names)
        plan = self._plans.get(key)
        if plan is None:
            if len(self._plans) >= _PLANS_KEPT:
                self._plans.clear()
            plan = self._plans[key] = _planned(self._columns, self._place, table)
        return plan

    def add(self, table: Table, exchange: int) -> None:
        """Take the rows of *table*, whose exchanges are numbered from *exchange*."""
        plan = self.plan(table)
        self._present[plan.present] = True
        self.rows += table.rows
        chosen = _chosen(table.exchange)
        self._taken_rows += len(chosen)
        chosen = chosen[-RECENT_ROWS * SPARSE_STRIDE :]
        exchanges = np.where(table.exchange[chosen] == NO_EXCHANGE, chosen, table.exchange[chosen]) + exchange
        every = -self._stride_rows % SPARSE_STRIDE
        self._stride_rows += len(chosen)
        for kept, rows, of in (
            (self._dense, chosen[-RECENT_ROWS:], exchanges[-RECENT_ROWS:]),
            (self._sparse, chosen[every::SPARSE_STRIDE], exchanges[every::SPARSE_STRIDE]),
        ):
            if len(rows):
                _fill(PaneRows(*kept.room(len(rows))), table, plan, rows, of)

    def close(self) -> RecentSide:
        dense, sparse = PaneRows(*self._dense.copies()), PaneRows(*self._sparse.copies())
        side = RecentSide(self.rows, self._taken_rows, self._present, dense, sparse)
        self._begin()
        return side


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


def _planned(columns: Sequence[ColumnReference], place: dict[str, int], table: Table) -> _Plan:
    found = [(place[name], row) for row, name in enumerate(table.number_names) if name in place]
    cells = [(place[name], at) for at, name in enumerate(table.cell_names) if name in place]
    return _Plan(
        places=np.array([at for at, _ in found], np.intp),
        rows=np.array([row for _, row in found], np.intp),
        worded_rows=tuple((at, row) for at, row in found if columns[at].kind in {"categorical", "boolean"}),
        cells=tuple((at, cell, columns[at].kind not in {"text", "vector"}) for at, cell in cells),
        present=np.array([at for at, _ in found + cells], np.intp),
        unknown=tuple(name for name in table.number_names + table.cell_names if name not in place),
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
        room.texts[place] = [number_text(number) for number in table.numbers[row, rows].tolist()]
    for place, at, keeps_texts in plan.cells:
        cells = table.cells[at]
        if len(rows) < table.rows:
            cells = [cells[row] for row in rows.tolist()]
        if set(map(type, cells)) == {str}:  # the usual case
            room.types[place] = TEXT_TYPE
            if keeps_texts:
                room.texts[place] = [whole_text(cell[:TEXT_CHARACTERS]) for cell in cast("Sequence[str]", cells)]
            continue
        room.types[place] = types_of(cells)
        room.numbers[place] = numbers_of(cells)[0]
        if keeps_texts:
            room.texts[place] = [_short(cell) for cell in cells]


def _short(cell: Cell) -> str | None:
    text = text_of(cell)
    return text[:TEXT_CHARACTERS] if isinstance(text, str) else None
