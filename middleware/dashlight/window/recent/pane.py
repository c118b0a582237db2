"""The recent rows of one pane, and those of several processes as though one had seen them all.

Of every pane a bounded number of rows is kept, chosen evenly over all that came: whatever the rate, the recent rows are
those of many panes. Each row gets a key that looks drawn at random, and those with the lowest keys stay. Such samples
of several processes make one of all their rows: again those with the lowest keys.

Source: Cohen and Kaplan (2007), Summarizing data using bottom-k sketches, PODC.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from dashlight.records import Role

RECENT_ROWS = 256
"""Rows that are remembered, over as many panes as brought them."""
PANE_ROWS = 32
"""Rows of one pane that are kept: what is remembered is of RECENT_ROWS / PANE_ROWS panes at least."""
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
    """What one pane saw of one role: at most PANE_ROWS rows, however many came."""

    rows: int
    """Rows that came."""
    present: NDArray[np.bool_]
    """Shape (columns,): whether the column was sent."""
    sample: PaneRows
    """Of every exchange at most ROWS_OF_EXCHANGE rows, and of all these the PANE_ROWS with the lowest keys."""
    keys: NDArray[np.float64]
    """Shape (rows,): the keys of *sample*, 0 to 1. So low is this share of the rows that it was chosen from."""


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

    The rows that stay come from all of them, from each in proportion to how many it chose from. ValueError where there is no pane, or where they are of different columns.
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
    exchanges = list(accumulate((most_exchange(side) + 1 for side in sides), initial=0))
    piece_of, place_of = _chosen([side.keys for side in sides])
    sample = PaneRows(*blank_rows(len(sides[0].present), rows=len(piece_of)))
    keys = np.empty(len(piece_of))
    for number, side in enumerate(sides):
        to = np.flatnonzero(piece_of == number)
        places = place_of[to]
        sample.numbers[:, to] = side.sample.numbers[:, places]
        sample.types[:, to] = side.sample.types[:, places]
        sample.texts[:, to] = side.sample.texts[:, places]
        sample.exchanges[to] = side.sample.exchanges[places] + exchanges[number]
        keys[to] = side.keys[places]
    present: NDArray[np.bool_] = np.any([side.present for side in sides], axis=0)
    return RecentSide(sum(side.rows for side in sides), present, sample, keys)


def _chosen(keys: Sequence[NDArray[np.float64]]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """(piece, place in it) of the rows with the lowest *keys*, oldest first: the rows of each piece are spread evenly."""
    rows = [len(piece) for piece in keys]
    piece_of = np.repeat(np.arange(len(rows)), rows)
    place_of = np.concatenate([np.arange(count) for count in rows])
    age = (np.repeat(rows, rows) - place_of - 0.5) / np.repeat(rows, rows)
    lowest = np.argsort(np.concatenate(keys), kind="stable")[:PANE_ROWS]
    # Two of one age stand in the order of the pieces, so that merging is the same each time.
    oldest_first = np.lexsort((lowest, -age[lowest]))
    return piece_of[lowest[oldest_first]], place_of[lowest[oldest_first]]


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
    return int(side.sample.exchanges.max(initial=-1))


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
