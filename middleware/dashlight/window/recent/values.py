"""Recent rows of every column as they came, in constant memory: what bins forget and a break upstream shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dashlight.records import Role
from dashlight.window.columns import ColumnReference
from dashlight.window.fitting import LATEST_AT, fitted, moment, refuse, within
from dashlight.window.last_rows import LastRows
from dashlight.window.profile import OTHER_TYPE
from dashlight.window.recent.pane import (
    MOST_UNKNOWN,
    RECENT_ROWS,
    ROLES,
    PaneRows,
    RecentPane,
    RecentSide,
    UnknownInPane,
    blank_rows,
    most_exchange,
)

SPARSE_STRIDE = 16
"""About one of so many rows is kept for longer: values that follow the weather need more time, not more rows."""
SPARSE_PANE_ROWS = 4
"""But no more of one pane, so that they are of RECENT_ROWS / SPARSE_PANE_ROWS panes at least."""
ROWS_OF_EXCHANGE = 8
"""More rows of one exchange say more of one client, not of the traffic."""
TEXT_CHARACTERS = 64
LEAST_UNKNOWN_SHARE = 0.01
ABSENT = OTHER_TYPE + 1
"""Type of a value whose column was not sent at all."""


@dataclass(frozen=True, slots=True, eq=False)
class RecentRows(PaneRows):
    """Rows of one role, oldest first. The arrays are views that later rows overwrite."""

    panes: NDArray[np.int64]
    """Shape (rows,): number of the pane it came in."""

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
    first_at: float
    """End of its first pane."""


@dataclass(frozen=True, slots=True, eq=False)
class RecentRoleState:
    """What RecentValues hold of one role."""

    rows_seen: int
    dense: RecentRows
    sparse: RecentRows
    present_pane: NDArray[np.int64]
    """Shape (columns,): number of the last pane in which the column was sent; -1 where there is none."""
    present_at: NDArray[np.float64]
    """Shape (columns,): when that pane ended."""


@dataclass(frozen=True, slots=True, eq=False)
class RecentValuesState:
    """What RecentValues hold."""

    pane: int
    next_exchange: int
    """Number of the first exchange of the next pane."""
    roles: Mapping[Role, RecentRoleState]
    unknown: tuple[UnknownColumn, ...]


class RecentValues:
    """Keeps RECENT_ROWS rows of the last panes of *columns*, and as many over a longer span.

    Of a pane come at most PANE_ROWS of one and SPARSE_PANE_ROWS of the other, evenly chosen. Where fewer come, all are
    kept, and about one of SPARSE_STRIDE.
    """

    def __init__(self, columns: Sequence[ColumnReference]) -> None:
        self.columns = tuple(columns)
        self.pane = 0
        """Number of the next pane; so many were taken."""
        self.rows_seen = dict.fromkeys(ROLES, 0)
        """Rows of each role so far."""
        self._columns = {role: [column for column in columns if column.role == role] for role in ROLES}
        self._place = {role: {c.name: at for at, c in enumerate(self._columns[role])} for role in ROLES}
        self._dense = {role: _none_yet(len(self._columns[role])) for role in ROLES}
        self._sparse = {role: _none_yet(len(self._columns[role])) for role in ROLES}
        self._exchange = 0
        self._present_pane = {role: np.full(len(self._columns[role]), -1, np.int64) for role in ROLES}
        self._present_at = {role: np.zeros(len(self._columns[role])) for role in ROLES}
        self._unknown: dict[tuple[Role, str], UnknownColumn] = {}

    @property
    def state(self) -> RecentValuesState:
        """All that they hold, in arrays that the next pane changes."""
        roles: dict[Role, RecentRoleState] = {
            role: RecentRoleState(
                self.rows_seen[role],
                self.dense(role),
                self.sparse(role),
                self._present_pane[role],
                self._present_at[role],
            )
            for role in ROLES
        }
        return RecentValuesState(self.pane, self._exchange, roles, self.unknown)

    def restore(self, state: RecentValuesState) -> None:
        """Go on from *state*, whose arrays are taken over; ValueError where it is of other columns, or cannot be true."""
        self.pane = within("panes taken", state.pane)
        self._exchange = within("number of an exchange", state.next_exchange)
        refuse("recent rows of one role alone", where=set(state.roles) != set(ROLES))
        for role in ROLES:
            of_role, columns = state.roles[role], len(self._columns[role])
            self.rows_seen[role] = within("rows seen", of_role.rows_seen)
            self._dense[role] = self._restored(of_role.dense, columns)
            self._sparse[role] = self._restored(of_role.sparse, columns)
            self._present_pane[role] = fitted(
                "last panes of columns",
                of_role.present_pane,
                like=self._present_pane[role],
                least=-1,
                most=self.pane - 1,
            )
            self._present_at[role] = fitted(
                "last moments of columns",
                of_role.present_at,
                like=self._present_at[role],
                least=-LATEST_AT,
                most=LATEST_AT,
            )
        within("unknown columns", len(state.unknown), 0, MOST_UNKNOWN)
        for column in state.unknown:
            within("first pane of an unknown column", column.first_pane, 0, self.pane - 1)
            within("last pane of an unknown column", column.last_pane, column.first_pane, self.pane - 1)
            within("rows of an unknown column", column.rows)
            within("rows before an unknown column", column.first_rows)
            moment("first moment of an unknown column", column.first_at)
            self._unknown[column.role, column.name] = column

    def take(self, pane: RecentPane | None, at: float) -> None:
        """Append the rows of *pane*, which ended at *at*, and number it; None is a pane to which no row came.

        Where panes without rows are not to count, as for the judges, they are not taken at all.
        ValueError where *pane* is not of these columns.
        """
        if pane is not None:
            if any(len(pane.sides[role].present) != len(self._columns[role]) for role in ROLES):
                raise ValueError("a pane of other columns: it was collected beside another reference")
            for seen in pane.unknown:
                self._see_unknown(seen, at)
            for role in ROLES:
                self._append(role, pane.sides[role], at)
            self._exchange += 1 + max(most_exchange(side) for side in pane.sides.values())
        self.pane += 1

    def columns_of(self, role: Role) -> Sequence[ColumnReference]:
        """The columns of *role*, in the order of the rows' arrays."""
        return self._columns[role]

    def dense(self, role: Role) -> RecentRows:
        """The last RECENT_ROWS of those rows of *role* that the panes keep, fewer while there are fewer."""
        return RecentRows(*self._dense[role].rows())

    def sparse(self, role: Role) -> RecentRows:
        """As many rows of *role* over a longer span."""
        return RecentRows(*self._sparse[role].rows())

    @property
    def common_unknown(self) -> list[UnknownColumn]:
        """The unknown columns that enough of the rows since they came have: others some client made up, and are not told."""
        seen = self.rows_seen
        return [
            each
            for each in self._unknown.values()
            if each.rows >= LEAST_UNKNOWN_SHARE * (seen[each.role] - each.first_rows)
        ]

    def last_present_pane(self, role: Role, name: str) -> int:
        """Number of the last pane in which the column was sent; -1 where there is none."""
        return int(self._present_pane[role][self._place[role][name]])

    def last_present_at(self, role: Role, name: str) -> float:
        """End of the last pane in which the column was sent; NaN where there is none."""
        is_never = self.last_present_pane(role, name) < 0
        return np.nan if is_never else float(self._present_at[role][self._place[role][name]])

    @property
    def unknown(self) -> tuple[UnknownColumn, ...]:
        """Columns that the reference does not know, by when they were first seen; at most MOST_UNKNOWN."""
        return tuple(self._unknown.values())

    def _restored(self, rows: RecentRows, columns: int) -> LastRows:
        count = within("recent rows", rows.exchanges.size, 0, RECENT_ROWS)
        numbers, types, texts, exchanges = blank_rows(columns, rows=count)
        # They may be whatever came, NaN and infinity among them.
        fitted("recent numbers", np.nan_to_num(rows.numbers), like=numbers)
        return LastRows(
            rows.numbers,
            fitted("types of recent values", rows.types, like=types, most=ABSENT),
            fitted("recent texts", rows.texts, like=texts),
            fitted("exchanges of recent rows", rows.exchanges, like=exchanges, least=0, most=self._exchange - 1),
            fitted("panes of recent rows", rows.panes, like=exchanges, least=0, most=self.pane - 1),
            most=RECENT_ROWS,
        )

    def _see_unknown(self, now: UnknownInPane, at: float) -> None:
        key = (now.role, now.name)
        seen = self._unknown.get(key)
        if seen is not None:
            self._unknown[key] = replace(seen, last_pane=self.pane, rows=seen.rows + now.rows)
        elif len(self._unknown) < MOST_UNKNOWN:
            before = self.rows_seen[now.role] + now.first_rows
            self._unknown[key] = UnknownColumn(now.role, now.name, self.pane, before, self.pane, now.rows, at)

    def _append(self, role: Role, side: RecentSide, at: float) -> None:
        self.rows_seen[role] += side.rows
        self._present_pane[role][side.present] = self.pane
        self._present_at[role][side.present] = at
        sample, keys = side.sample, side.keys
        thinned = np.flatnonzero(keys < 1 / SPARSE_STRIDE)
        few = np.sort(thinned[np.argsort(keys[thinned], kind="stable")[:SPARSE_PANE_ROWS]])
        for kept, places in ((self._dense[role], slice(None)), (self._sparse[role], few)):
            numbers, types, texts, exchanges, panes = kept.room(len(keys[places]))
            numbers[:] = sample.numbers[:, places]
            types[:] = sample.types[:, places]
            texts[:] = sample.texts[:, places]
            exchanges[:] = sample.exchanges[places] + self._exchange
            panes[:] = self.pane


def _none_yet(columns: int) -> LastRows:
    return LastRows(*blank_rows(columns, rows=0), np.empty(0, np.int64), most=RECENT_ROWS)
