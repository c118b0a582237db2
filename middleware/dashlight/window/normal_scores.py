"""Rows as numbers: the normal scores of binned columns, and wide vectors on fewer dimensions."""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from dashlight.window.bins import reference_shares
from dashlight.window.columns import ColumnReference, is_numeric
from dashlight.window.events import FUNCTIONAL_NAMES, functionals
from dashlight.window.layout import BINS, TYPE_ERROR

SingleFloats: TypeAlias = NDArray[np.float32]

MOST_COLUMNS = 128
"""More columns than that have no joint rows: the first ones stand for them."""
MOST_DIMENSIONS = 256
"""Wider rows are projected: squares of the width are kept."""
_MIX = (0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
_GOLDEN = 0x9E3779B97F4A7C15


def joint_places(columns: Sequence[ColumnReference]) -> NDArray[np.intp]:
    """Places of the columns whose rows are judged jointly: the numeric ones that are no facet, at most MOST_COLUMNS."""
    whole = np.array([not column.of for column in columns], np.bool_)
    return np.flatnonzero(is_numeric(columns) & whole)[:MOST_COLUMNS]


def normal_scores(columns: Sequence[ColumnReference]) -> SingleFloats:
    """Score of every bin, shape (columns, BINS): the normal quantile of its mid-rank; null and type error score 0.

    Increasing maps of a column change nothing, no value scores more than about 2.8, and a column that is not numeric
    scores 0 throughout.
    """
    higher = functionals(reference_shares(columns), is_numeric(columns))[:, FUNCTIONAL_NAMES.index("higher")]
    higher[:, : TYPE_ERROR + 1] = 0.0
    return higher.astype(np.float32)


def scored(table: SingleFloats, codes: NDArray[np.uint8]) -> SingleFloats:
    """The rows of *codes*, shape (columns, rows), as scores by *table*, shape (columns, BINS): (rows, columns)."""
    offset = (np.arange(len(table)) * BINS)[:, np.newaxis]
    return np.ascontiguousarray(table.ravel()[codes + offset].T)


def projected(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """*rows*, shape (rows, dims), on at most MOST_DIMENSIONS dimensions: each is a sum of every 256th, with fixed signs.

    Distances are kept on average, at the cost of one pass.
    Source: Charikar, Chen and Farach-Colton (2002), "Finding frequent items in data streams" (count sketch).
    """
    count, dims = rows.shape
    if dims <= MOST_DIMENSIONS:
        return rows
    layers = -(-dims // MOST_DIMENSIONS)
    padded = np.zeros((count, layers * MOST_DIMENSIONS))
    np.multiply(rows, _signs(dims), out=padded[:, :dims])
    summed: NDArray[np.float64] = padded.reshape(count, layers, MOST_DIMENSIONS).sum(1)
    return summed


def _signs(dims: int) -> NDArray[np.float64]:
    """-1 or 1 for each dimension, the same for ever: one bit of splitmix64 of its number."""
    state = (np.arange(dims, dtype=np.uint64) + np.uint64(1)) * np.uint64(_GOLDEN)
    for shift, factor in zip((30, 27), _MIX, strict=True):
        state = (state ^ (state >> np.uint64(shift))) * np.uint64(factor)
    return np.where((state >> np.uint64(63)) == 0, -1.0, 1.0)
