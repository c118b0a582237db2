"""The last rows of every column as they came, in constant memory: what bins forget and a break upstream shows."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from dashlight.records import Cell, Role, Table
from dashlight.window.profile import NULL_TYPE, NUMBER_TYPE, OTHER_TYPE, TEXT_TYPE, types_of
from dashlight.window.reference import ColumnReference
from dashlight.window.tables import NO_EXCHANGE
from dashlight.window.values import number_text, numbers_of, text_of

RECENT_ROWS = 256
SPARSE_STRIDE = 16
"""Every so many rows one is kept for longer: values that follow the weather need more time, not more rows."""
ROWS_OF_EXCHANGE = 8
"""More rows of one exchange say more of one client, not of the traffic."""
TEXT_CHARACTERS = 64
ABSENT = OTHER_TYPE + 1
"""Type of a value whose column was not sent at all."""
MOST_UNKNOWN = 64
"""Names that the reference does not know, followed at once."""

_PLANS_KEPT = 64
_ROLES: tuple[Role, ...] = ("feature", "output")


@dataclass(frozen=True, slots=True, eq=False)
class RecentRows:
    """Rows of one role, oldest first. The arrays are views that later rows overwrite."""

    numbers: NDArray[np.float64]
    """Shape (columns, rows); NaN where the value is no number."""
    types: NDArray[np.uint8]
    """Shape (columns, rows): places in profile.TYPES, or ABSENT."""
    texts: NDArray[np.object_]
    """Shape (columns, rows): the texts of columns that are not numeric, and of numeric ones where a text came."""
    exchanges: NDArray[np.int64]
    """Shape (rows,): which exchange brought the row; rows that none brought count as one each."""
    panes: NDArray[np.int64]
    """Shape (rows,): number of the pane it came in."""

    @property
    def rows(self) -> int:
        """How many there are."""
        return len(self.exchanges)

    @property
    def exchange_count(self) -> int:
        """How many exchanges brought them."""
        return len(np.unique(self.exchanges))

    @property
    def pane_count(self) -> int:
        """How many panes they came in."""
        return len(np.unique(self.panes))

    def newest(self, rows: int) -> "RecentRows":
        """The last *rows*."""
        return RecentRows(
            self.numbers[:, -rows:],
            self.types[:, -rows:],
            self.texts[:, -rows:],
            self.exchanges[-rows:],
            self.panes[-rows:],
        )


@dataclass(frozen=True, slots=True)
class UnknownColumn:
    """A column that traffic brings and the reference does not know."""

    role: Role
    name: str
    first_pane: int
    """Number of the pane in which it was first seen."""
    first_rows: int
    """Rows of its role seen before it first came."""
    last_pane: int
    rows: int
    """Rows seen with it."""
    first_at: float = float("nan")
    """End of its first pane; NaN while that is not over."""


class RecentValues:
    """Keeps the last RECENT_ROWS rows of *columns*, and as many over a SPARSE_STRIDE times longer span."""

    def __init__(self, columns: Sequence[ColumnReference]) -> None:
        self.columns = tuple(columns)
        self.pane = 0
        """Number of the pane that fills."""
        self.rows_seen = dict.fromkeys(_ROLES, 0)
        """Rows of each role so far."""
        self._columns = {role: [column for column in columns if column.role == role] for role in _ROLES}
        self._dense = {role: _Ring(len(self._columns[role])) for role in _ROLES}
        self._sparse = {role: _Ring(len(self._columns[role])) for role in _ROLES}
        self._place = {role: {c.name: at for at, c in enumerate(self._columns[role])} for role in _ROLES}
        self._plans: dict[tuple[Role, tuple[str, ...], tuple[str, ...]], _Plan] = {}
        self._taken = dict.fromkeys(_ROLES, 0)
        self._exchange = 0
        self._present_pane = {role: np.full(len(self._columns[role]), -1) for role in _ROLES}
        self._present_at = {role: np.full(len(self._columns[role]), np.nan) for role in _ROLES}
        self._unknown: dict[tuple[Role, str], UnknownColumn] = {}

    def add(self, role: Role, table: Table) -> None:
        """Take the rows of *table*; its exchanges are others than those of any table before."""
        if not table.rows:
            return
        plan = self._plan(role, table)
        self._present_pane[role][plan.present] = self.pane
        for name in plan.unknown:
            self._see_unknown(role, name, table.rows)
        self.rows_seen[role] += table.rows
        chosen = _chosen(table.exchange)[-RECENT_ROWS * SPARSE_STRIDE :]
        exchanges = np.where(table.exchange[chosen] == NO_EXCHANGE, chosen, table.exchange[chosen]) + self._exchange
        self._exchange += max(table.rows, int(table.exchange.max()) + 1)
        every = -self._taken[role] % SPARSE_STRIDE
        self._taken[role] += len(chosen)
        for ring, rows, of in (
            (self._dense[role], chosen[-RECENT_ROWS:], exchanges[-RECENT_ROWS:]),
            (self._sparse[role], chosen[every::SPARSE_STRIDE], exchanges[every::SPARSE_STRIDE]),
        ):
            if len(rows):
                self._fill(ring.room(len(rows)), table, plan, rows, of)

    def close_pane(self, at: float) -> None:
        """End the pane at *at* and begin the next."""
        for role in _ROLES:
            self._present_at[role][self._present_pane[role] == self.pane] = at
        for key, seen in self._unknown.items():
            if seen.first_pane == self.pane:
                self._unknown[key] = replace(seen, first_at=at)
        self.pane += 1

    def columns_of(self, role: Role) -> Sequence[ColumnReference]:
        """The columns of *role*, in the order of the rows' arrays."""
        return self._columns[role]

    def dense(self, role: Role) -> RecentRows:
        """The last RECENT_ROWS rows of *role*, fewer while there are fewer."""
        return self._dense[role].rows()

    def sparse(self, role: Role) -> RecentRows:
        """As many rows of *role*, one of SPARSE_STRIDE."""
        return self._sparse[role].rows()

    def last_present_pane(self, role: Role, name: str) -> int:
        """Number of the last pane in which the column was sent; -1 where there is none."""
        return int(self._present_pane[role][self._place[role][name]])

    def last_present_at(self, role: Role, name: str) -> float:
        """End of the last closed pane in which the column was sent; NaN where there is none."""
        return float(self._present_at[role][self._place[role][name]])

    @property
    def unknown(self) -> tuple[UnknownColumn, ...]:
        """Columns that the reference does not know, by when they were first seen; at most MOST_UNKNOWN."""
        return tuple(self._unknown.values())

    def _see_unknown(self, role: Role, name: str, rows: int) -> None:
        seen = self._unknown.get((role, name))
        if seen is not None:
            self._unknown[role, name] = replace(seen, last_pane=self.pane, rows=seen.rows + rows)
        elif len(self._unknown) < MOST_UNKNOWN:
            self._unknown[role, name] = UnknownColumn(role, name, self.pane, self.rows_seen[role], self.pane, rows)

    def _fill(
        self, room: RecentRows, table: Table, plan: "_Plan", rows: NDArray[np.intp], exchanges: NDArray[np.int64]
    ) -> None:
        room.numbers[:] = np.nan
        room.types[:] = ABSENT
        room.texts[:] = None
        room.exchanges[:] = exchanges
        room.panes[:] = self.pane
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
                    room.texts[place] = [cell[:TEXT_CHARACTERS] for cell in cast("Sequence[str]", cells)]
                continue
            room.types[place] = types_of(cells)
            room.numbers[place] = numbers_of(cells)[0]
            if keeps_texts:
                room.texts[place] = [_short(cell) for cell in cells]

    def _plan(self, role: Role, table: Table) -> "_Plan":
        key = (role, table.number_names, table.cell_names)
        plan = self._plans.get(key)
        if plan is None:
            if len(self._plans) >= _PLANS_KEPT:
                self._plans.clear()
            plan = self._plans[key] = _planned(self._columns[role], self._place[role], table)
        return plan


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
        unknown=tuple(name for name in table.number_names + table.cell_names if name not in place)[:MOST_UNKNOWN],
    )


