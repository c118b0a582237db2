"""One account of all processes of a machine, whatever is heard twice, late, or from a process that is gone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashlight.metrics.accounts import Account
from dashlight.metrics.machine_accounts import (
    MOST_ENDED,
    MOST_PROCESSES,
    MachineAccounts,
    MachineAccountsState,
    ProcessAccounts,
)


def events(**counts: Any) -> Mapping[str, Account]:
    return {"events": replace(Account(), **counts)}


def whole(machine: MachineAccounts) -> Account:
    return machine.accounts()["events"]


def test_the_accounts_of_all_processes_add_up() -> None:
    machine = MachineAccounts()

    machine.hear("a", events(captured=9, delivered=7, queued=2), 1)
    machine.hear("b", events(captured=3, delivered=1, in_flight=2), 1)

    assert whole(machine) == Account(captured=12, delivered=8, queued=2, in_flight=2)


def test_what_is_heard_again_counts_once() -> None:
    machine = MachineAccounts()

    for _ in range(3):
        machine.hear("a", events(captured=9, delivered=9), 1)

    assert whole(machine).captured == 9


def test_what_waited_in_a_killed_process_is_lost_with_it_and_counted() -> None:
    machine = MachineAccounts()
    machine.hear("a", events(captured=9, delivered=5, queued=4), 3)

    lost = machine.end("a", events(captured=12, delivered=6, queued=4, in_flight=2), number=4)

    assert lost == {"events": 6}
    assert whole(machine) == Account(captured=12, delivered=6, dropped={"killed": 6})
    assert machine.running == []
    assert machine.end("a", events(captured=99, queued=99), number=9) == {}


def test_what_came_late_of_an_ended_process_changes_nothing() -> None:
    machine = MachineAccounts()
    machine.end("a", events(captured=9, delivered=9), number=4)

    machine.hear("a", events(captured=7, queued=7), 4)

    assert whole(machine) == Account(captured=9, delivered=9)


def test_a_process_that_was_only_silent_comes_back() -> None:
    machine = MachineAccounts()
    machine.hear("a", events(captured=9, queued=4, spooled=5), 1)
    machine.end("a")
    assert whole(machine) == Account(captured=9, dropped={"killed": 4}, spooled=5)

    machine.hear("a", events(captured=10, delivered=10), 2)

    assert whole(machine) == Account(captured=10, delivered=10)


def test_what_one_process_spooled_and_another_recovered_is_neither_new_nor_gone() -> None:
    machine = MachineAccounts()
    machine.hear("a", events(captured=9, spooled=9), 1)
    machine.end("a")
    assert whole(machine) == Account(captured=9, spooled=9)

    machine.hear("b", events(captured=1, recovered=9, delivered=4, spooled=6), 1)
    assert whole(machine) == Account(captured=10, delivered=4, spooled=6)

    machine.hear("b", events(captured=1, recovered=12, delivered=13), 2)
    assert whole(machine) == Account(captured=10, recovered=3, delivered=13)


def test_processes_are_bounded_and_what_the_forgotten_had_stays_counted() -> None:
    machine = MachineAccounts()
    for number in range(MOST_PROCESSES + MOST_ENDED + 40):
        machine.hear(f"{number}", events(captured=2, delivered=1, queued=1), 1)

    account = whole(machine)

    assert len(machine.state.processes) <= MOST_PROCESSES + MOST_ENDED
    assert (account.captured, account.balance) == (2 * (MOST_PROCESSES + MOST_ENDED + 40), 0)
    assert account.dropped == {"killed": MOST_ENDED + 40}


def test_figures_say_all_of_one_cut() -> None:
    machine = MachineAccounts()
    machine.hear("a", {"events": Account(9, 1, 2, 1, 2, {"expired": 1}, 1, 1, 2)}, 1)

    shown = {
        (each.name.removeprefix("dashlight."), *list(each.attributes.values())[1:]): each.value
        for each in machine.figures()
    }

    assert shown == {
        ("captured",): 9,
        ("recovered",): 1,
        ("delivered",): 2,
        ("sampled_out",): 2,
        ("dropped", "expired"): 1,
        ("dropped", "rejected"): 1,
        ("pending", "queued"): 1,
        ("pending", "in_flight"): 1,
        ("pending", "spooled"): 2,
    }


class Worker:
    """A process to which anything may happen."""

    def __init__(self, name: str) -> None:
        self.name, self.account, self.number = name, Account(), 0

    def live(self, moves: list[int], left: int) -> int:
        """Captures, spools, delivers and drops as *moves* say; takes over what others *left*; how much it took."""
        mine = self.account
        captured, spooled, delivered, dropped, taken = moves
        mine = replace(mine, captured=mine.captured + captured, queued=mine.queued + captured)
        spooled = min(spooled, mine.queued)
        mine = replace(mine, queued=mine.queued - spooled, spooled=mine.spooled + spooled)
        delivered = min(delivered, mine.spooled)
        mine = replace(mine, spooled=mine.spooled - delivered, delivered=mine.delivered + delivered)
        dropped = min(dropped, mine.queued)
        lost = {"expired": mine.dropped.get("expired", 0) + dropped}
        mine = replace(mine, queued=mine.queued - dropped, dropped=lost)
        taken = min(taken, left)
        self.account = replace(mine, recovered=mine.recovered + taken, spooled=mine.spooled + taken)
        return taken


MOVES = st.lists(st.integers(0, 20), min_size=5, max_size=5)


@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.sampled_from(["live", "tell", "twice", "die", "restart"]), MOVES), max_size=60
    )
)
def test_at_any_moment_it_adds_up_only_grows_and_says_what_is_on_disk(
    story: list[tuple[int, str, list[int]]],
) -> None:
    machine = MachineAccounts()
    workers = [Worker(name) for name in "abc"]
    left = 0
    """On disk, of those that died."""
    before = Account()
    for place, (which, what, moves) in enumerate(story):
        worker = workers[which]
        if what == "live":
            left -= worker.live(moves, left)
        elif what == "die":
            left += worker.account.spooled
            machine.end(worker.name, {"events": worker.account}, number=worker.number + 1)
            workers[which] = Worker(f"{worker.name}{place}")
        elif what == "restart":
            after = MachineAccounts()
            after.restore(machine.state)
            machine = after
        else:
            worker.number += 1
            for _ in range(1 + (what == "twice")):
                machine.hear(worker.name, {"events": worker.account}, worker.number)
        now = machine.accounts().get("events", Account())
        assert now.balance == 0
        assert min(now.queued, now.spooled, now.recovered) >= 0
        assert now.captured >= before.captured
        assert now.delivered >= before.delivered
        assert now.recovered >= before.recovered
        before = now
    for worker in workers:
        machine.hear(worker.name, {"events": worker.account}, worker.number + 1)

    assert machine.accounts()["events"].spooled == left + sum(worker.account.spooled for worker in workers)
    assert machine.accounts()["events"].recovered == 0


@pytest.mark.parametrize(
    "state",
    [
        MachineAccountsState({str(each): ProcessAccounts({}, 0) for each in range(MOST_PROCESSES + MOST_ENDED + 1)}),
        MachineAccountsState({"a": ProcessAccounts(events(captured=1), 0)}),
        MachineAccountsState({"a": ProcessAccounts({}, -1)}),
        MachineAccountsState(ended=events(captured=-1, queued=-1)),
        MachineAccountsState(left={"events": -1}),
        MachineAccountsState(taken_over={str(each): 1 for each in range(9)}),
    ],
    ids=["too many", "does not add up", "below zero", "of ended ones", "left", "signals"],
)
def test_a_state_that_cannot_be_is_refused(state: MachineAccountsState) -> None:
    with pytest.raises(ValueError, match=r"expected|account"):
        MachineAccounts().restore(state)
