"""What a store of labels does, whichever it is: it keeps predictions, takes labels, and gives what has met."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from dashlight.labels.label import Fate, Label
from dashlight.labels.rows import Floats, LabelledRows, ModelKey, ScoredRows

NOTHING_OPENED: Final[Mapping[int, ScoredRows]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, eq=False)
class Met:
    """Predictions whose labels have come since a cursor."""

    rows: tuple[LabelledRows, ...]
    cursor: int
    """From which to go on; 0 is the beginning. Whoever goes on from it gets no row twice and misses none."""
    is_all: bool = True
    """Whether there is nothing more by now."""


@dataclass(frozen=True, slots=True, eq=False)
class WaitingCounts:
    """How many predictions of a model there are, and how many of them have labels, by age and score."""

    predicted_at: Floats
    """Shape (cells,): when the hour began in which they were made."""
    score_bins: NDArray[np.int32]
    """Shape (cells,): tenths of the score, 0 to 9; -1 where there is none."""
    predictions: NDArray[np.int64]
    """Shape (cells,): how many there are."""
    labelled: NDArray[np.int64]
    """Shape (cells,): to how many of them a label has come."""


class LabelStore(Protocol):
    """Keeps predictions until their labels come, for all processes that share it. May be used from any thread.

    What goes wrong is counted and shown (`troubles`); nothing of it reaches the app. All but `keep`, `troubles`, `flush`,
    `close` and `forget` raise StateError where the store cannot be used for the moment.
    """

    def keep(self, rows: ScoredRows) -> None:
        """Takes predictions; returns at once, they are written in batches by a thread of the store's own."""
        ...

    def label(
        self, labels: Sequence[Label], at: float, *, opened: Mapping[int, ScoredRows] = NOTHING_OPENED
    ) -> Sequence[Fate]:
        """Takes labels that came *at*; what became of each. Waits for the disk: never on an event loop.

        Args:
            labels: The labels. One whose prediction is not here, so far, is `unknown`; it waits for a while, and joins its
                prediction when that is written.
            at: Seconds since the epoch.
            opened: By number of the label, the one row that its sealed id held: it need not be kept here, and takes one
                label only, like any other.

        Raises:
            StateError: it cannot be used for the moment; some of *labels* may be stored, which are duplicates if sent again.
        """
        ...

    def imply(self, model: ModelKey, *, before_at: float, most_rows: int, since_at: float = 0.0) -> int:
        """Takes predictions made before *before_at* that have no label for negative, the oldest first; how many it took.

        Those made before *since_at*, when nothing could be known, are passed over for good: they get no label any more.

        Fewer than *most_rows*: there are no more. They are handed out by `met`, and are final: a label that comes later is
        `too_late`. Of tasks without a negative (all but binary and ranking) it takes none.
        """
        ...

    def met(self, cursor: int, *, most_rows: int) -> Met:
        """What has met since *cursor*, the oldest first."""
        ...

    def waiting(self, model: ModelKey, *, since_at: float) -> WaitingCounts:
        """Predictions made from *since_at* on, with and without a label."""
        ...

    def unlabelled(self, model: ModelKey, *, since_at: float, most_rows: int) -> ScoredRows | None:
        """The newest predictions without a label, with origins and places, to say which labels would help."""
        ...

    def scored(self, model: ModelKey, *, since_at: float, until_at: float, most_rows: int) -> Sequence[ScoredRows]:
        """Predictions of a time, labelled or not, sampled uniformly where there are more; those that were drawn with their bins."""
        ...

    def troubles(self) -> Mapping[str, int]:
        """What was lost, and what went wrong, by reason, since the start."""
        ...

    def flush(self, timeout_seconds: float) -> None:
        """Writes what is waiting."""
        ...

    def close(self, timeout_seconds: float) -> None:
        """Writes what is waiting, and ends its thread."""
        ...

    def forget(self) -> None:
        """Lets go of what belongs to the parent process: what a forked child does at once."""
        ...
