"""What each route has still to answer for."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from dashlight.deliver.alerting.owed import DELIVERED, LOG, MOST_IN_FORCE, MOST_OWED, Owed, OwedState, Verdict
from dashlight.metrics.losses import SignalFate
from dashlight.records import Alert, Notice, Transition

REJECTED, LATER = Verdict("rejected", reason="status 422"), Verdict("retry")


ALERT = Alert(
    "drift/m/age", "drift", "m", "1", "/predict", "age", "feature", "firing", "age moved", 1000.0, 900.0, 9, 0.5
)


def notice(number: int, transition: Transition = "firing", key: str = "") -> Notice:
    return Notice(
        id=f"id-{number}",
        key=key or f"key-{number}",
        transition=transition,
        at=1000.0 + number,
        since_at=900.0,
        endpoint="/predict",
        model="m",
        version="1",
        summary="age moved",
        alerts=(ALERT,),
        alert_count=1,
    )


def waiting(owed: Owed, route: str = "a") -> list[str]:
    found: list[str] = []
    copy = Owed([route])
    copy.restore(owed.state)
    while (first := copy.next(route)) is not None:
        found.append(first.id)
        copy.settle(route, first.id, DELIVERED)
    return found


def test_a_notice_is_owed_to_every_route_until_that_route_has_answered() -> None:
    owed = Owed(["a", "b"])

    owed.owe(notice(1))
    owed.settle("a", "id-1", DELIVERED)

    assert owed.next("a") is None
    assert owed.next("b") == notice(1)


@pytest.mark.parametrize("verdict", [LATER, Verdict("misconfigured")])
def test_a_failure_leaves_it_owed(verdict: Verdict) -> None:
    owed = Owed(["a"])
    owed.owe(notice(1))

    owed.settle("a", "id-1", verdict)

    assert owed.next("a") == notice(1)
    assert owed.fates() == {}


@pytest.mark.parametrize("verdict", [DELIVERED, REJECTED], ids=["delivered", "rejected"])
def test_what_is_settled_for_good_is_counted_once(verdict: Verdict) -> None:
    owed = Owed(["a"])
    owed.owe(notice(1))

    owed.settle("a", "id-1", verdict)
    owed.settle("a", "id-1", verdict)

    assert list(owed.fates().values()) == [1]
    assert next(iter(owed.fates())).fate == verdict.outcome


def test_they_are_handed_out_in_the_order_in_which_they_came() -> None:
    owed = Owed(["a"])
    for number in (3, 1, 2):
        owed.owe(notice(number))

    assert waiting(owed) == ["id-3", "id-1", "id-2"]


def test_what_a_route_cannot_bear_keeps_nothing_else_from_it() -> None:
    owed = Owed(["a"])
    owed.owe(notice(1, key="poison"))
    owed.owe(notice(2, "resolved", key="poison"))
    owed.owe(notice(3, key="k"))
    owed.owe(notice(4, key="l"))

    tried: list[str] = []
    for _ in range(8):
        first = owed.next("a")
        assert first is not None
        tried.append(first.id)
        owed.settle("a", first.id, LATER if first.key == "poison" else DELIVERED)

    assert tried == ["id-1"] * 3 + ["id-3", "id-4"] + ["id-1"] * 3


def test_the_log_is_a_route_that_does_not_count_as_a_delivery() -> None:
    owed = Owed([LOG, "a"])
    owed.owe(notice(1))

    owed.settle(LOG, "id-1", DELIVERED)

    assert owed.next(LOG) is None
    assert owed.counts() == {"a": 1}
    assert owed.fates() == {}


def test_it_is_open_only_where_the_process_judges() -> None:
    owed = Owed(["a"])
    owed.owe(notice(1))
    states = [owed.is_open]
    owed.open()
    states.append(owed.is_open)

    owed.clear()

    assert [*states, owed.is_open] == [False, True, False]
    assert owed.next("a") is None


def test_a_renewal_takes_the_place_of_one_that_waits_and_a_transition_never_does() -> None:
    owed = Owed(["a"])
    owed.owe(notice(1, key="k"))
    owed.owe(notice(2, "changed", key="k"))
    owed.owe(notice(3, "changed", key="other"))
    owed.owe(notice(4, "changed", key="k"))
    owed.owe(notice(5, "resolved", key="k"))
    owed.owe(notice(6, key="k"))

    assert waiting(owed) == ["id-1", "id-3", "id-4", "id-5", "id-6"]


def test_a_renewal_that_is_under_way_is_left_alone() -> None:
    owed = Owed(["a"])
    owed.owe(notice(1, "changed", key="k"))
    owed.next("a")

    owed.owe(notice(2, "changed", key="k"))
    owed.settle("a", "id-1", DELIVERED)

    assert waiting(owed) == ["id-2"]
    assert owed.fates() == {SignalFate("alerts", "delivered", part="a"): 1}


def test_what_is_held_is_in_the_state_and_not_handed_out_before_its_release() -> None:
    owed = Owed(["a"])
    owed.owe(notice(1), held=True)

    assert owed.next("a") is None
    assert owed.state.routes == {"a": ("id-1",)}
    owed.release()

    assert owed.next("a") == notice(1)


def test_the_last_notice_of_what_is_not_over_is_in_force_whether_routes_answered_or_not() -> None:
    owed = Owed(["a"])
    owed.owe(notice(1, key="k"))
    owed.owe(notice(2, key="l"))
    owed.owe(notice(3, "changed", key="k"))
    owed.settle("a", "id-2", DELIVERED)
    owed.owe(notice(4, "resolved", key="l"))

    assert owed.in_force() == (notice(3, "changed", key="k"),)


def test_where_there_are_too_many_the_oldest_renewals_go_first_and_it_is_said(caplog: pytest.LogCaptureFixture) -> None:
    owed = Owed(["a"])
    owed.owe(notice(0, key="k0"))
    owed.owe(notice(1, "changed", key="k1"))
    owed.owe(notice(2, "changed", key="k2"))
    for number in range(3, MOST_OWED):
        owed.owe(notice(number))

    with caplog.at_level(logging.ERROR):
        owed.owe(notice(MOST_OWED))
        owed.owe(notice(MOST_OWED + 1))

    assert waiting(owed)[:2] == ["id-0", "id-3"]
    assert owed.fates() == {SignalFate("alerts", "dropped", "too_many_owed", part="a"): 2}
    assert len(caplog.records) == 1


def test_without_renewals_the_first_stay_and_the_latest_that_is_over_goes() -> None:
    owed = Owed(["a"])
    for number in range(0, MOST_OWED, 2):
        owed.owe(notice(number, key=f"k{number}"))
        owed.owe(notice(number + 1, "resolved", key=f"k{number}"))

    owed.owe(notice(MOST_OWED, key="now"))

    left = waiting(owed)
    assert left[:2] == ["id-0", "id-1"]
    assert left[-2:] == [f"id-{MOST_OWED - 3}", f"id-{MOST_OWED}"]
    assert sum(owed.fates().values()) == 2


def test_the_end_of_what_was_told_stays() -> None:
    owed = Owed(["a"])
    owed.owe(notice(0, key="told"))
    owed.settle("a", "id-0", DELIVERED)
    for number in range(1, MOST_OWED + 1):
        owed.owe(notice(number))

    owed.owe(notice(MOST_OWED + 1, "resolved", key="told"))

    assert waiting(owed)[0] == "id-2"
    assert waiting(owed)[-1] == f"id-{MOST_OWED + 1}"


def test_it_goes_on_where_another_left_off() -> None:
    owed, heir = Owed(["a", "b"]), Owed(["a", "b"])
    owed.owe(notice(1, key="k"))
    owed.owe(notice(2, "changed", key="k"))
    owed.owe(notice(3, key="l"))
    owed.settle("a", "id-1", DELIVERED)

    heir.restore(owed.state)

    assert waiting(heir, "a") == ["id-2", "id-3"]
    assert waiting(heir, "b") == ["id-1", "id-2", "id-3"]
    assert heir.in_force() == owed.in_force()


def test_cut_anywhere_it_goes_on_as_one_that_was_not_cut() -> None:
    steps: list[Notice | str] = [
        notice(1, key="k"),
        notice(2, "changed", key="k"),
        "a",
        notice(3, key="l"),
        notice(4, "changed", key="k"),
        "b",
        notice(5, "resolved", key="k"),
        "a",
    ]

    def play(cut: int) -> OwedState:
        owed = Owed(["a", "b"])
        for number, step in enumerate(steps):
            if number == cut:
                state = owed.state
                owed = Owed(["a", "b"])
                owed.restore(state)
            if isinstance(step, Notice):
                owed.owe(step)
            elif (first := owed.next(step)) is not None:
                owed.settle(step, first.id, DELIVERED)
        return owed.state

    whole = play(-1)
    for cut in range(len(steps) + 1):
        again = play(cut)
        assert (again.routes, again.in_force) == (whole.routes, whole.in_force)
        assert {each.id: each for each in again.notices} == {each.id: each for each in whole.notices}


def test_what_is_owed_to_a_route_that_is_gone_ends_with_one_line_and_the_others_go_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    owed, heir = Owed(["gone", "stays"]), Owed(["new", "stays"])
    owed.owe(notice(1))
    owed.owe(notice(2))

    heir.restore(owed.state)

    assert waiting(heir, "stays") == ["id-1", "id-2"]
    assert heir.next("new") is None
    assert heir.fates() == {SignalFate("alerts", "dropped", "no_route", part="gone"): 2}
    assert [record.getMessage() for record in caplog.records] == [
        "2 alerts were owed to gone, which is not configured any more"
    ]


def test_a_route_whose_address_was_corrected_takes_over_what_is_owed() -> None:
    owed, corrected = Owed(["webhook w (#0001)", "webhook w (#0002)"]), Owed(["webhook w (#0002)", "webhook w (#0003)"])
    owed.owe(notice(1))
    owed.settle("webhook w (#0002)", "id-1", DELIVERED)

    corrected.restore(owed.state)

    assert waiting(corrected, "webhook w (#0003)") == ["id-1"]
    assert waiting(corrected, "webhook w (#0002)") == []


@pytest.mark.parametrize(
    "now", [["webhook w (#0001)"], ["webhook w (#0003)", "webhook w (#0004)"], ["webhook v (#0003)"]], ids=repr
)
def test_nobody_takes_over_what_may_be_owed_to_another(now: list[str]) -> None:
    owed, heir = Owed(["webhook w (#0001)", "webhook w (#0002)"]), Owed(now)
    owed.owe(notice(1))
    owed.settle("webhook w (#0001)", "id-1", DELIVERED)

    heir.restore(owed.state)

    assert [waiting(heir, name) for name in now] == [[]] * len(now)


STATE = OwedState((notice(1), notice(2, "resolved")), {"a": ("id-1", "id-2")}, ("id-1",))


@pytest.mark.parametrize(
    "state",
    [
        OwedState(
            tuple(notice(number) for number in range(MOST_IN_FORCE + 1)),
            in_force=tuple(f"id-{number}" for number in range(MOST_IN_FORCE + 1)),
        ),
        replace(STATE, notices=(notice(1), notice(1))),
        replace(STATE, notices=(notice(1),)),
        replace(STATE, notices=(*STATE.notices, notice(3))),
        replace(STATE, routes={"a": ("id-1", "id-2", "id-2")}),
        replace(STATE, in_force=("id-2",)),
        replace(STATE, notices=(notice(1), replace(notice(2, "resolved"), alerts=()))),
        replace(STATE, notices=(notice(1), replace(notice(2, "resolved"), alert_count=0))),
        replace(STATE, in_force=("id-1", "id-1")),
        OwedState(
            tuple(notice(number) for number in range(MOST_OWED + 1)),
            {"a": tuple(f"id-{number}" for number in range(MOST_OWED + 1))},
        ),
    ],
    ids=[
        "too many in force",
        "one id twice",
        "one is missing",
        "nobody waits",
        "owed twice",
        "over, in force",
        "no alert",
        "no count",
        "in force twice",
        "too many",
    ],
)
def test_a_state_that_cannot_be_is_refused_and_changes_nothing(state: OwedState) -> None:
    owed = Owed(["a"])
    owed.owe(notice(9))
    Owed(["a"]).restore(STATE)

    with pytest.raises(ValueError, match=r".+"):
        owed.restore(state)

    assert waiting(owed) == ["id-9"]


def test_another_judge_settles_what_is_owed_no_longer_here() -> None:
    owed = Owed(["a"])
    owed.owe(notice(1))
    first = owed.next("a")
    assert first is not None

    owed.clear()
    owed.settle("a", first.id, DELIVERED)

    assert owed.state.notices == ()
    assert owed.fates() == {}
