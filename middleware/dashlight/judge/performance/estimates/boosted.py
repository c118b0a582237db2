"""Boosted trees over bins: the mean of a number by the bins of many columns, interactions of three of them included.

Trees are symmetric: all nodes of a level ask the same question. Columns with an order are split along it; bins of others are
put in the order of their mean first, which is best for a single split.

Source: Friedman (2001), Annals of Statistics 29, 1189-1232; symmetric trees as Prokhorenkova et al., arXiv 1706.09516; the order
of categories Fisher (1958), JASA 53, 789-798.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.performance.estimates.one_hot import Codes
from dashlight.labels.rows import Floats
from dashlight.window.layout import ABOVE, BINS, STRUCTURAL_BINS
from dashlight.window.reference.steps import Steps

ROUNDS = 100
DEPTH = 3
RATE = 0.1
"""Part of a tree's answer that is added: usual values of such trees, which nobody has tuned."""
MOST_COLUMNS = 30
"""That are asked for: those by which a single split explains most."""
PRIOR_ROWS = 10.0
"""Rows of residual 0 that every leaf has besides its own."""


@dataclass(frozen=True, slots=True, eq=False)
class _Tree:
    columns: NDArray[np.intp]
    """Shape (DEPTH,): of which one is asked at each level."""
    limits: NDArray[np.intp]
    """Shape (DEPTH,): whether its rank is above this."""
    leaves: Floats
    """Shape (2^DEPTH,)."""


@dataclass(frozen=True, slots=True, eq=False)
class BoostedTrees:
    """What was fitted by `boosted_trees`."""

    mean: float
    ranks: NDArray[np.uint8]
    """Shape (columns, BINS): the place of each bin in the order of its column."""
    trees: tuple[_Tree, ...]

    def at(self, codes: Codes) -> Steps[Floats]:
        """The expected number of each row of *codes*, shape (columns, rows)."""
        expected = np.full(codes.shape[1], self.mean)
        for tree in self.trees:
            leaf = np.zeros(codes.shape[1], np.intp)
            for column, limit in zip(tree.columns.tolist(), tree.limits.tolist(), strict=True):
                is_above = self.ranks[column] > limit
                leaf = 2 * leaf + is_above[codes[column]]
            expected += tree.leaves[leaf]
            yield
        return expected


def boosted_trees(codes: Codes, values: Floats, is_numeric: NDArray[np.bool_]) -> Steps[BoostedTrees]:
    """Fit *values*, shape (rows,), by *codes*, shape (columns, rows), at least one of each.

    *is_numeric*, shape (columns,), says which columns have an order.
    """
    ranks = np.stack(
        [_ranks(column, values, is_numeric=bool(numeric)) for column, numeric in zip(codes, is_numeric, strict=True)]
    )
    ranked = np.stack([order[column] for order, column in zip(ranks, codes, strict=True)])
    mean = float(values.mean())
    residual = values - mean
    asked = yield from _telling(ranked, residual)
    trees: list[_Tree] = []
    for _ in range(ROUNDS):
        tree, leaf = yield from _grown(ranked, residual, asked)
        trees.append(tree)
        residual = residual - tree.leaves[leaf]
    return BoostedTrees(mean, ranks, tuple(trees))


def _telling(ranked: Codes, residual: Floats) -> Steps[list[int]]:
    """The MOST_COLUMNS columns by which a single split explains most."""
    gains: list[float] = []
    for of_column in ranked:
        gains.append(float(_gains(of_column.astype(np.intp), residual, 1).max()))
        yield
    return sorted(sorted(range(len(gains)), key=lambda column: -gains[column])[:MOST_COLUMNS])


def _grown(ranked: Codes, residual: Floats, asked: Sequence[int]) -> Steps[tuple[_Tree, NDArray[np.intp]]]:
    """One tree, and the leaf of each row."""
    leaf = np.zeros(len(residual), np.intp)
    columns: list[int] = []
    limits: list[int] = []
    for level in range(DEPTH):
        best = (-np.inf, 0, 0)
        for column in asked:
            gains = _gains(leaf * BINS + ranked[column], residual, 2**level)
            limit = int(gains.argmax())
            best = max(best, (float(gains[limit]), column, limit))
            yield
        _, column, limit = best
        columns.append(column)
        limits.append(limit)
        leaf = 2 * leaf + (ranked[column] > limit)
    sums, counts = np.bincount(leaf, residual, 2**DEPTH), np.bincount(leaf, minlength=2**DEPTH)
    return _Tree(np.array(columns), np.array(limits), RATE * sums / (counts + PRIOR_ROWS)), leaf


def _gains(cells: NDArray[np.intp], residual: Floats, nodes: int) -> Floats:
    """How much a split after each rank explains, in all nodes together: shape (BINS,)."""
    sums = np.bincount(cells, residual, nodes * BINS).reshape(nodes, BINS).cumsum(axis=1)
    counts = np.bincount(cells, minlength=nodes * BINS).reshape(nodes, BINS).cumsum(axis=1)
    sums_above, counts_above = sums[:, -1:] - sums, counts[:, -1:] - counts
    gains: Floats = (sums**2 / (counts + PRIOR_ROWS) + sums_above**2 / (counts_above + PRIOR_ROWS)).sum(axis=0)
    return gains


def _ranks(codes: Codes, values: Floats, *, is_numeric: bool) -> NDArray[np.uint8]:
    """The place of each bin in the order of its column, shape (BINS,)."""
    if is_numeric:
        order = np.array([*range(ABOVE), *range(STRUCTURAL_BINS, BINS), ABOVE])
    else:
        counts = np.bincount(codes, minlength=BINS)
        means = (np.bincount(codes, values, BINS) + PRIOR_ROWS * values.mean()) / (counts + PRIOR_ROWS)
        order = np.argsort(means, kind="stable")
    ranks = np.empty(BINS, np.uint8)
    ranks[order] = np.arange(BINS)
    return ranks
