"""What a store of labels tells whoever judges: what has met since the last pane, and what still waits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dashlight.labels.rows import LabelledRows, ModelKey, ScoredRows
from dashlight.labels.store import WaitingCounts


@dataclass(frozen=True, slots=True, eq=False)
class LabelNews:
    """What was read from a store for one pane."""

    cursor: int
    """From which the next pane goes on."""
    rows: Sequence[LabelledRows] = ()
    """In the order in which their labels came."""
    waiting: Mapping[ModelKey, WaitingCounts] = field(default_factory=dict[ModelKey, WaitingCounts])
    """Of models whose coverage was asked for."""
    scored: Mapping[ModelKey, Sequence[ScoredRows]] = field(default_factory=dict[ModelKey, Sequence[ScoredRows]])
    """Predictions, of the models that an estimate is due of."""
    until_at: float = 0.0
    """When the span ended that *scored* are of."""
