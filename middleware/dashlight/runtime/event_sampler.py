"""Which exchanges become events: a share of all, drawn, and beside them those that show something, within limits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias, get_args

from dashlight.records import Exchange
from dashlight.runtime.draw import Draw, never

Reason: TypeAlias = Literal["failure", "undecodable", "wrong_type", "new_category", "out_of_range", "slow", "refusal"]
"""What an exchange shows, the most telling first."""
REASONS: Final[tuple[Reason, ...]] = get_args(Reason)
DRAWN: Final = "drawn"
EVENTS_A_SECOND: Final = 10.0
"""Of each reason, over time, ..."""
BURST_SECONDS: Final = 10.0
"""... and at once those of so many seconds."""
_RESERVE: Final = EVENTS_A_SECOND * BURST_SECONDS / 2
"""Of the room of a reason, for exchanges that show nothing more telling: where two reasons come together in a flood, each
by itself is still seen."""
_MINUTE_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Kept:
    """Why an exchange becomes an event."""

    probability: float | None
    """With which it was drawn; None where it was not, so that it stands for no other."""
    reasons: tuple[Reason, ...] = ()
    """What it shows, drawn or not; of one that was not drawn the first is that which let it in."""
    minute: _Minute | None = None
    """In which the first reason was counted; None where it was drawn."""

    @property
    def kept_share(self) -> float | None:
        """Part of the exchanges with the first reason, of those not drawn, that was kept in this minute so far."""
        return None if self.minute is None else self.minute.kept / self.minute.seen


@dataclass(slots=True)
class _Minute:
    """Exchanges with one reason in one minute, those apart that were drawn."""

    number: float = -1.0
    seen: int = 0
    kept: int = 0


@dataclass(slots=True)
class _Bucket:
    """Room for exchanges with one reason, and what it let in."""

    tokens: float = EVENTS_A_SECOND * BURST_SECONDS
    filled_at: float = 0.0
    minute: _Minute = field(default_factory=_Minute)

    def see(self, at: float) -> None:
        if at // _MINUTE_SECONDS > self.minute.number:
            self.minute = _Minute(at // _MINUTE_SECONDS)
        self.minute.seen += 1

    def spend(self, at: float, *, reserve: float) -> bool:
        gained = max(0.0, at - self.filled_at) * EVENTS_A_SECOND
        self.tokens = min(EVENTS_A_SECOND * BURST_SECONDS, self.tokens + gained)
        self.filled_at = max(self.filled_at, at)
        if self.tokens < 1 + reserve:
            return False
        self.tokens -= 1
        return True


class EventSampler:
    """Decides for each exchange whether it is sent as an event, and counts what is not.

    A share of all is drawn by trace id. Those that show something (see Reason) are kept beside it, of each reason up to ten a
    second over time and a hundred at once: a service that fails throughout must neither flood its collector nor hide what
    else is odd. A rate of 0 sends no exchange at all.
    """

    def __init__(self, rate: float, *, by_ratio: Callable[[], bool] = never) -> None:
        """*rate* (0 to 1) is the share; *by_ratio* as Draw has it."""
        self.draws = Draw(rate, by_ratio=by_ratio)
        """Whether an exchange is drawn, whatever it shows: the same whenever it is asked."""
        self.sampled_out = 0
        """Exchanges that became no event, since the start."""
        self.kept: Counter[str] = Counter()
        """Those that did: `drawn`, or by the reason that let them in."""
        self._buckets: dict[Reason, _Bucket] = {reason: _Bucket() for reason in REASONS}
        self._drawn = Kept(rate)

    def decide(self, exchange: Exchange, reasons: tuple[Reason, ...], *, at: float) -> Kept | None:
        """Why *exchange*, which shows *reasons* and ended at *at* (seconds since the epoch), is kept; None where it is not."""
        if self.draws(exchange):
            self.kept[DRAWN] += 1
            return Kept(self._drawn.probability, reasons) if reasons else self._drawn
        if reasons and self._drawn.probability:
            buckets = self._buckets
            for reason in reasons:
                buckets[reason].see(at)
            first: Reason | None = next(
                (
                    reason
                    for place, reason in enumerate(reasons)
                    if buckets[reason].spend(at, reserve=_RESERVE if place else 0.0)
                ),
                None,
            )
            if first is not None:
                self.kept[first] += 1
                for reason in reasons:
                    buckets[reason].minute.kept += 1
                others: tuple[Reason, ...] = tuple(reason for reason in reasons if reason != first)
                return Kept(None, (first, *others), buckets[first].minute)
        self.sampled_out += 1
        return None
