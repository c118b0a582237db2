"""What a store of labels tells whoever judges: what has met since the last pane, and what still waits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dashlight.labels.rows import LabelledRows, ModelKey, ScoredRows
from dashlight.labels.store import WaitingCounts
from dashlight.records import Score


@dataclass(frozen=True, slots=True, eq=False)
class ScoredWindow:
    """Predictions of one model in a span of time, labelled or not."""

    model: ModelKey
    since_at: float
    until_at: float
    rows: Sequence[ScoredRows]
    is_day: bool
    """Whether it is a whole day: what is estimated of days is compared with the truth later."""


@dataclass(frozen=True, slots=True, eq=False)
class LabelNews:
    """What was read from a store for one pane."""

    cursor: int
    """From which the next pane goes on."""
    rows: Sequence[LabelledRows] = ()
    """In the order in which their labels came."""
    waiting: Mapping[ModelKey, WaitingCounts] = field(default_factory=dict[ModelKey, WaitingCounts])
    """Of models whose coverage was asked for, as far back as labels are taken."""
    windows: Sequence[ScoredWindow] = ()
    """Of models of which something is to be estimated."""
    own: Mapping[ModelKey, Sequence[Score]] = field(default_factory=dict[ModelKey, Sequence[Score]])
    """What metrics of somebody's own gave."""
