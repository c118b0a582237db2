"""Counts of labelled rows of a classifier: confusion, proper scores and calibration by tenth of the score, score cells."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dashlight.labels.rows import MOST_CLASSES, NO_CLASS, Floats, LabelledRows, Task
from dashlight.window.fitting import MOST_COUNT, fitted, refuse
from dashlight.window.performance.score_cells import MOST_CELLS, ScoreCells, cells_of, joined_cells, no_cells
from dashlight.window.performance.strata import STRATA, strata_of

Counts = NDArray[np.int64]

# Columns of `tallies`.
PREDICTED: Final = 0
"""Rows whose class was predicted: those of `confusion`."""
CORRECT: Final = 1
"""Of them, whose label is that class; exact for any number of classes."""
SCORED: Final = 2
"""Rows with a probability: of the positive class, of many classes of the top one."""
HITS: Final = 3
"""Of them, whose label is the positive class, or the top one."""
PROPER: Final = 4
"""Rows with the probability of each class, whose label is one of them: those of the log loss and of the Brier score."""
IMPROPER: Final = 5
"""Rows whose score is a number but no probability: they count in `cells` alone."""
TALLIES: Final = 6
# Columns of `sums`.
SCORE: Final = 0
"""Of the probabilities of the SCORED."""
LOG_LOSS: Final = 1
LOG_LOSS_SQUARED: Final = 2
BRIER: Final = 3
BRIER_SQUARED: Final = 4
SUMS: Final = 5


@dataclass(frozen=True, slots=True, eq=False)
class Classified:
    """What adds up of labelled rows of a classifier."""

    confusion: Counts
    """Shape (strata, classes + 1, classes + 1) by tenth of the score, label, prediction; of many classes shape
    (1, ...), not by score. The last label and the last prediction are those beyond the first MOST_CLASSES."""
    tallies: Counts
    """Shape (STRATA, TALLIES)."""
    sums: Floats
    """Shape (STRATA, SUMS)."""
    cells: ScoreCells
    """Of two classes: rows by score, positive where the label is the positive class; of many empty."""
    one_vs_rest: tuple[ScoreCells, ...]
    """Of many classes whose probabilities were told: likewise for each class; else empty."""

    def __add__(self, other: "Classified") -> "Classified":
        """Those of both, which are of the same classes."""
        pairs = zip(self.one_vs_rest, other.one_vs_rest, strict=True) if self.one_vs_rest and other.one_vs_rest else ()
        return Classified(
            self.confusion + other.confusion,
            self.tallies + other.tallies,
            self.sums + other.sums,
            self.cells + other.cells,
            tuple(joined_cells(pair) for pair in pairs) or self.one_vs_rest or other.one_vs_rest,
        )

    def without_cells(self) -> "Classified":
        """The same without what a ROC curve needs, which is most of it."""
        return replace(self, cells=no_cells(), one_vs_rest=())

    def checked(self, class_count: int, *, is_binary: bool) -> "Classified":
        """Itself, as read from a state; ValueError where no rows of so many classes lead to it."""
        empty = no_classified(class_count, is_binary=is_binary)
        confusion = fitted("confusion", self.confusion, like=empty.confusion, least=0, most=MOST_COUNT)
        tallies = fitted("tallies", self.tallies, like=empty.tallies, least=0, most=MOST_COUNT)
        sums = fitted("sums of losses", self.sums, like=empty.sums, least=0.0)
        curves = len(self.one_vs_rest)
        refuse(f"{curves} curves of {class_count} classes", where=curves not in (0, class_count))
        refuse("more rows right than predicted", where=bool((tallies[:, CORRECT] > tallies[:, PREDICTED]).any()))
        refuse("a confusion of other rows", where=int(confusion.sum()) != int(tallies[:, PREDICTED].sum()))
        one_vs_rest = tuple(cells.checked() for cells in self.one_vs_rest)
        return Classified(confusion, tallies, sums, self.cells.checked(), one_vs_rest)


def no_classified(class_count: int, *, is_binary: bool) -> Classified:
    """Of no rows; *is_binary*: the scores are the probabilities of the second of two classes."""
    size = _kept(class_count) + 1
    strata = STRATA if is_binary else 1
    tallies, sums = np.zeros((STRATA, TALLIES), np.int64), np.zeros((STRATA, SUMS))
    return Classified(np.zeros((strata, size, size), np.int64), tallies, sums, no_cells(), ())


def classified(rows: LabelledRows) -> Classified:
    """The counts of *rows* whose label is no NaN."""
    classes = len(rows.classes)
    is_binary = is_of_two(rows.task, rows.classes)
    empty = no_classified(classes, is_binary=is_binary)
    # NumPy turns a number that is too large for an int into any.
    is_class = (rows.labels >= 0) & (rows.labels < classes)
    labels = np.where(is_class, rows.labels, NO_CLASS).astype(np.intp)
    predictions = np.where(rows.predictions < classes, rows.predictions, NO_CLASS).astype(np.intp)
    strata = strata_of(rows.scores)
    _count(empty.tallies, empty.confusion, strata, labels, predictions)
    finite = np.isfinite(rows.scores)
    empty.tallies[:, IMPROPER] = np.bincount(strata[finite & (strata == STRATA - 1)], minlength=STRATA)
    if is_binary:
        return _of_two(empty, rows.scores, labels, strata)
    return _of_many(empty, rows, labels, predictions, strata)


def is_of_two(task: Task, classes: Sequence[str]) -> bool:
    """Whether scores are probabilities of the second of two *classes*."""
    return task == "binary" and len(classes) == 2


def _count(tallies: Counts, confusion: Counts, strata: NDArray[np.intp], labels: Counts, predictions: Counts) -> None:
    is_predicted = predictions != NO_CLASS
    other = confusion.shape[1] - 1
    label = np.where((labels == NO_CLASS) | (labels > other), other, labels)
    prediction = np.where(predictions > other, other, predictions)
    place = strata if len(confusion) > 1 else np.zeros_like(strata)
    np.add.at(confusion, (place[is_predicted], label[is_predicted], prediction[is_predicted]), 1)
    tallies[:, PREDICTED] = np.bincount(strata[is_predicted], minlength=STRATA)
    tallies[:, CORRECT] = np.bincount(strata[is_predicted & (labels == predictions)], minlength=STRATA)


def _of_two(empty: Classified, scores: Floats, labels: Counts, strata: NDArray[np.intp]) -> Classified:
    has_label = labels != NO_CLASS
    is_ranked = has_label & np.isfinite(scores)
    is_proper = is_ranked & (strata < STRATA - 1)
    hits = (labels == 1)[is_proper]
    of_truth = np.where(hits, scores[is_proper], 1 - scores[is_proper])
    _tally(empty, strata[is_proper], scores[is_proper], hits)
    _add_losses(empty, strata[is_proper], _log_loss(of_truth), (1 - of_truth) ** 2)
    return replace(empty, cells=cells_of(scores[is_ranked], (labels == 1)[is_ranked]))


def _of_many(
    empty: Classified, rows: LabelledRows, labels: Counts, predictions: Counts, strata: NDArray[np.intp]
) -> Classified:
    is_scored = (strata < STRATA - 1) & (predictions != NO_CLASS)
    _tally(empty, strata[is_scored], rows.scores[is_scored], (labels == predictions)[is_scored])
    probabilities = rows.probabilities
    if probabilities is None or probabilities.shape != (rows.row_count, len(rows.classes)) or not rows.classes:
        return empty
    is_told = ((probabilities >= 0) & (probabilities <= 1)).all(axis=1) & (labels != NO_CLASS)
    told, truth = probabilities[is_told], labels[is_told]
    of_truth = told[np.arange(len(truth)), truth]
    hot = truth[:, None] == np.arange(len(rows.classes))
    squares = ((told.astype(np.float64) - hot) ** 2).sum(axis=1)
    _add_losses(empty, strata[is_told], _log_loss(of_truth), squares)
    most = max(MOST_CELLS // len(rows.classes), 1)
    curves = tuple(cells_of(told[:, k].astype(np.float64), hot[:, k], most) for k in range(len(rows.classes)))
    return replace(empty, one_vs_rest=curves if len(truth) else ())


def _tally(empty: Classified, strata: NDArray[np.intp], scores: Floats, hits: NDArray[np.bool_]) -> None:
    empty.tallies[:, SCORED] = np.bincount(strata, minlength=STRATA)
    empty.tallies[:, HITS] = np.bincount(strata[hits], minlength=STRATA)
    empty.sums[:, SCORE] = np.bincount(strata, scores, STRATA)


def _add_losses(empty: Classified, strata: NDArray[np.intp], log_loss: Floats, brier: Floats) -> None:
    empty.tallies[:, PROPER] = np.bincount(strata, minlength=STRATA)
    for column, values in (
        (LOG_LOSS, log_loss),
        (LOG_LOSS_SQUARED, log_loss**2),
        (BRIER, brier),
        (BRIER_SQUARED, brier**2),
    ):
        empty.sums[:, column] = np.bincount(strata, values, STRATA)


def _log_loss(of_truth: NDArray[np.floating]) -> Floats:
    """-log of the probability of what came true, kept from 0 and 1 by the precision of its type, as scikit-learn does."""
    eps = float(np.finfo(of_truth.dtype).eps)
    return -np.log(np.clip(of_truth.astype(np.float64), eps, 1 - eps))


def _kept(class_count: int) -> int:
    return min(class_count, MOST_CLASSES)
