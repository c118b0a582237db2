"""The loss that a row was expected to have before its label came."""

import numpy as np
from numpy.typing import NDArray

from dashlight.labels.rows import Floats
from dashlight.window.performance_reference import LossName, ReferenceLoss


def losses_of_two(name: LossName, scores: Floats, predicted: NDArray[np.bool_], chances: Floats) -> Floats:
    """Of a binary task: the chance that the predicted class is wrong, or the expected squared error of the score.

    *chances* are the calibrated probabilities of the positive class; NaN where they are.
    """
    if name == "error":
        return np.where(predicted, 1 - chances, chances)
    return chances * (1 - scores) ** 2 + (1 - chances) * scores**2


def losses_by_bin(loss: ReferenceLoss, scores: Floats) -> Floats:
    """The mean loss of the reference's rows whose score is in the same bin; of all of them where that says nothing.

    NaN where the reference has no rows at all.
    """
    total = float(loss.rows.sum())
    overall = float(loss.sums.sum()) / total if total else np.nan
    means = np.divide(loss.sums, loss.rows, out=np.full(len(loss.sums), overall), where=loss.rows > 0)
    of_rows = means[np.searchsorted(loss.edges, scores, side="right")]
    return np.where(np.isfinite(scores), of_rows, overall)
