"""Counts of labelled rows of a regression or a forecast: sums of errors, spread of the labels, quantiles, steps."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dashlight.labels.rows import Floats, LabelledRows
from dashlight.window.fitting import MOST_COUNT, fitted, refuse, within
from dashlight.window.performance.error_cells import ErrorCells, errors_of, no_errors

MOST_STEPS = 64
"""Of a forecast that are told apart; the rest is one more."""
MOST_NUMBER = 1e70
"""Of a prediction or a label; the fourth power of an error is summed. Rows beyond are left out, and counted."""
# Columns of `steps`, sums of: rows, error, its size, its square, its fourth power, its size relative to the label, the
# square of that.
ROWS: Final = 0
ERROR: Final = 1
ABSOLUTE: Final = 2
SQUARED: Final = 3
FOURTH: Final = 4
RELATIVE: Final = 5
RELATIVE_SQUARED: Final = 6
COLUMNS: Final = 7
_EPSILON = float(np.finfo(np.float64).eps)
"""The least a label counts as where it divides, as in scikit-learn."""


@dataclass(frozen=True, slots=True)
class Moments:
    """Count, mean and sum of squared deviations, which add up without cancelling.

    Source: Chan, Golub, LeVeque (1979), Stanford STAN-CS-79-773.
    """

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0

    def __add__(self, other: "Moments") -> "Moments":
        """Those of both."""
        count = self.count + other.count
        if not count:
            return self
        gap = other.mean - self.mean
        mean = (self.count * self.mean + other.count * other.mean) / count
        squares = self.squares + other.squares + gap * gap * (self.count * other.count / count)
        return Moments(count, mean, squares)

    def checked(self) -> "Moments":
        """Itself, as read from a state; ValueError where no numbers lead to it."""
        within("numbers", self.count)
        within("mean of numbers", self.mean, -MOST_NUMBER, MOST_NUMBER)
        within("squared deviations", self.squares, 0.0, MOST_COUNT * MOST_NUMBER**2)
        return self


@dataclass(frozen=True, slots=True, eq=False)
class Numeric:
    """What adds up of labelled rows of a regression. An error is the prediction less the label."""

    steps: Floats
    """Shape (steps + 1, COLUMNS): sums by step, as many as came; row 0 are rows without a step, row MOST_STEPS + 1 all
    beyond."""
    labels: Moments
    errors: ErrorCells

    @property
    def total(self) -> Floats:
        """Shape (COLUMNS,): the sums of all steps."""
        return np.asarray(self.steps.sum(axis=0), np.float64)

    def __add__(self, other: "Numeric") -> "Numeric":
        """Those of both."""
        longer, shorter = sorted((self.steps, other.steps), key=len, reverse=True)
        steps = longer.copy()
        steps[: len(shorter)] += shorter
        return Numeric(steps, self.labels + other.labels, self.errors + other.errors)

    def without_cells(self) -> "Numeric":
        """The same without quantiles, which are most of it."""
        return Numeric(self.steps, self.labels, no_errors())

    def checked(self) -> "Numeric":
        """Itself, as read from a state; ValueError where no rows lead to it."""
        size = within("steps", len(self.steps), 1, MOST_STEPS + 2)
        steps = fitted("sums of errors", self.steps, like=np.zeros((size, COLUMNS)))
        others = np.delete(steps, ERROR, axis=1)
        refuse("sums of errors below 0", where=bool((others < 0).any()))
        return Numeric(steps, self.labels.checked(), self.errors.checked())


def no_numeric() -> Numeric:
    """Of no rows."""
    return Numeric(np.zeros((1, COLUMNS)), Moments(), no_errors())


def numeric(rows: LabelledRows) -> Numeric:
    """The counts of those of *rows* of which `is_numeric_row` holds, and no others."""
    errors = rows.scores - rows.labels
    sizes = np.abs(errors)
    relative = sizes / np.maximum(np.abs(rows.labels), _EPSILON)
    powers = (np.ones_like(errors), errors, sizes, errors**2, errors**4, relative, relative**2)
    steps = np.clip(rows.steps, 0, MOST_STEPS + 1)
    size = int(steps.max(initial=0)) + 1
    sums = np.stack([np.bincount(steps, power, size) for power in powers], axis=1).astype(np.float64)
    mean = float(rows.labels.mean()) if rows.row_count else 0.0
    moments = Moments(rows.row_count, mean, float(((rows.labels - mean) ** 2).sum()))
    return Numeric(sums, moments, errors_of(errors))


def is_numeric_row(rows: LabelledRows) -> NDArray[np.bool_]:
    """Which rows have a prediction and a label whose error can be summed."""
    return (np.abs(rows.scores) <= MOST_NUMBER) & (np.abs(rows.labels) <= MOST_NUMBER)
