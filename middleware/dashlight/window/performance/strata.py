"""The tenths of the score by which rows are counted apart: who gets a label often depends on the score."""

import numpy as np
from numpy.typing import NDArray

from dashlight.labels.rows import Floats

TENTHS = 10
NO_SCORE = TENTHS
"""Of rows whose score is no probability, or that have none."""
STRATA = TENTHS + 1


def strata_of(scores: Floats) -> NDArray[np.intp]:
    """The stratum of each score: 0 is [0, .1), 9 is [.9, 1], NO_SCORE whatever is no probability."""
    is_probability = (scores >= 0) & (scores <= 1)
    tenths = np.minimum(np.where(is_probability, scores, 0.0) * TENTHS, TENTHS - 1).astype(np.intp)
    return np.where(is_probability, tenths, NO_SCORE)
