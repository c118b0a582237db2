"""What was not seen for long may go."""

from __future__ import annotations

from dashlight.counting.last_seen import LastSeen
from dashlight.store.pickled import freeze, thaw

HOUR, DAY = 3600.0, 86_400.0


def unseen_for(panes: int, seconds: float) -> LastSeen[str]:
    """What was asked in the first pane alone, before so many others over so much time."""
    seen: LastSeen[str] = LastSeen()
    seen.take(["old", "older"], 0.0)
    seen.take(["old"], 0.0)
    for pane in range(1, panes + 1):
        seen.take(["usual"], seconds * pane / panes)
    return seen


def test_before_anything_was_seen_nothing_goes() -> None:
    seen: LastSeen[str] = LastSeen()

    assert (seen.replaceable(), seen.gone()) == (None, [])


def test_the_one_unseen_for_longest_makes_room() -> None:
    seen = unseen_for(100, HOUR)

    assert seen.replaceable() == "older"
    assert seen.replaceable(but={"older"}) == "old"
    assert seen.replaceable(but={"older", "old"}) is None


def test_what_was_unseen_for_a_short_time_or_for_few_panes_makes_no_room() -> None:
    assert unseen_for(1000, HOUR - 1).replaceable() is None
    assert unseen_for(98, 30 * DAY).replaceable() is None


def test_after_a_week_and_a_day_it_goes_without_need() -> None:
    assert unseen_for(200, 8 * DAY - 1).gone() == []
    assert unseen_for(200, 8 * DAY).gone() == ["older", "old"]


def test_a_host_that_was_switched_off_for_long_has_time_to_ask_again() -> None:
    seen: LastSeen[str] = LastSeen()
    seen.take(["a", "b"], 0.0)

    for pane in range(99):
        seen.take(["a"] if pane else [], 30 * DAY + 10 * pane)

    assert seen.gone() == []
    seen.take(["a"], 31 * DAY)
    assert seen.gone() == ["b"]


def test_what_is_seen_again_begins_anew_and_what_is_forgotten_is_not_told_of() -> None:
    seen = unseen_for(100, 9 * DAY)

    seen.forget("old")
    seen.forget("unknown")
    seen.take(["older"], 9 * DAY)

    assert seen.gone() == []


def test_a_clock_that_is_set_back_only_keeps_things_longer() -> None:
    seen = unseen_for(100, 9 * DAY)

    seen.take([], 8 * DAY - 1)

    assert seen.gone() == []


def test_it_can_be_part_of_a_state() -> None:
    thawed = thaw(freeze(unseen_for(100, HOUR)))

    assert isinstance(thawed, LastSeen)
    assert thawed.replaceable() == "older"
