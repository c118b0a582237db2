from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashlight.metrics.accounts import MOST_REASONS, Account, added, check_account
from dashlight.metrics.losses import SignalFate

COUNTS = st.integers(0, 2**40)
ACCOUNTS = st.builds(
    Account,
    captured=COUNTS,
    recovered=COUNTS,
    delivered=COUNTS,
    rejected=COUNTS,
    sampled_out=COUNTS,
    dropped=st.dictionaries(st.sampled_from(["expired", "shutdown", "disabled"]), COUNTS),
    queued=COUNTS,
    in_flight=COUNTS,
    spooled=COUNTS,
)
"""Of no account on disk: what of it is in flight is told apart below."""


def test_everything_captured_or_recovered_has_one_place() -> None:
    whole = Account(20, 2, 3, 1, 5, {"expired": 2, "shutdown": 1}, queued=4, in_flight=2, spooled=4)

    assert whole.balance == 0
    assert Account(captured=3, delivered=1).balance == 2


@given(st.lists(ACCOUNTS, max_size=5))
def test_the_balance_of_a_sum_is_the_sum_of_the_balances(accounts: list[Account]) -> None:
    assert added(accounts).balance == sum(each.balance for each in accounts)


@given(ACCOUNTS)
def test_an_end_moves_what_waited_in_memory_and_nothing_else(account: Account) -> None:
    over = account.ended("shutdown")

    assert over.balance == account.balance
    assert (over.queued, over.in_flight, over.spooled) == (0, 0, account.spooled)
    assert sum(over.dropped.values()) == sum(account.dropped.values()) + account.queued + account.in_flight


def test_what_is_in_flight_and_on_disk_outlives_the_process() -> None:
    account = Account(captured=9, queued=2, in_flight=4, spooled=3, in_flight_on_disk=3)

    assert account.ended("killed") == Account(captured=9, dropped={"killed": 3}, spooled=6)


def test_what_nobody_wants_is_no_loss() -> None:
    account = Account(9, rejected=1, dropped={"disabled": 4, "replaced": 2, "expired": 2, "too_large": 0})

    assert account.lost == {"expired": 2, "rejected": 1}


def test_fates_are_told_under_the_name_of_the_signal() -> None:
    account = Account(9, delivered=2, rejected=1, dropped={"disabled": 4, "replaced": 1, "expired": 1})

    assert account.fates("events") == {
        SignalFate("events", "delivered"): 2,
        SignalFate("events", "replaced"): 1,
        SignalFate("events", "dropped", "expired"): 1,
        SignalFate("events", "rejected"): 1,
    }


@pytest.mark.parametrize(
    "account",
    [
        Account(captured=1),
        Account(captured=1, in_flight=1, in_flight_on_disk=2),
        Account(captured=-1, queued=-1),
        Account(captured=2**61, delivered=2**61),
        Account(MOST_REASONS + 1, dropped={str(number): 1 for number in range(MOST_REASONS + 1)}),
    ],
    ids=["does not add up", "more on disk than in flight", "below zero", "runs away", "too many reasons"],
)
def test_an_account_that_nobody_can_have_is_refused(account: Account) -> None:
    with pytest.raises(ValueError, match=r"account|reasons"):
        check_account(account)
