"""The account of one signal: where everything that was captured is, or what became of it. Nothing is lost without a reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

from dashlight.metrics.losses import SignalFate
from dashlight.window.fitting import within

NOT_WANTED = frozenset({"disabled", "replaced"})
"""Reasons for which something is dropped that nobody misses: there is nowhere to send it, or newer figures are there."""
MOST_REASONS = 32
"""Of one account: all are words of ours."""


@dataclass(frozen=True, slots=True)
class Account:
    """What became of all things of one signal in one process since its start, at one moment.

    captured + recovered = delivered + rejected + sampled_out + sum(dropped) + queued + in_flight + spooled
    """

    captured: int = 0
    """Exchanges (those with a span of ours, for `spans`), answered or lost on the way here, and what else was to be sent."""
    recovered: int = 0
    """Found in the spool that an earlier process left."""
    delivered: int = 0
    rejected: int = 0
    """Not taken by the collector, for good."""
    sampled_out: int = 0
    """Not drawn by the sampler."""
    dropped: Mapping[str, int] = field(default_factory=dict[str, int])
    """By reason."""
    queued: int = 0
    """Waiting, for the analysis or for a batch."""
    in_flight: int = 0
    spooled: int = 0
    """On disk."""
    in_flight_on_disk: int = 0
    """Of those in flight, the ones that are on disk until they have arrived: they outlive the process."""

    @property
    def balance(self) -> int:
        """What came less what is known of it: 0, or the account is wrong."""
        known = self.delivered + self.rejected + self.sampled_out + sum(self.dropped.values())
        return self.captured + self.recovered - known - self.queued - self.in_flight - self.spooled

    @property
    def in_memory(self) -> int:
        """What would be lost with the process, if it ended now."""
        return self.queued + self.in_flight - self.in_flight_on_disk

    @property
    def lost(self) -> Mapping[str, int]:
        """What was not delivered and never will be, by reason; `rejected` among it."""
        lost = {reason: count for reason, count in self.dropped.items() if count and reason not in NOT_WANTED}
        return {**lost, "rejected": self.rejected} if self.rejected else lost

    def ended(self, reason: str) -> Account:
        """As it stands once its process has ended: what waited in memory is dropped for *reason*."""
        dropped = self.dropped
        if self.in_memory:
            dropped = {**dropped, reason: dropped.get(reason, 0) + self.in_memory}
        spooled = self.spooled + self.in_flight_on_disk
        return replace(self, dropped=dropped, queued=0, in_flight=0, spooled=spooled, in_flight_on_disk=0)

    def fates(self, signal: str) -> dict[SignalFate, int]:
        """What was delivered, dropped and rejected, as it is shown of *signal*; only what there is."""
        found = {
            SignalFate(signal, "delivered"): self.delivered,
            SignalFate(signal, "replaced"): self.dropped.get("replaced", 0),
            **{
                SignalFate(signal, "dropped", reason): count
                for reason, count in self.dropped.items()
                if reason not in NOT_WANTED
            },
            SignalFate(signal, "rejected"): self.rejected,
        }
        return {key: count for key, count in found.items() if count}


def added(accounts: Sequence[Account]) -> Account:
    """The sum of *accounts*."""
    dropped: Counter[str] = Counter()
    for each in accounts:
        dropped.update(each.dropped)
    return Account(
        captured=sum(each.captured for each in accounts),
        recovered=sum(each.recovered for each in accounts),
        delivered=sum(each.delivered for each in accounts),
        rejected=sum(each.rejected for each in accounts),
        sampled_out=sum(each.sampled_out for each in accounts),
        dropped=dict(dropped),
        queued=sum(each.queued for each in accounts),
        in_flight=sum(each.in_flight for each in accounts),
        spooled=sum(each.spooled for each in accounts),
        in_flight_on_disk=sum(each.in_flight_on_disk for each in accounts),
    )


def check_account(account: Account) -> None:
    """Raises ValueError where no process can have such an *account*."""
    within("reasons", len(account.dropped), 0, MOST_REASONS)
    counts = (
        account.captured, account.recovered, account.delivered, account.rejected, account.sampled_out,
        account.queued, account.in_flight, account.spooled, account.in_flight_on_disk, account.in_memory,
    )  # fmt: skip
    for count in chain(counts, account.dropped.values()):
        within("a count of an account", count)
    if account.balance:
        raise ValueError(f"an account that does not add up: {account.balance} too many")
