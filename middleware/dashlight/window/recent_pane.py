"""The recent rows of one pane, and those of several processes as though one had seen them all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from dashlight.records import Role

RECENT_ROWS = 256
MOST_UNKNOWN = 64
"""Names that the reference does not know, followed at once."""
ROLES: tuple[Role, ...] = ("feature", "output")


@dataclass(frozen=True, slots=True, eq=False)
class PaneRows:
    """Rows of one role in one pane, oldest first."""

    numbers: NDArray[np.float64]
    """Shape (columns, rows); NaN where the value is no number."""
    types: NDArray[np.uint8]
    """Shape (columns, rows): places in profile.TYPES, or ABSENT."""
    texts: NDArray[np.object_]
    """Shape (columns, rows): the texts of columns that are not numeric, and of numeric ones where a text came."""
    exchanges: NDArray[np.int64]
    """Shape (rows,): which exchange brought the row, from 0; rows that none brought count as one each."""

    @property
    def rows(self) -> int:
        """How many there are."""
        return len(self.exchanges)


@dataclass(frozen=True, slots=True, eq=False)
class RecentSide:
    """What one pane saw of one role: at most RECENT_ROWS rows of each choice, however many came."""

    rows: int
    """Rows that came."""
    taken_rows: int
    """Rows that *dense* and *sparse* were chosen from: of every exchange at most ROWS_OF_EXCHANGE."""
    present: NDArray[np.bool_]
    """Shape (columns,): whether the column was sent."""
    dense: PaneRows
    """The last RECENT_ROWS of those taken."""
    sparse: PaneRows
    """As many of them, one of SPARSE_STRIDE."""


@dataclass(frozen=True, slots=True)
class UnknownInPane:
    """A column that a pane brought and the reference does not know."""

    role: Role
    name: str
    first_rows: int
    """Rows of its role in the pane before it first came."""
    rows: int
    """Rows of the pane with it."""


@dataclass(frozen=True, slots=True, eq=False)
class RecentPane:
    """The rows that stand for one pane, in bounded memory and as plain data: what RecentValues takes."""

    sides: Mapping[Role, RecentSide]
    """For every role one, also where nothing came of it."""
    unknown: tuple[UnknownInPane, ...]
    """By when they first came; at most MOST_UNKNOWN."""


def merged_recent(panes: Sequence[RecentPane]) -> RecentPane:
    """*panes* of the same columns and the same stretch of time as one; a merged one may be merged again.

    The rows of each are taken to be spread evenly over the time, so that the newest come from all of them, from each in
    proportion to how many it took. ValueError where there is no pane, or where they are of different columns.
    """
    if not panes:
        raise ValueError("no pane to merge")
    if len(panes) == 1:
        return panes[0]
    sides: dict[Role, RecentSide] = {role: _merged_side([pane.sides[role] for pane in panes]) for role in ROLES}
    return RecentPane(sides, _merged_unknown(panes, sides))


def _merged_side(sides: Sequence[RecentSide]) -> RecentSide:
    if len({len(side.present) for side in sides}) > 1:
        raise ValueError("panes of different columns cannot be merged: they were collected beside different references")
    taken = [side.taken_rows for side in sides]
    exchanges = list(accumulate((most_exchange(side) + 1 for side in sides), initial=0))
    return RecentSide(
        rows=sum(side.rows for side in sides),
        taken_rows=sum(taken),
        present=np.any([side.present for side in sides], axis=0),
        dense=_interleaved([side.dense for side in sides], taken, exchanges),
        sparse=_interleaved([side.sparse for side in sides], taken, exchanges),
    )


def _interleaved(pieces: Sequence[PaneRows], taken: Sequence[int], exchanges: Sequence[int]) -> PaneRows:
    """The newest RECENT_ROWS of *pieces*, each of so many rows *taken*; its exchanges are numbered on from *exchanges*."""
    piece_of, place_of = _newest([piece.rows for piece in pieces], taken)
    found = PaneRows(*blank_rows(len(pieces[0].numbers), rows=len(piece_of)))
    for number, piece in enumerate(pieces):
        to = np.flatnonzero(piece_of == number)
        places = place_of[to]
        found.numbers[:, to] = piece.numbers[:, places]
        found.types[:, to] = piece.types[:, places]
        found.texts[:, to] = piece.texts[:, places]
        found.exchanges[to] = piece.exchanges[places] + exchanges[number]
    return found


def _newest(rows: Sequence[int], taken: Sequence[int]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """(piece, place in it) of the newest RECENT_ROWS, oldest first. A piece's newest row is half a gap old."""
    piece_of = np.repeat(np.arange(len(rows)), rows)
    place_of = np.concatenate([np.arange(count) for count in rows])
    age = (np.repeat(rows, rows) - place_of - 0.5) / np.repeat(taken, rows)
    # Two of one age stand in the order of the pieces, so that merging is the same each time.
    newest = np.argsort(-age, kind="stable")[-RECENT_ROWS:]
    return piece_of[newest], place_of[newest]


def _merged_unknown(panes: Sequence[RecentPane], merged_sides: Mapping[Role, RecentSide]) -> tuple[UnknownInPane, ...]:
    """The unknown columns of all *panes*, beside their *merged_sides*; of too many those that come most often."""
    merged: dict[tuple[Role, str], UnknownInPane] = {}
    for pane in panes:
        for seen in pane.unknown:
            key = (seen.role, seen.name)
            # As far into the rows of all as it came into those of its process.
            first_rows = seen.first_rows * merged_sides[seen.role].rows // pane.sides[seen.role].rows
            known = merged.get(key)
            merged[key] = UnknownInPane(
                seen.role,
                seen.name,
                min(first_rows, known.first_rows if known else first_rows),
                seen.rows + (known.rows if known else 0),
            )
    most = sorted(merged.values(), key=lambda seen: -seen.rows)[:MOST_UNKNOWN]
    return tuple(sorted(most, key=lambda seen: seen.first_rows))


def most_exchange(side: RecentSide) -> int:
    """The highest number of an exchange in *side*; -1 where there is none."""
    return int(max(side.dense.exchanges.max(initial=-1), side.sparse.exchanges.max(initial=-1)))


def blank_rows(
    columns: int, *, rows: int
) -> tuple[NDArray[np.float64], NDArray[np.uint8], NDArray[np.object_], NDArray[np.int64]]:
    """The arrays of PaneRows, yet to be written."""
    return (
        np.empty((columns, rows), np.float64),
        np.empty((columns, rows), np.uint8),
        np.empty((columns, rows), np.object_),
        np.empty(rows, np.int64),
    )
