"""How many positive and negative rows had which score: all that a ROC or precision-recall curve needs, in bounded memory."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashlight.labels.rows import Floats
from dashlight.window.fitting import MOST_COUNT, fitted, refuse, within

MOST_CELLS = 512
"""Of one pair of classes."""


@dataclass(frozen=True, slots=True, eq=False)
class ScoreCells:
    """Rows by score: every different score by itself up to twice *most*, beyond that *most* cells at even ranks.

    While no more than that many different scores came, sums are the same in whatever order they are made, and the area
    under the ROC curve is exact. Beyond, neighbours are joined so that no cell of several scores holds more than 2/most of
    the positive or of the negative rows: rows of one cell count as ties, so that each joining moves the area by 1/most at
    most, in the worst case, and by far less where the score is smooth. A score that very many rows share keeps its cell.
    """

    most: int
    scores: Floats
    """Shape (cells,), ascending: of several joined their mean, each class weighing the same."""
    negatives: NDArray[np.int64]
    """Shape (cells,): rows."""
    positives: NDArray[np.int64]
    is_joined: NDArray[np.bool_]
    """Shape (cells,): whether rows of several scores are in it, else they are true ties."""

    @property
    def count(self) -> int:
        """Rows in it."""
        return int(self.negatives.sum() + self.positives.sum())

    def __add__(self, other: "ScoreCells") -> "ScoreCells":
        """Those of both."""
        return joined_cells([self, other])

    def checked(self) -> "ScoreCells":
        """Itself, as read from a state; ValueError where no rows lead to it."""
        within("cells of scores at most", self.most, 1, MOST_CELLS)
        size = within("cells of scores", self.scores.size, 0, 2 * self.most)
        scores = fitted("scores of cells", self.scores, like=np.zeros(size))
        refuse("cells of scores that do not ascend", where=bool((np.diff(scores) <= 0).any()))
        like = np.zeros(size, np.int64)
        negatives = fitted("negative rows", self.negatives, like=like, least=0, most=MOST_COUNT)
        positives = fitted("positive rows", self.positives, like=like, least=0, most=MOST_COUNT)
        is_joined = fitted("joined cells", self.is_joined, like=np.zeros(size, np.bool_), least=0, most=1)
        return ScoreCells(self.most, scores, negatives, positives, is_joined)


def no_cells(most: int = MOST_CELLS) -> ScoreCells:
    """Of no rows."""
    return ScoreCells(most, np.zeros(0), np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.bool_))


def cells_of(scores: Floats, is_positive: NDArray[np.bool_], most: int = MOST_CELLS) -> ScoreCells:
    """Those of rows with finite *scores*."""
    rows = np.stack([~is_positive, is_positive]).astype(np.int64)
    return _fewer(most, scores, rows, np.zeros(len(scores), np.bool_))


def joined_cells(parts: Sequence[ScoreCells]) -> ScoreCells:
    """The sum of *parts*, at least one; they have the same *most*."""
    scores = np.concatenate([part.scores for part in parts])
    counts = np.concatenate([np.stack([part.negatives, part.positives]) for part in parts], axis=1)
    return _fewer(parts[0].most, scores, counts, np.concatenate([part.is_joined for part in parts]))


def _fewer(most: int, scores: Floats, rows: NDArray[np.int64], is_joined: NDArray[np.bool_]) -> ScoreCells:
    values, place = np.unique(scores, return_inverse=True)
    counts = np.zeros((2, values.size), np.int64)
    np.add.at(counts[0], place, rows[0])
    np.add.at(counts[1], place, rows[1])
    joined = np.bincount(place, is_joined, values.size) > 0
    if values.size <= 2 * most:
        return ScoreCells(most, values, counts[0], counts[1], joined)
    totals = counts.sum(axis=1)
    shares = (counts / np.maximum(totals, 1)[:, None]).sum(axis=0) / np.count_nonzero(totals)
    middles = np.cumsum(shares) - shares / 2
    groups = np.minimum((middles * most).astype(np.intp), most - 1)
    starts = np.flatnonzero(np.diff(groups, prepend=-1))
    means = np.add.reduceat(values * shares, starts) / np.add.reduceat(shares, starts)
    lasts = np.append(starts[1:], values.size) - 1
    # A mean may be rounded to beyond what it is made of.
    means = np.clip(means, values[starts], values[lasts])
    fewer = np.add.reduceat(counts, starts, axis=1)
    return ScoreCells(most, means, fewer[0], fewer[1], (lasts > starts) | joined[starts])
