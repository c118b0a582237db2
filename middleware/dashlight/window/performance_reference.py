"""What a reference knows of how good its model was."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dashlight.labels.rows import Floats, Task

LossName: TypeAlias = Literal["error", "squared_error", "absolute_error"]
"""Whether the class was wrong; squared error of a probability (Brier); absolute error of a number."""


@dataclass(frozen=True, slots=True, eq=False)
class ReferenceLoss:
    """A loss of the model in the reference, from 0 to 1, by its score: what losses of live rows are compared with."""

    name: LossName
    scale: float
    """Of an error of a number: what loss 1 stands for, in its units; larger errors lose 1 as well. Else 1."""
    edges: Floats
    """Shape (bins - 1,), ascending: inner edges of the bins of the score; they are right-open."""
    rows: NDArray[np.int64]
    """Shape (bins,): rows whose label is known."""
    sums: Floats
    """Shape (bins,): of their losses."""
    squares: Floats
    """Shape (bins,): of the squares of these."""


@dataclass(frozen=True, slots=True, eq=False)
class PerformanceReference:
    """How good the model was on the reference, whose labels are known."""

    task: Task
    classes: tuple[str, ...]
    """As labels spell them; of a binary task the negative and the positive one; empty where there are none."""
    label: str
    """Its column in the training data; likewise the two that follow. Empty where there is none."""
    score: str
    prediction: str
    rows: int
    """Whose label is known, in the whole reference."""
    scores: Floats
    """Shape (rows of the sample,): as in ScoredRows, of the rows whose bins are in `Reference.sample`; NaN where unknown."""
    predictions: NDArray[np.int32]
    labels: Floats
    """Likewise, as in LabelledRows; NaN where unknown."""
    losses: tuple[ReferenceLoss, ...]
    """Of all rows."""
    calibration: tuple[Floats, Floats] | None = None
    """Of a binary task: scores, ascending, and the share of positive labels there, linear in between, from all rows. None
    where the scores are as good by themselves, or there are none."""
