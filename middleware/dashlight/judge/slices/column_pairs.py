"""Which two columns have a slice between them: rows counted in the atoms of every two columns.

By `bincount`, not as products of rows as ones: those are as quick on an idle machine, but BLAS spreads them over its threads,
which on a busy one wait for one another at the app's expense.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.slices.conditions import NO_ATOM, Atoms
from dashlight.judge.slices.gain import Counted, Floats, usual_rates
from dashlight.judge.slices.halves import Half
from dashlight.window.reference.steps import Steps

WINDOWS = ((1, 1), (2, 2), (4, 4), (1, 4), (4, 1))
"""Neighbouring atoms of either column that are looked at together."""
_COUNTED_AT_ONCE = 250_000
"""Rows, each of them once for every pair: a millisecond or two."""


class AtomRows:
    """The rows of now and of before in the atoms of every column."""

    def __init__(self, half: Half, places: Sequence[int], atoms: Sequence[Atoms]) -> None:
        """*atoms* of the columns at *places*, of which there are two at least."""
        self.atoms = atoms
        # One more, for rows that are in none.
        self._width = max(each.count for each in atoms) + 1
        self._codes = np.empty((len(places), len(half.hurts) + len(half.usual_hurts)), np.intp)
        for own, place, each in zip(self._codes, places, atoms, strict=True):
            codes = each.of_bin[np.concatenate([half.now.codes[place], half.usual.codes[place]])]
            own[:] = np.where(codes == NO_ATOM, self._width - 1, codes)
        self._sides = np.concatenate([half.hurts, 2 + half.usual_hurts]).astype(np.intp)

    @property
    def pairs_at_once(self) -> int:
        """Columns with which one is to be counted in one step."""
        return max(1, _COUNTED_AT_ONCE // max(self._codes.shape[1], 1))

    def counted(self, one: int, others: slice) -> Counted:
        """Rows in both of two atoms, of column *one* and of each of *others*: shape (others, atoms, atoms), 0 where there is none."""
        width, codes = self._width, self._codes[others]
        cells = 4 * width * width
        keys = codes + (self._sides * width + self._codes[one]) * width
        keys += np.arange(len(codes))[:, np.newaxis] * cells
        table = np.bincount(keys.ravel(), minlength=len(codes) * cells).reshape(len(codes), 4, width, width)
        of_side = table[:, :, :-1, :-1].astype(np.float64)
        return Counted(of_side[:, 0] + of_side[:, 1], of_side[:, 1], of_side[:, 2] + of_side[:, 3], of_side[:, 3])


def pair_scores(rows: AtomRows, whole: Counted, prior: float) -> Steps[Floats]:
    """The largest z of a window of atoms of each two columns, shape (columns, columns), above the diagonal; else 0.

    z = (k - e) / sqrt(e + 1),  e = n (u + rise): what is usual in each atom of both, and what all rose by.
    """
    columns = len(rows.atoms)
    scores = np.zeros((columns, columns))
    for one in range(columns - 1):
        for start in range(one + 1, columns, rows.pairs_at_once):
            others = slice(start, min(start + rows.pairs_at_once, columns))
            counted = rows.counted(one, others)
            tables = np.stack([counted.hurt, _expected(counted, whole, prior)])
            scores[one, others] = _best_windows(rows.atoms[one], rows.atoms[others], tables)
            yield
    return scores


def _expected(counted: Counted, whole: Counted, prior: float) -> Floats:
    rate = (whole.usual_hurt + 0.5) / (whole.usual_rows + 1)
    rise = max(float(whole.hurt / whole.rows - rate), 0.0)
    expected: Floats = counted.rows * (usual_rates(counted, whole, prior)[0] + rise)
    return expected


def _best_windows(one: Atoms, others: Sequence[Atoms], tables: Floats) -> Floats:
    """Of *one* with each of the *others*: *tables* are what hurt and what was expected, shape (2, others, atoms, atoms)."""
    width = tables.shape[-1]
    best = np.zeros(len(others))
    summed_up = np.cumsum(np.pad(tables, ((0, 0), (0, 0), (1, 0), (0, 0))), axis=2)
    for own_width, other_width in WINDOWS:
        summed = summed_up[:, :, _ends(one, own_width, width)] - summed_up[:, :, :-1]
        if other_width > 1:
            across = np.cumsum(np.pad(summed, ((0, 0), (0, 0), (0, 0), (1, 0))), axis=3)
            ends = np.array([_ends(each, other_width, width) for each in others])[np.newaxis, :, np.newaxis]
            summed = np.take_along_axis(across, ends, axis=3) - across[..., :-1]
        z = (summed[0] - summed[1]) / np.sqrt(summed[1] + 1)
        best = np.maximum(best, z.max((1, 2)))
    return best


def _ends(atoms: Atoms, width: int, places: int) -> NDArray[np.intp]:
    """One past the last atom of the window of *width* that begins at each: neighbours only among those with an order."""
    first = np.arange(places)
    return np.where(first < atoms.ordered, np.minimum(first + width, max(atoms.ordered, 1)), first + 1)
