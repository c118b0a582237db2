"""Who has one of the places, and who makes room for whom."""

from __future__ import annotations

from dashlight.counting.admission import Admission
from dashlight.store.pickled import freeze, thaw

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


def test_it_can_be_part_of_a_state() -> None:
    thawed = thaw(freeze(full_for(100, HOUR)))

    assert isinstance(thawed, Admission)
    assert thawed.admit("new") == ("older",)
