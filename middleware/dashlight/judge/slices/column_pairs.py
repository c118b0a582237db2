"""Which two columns have a slice between them: products of rows as ones in the atoms of every column."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.slices.conditions import NO_ATOM, Atoms
from dashlight.judge.slices.gain import Counted, usual_rates
from dashlight.judge.slices.halves import Half
from dashlight.window.reference.steps import Steps

Singles: TypeAlias = NDArray[np.float32]

WINDOWS = ((1, 1), (2, 2), (4, 4), (1, 4), (4, 1))
"""Neighbouring atoms of either column that are looked at together."""
_BLOCK_WORK = 4e7
"""Multiplications in one step: a millisecond or two."""


@dataclass(frozen=True, slots=True, eq=False)
class AtomRows:
    """Rows as ones in the atoms of every column, each array of shape (atoms of all columns, its rows)."""

    atoms: Sequence[Atoms]
    starts: NDArray[np.intp]
    """Shape (columns + 1,): the first atom of each column, then how many there are."""
    tables: tuple[Singles, Singles, Singles, Singles]
    """All rows of now, those of them that hurt, and likewise of before."""

    def between(self, first: slice, second: slice) -> Counted:
        """Rows that are in both of two atoms, shape (atoms in *first*, atoms in *second*)."""
        return Counted(*((table[first] @ table[second].T).astype(np.float64) for table in self.tables))

    def column(self, place: int) -> slice:
        """Where the atoms of the column at *place* among *atoms* are."""
        return slice(int(self.starts[place]), int(self.starts[place + 1]))


def atom_rows(half: Half, places: Sequence[int], atoms: Sequence[Atoms]) -> Steps[AtomRows]:
    """The rows of *half* in the *atoms* of the columns at *places*."""
    starts = np.concatenate([[0], np.cumsum([each.count for each in atoms])]).astype(np.intp)
    tables: list[Singles] = []
    for rows, hurts in ((half.now, half.hurts), (half.usual, half.usual_hurts)):
        ones = np.zeros((int(starts[-1]), rows.row_count), np.float32)
        for place, each, start in zip(places, atoms, starts, strict=False):
            coded = each.of_bin[rows.codes[place]]
            held = np.flatnonzero(coded != NO_ATOM)
            ones[start + coded[held].astype(np.intp), held] = 1.0
            yield
        tables += [ones, np.ascontiguousarray(ones[:, hurts])]
        yield
    return AtomRows(atoms, starts, (tables[0], tables[1], tables[2], tables[3]))


def pair_scores(rows: AtomRows, whole: Counted, prior: float) -> Steps[NDArray[np.float64]]:
    """The largest z of a window of atoms of each two columns, shape (columns, columns), above the diagonal; else 0.

    z = (k - e) / sqrt(e + 1),  e = n u + n (K - E) / N: what is usual in each atom of both, and what all rose by.
    """
    columns, total = len(rows.atoms), int(rows.starts[-1])
    scores = np.zeros((columns, columns))
    height = sum(table.shape[1] for table in rows.tables)
    column = 0
    while column < columns - 1:
        stop = column + 1
        while stop < columns - 1 and (rows.starts[stop + 1] - rows.starts[column]) * total * height < _BLOCK_WORK:
            stop += 1
        first = int(rows.starts[column])
        counted = rows.between(slice(first, int(rows.starts[stop])), slice(first, total))
        yield
        expected, hurt = _expected(counted, whole, prior), counted.hurt
        for place in range(column, stop):
            own = slice(int(rows.starts[place]) - first, int(rows.starts[place + 1]) - first)
            later = slice(own.stop, None)
            scores[place, place + 1 :] = _best_windows(rows, place, hurt[own, later], expected[own, later])
            yield
        column = stop
    return scores


def _expected(counted: Counted, whole: Counted, prior: float) -> NDArray[np.float64]:
    rate = (whole.usual_hurt + 0.5) / (whole.usual_rows + 1)
    rise = max(float(whole.hurt / whole.rows - rate), 0.0)
    expected: NDArray[np.float64] = counted.rows * (usual_rates(counted, whole, prior)[0] + rise)
    return expected


def _best_windows(
    rows: AtomRows, place: int, hurt: NDArray[np.float64], expected: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Of the column at *place* with each one after it."""
    starts = rows.starts[place + 1 :] - rows.starts[place + 1]
    later = rows.atoms[place + 1 :]
    best = np.zeros(len(later))
    tables = np.stack([hurt, expected])
    upwards = np.concatenate([np.zeros_like(tables[:, :1]), np.cumsum(tables, axis=1)], axis=1)
    for own_width, width in WINDOWS:
        ends = _ends([rows.atoms[place]], np.array([0]), own_width)
        summed = upwards[:, ends] - upwards[:, :-1]
        if width > 1:
            across = np.concatenate([np.zeros_like(summed[:, :, :1]), np.cumsum(summed, axis=2)], axis=2)
            summed = across[:, :, _ends(later, starts, width)] - across[:, :, :-1]
        z = (summed[0] - summed[1]) / np.sqrt(summed[1] + 1)
        best = np.maximum(best, np.maximum.reduceat(z.max(0), starts[:-1]))
    return best


def _ends(atoms: Sequence[Atoms], starts: NDArray[np.intp], width: int) -> NDArray[np.intp]:
    """One past the last atom of the window of *width* that begins at each: neighbours only among those with an order."""
    ends: list[NDArray[np.intp]] = []
    for each, start in zip(atoms, starts, strict=False):
        places = np.arange(each.count)
        ends.append(start + np.where(places < each.ordered, np.minimum(places + width, each.ordered), places + 1))
    return np.concatenate(ends)
