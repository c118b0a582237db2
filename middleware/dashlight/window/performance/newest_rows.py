"""The newest labelled rows of one model, as they are: what a metric of somebody's own is made of."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dashlight.labels.rows import Floats, LabelledRows, Task
from dashlight.window.fitting import fitted, refuse, within

MOST_NEWEST: Final = 10_000


@dataclass(frozen=True, slots=True, eq=False)
class NewestRowsState:
    """What NewestRows hold, all of shape (rows,), the oldest first."""

    task: Task | None
    classes: tuple[str, ...]
    labels: Floats
    predictions: NDArray[np.int32]
    scores: Floats


class NewestRows:
    """Label, prediction and score of the newest MOST_NEWEST rows: 200 kB.

    Rows of another task or other classes than those before begin anew.
    """

    def __init__(self) -> None:
        self._task: Task | None = None
        self._classes: tuple[str, ...] = ()
        self._labels, self._predictions, self._scores = np.zeros(0), np.zeros(0, np.int32), np.zeros(0)

    @property
    def state(self) -> NewestRowsState:
        """All that they hold."""
        return NewestRowsState(self._task, self._classes, self._labels, self._predictions, self._scores)

    def restore(self, state: NewestRowsState) -> None:
        """Go on from *state*; ValueError where it does not fit."""
        size = within("newest rows", state.labels.size, 0, MOST_NEWEST)
        refuse("newest rows of no task", where=state.task is None and bool(size))
        refuse("labels of more than one dimension", where=state.labels.shape != (size,))
        self._labels = _of(state.labels, np.zeros(size))
        self._scores = _of(state.scores, np.zeros(size))
        self._predictions = fitted(
            "newest predictions", state.predictions, like=np.zeros(size, np.int32), least=-(2**31)
        )
        self._task, self._classes = state.task, state.classes

    def add(self, rows: LabelledRows) -> None:
        """Take *rows*, and let go of the oldest."""
        if not rows.row_count:
            return
        if (rows.task, rows.classes) != (self._task, self._classes):
            self.restore(NewestRows().state)
            self._task, self._classes = rows.task, rows.classes
        self._labels = np.concatenate([self._labels, rows.labels])[-MOST_NEWEST:]
        self._predictions = np.concatenate([self._predictions, rows.predictions])[-MOST_NEWEST:]
        self._scores = np.concatenate([self._scores, rows.scores])[-MOST_NEWEST:]

    @property
    def row_count(self) -> int:
        """Rows in it."""
        return self._labels.size

    def arrays(self) -> tuple[Floats, NDArray[np.int32], Floats]:
        """Labels, predictions and scores as in LabelledRows, copies, without rows whose label is no number."""
        is_known = np.isfinite(self._labels)
        return self._labels[is_known], self._predictions[is_known], self._scores[is_known]


def _of(numbers: Floats, like: Floats) -> Floats:
    """*numbers*, which may be NaN or infinite: a row may be without a score."""
    fitted("newest rows", np.nan_to_num(numbers), like=like)
    return numbers.astype(np.float64, copy=False)
