"""Who has one of the places, and who makes room for whom."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashlight.counting.admission import Admission, AdmissionState
from dashlight.store.layout import Layout

HOUR, DAY = 3600.0, 86_400.0


def full_for(panes: int, seconds: float, *, beside: str | None = None) -> Admission[str]:
    """Three places; two were asked for in the first panes alone, before so many others over so much time."""
    admission: Admission[str] = Admission(3, beside=beside)
    for asked in (["old", "older"], ["old"]):
        close(admission, *asked, at=0.0)
    for pane in range(1, panes + 1):
        close(admission, "usual", at=seconds * pane / panes)
    return admission


def close(admission: Admission[str], *asked: str, at: float) -> None:
    for key in asked:
        assert admission.admit(key) == ()
    admission.close(at)


def test_there_are_so_many_places_and_who_has_one_keeps_it() -> None:
    admission: Admission[str] = Admission(2)

    assert [admission.admit(key) for key in ("a", "b", "c", "a", "b")] == [(), (), None, (), ()]
    admission.close(10.0)
    assert [admission.admit(key) for key in ("c", "b")] == [None, ()]


def test_where_there_are_no_places_nobody_has_one() -> None:
    assert Admission[str](0).admit("a") is None


def test_before_anything_was_seen_nothing_goes() -> None:
    assert Admission[str](2).gone() == []


def test_the_one_unseen_for_longest_makes_room() -> None:
    admission = full_for(100, HOUR)

    assert [admission.admit(key) for key in ("new", "newer", "newest")] == [("older",), ("old",), None]


def test_what_is_asked_for_in_the_same_pane_makes_no_room() -> None:
    admission = full_for(100, HOUR)

    assert admission.admit("new", asked={"older", "new"}) == ("old",)
    assert admission.admit("older") == ()
    assert admission.admit("newer") is None


def test_what_yields_makes_room_at_once_the_one_unseen_for_longest_first() -> None:
    admission: Admission[str] = Admission(3, beside="other")
    close(admission, "first", "second", "other", at=10.0)
    close(admission, "second", at=20.0)
    assert admission.admit("asked now") == ()

    found = [
        admission.admit(f"new {n}", yielding={"second", "first", "asked now", "other", "unknown"}) for n in range(4)
    ]

    assert found == [("first",), ("second",), ("asked now",), None]


def test_what_was_unseen_for_a_short_time_or_for_few_panes_makes_no_room() -> None:
    assert full_for(1000, HOUR - 1).admit("new") is None
    assert full_for(98, 30 * DAY).admit("new") is None


def test_what_stands_beside_the_places_takes_none_and_makes_no_room() -> None:
    admission = full_for(100, HOUR, beside="older")

    assert [admission.admit(key) for key in ("new", "newer", "newest")] == [(), ("old",), None]
    assert admission.admit("older") == ()


def test_after_a_week_and_a_day_it_goes_without_need() -> None:
    assert full_for(200, 8 * DAY - 1).gone() == []
    assert full_for(200, 8 * DAY).gone() == ["older", "old"]
    assert full_for(200, 8 * DAY, beside="older").gone() == ["older", "old"]


def test_an_app_that_was_switched_off_for_long_has_time_to_ask_again() -> None:
    admission: Admission[str] = Admission(2)
    close(admission, "a", "b", at=0.0)

    for pane in range(99):
        close(admission, *(["a"] if pane else []), at=30 * DAY + 10 * pane)

    assert admission.gone() == []
    close(admission, "a", at=31 * DAY)
    assert admission.gone() == ["b"]


def test_what_is_seen_again_begins_anew_and_what_is_forgotten_is_not_told_of() -> None:
    admission = full_for(100, 9 * DAY)

    admission.forget("old", "unknown")
    close(admission, "older", at=9 * DAY)

    assert admission.gone() == []
    assert admission.admit("new") == ()


def test_a_clock_that_is_set_back_only_keeps_things_longer() -> None:
    admission = full_for(100, 9 * DAY)

    admission.close(8 * DAY - 1)

    assert admission.gone() == []


PLAIN: Layout[AdmissionState[str]] = Layout("admission", 1, AdmissionState[str])
PAIRS: Layout[AdmissionState[tuple[str, str]]] = Layout("admission", 1, AdmissionState[tuple[str, str]])


def three_places() -> Admission[tuple[str, str]]:
    return Admission(3, beside=("a", "v"))


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.lists(st.tuples(st.sampled_from("abcde"), st.just("v"))), st.floats(0, 30)), max_size=40),
    st.integers(0, 40),
)
def test_an_admission_that_is_restored_goes_on_as_if_nothing_had_happened(
    panes: list[tuple[list[tuple[str, str]], float]], cut_at: int
) -> None:
    whole = restored = three_places()
    at = 0.0
    for number, (asked, hours) in enumerate(panes):
        at += hours * HOUR
        answers = [[admission.admit(key, asked=asked[:1]) for key in asked] for admission in {whole, restored}]
        if number == cut_at:  # a pane that fills is kept as well
            restored = three_places()
            restored.restore(PAIRS.thaw(b"".join(PAIRS.freeze(whole.state))))
        for admission in {whole, restored}:
            for _ in range(60):
                admission.close(at)

        assert answers[0] == answers[-1]
        assert whole.gone() == restored.gone()
    assert b"".join(PAIRS.freeze(restored.state)) == b"".join(PAIRS.freeze(whole.state))


def test_before_the_first_pane_there_is_a_state_too() -> None:
    admission, restored = Admission[str](2), Admission[str](2)
    admission.admit("a")

    restored.restore(PLAIN.thaw(b"".join(PLAIN.freeze(admission.state))))

    assert [restored.admit(key) for key in ("b", "c", "a")] == [(), None, ()]


STATE = full_for(100, HOUR).state


@pytest.mark.parametrize(
    "state",
    [
        replace(STATE, panes=-1),
        replace(STATE, panes=0),
        replace(STATE, panes=2**62),
        replace(STATE, ended_at=float("nan")),
        replace(STATE, ended_at=float("-inf")),
        replace(STATE, asked=("new",)),
        replace(STATE, seen=(*STATE.seen, ("new", 1, 0.0))),
        replace(STATE, seen=(("old", 0, 0.0),)),
        replace(STATE, seen=(("old", STATE.panes + 1, 0.0),)),
        replace(STATE, seen=(("old", 1, float("inf")),)),
    ],
)
def test_what_no_admission_to_so_many_places_holds_is_refused(state: AdmissionState[str]) -> None:
    with pytest.raises(ValueError, match=r"expected|places"):
        Admission[str](3).restore(state)