class _Ring:
    """Rows in arrays of twice the length, so that the last ones always lie side by side."""

    def __init__(self, columns: int) -> None:
        size = 2 * RECENT_ROWS
        self._all = RecentRows(
            np.full((columns, size), np.nan),
            np.full((columns, size), ABSENT, np.uint8),
            np.full((columns, size), None, np.object_),
            np.zeros(size, np.int64),
            np.zeros(size, np.int64),
        )
        self._end = 0

    def room(self, rows: int) -> RecentRows:
        """Where the next *rows*, at most RECENT_ROWS, are to be written."""
        if self._end + rows > 2 * RECENT_ROWS:
            kept = self._slice(self._end - RECENT_ROWS, self._end)
            first = self._slice(0, RECENT_ROWS)
            for name in ("numbers", "types", "texts", "exchanges", "panes"):
                getattr(first, name)[:] = getattr(kept, name)
            self._end = RECENT_ROWS
        self._end += rows
        return self._slice(self._end - rows, self._end)

    def rows(self) -> RecentRows:
        return self._slice(max(self._end - RECENT_ROWS, 0), self._end)

    def _slice(self, start: int, stop: int) -> RecentRows:
        kept = self._all
        return RecentRows(
            kept.numbers[:, start:stop],
            kept.types[:, start:stop],
            kept.texts[:, start:stop],
            kept.exchanges[start:stop],
            kept.panes[start:stop],
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


def _short(cell: Cell) -> str | None:
    text = text_of(cell)
    return text[:TEXT_CHARACTERS] if isinstance(text, str) else None
