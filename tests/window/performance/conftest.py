"""Labelled rows made from plain values."""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import pytest

from dashlight.labels.rows import NO_CLASS, LabelledRows, Task

Rows: TypeAlias = Callable[..., LabelledRows]


@pytest.fixture
def labelled() -> Rows:
    """Makes rows of a task with labels, scores and predictions; all else is usual where it is not said."""

    def made(task: Task, labels: Any, scores: Any = None, predictions: Any = None, **others: Any) -> LabelledRows:
        count = len(labels)
        usual: dict[str, Any] = {
            "classes": ("no", "yes") if task == "binary" else (),
            "predicted_at": np.zeros(count),
            "labelled_at": np.ones(count),
            "steps": np.zeros(count, np.int32),
            "is_implied": np.zeros(count, np.bool_),
        }
        return LabelledRows(
            model=("/predict", "fraud", "1"),
            task=task,
            labels=np.asarray(labels, np.float64),
            scores=np.full(count, np.nan) if scores is None else np.asarray(scores, np.float64),
            predictions=np.full(count, NO_CLASS, np.int32)
            if predictions is None
            else np.asarray(predictions, np.int32),
            **{**usual, **others},
        )

    return made
