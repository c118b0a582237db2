"""What would have been seen by now, of each column: the smallest shift, and the smallest rates. Pure."""

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from dashlight.judge.columns.judge import DriftJudge
from dashlight.judge.columns.scores import known_scores
from dashlight.records import Score

SHIFT = "minimum_detectable_shift"


def detectable_shifts(judge: DriftJudge, rows: NDArray[np.float64], hidden: Collection[str]) -> list[Score]:
    """What *judge* would have seen in so many *rows* of every column that is not *hidden*; nothing of what it would not.

    That is the smallest shift, in Cohen's h, and the smallest rates of missing values and new categories.
    """
    if not judge.columns:
        return []
    rates = {f"minimum_detectable_{rate}": values for rate, values in judge.minimum_detectable_rates(rows).items()}
    found = known_scores(judge.columns, {SHIFT: judge.minimum_detectable_shift(rows)} | rates, rows)
    return [score for score in found if score.column not in hidden]
