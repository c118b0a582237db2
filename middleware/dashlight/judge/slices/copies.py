"""Columns that are no explanation of a drift: the drifted one itself, what is made of it, and its copies."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dashlight.window.columns import ColumnReference
from dashlight.window.layout import BINS
from dashlight.window.reference.steps import Steps

COPY_SHARE = 0.8
"""Of the entropy of either column, from which on their mutual information says that one is a copy of the other."""


def no_explanation(columns: Sequence[ColumnReference], drifted: int, usual: NDArray[np.uint8]) -> Steps[frozenset[int]]:
    """Places of columns by which a drift of the one at *drifted* must not be explained.

    Itself; the column that it is a facet of, and all facets of one column with it; and those that are its copy, or made of
    it, in the rows *usual*, shape (columns, rows): I(X; D) >= 0.8 min(H(X), H(D)), in which I, the mutual information of the
    bins, is less what independent columns show of it, (cells of X - 1)(cells of D - 1) / 2n (Miller, 1955). A column that
    always has one value is no copy, but explains nothing either.
    """
    found = {drifted}
    family = columns[drifted].of or columns[drifted].name
    own = usual[drifted]
    for place, column in enumerate(columns):
        if (column.role == columns[drifted].role and family in {column.of, column.name}) or _is_copy(own, usual[place]):
            found.add(place)
        yield
    return frozenset(found)


def _is_copy(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> bool:
    joint = np.bincount(
        np.minimum(one, BINS).astype(np.int64) * (BINS + 1) + np.minimum(other, BINS), minlength=(BINS + 1) ** 2
    )
    table = joint.reshape(BINS + 1, BINS + 1)
    of_one, of_other = table.sum(1), table.sum(0)
    rows = max(len(one), 1)
    chance = (np.count_nonzero(of_one) - 1) * (np.count_nonzero(of_other) - 1) / (2 * rows)
    information = _entropy(of_one) + _entropy(of_other) - _entropy(joint) - chance
    least = min(_entropy(of_one), _entropy(of_other))
    return bool(least > 0 and information >= COPY_SHARE * least)


def _entropy(counts: NDArray[np.integer]) -> float:
    held = counts[counts > 0]
    shares = held / max(held.sum(), 1)
    return float(-(shares * np.log(shares)).sum())
