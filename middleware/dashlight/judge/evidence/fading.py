"""The recent past on several scales, in constant memory: the more rows came after a row, the less it weighs. Pure.

On a scale of span s a row weighs exp(-r/s) once r rows came after it. The mean of rows that weigh w each has the variance
of (sum w)**2 / sum w**2 rows of equal weight.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from dashlight.window.fitting import MOST_COUNT, fitted, refuse

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class FadingRowsState:
    """What FadingRows remember; both arrays have the shape (scales,)."""

    weight: Floats
    """Sum of the weights."""
    squares: Floats
    """Sum of their squares."""


class FadingRows:
    """How many rows every scale remembers; whoever sums over the rows fades the sums alike."""

    def __init__(self, spans: Floats) -> None:
        """*spans*, shape (scales,), in rows."""
        self._spans = spans
        self.weight = np.zeros(len(spans))
        """Sum of the weights, shape (scales,)."""
        self._squares = np.zeros(len(spans))

    @property
    def state(self) -> FadingRowsState:
        """What is remembered: the arrays themselves."""
        return FadingRowsState(self.weight, self._squares)

    def restore(self, state: FadingRowsState) -> None:
        """Go on from *state*; ValueError where it is of other scales, or no rows can weigh so."""
        weight = fitted("weights of rows", state.weight, like=self.weight, least=0, most=MOST_COUNT)
        squares = fitted("squared weights of rows", state.squares, like=self._squares, least=0)
        # The rows of the last pane weigh one each, those before them less.
        refuse(
            "sums of weights and of squared weights that do not fit each other",
            where=((squares > weight) | ((squares < 1) & (weight > 0))).any(),
        )
        refuse("weights of more rows than there can be", where=(weight**2 > MOST_COUNT * squares).any())
        self.weight, self._squares = weight, squares

    def add(self, rows: int) -> Floats:
        """Count *rows* more rows. Returns the part that is left of the weight of earlier rows, shape (scales,)."""
        remaining: Floats = np.exp(-rows / self._spans)
        self.weight = self.weight * remaining + rows
        self._squares = self._squares * remaining**2 + rows
        return remaining

    @property
    def rows(self) -> Floats:
        """Rows of equal weight that each scale is worth, shape (scales,)."""
        return np.asarray(self.weight**2 / np.maximum(self._squares, 1e-9))

    @property
    def worth(self) -> Floats:
        """Rows of equal weight that a row of weight one stands for, shape (scales,)."""
        return np.asarray(self.weight / np.maximum(self._squares, 1e-9))

    def clear(self) -> None:
        """Forget all rows."""
        self.weight[:] = 0.0
        self._squares[:] = 0.0
