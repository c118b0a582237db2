"""The rows of a window as estimates need them: all that have a score, and those of them whose bins are kept."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.performance.estimates.one_hot import Codes
from dashlight.labels.rows import NO_CLASS, Floats, ScoredRows

_NO_SCORES = np.empty(0, np.float64)
_NO_PREDICTIONS = np.empty(0, np.int32)


@dataclass(frozen=True, slots=True, eq=False)
class WindowRows:
    """Rows of one window, all of one model and task, each with a score."""

    scores: Floats
    """Shape (rows,), finite."""
    predictions: NDArray[np.int32]
    probabilities: Floats | None
    """Shape (rows, classes); None where not all rows have them."""
    codes: Codes
    """Shape (columns of the reference, coded rows)."""
    coded: NDArray[np.intp]
    """Shape (coded rows,): their places among the rows."""
    coded_rows: int
    """Rows whose bins are kept, those without a score too."""
    all_codes: Codes
    """The bins of these."""


def window_rows(parts: Sequence[ScoredRows], version: str, columns: int) -> WindowRows:
    """The rows of *parts*; bins over another reference than that of *version*, with *columns* columns, are left out."""
    scores = np.concatenate([_NO_SCORES, *(part.scores for part in parts)])
    is_scored = np.isfinite(scores)
    offsets = np.cumsum([0, *(part.row_count for part in parts)])
    codes: list[Codes] = [np.empty((columns, 0), np.uint8)]
    places: list[NDArray[np.intp]] = [np.empty(0, np.intp)]
    for offset, part in zip(offsets.tolist(), parts, strict=False):
        if (
            part.codes is not None
            and part.sampled is not None
            and part.reference == version
            and len(part.codes) == columns
        ):
            codes.append(part.codes)
            places.append(part.sampled + offset)
    all_codes, coded = np.concatenate(codes, axis=1), np.concatenate(places)
    has_score = is_scored[coded]
    of_scored = np.cumsum(is_scored) - 1
    widths = {None if part.probabilities is None else part.probabilities.shape[1] for part in parts}
    probabilities = None
    if len(widths) == 1 and None not in widths:
        probabilities = np.concatenate([np.asarray(part.probabilities, np.float64) for part in parts])[is_scored]
    return WindowRows(
        scores[is_scored],
        np.concatenate([_NO_PREDICTIONS, *(part.predictions for part in parts)])[is_scored],
        probabilities,
        all_codes[:, has_score],
        of_scored[coded[has_score]],
        all_codes.shape[1],
        all_codes,
    )


def is_positive(scores: Floats, predictions: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Of a binary task, for which rows the positive class was predicted: where nobody said, from a score of one half on."""
    return np.where(predictions == NO_CLASS, scores >= 0.5, predictions == 1)
