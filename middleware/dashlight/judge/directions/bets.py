"""Bets along a learned direction, and the sums of a pane's rows under it. Pure."""

from dataclasses import dataclass
from math import log1p
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.directions.learning import MEMORIES
from dashlight.judge.directions.null import CLIP, Along
from dashlight.judge.evidence.null import SEASON_DEVIATIONS
from dashlight.window.fitting import fitted, within
from dashlight.window.normal_scores import projected

Floats: TypeAlias = NDArray[np.float64]

SIZES = (0.2, 0.5)
"""How far beyond its margin each bet has the mean of the score, in deviations."""
SLACK = 0.02
"""Deviations by which every margin is wider than it must be: no stream repeats its reference to the last digit."""
_RUIN = 0.9
"""Part of its wealth that a bet loses in one row at most."""
_ROUNDED = 1 + 1e-6
_LARGEST_ROW = float(np.sqrt(np.finfo(np.float64).max))
"""A row whose square is no number is left out."""


@dataclass(frozen=True, slots=True, eq=False)
class Direction:
    """Directions learned up to the last pane, one for each memory, and the bets along them: what all workers share."""

    number: int
    """Counted from 1 by the judge; 0 where nothing is bet."""
    weights: Floats
    """Shape (dims, memories): of a row; zero where nothing was learned."""
    offsets: Floats
    """Shape (memories,): a row scores clip(row @ weights - offsets)."""
    means: Floats
    """Shape (memories,): mean score without drift."""
    borders: Floats
    """Shape (memories, len(SIZES)): largest mean that is no sign of drift."""
    stakes: Floats
    """Shape (memories, len(SIZES)): 0 where there is no bet."""
    phi: Floats
    """Shape (memories,): so many rows are worth one."""


@dataclass(frozen=True, slots=True, eq=False)
class DirectionPane:
    """Sums over rows of one pane; those of several workers add up.

    A worker may not have heard of the newest direction. Each bets along the one that it knew before it saw a row, and
    the gains of fair bets add up whatever they were along.
    """

    direction: int
    """Number of the oldest direction under which they were observed."""
    rows: int
    total: Floats
    """Shape (dims,): sum of the rows."""
    gains: Floats
    """Shape (memories, len(SIZES)): logarithms of the factors by which the bets grew."""
    scores: Floats
    """Shape (memories,): sum of the scores less their mean without drift."""

    def __add__(self, other: "DirectionPane") -> "DirectionPane":
        return DirectionPane(
            min(self.direction, other.direction),
            self.rows + other.rows,
            self.total + other.total,
            self.gains + other.gains,
            self.scores + other.scores,
        )

    def check(self, dims: int) -> None:
        """Raises ValueError where no rows of *dims* dimensions have such sums."""
        within("the number of a direction", self.direction)
        rows = _ROUNDED * within("rows along a direction", self.rows)
        for what, sums, shape, most in (
            ("sums of rows", self.total, (dims,), _LARGEST_ROW),
            ("gains", self.gains, (len(MEMORIES), len(SIZES)), -log1p(-_RUIN)),
            ("sums of scores", self.scores, (len(MEMORIES),), 2 * CLIP),
        ):
            fitted(what, sums, like=np.empty(shape), least=-most * rows, most=most * rows)


def undirected(dims: int) -> Direction:
    """The direction before the judge has told one: rows of *dims* dimensions are summed, and nothing is bet."""
    return Direction(
        number=0,
        weights=np.zeros((dims, len(MEMORIES))),
        offsets=np.zeros(len(MEMORIES)),
        means=np.zeros(len(MEMORIES)),
        borders=np.zeros((len(MEMORIES), len(SIZES))),
        stakes=np.zeros((len(MEMORIES), len(SIZES))),
        phi=np.ones(len(MEMORIES)),
    )


def observed(direction: Direction, rows: NDArray[np.floating]) -> DirectionPane:
    """The sums over *rows*, shape (rows, dims) as they come; those with a NaN or an infinity are left out."""
    narrow = projected(np.asarray(rows, np.float64))
    with np.errstate(over="ignore", invalid="ignore"):
        squares = np.einsum("ij,ij->i", narrow, narrow)
    if not np.isfinite(squares).all():
        narrow = narrow[np.isfinite(squares)]
    scores = np.minimum(np.maximum(narrow @ direction.weights - direction.offsets, -CLIP), CLIP)
    factors = (scores[:, :, np.newaxis] - direction.borders) * direction.stakes
    return DirectionPane(
        direction=direction.number,
        rows=len(narrow),
        total=narrow.sum(0),
        gains=np.log1p(factors).sum(0) / direction.phi[:, np.newaxis],
        scores=(scores - direction.means).sum(0) * (direction.weights != 0).any(0),
    )


def direction_along(
    number: int, along: Along, *, learned: NDArray[np.intp], memories: int, centre: Floats, spread: Floats, nats: float
) -> Direction:
    """The bets *along* the directions of the memories at places *learned*; the others bet nothing.

    The margin of a bet of size s is nats * variance / s, variance being that of the mean without drift: over the draw
    of the reference the expected wealth then stays at most 1 for as long as the bet needs to reach *nats*, the
    threshold. It is at least the slack, and natural variation is added.
    """
    sizes = np.array(SIZES)
    weights, offsets = np.zeros((len(centre), memories)), np.zeros(memories)
    means, phi = np.zeros(memories), np.ones(memories)
    borders, stakes = np.zeros((memories, len(sizes))), np.zeros((memories, len(sizes)))
    weights[:, learned] = (along.units / spread).T
    offsets[learned] = centre @ weights[:, learned]
    means[learned], phi[learned] = along.mean, along.phi
    margins = np.maximum(nats * along.variance[:, np.newaxis] / sizes, SLACK)
    borders[learned] = (along.mean + SEASON_DEVIATIONS * along.tau)[:, np.newaxis] + margins
    worst = CLIP + borders[learned]
    bets = along.is_measured[:, np.newaxis] & (borders[learned] < CLIP)
    stakes[learned] = np.where(bets, np.minimum(sizes / (1 + sizes**2), _RUIN / worst), 0.0)
    return Direction(number, weights, offsets, means, borders, stakes, phi)
