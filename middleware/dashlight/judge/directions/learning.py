"""Where the rows went: running means of the last rows, and the directions that follow from them. Pure."""

from collections import deque
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from dashlight.window.columns import DirectionReference
from dashlight.window.fitting import MOST_COUNT, fitted, refuse, within

Floats: TypeAlias = NDArray[np.float64]

MEMORIES = (300, 1500)
"""Rows that the running means remember: the short one is quick, the long one sees less."""
THRESHOLD = 0.8
"""Standard errors by which every dimension's mean is drawn to zero: most of what moves by chance is left out."""
SHRINKAGE = 0.1
"""Part of the mean variance, or dimensions by rows where that is more, by which the covariance is trusted less: its
smallest axes look narrower than they are."""
CLEAR_OF_MEMORY = 1.5
"""A direction learns from rows this many times the memory of the stream before those that it is bet on: neighbours
that resemble one another would make it right without any drift."""
LONGEST_GAP = 400
"""But not from further back: what hangs together for longer than that is a season, which has a margin of its own."""
FURTHEST = 1000.0
"""Deviations. The mean of a pane that lies further out is taken to lie so far, the same way: else one row of huge numbers
would be the direction for the hundred thousand rows that it takes to forget it."""


_ROUNDED = 1 + 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class LearnedState:
    """What Learned remembers."""

    sums: Floats
    """Shape (memories, dims): of the rows in deviations from the centre, each weighed by how recent it is."""
    rows: Floats
    """Shape (memories,): sum of the weights."""
    fresh: tuple[tuple[Floats, int], ...]
    """Of each of the last panes, which wait to be learned from: the sum of its rows, shape (dims,), and their number."""


class Learned:
    """Running means of the rows, one for each of MEMORIES."""

    def __init__(self, reference: DirectionReference, *, memory_rows: float) -> None:
        """*memory_rows*: about so many consecutive rows are worth one independent row."""
        self._centre, self._spread = reference.centre, reference.spread
        self._memory_rows = memory_rows
        self._whitening = _whitening(reference, reference.total_rows / memory_rows)
        self._gap = min(CLEAR_OF_MEMORY * memory_rows, LONGEST_GAP) if memory_rows > 1 else 0.0
        self._fresh: deque[tuple[Floats, int]] = deque()
        self._fresh_rows = 0
        self._sums = np.zeros((len(MEMORIES), reference.dims))
        self._rows = np.zeros(len(MEMORIES))

    @property
    def state(self) -> LearnedState:
        """What is remembered: the arrays themselves."""
        return LearnedState(self._sums, self._rows, tuple(self._fresh))

    def restore(self, state: LearnedState) -> None:
        """Go on from *state*; ValueError where it is of other dimensions, or no rows have such sums."""
        self._rows = fitted("rows learned from", state.rows, like=self._rows, least=0, most=MOST_COUNT)
        self._sums = fitted("sums of rows", state.sums, like=self._sums)
        furthest = FURTHEST * _ROUNDED
        refuse("sums further out than their rows", where=(np.abs(self._sums).max(axis=1) > furthest * self._rows).any())
        for moved, rows in state.fresh:
            most = furthest * within("rows of a pane", rows, 1)
            fitted("the sum of a pane", moved, like=self._centre, least=-most, most=most)
        self._fresh = deque(state.fresh)
        self._fresh_rows = sum(rows for _, rows in state.fresh)
        within("rows that wait", self._fresh_rows - (state.fresh[0][1] if state.fresh else 0), 0, LONGEST_GAP)

    def add(self, total: Floats, rows: int) -> None:
        """Take the next *rows* rows, at least one, by their sum *total*, shape (dims,)."""
        moved = (total - rows * self._centre) / self._spread
        largest = np.abs(moved).max()
        if largest > FURTHEST * rows:
            moved *= FURTHEST * rows / largest
        self._fresh.append((moved, rows))
        self._fresh_rows += rows
        while self._fresh and self._fresh_rows - self._fresh[0][1] >= self._gap:
            moved, count = self._fresh.popleft()
            self._fresh_rows -= count
            remaining = np.exp(-count / np.array(MEMORIES))
            self._sums = remaining[:, np.newaxis] * self._sums + moved
            self._rows = remaining * self._rows + count

    def shift(self, memory: int) -> Floats:
        """How far the rows that one memory holds moved beyond chance, in deviations; shape (dims,)."""
        return np.asarray(self._beyond_chance(self._means())[memory])

    def weights(self) -> Floats:
        """The directions, shape (memories, dims): where the rows went beyond chance, by the inverse of the covariance.

        With y = T mean for the symmetric T with T T = covariance ** -1, w = T soft(y): of dimensions that move alike the
        one that moves alone says most. Fisher's discriminant where all of y is beyond chance.
        """
        return self._beyond_chance(self._means() @ self._whitening) @ self._whitening

    def _means(self) -> Floats:
        return self._sums / np.maximum(self._rows, 1e-9)[:, np.newaxis]

    def _beyond_chance(self, means: Floats) -> Floats:
        by_chance = THRESHOLD * np.sqrt(self._memory_rows / np.maximum(self._rows, 1e-9))[:, np.newaxis]
        return np.asarray(np.sign(means) * np.maximum(np.abs(means) - by_chance, 0.0))

    def forget(self) -> None:
        """Forget all rows."""
        self._fresh.clear()
        self._fresh_rows = 0
        self._sums[:] = 0.0
        self._rows[:] = 0.0


def _whitening(reference: DirectionReference, independent_rows: float) -> Floats:
    """The symmetric inverse root of the covariance, shrunken; shape (dims, dims)."""
    variances, axes = np.linalg.eigh(reference.covariance.astype(np.float64))
    variances = np.maximum(variances, 0.0)
    added = max(SHRINKAGE, reference.dims / independent_rows) * variances.mean() + 1e-6
    return np.asarray((axes / np.sqrt(variances + added)) @ axes.T)
