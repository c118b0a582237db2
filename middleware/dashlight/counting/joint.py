"""Rows counted several columns at a time: pairs, and whole rows along the directions that the judge learned. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashlight.counting.selection import Watched
from dashlight.judge.directions.bets import Direction, DirectionPane, observed, undirected
from dashlight.window.columns import Reference
from dashlight.window.facets.facets import Matrix
from dashlight.window.normal_scores import joint_places, normal_scores, scored
from dashlight.window.pairs import PairCounter, PairCounts

JOINT = ""
"""Name of the direction of the joint rows; the others have that of their column."""


@dataclass(frozen=True, slots=True, eq=False)
class JointPane:
    """Rows of one pane, several columns at a time."""

    pairs: PairCounts | None
    directions: Mapping[str, DirectionPane]
    """By name; those without rows are left out."""

    def __add__(self, other: "JointPane") -> "JointPane":
        pairs = self.pairs
        if other.pairs is not None:
            pairs = other.pairs if pairs is None else pairs + other.pairs
        directions = dict(self.directions)
        for name, pane in other.directions.items():
            directions[name] = directions[name] + pane if name in directions else pane
        return JointPane(pairs, directions)


class JointCounter:
    """Counts the rows of one model against one reference."""

    def __init__(self, reference: Reference, watched: Watched) -> None:
        self._counter: PairCounter | None = None
        if reference.pairs is not None and watched.has_pairs:
            self._counter = PairCounter(reference.pairs.places, reference.pairs.signs)
        self._pairs: PairCounts | None = None
        self._places = joint_places(reference.columns)
        joint = [reference.columns[int(place)] for place in self._places]
        self._scores = normal_scores(joint)
        # Of a column that does not matter every row scores as the middle one; so of one that follows the hour, whose
        # rows all move together at noon.
        names = {(column.role, column.name) for column in watched.columns}
        silent = [(column.role, column.name) not in names or column.season is not None for column in joint]
        self._scores[silent] = 0.0
        self._directions: dict[str, Direction] = {each.name: undirected(each.dims) for each in watched.directions}
        self._panes: dict[str, DirectionPane] = {}

    def add(self, codes: NDArray[np.uint8]) -> None:
        """Take the bins of rows of all columns, shape (columns, rows)."""
        if self._counter is not None:
            counts = self._counter.count(codes)
            self._pairs = counts if self._pairs is None else self._pairs + counts
        if JOINT in self._directions:
            self._observe(JOINT, scored(self._scores, codes[self._places]))

    def observe(self, matrices: Mapping[str, Matrix]) -> None:
        """Take the rows of text and vector columns, by name; those with a NaN or an infinity are left out."""
        for name, matrix in matrices.items():
            whole = np.isfinite(matrix).all(axis=1)
            if name in self._directions and whole.any():
                self._observe(name, matrix[whole])

    def follow(self, directions: Mapping[str, Direction]) -> None:
        """Bet along *directions*, by name, from now on; names that are not counted mean nothing."""
        for name, direction in directions.items():
            held = self._directions.get(name)
            if held is not None and held.weights.shape == direction.weights.shape:
                self._directions[name] = direction

    def close(self) -> JointPane:
        """End the pane and begin an empty one."""
        closed = JointPane(self._pairs, self._panes)
        self._pairs, self._panes = None, {}
        return closed

    def _observe(self, name: str, rows: NDArray[np.floating]) -> None:
        seen = observed(self._directions[name], rows)
        self._panes[name] = self._panes[name] + seen if name in self._panes else seen
