"""One label as it comes, and what became of it."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

LabelValue: TypeAlias = str | float | bool
Fate: TypeAlias = Literal["matched", "unknown", "duplicate", "invalid", "too_late"]
"""What became of a label. `matched`: its prediction was found; `unknown`: no prediction has this id, so far; `duplicate`:
it was there already; `invalid`: it is no label of this prediction, or the id is forged; `too_late`: DASHLIGHT_LABEL_WINDOW
is over."""
JOINED_LATER = "joined_later_"
"""Before the fate of a label that was `unknown` when it came, once its prediction is there."""


@dataclass(frozen=True, slots=True)
class Label:
    """The truth about one prediction, by its id or by whom it was about."""

    id: str
    """As whoever sends it knows it (see `ids`); empty where *entity* says which."""
    value: LabelValue
    """A class, a number, a grade; of a ranking the item that was chosen."""
    at: float | None = None
    """When it became known, seconds since the epoch; None: when it comes."""
    entity: str = ""
    """Whom the prediction was about, where there is no id."""
    within_seconds: float = 0.0
    """So long before *at* the prediction may have been, where *entity* says which."""
