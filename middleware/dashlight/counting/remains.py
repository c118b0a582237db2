"""What is left of a process that ended, however it ended: the counts that it had not handed on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dashlight.metrics.accounts import Account
from dashlight.metrics.losses import SignalFate
from dashlight.metrics.machine_accounts import check_accounts
from dashlight.records import Outcome
from dashlight.window.fitting import within

MOST_UNCOUNTED = 8
"""Panes of one process that were not handed on."""
MOST_ROUTES = 64
"""Endpoints in one of them."""
MOST_LOSSES = 256
"""Kinds of losses in one of them."""


@dataclass(frozen=True, slots=True)
class Uncounted:
    """What a process had counted in one pane, as far as it is exact and short: no latencies, no rows."""

    requests: Mapping[str, Mapping[Outcome, int]] = field(default_factory=dict[str, Mapping[Outcome, int]])
    """Exchanges by endpoint and outcome."""
    counts: Mapping[SignalFate, int] = field(default_factory=dict[SignalFate, int])
    """What was lost and why, as in `MachinePane`."""

    @property
    def request_count(self) -> int:
        """Exchanges in all."""
        return sum(sum(outcomes.values()) for outcomes in self.requests.values())


@dataclass(frozen=True, slots=True)
class Remains:
    """What is left of one process."""

    process: str
    panes: Mapping[int, Uncounted] = field(default_factory=dict[int, Uncounted])
    """By number, those that it had not handed on as far as it knew: whoever has counted one of them passes it over."""
    accounts: Mapping[str, Account] | None = None
    """Its last accounts, by signal; None where it left none."""
    has_left: bool = False
    """Whether it had said that it leaves: then it ended by itself, and told what it could not send."""

    @property
    def number(self) -> int:
        """Of the pane that it was counting."""
        return max(self.panes, default=0)


def check_remains(remains: Remains) -> None:
    """Raises ValueError, saying what is wrong, where no process can have left *remains*."""
    within("panes", len(remains.panes), 0, MOST_UNCOUNTED)
    for number, pane in remains.panes.items():
        within("number of a pane", number)
        within("endpoints", len(pane.requests), 0, MOST_ROUTES)
        within("kinds of losses", len(pane.counts), 0, MOST_LOSSES)
        for outcomes in pane.requests.values():
            for count in outcomes.values():
                within("exchanges", count, 0, 2**48)
        for count in pane.counts.values():
            within("losses", count, 0, 2**48)
    if remains.accounts is not None:
        check_accounts(remains.accounts)
