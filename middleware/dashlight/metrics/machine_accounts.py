"""The accounts of all processes of a machine, those that have ended too, as one for each signal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from dashlight.metrics.accounts import Account, added, check_account
from dashlight.metrics.figures import Figure
from dashlight.metrics.instruments import figure
from dashlight.window.fitting import within

KILLED = "killed"
"""Reason: it waited in the memory of a process that ended without sending it."""
SHUTDOWN = "shutdown"
"""Reason: it was still waiting when its process ended by itself."""
MOST_SIGNALS = 8
MOST_PROCESSES = 256
"""That run, as far as is known; the one heard of longest ago is taken for ended, if there are more."""
MOST_ENDED = 64
"""Remembered by name, so that what one of them left is not added twice; those that ended last."""


@dataclass(frozen=True, slots=True)
class ProcessAccounts:
    """The last that is known of one process."""

    accounts: Mapping[str, Account]
    """By signal, since its start."""
    number: int
    """Of the last pane of it that is counted."""
    has_ended: bool = False


@dataclass(frozen=True, slots=True)
class MachineAccountsState:
    """What MachineAccounts hold."""

    processes: Mapping[str, ProcessAccounts] = field(default_factory=dict[str, ProcessAccounts])
    ended: Mapping[str, Account] = field(default_factory=dict[str, Account])
    left: Mapping[str, int] = field(default_factory=dict[str, int])
    taken_over: Mapping[str, int] = field(default_factory=dict[str, int])


class MachineAccounts:
    """What became of everything since the counters began, whichever process had it.

    Each process tells its whole account every time, so that nothing is counted twice, whatever is heard again or from
    whomever. What an ended process left in the spool stays there until another takes it over, who calls it `recovered`: of
    the machine that is neither new nor gone, so that only what is older than the counters is recovered.
    """

    def __init__(self) -> None:
        self._processes: dict[str, ProcessAccounts] = {}
        self._ended: dict[str, Account] = {}
        """Sums over the ended ones that are remembered no longer."""
        self._left: Counter[str] = Counter()
        """What ended processes left in the spool and nobody has taken over."""
        self._taken_over: Counter[str] = Counter()
        """What one process spooled and another recovered."""

    @property
    def state(self) -> MachineAccountsState:
        """All that they hold."""
        return MachineAccountsState(self._processes, self._ended, self._left, self._taken_over)

    def restore(self, state: MachineAccountsState) -> None:
        """Goes on from *state*; ValueError where it holds too much, or what cannot be."""
        within("processes", len(state.processes), 0, MOST_PROCESSES + MOST_ENDED)
        for process in state.processes.values():
            check_accounts(process.accounts)
            within("number of a pane", process.number)
        check_accounts({signal: replace(account, spooled=account.balance) for signal, account in state.ended.items()})
        for counts in (state.left, state.taken_over):
            within("signals", len(counts), 0, MOST_SIGNALS)
            for count in counts.values():
                within("events in the spool", count)
        self._processes, self._ended = dict(state.processes), dict(state.ended)
        self._left, self._taken_over = Counter(state.left), Counter(state.taken_over)

    def hear(self, process: str, accounts: Mapping[str, Account], number: int) -> None:
        """Notes what a process tells of itself with its pane of this *number*."""
        if self.has_ended(process) and number <= self.number(process):
            return  # what it left later is counted
        known = self._processes.pop(process, None)
        if known is not None and known.has_ended:  # it was only silent
            for signal, account in known.accounts.items():
                self._left[signal] -= min(account.spooled, self._left[signal])
        for signal, account in accounts.items():
            before = known.accounts.get(signal, Account()) if known is not None else Account()
            handed_over = min(max(account.recovered - before.recovered, 0), self._left[signal])
            self._left[signal] -= handed_over
            self._taken_over[signal] += handed_over
        # Behind all others: the first is the one heard of longest ago.
        self._processes[process] = ProcessAccounts(accounts, max(number, known.number if known is not None else 0))
        running = self.running
        for overdue in running[: max(len(running) - MOST_PROCESSES, 0)]:
            self.end(overdue)

    def end(
        self, process: str, accounts: Mapping[str, Account] | None = None, *, number: int = 0, reason: str = KILLED
    ) -> Mapping[str, int]:
        """Notes that a process runs no longer; what it lost with that, by signal.

        *accounts* is what it left of itself while it counted its pane of this *number*; None: the last heard of it is true.
        What waited in its memory is dropped for *reason*.
        """
        if self.has_ended(process):
            return {}
        if accounts is not None:
            self.hear(process, accounts, number)
        known = self._processes.get(process, ProcessAccounts({}, 0))
        lost = {signal: each.in_memory for signal, each in known.accounts.items()}
        over = {signal: each.ended(reason) for signal, each in known.accounts.items()}
        for signal, account in over.items():
            self._left[signal] += account.spooled
        self._processes.pop(process, None)
        self._processes[process] = ProcessAccounts(over, known.number, has_ended=True)
        ended = [name for name, each in self._processes.items() if each.has_ended]
        for forgotten in ended[: max(len(ended) - MOST_ENDED, 0)]:
            for signal, account in self._processes.pop(forgotten).accounts.items():
                self._ended[signal] = added([self._ended.get(signal, Account()), replace(account, spooled=0)])
        return {signal: count for signal, count in lost.items() if count}

    def has_ended(self, process: str) -> bool:
        """Whether the process is known to run no longer."""
        known = self._processes.get(process)
        return known is not None and known.has_ended

    def number(self, process: str) -> int:
        """Number of the last pane of the process that is counted; 0 where none is."""
        known = self._processes.get(process)
        return known.number if known is not None else 0

    @property
    def running(self) -> list[str]:
        """Processes of which it is not known that they ended; the one heard of longest ago first."""
        return [name for name, each in self._processes.items() if not each.has_ended]

    def accounts(self) -> dict[str, Account]:
        """The account of each signal, of all processes together."""
        parts: dict[str, list[Account]] = {signal: [account] for signal, account in self._ended.items()}
        for process in self._processes.values():
            for signal, account in process.accounts.items():
                part = replace(account, spooled=0) if process.has_ended else account
                parts.setdefault(signal, []).append(part)
        found: dict[str, Account] = {}
        for signal, alike in sorted(parts.items()):
            whole = added(alike)
            found[signal] = replace(
                whole,
                recovered=whole.recovered - self._taken_over[signal],
                spooled=whole.spooled + self._left[signal],
            )
        return found

    def figures(self) -> Iterator[Figure]:
        """The accounts as metrics, all of one cut."""
        for signal, account in self.accounts().items():
            named = {"dashlight.signal": signal}
            yield figure("dashlight.captured", account.captured, named)
            yield figure("dashlight.recovered", account.recovered, named)
            yield figure("dashlight.sampled_out", account.sampled_out, named)
            yield figure("dashlight.delivered", account.delivered, named)
            for reason, count in {**account.dropped, "rejected": account.rejected}.items():
                if count:
                    yield figure("dashlight.dropped", count, {**named, "dashlight.reason": reason})
            for state in ("queued", "in_flight", "spooled"):
                count = {"queued": account.queued, "in_flight": account.in_flight, "spooled": account.spooled}[state]
                yield figure("dashlight.pending", count, {**named, "dashlight.state": state})


def check_accounts(accounts: Mapping[str, Account]) -> None:
    """Raises ValueError where no process can have *accounts*."""
    within("signals", len(accounts), 0, MOST_SIGNALS)
    for account in accounts.values():
        check_account(account)
