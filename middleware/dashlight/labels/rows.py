"""Rows of predictions as performance needs them: before their labels are known (ScoredRows) and after (LabelledRows)."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from dashlight.labels.ids import KEY_BYTES as KEY_BYTES  # noqa: PLC0414 - whoever only spells ids needs no numpy

Task: TypeAlias = Literal["binary", "multiclass", "regression", "ranking", "text"]
"""What is predicted, and so how it is measured; a forecast is a regression whose rows have a step."""
ModelKey: TypeAlias = tuple[str, str, str]
"""Endpoint, model and version."""
Floats: TypeAlias = NDArray[np.float64]

MOST_CLASSES = 32
"""Of which the probabilities are kept."""
MOST_ITEMS = 20
"""Of a ranking that are kept, from the top."""
NO_CLASS = -1
"""Code of a prediction or a label that is none of the classes."""


@dataclass(frozen=True, slots=True, eq=False)
class ScoredRows:
    """Predictions of one model that wait for their labels: one row each, a row of a batch or a step of a forecast."""

    model: ModelKey
    task: Task
    classes: tuple[str, ...]
    """Names of the classes, as labels spell them; of a binary task the negative and the positive one; empty otherwise."""
    keys: NDArray[np.void]
    """Shape (rows,), of KEY_BYTES each: keyed hash (`ids.key_of`) of our own prediction id, by which every row is known."""
    origins: NDArray[np.void]
    """Shape (rows,), of 16 bytes: our own id of the exchange, which may be told; `rows` are numbered in it."""
    places: NDArray[np.int32]
    """Shape (rows,): number of the row in its exchange, from 0."""
    predicted_at: Floats
    """Shape (rows,): seconds since the epoch."""
    scores: Floats
    """Shape (rows,): probability of the positive class; of many classes that of the top one; of a regression what was
    predicted; NaN where there is none."""
    predictions: NDArray[np.int32]
    """Shape (rows,): place of the predicted class in *classes*; NO_CLASS where there is none."""
    steps: NDArray[np.int32]
    """Shape (rows,): step of a forecast, from 1; 0 where it is none."""
    probabilities: NDArray[np.float32] | None = None
    """Shape (rows, classes) for more than two classes, at most MOST_CLASSES; None where they were not told."""
    items: NDArray[np.uint64] | None = None
    """Shape (rows, at most MOST_ITEMS): of a ranking, `ids.item_of` of its items from the top; 0 beyond its end."""
    entities: NDArray[np.void] | None = None
    """Shape (rows,), of KEY_BYTES each: keyed hash of the entity by which labels without an id are joined."""
    segments: NDArray[np.uint8] | None = None
    """Shape (segment columns, rows): in which segment of each column the row is, see `window.parts.segments`."""
    segmented_by: tuple[str, ...] = ()
    """Names of these columns: what is a segment may be another when the labels come."""
    reference: str = ""
    """Version of the reference over whose bins *codes* are."""
    sampled: NDArray[np.intp] | None = None
    """Shape (sampled,): places of the rows that were drawn to keep their bins, ascending."""
    codes: NDArray[np.uint8] | None = None
    """Shape (columns of the reference, sampled): their bins."""
    other_keys: NDArray[np.void] | None = None
    """Shape (rows,), of KEY_BYTES each: likewise of the id that somebody else gave it, by which it is known as well: the
    payload's, else the server's, else that of the trace; all zero where there is none. None where no row has one."""

    @property
    def row_count(self) -> int:
        """Rows in it."""
        return len(self.keys)


@dataclass(frozen=True, slots=True, eq=False)
class LabelledRows:
    """Predictions of one model whose labels have come, in the order in which they came."""

    model: ModelKey
    task: Task
    classes: tuple[str, ...]
    predicted_at: Floats
    labelled_at: Floats
    """When the label came: what came later cannot have been known."""
    scores: Floats
    predictions: NDArray[np.int32]
    labels: Floats
    """Place of the label's class in *classes* (NO_CLASS: none of them); the number; of a ranking the place, from 1, of the
    item that was chosen, 0: it was not among those shown, or nothing was; of a text the grade."""
    steps: NDArray[np.int32]
    is_implied: NDArray[np.bool_]
    """Whether nobody said it: no label came within DASHLIGHT_POSITIVE_WITHIN."""
    probabilities: NDArray[np.float32] | None = None
    segments: NDArray[np.uint8] | None = None
    """As in ScoredRows. None: nobody knows in which segments they are, for their predictions were counted without segments, or
    stood in a sealed id, which holds no bins; they count for the whole alone."""
    segmented_by: tuple[str, ...] = ()
    reference: str = ""
    """Version of the reference over whose bins *segments* and *codes* are; empty where there are none."""
    sampled: NDArray[np.intp] | None = None
    """Shape (sampled,): places of the rows that were drawn to keep their bins, ascending."""
    codes: NDArray[np.uint8] | None = None
    """Shape (columns of the reference, sampled): their bins."""
    origins: NDArray[np.void] | None = None
    """Shape (sampled,), of 16 bytes: of these rows our own id of the exchange, by which it may be shown as an example."""

    @property
    def row_count(self) -> int:
        """Rows in it."""
        return len(self.labels)
