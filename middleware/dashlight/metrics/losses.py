"""The keys under which Dashlight counts what it delivered, what it lost and why, and its own mistakes."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

Fate: TypeAlias = Literal["delivered", "dropped", "rejected", "replaced", "mistake"]
"""Taken by the collector; lost here; refused by the collector for good; overtaken by newer figures; lost by a mistake of
Dashlight's own."""


class SignalFate(NamedTuple):
    """What became of things of one signal, and why; a count stands beside it."""

    signal: str
    """`exchanges`, `bodies`, `rows`, `spans`, `events`, `metrics`, `alerts`, `commands`, `heartbeats`, `labels`,
    `slices`, `versions` or `files`."""
    fate: Fate
    reason: str = ""
    """Why something was dropped, or the type of a mistake; empty where *fate* says it all."""
    part: str = ""
    """Which file, where the signal is `files`: the log names it, metrics do not. Which route, where it is `alerts`."""

    @property
    def is_loss(self) -> bool:
        """Whether something is missing for it; newer metrics hold all that older ones did."""
        return self.fate not in {"delivered", "replaced"}

    def __str__(self) -> str:
        """As the log has it: `exchanges inbox_full`, `events rejected`, `files mailbox corrupt`."""
        fate = "" if self.fate == "dropped" else self.fate
        return " ".join(filter(None, (self.signal, self.part, fate, self.reason)))


INBOX_FULL = SignalFate("exchanges", "dropped", "inbox_full")
"""Exchanges for which there was no room before analysis."""
BODIES_DROPPED = SignalFate("bodies", "dropped", "inbox_full")
"""Exchanges that were counted without their bodies, for which there was no room before analysis."""
TOO_MANY_ALERTS = SignalFate("alerts", "dropped", "too_many")
"""Alerts that began while too many others were in force."""
