"""Rows as a one in one bin of every column: the matrix that linear models are fitted to, never written out."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dashlight.labels.rows import Floats
from dashlight.window.layout import BINS
from dashlight.window.reference.steps import Steps

Codes = NDArray[np.uint8]

_ENOUGH = 1e-6
"""Of the residual that conjugate gradients began with."""
_MOST_ROUNDS = 60


class OneHot:
    """The matrix of shape (rows, 1 + columns * BINS) that stands for *codes*: an intercept, then one 1 a column."""

    def __init__(self, parts: Sequence[Codes]) -> None:
        """*parts*, each of shape (columns, its rows), one after another."""
        self._codes: Codes = np.concatenate(parts, axis=1)
        self.columns, self.rows = len(self._codes), int(self._codes.shape[1])
        self.width = 1 + self.columns * BINS

    def times(self, weights: Floats) -> Steps[Floats]:
        """The matrix times *weights*, shape (width,): shape (rows,)."""
        result: Floats = np.zeros(self.rows)
        result += float(weights[0])
        for place, codes in enumerate(self._codes):
            start = 1 + place * BINS
            result += weights[start : start + BINS][codes]
            yield
        return result

    def transposed(self, of_rows: Floats) -> Steps[Floats]:
        """The transposed matrix times *of_rows*, shape (rows,): shape (width,)."""
        result = np.empty(self.width)
        result[0] = of_rows.sum()
        for place, codes in enumerate(self._codes):
            start = 1 + place * BINS
            result[start : start + BINS] = np.bincount(codes, of_rows, BINS)
            yield
        return result

    def solved(self, right: Floats, curvature: Floats, ridge: Floats) -> Steps[Floats]:
        """Solve (X' diag(curvature) X + diag(ridge)) x = right by conjugate gradients, preconditioned by the diagonal.

        Source: Nocedal and Wright, Numerical Optimization, 2nd edition, algorithm 5.3.
        """
        diagonal = (yield from self.transposed(curvature)) + ridge
        solution = np.zeros(self.width)
        residual = right.copy()
        scaled = residual / diagonal
        direction = scaled.copy()
        product = float(residual @ scaled)
        enough = product * _ENOUGH**2
        for _ in range(_MOST_ROUNDS):
            if product <= enough:
                break
            image = yield from self.times(direction)
            curved = (yield from self.transposed(curvature * image)) + ridge * direction
            length = product / float(direction @ curved)
            solution += length * direction
            residual -= length * curved
            scaled = residual / diagonal
            last, product = product, float(residual @ scaled)
            direction = scaled + (product / last) * direction
        return solution
