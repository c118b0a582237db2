"""The outcomes of an endpoint, pane by pane: windows, names, and what is kept."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from dashlight.records import Outcome
from dashlight.store.layout import Layout
from dashlight.window.outcome_panes import OutcomePanes, OutcomePanesState, panes_covered
from dashlight.window.outcomes import OutcomeCounter, OutcomeCounts, merge_outcomes

LAYOUT: Layout[OutcomePanesState] = Layout("outcomes", 1, OutcomePanesState)


def written(panes: OutcomePanes) -> bytes:
    return b"".join(LAYOUT.freeze(panes.state))


def counts_of(
    what: Sequence[Outcome] = (), *, failures: Sequence[str] = (), analysed: int = 0, undecodable: Sequence[str] = ()
) -> OutcomeCounts:
    """A pane of exchanges that took 0.1 s each."""
    counter, times = OutcomeCounter(), np.full(len(what), 0.1)
    counter.add(
        what, duration_seconds=times, first_byte_seconds=times / 2, request_bytes=times, response_bytes=times * 10
    )
    counter.add_failures(failures)
    counter.add_analysed(analysed, undecodable)
    counter.add_rows(3 * len(what))
    return counter.close(0.0)


def kept(*panes: OutcomeCounts) -> OutcomePanes:
    """These panes, the n-th of which ended at n seconds, from 0."""
    held = OutcomePanes()
    for at, pane in enumerate(panes):
        held.take(pane, float(at))
    return held


def test_before_the_first_pane_there_is_no_exchange_and_no_error() -> None:
    window = OutcomePanes().window(10)

    assert (window.exchanges, window.error_rate, window.panes) == (0, 0.0, 0)
    assert math.isnan(window.first_ended_at)


def test_a_window_sums_its_panes() -> None:
    held = kept(*(counts_of(["ok"] * at) for at in range(40)))

    assert held.window(2).exchanges == 38 + 39
    assert held.since(36.0).exchanges == 37 + 38 + 39
    assert (held.window(2).first_ended_at, held.window(2).last_ended_at) == (38.0, 39.0)


def test_a_window_of_one_pane_is_that_pane() -> None:
    pane = counts_of(["ok", "error", "cancelled"], failures=["http_500", "cancelled"], analysed=3, undecodable=["cut"])

    window = kept(counts_of(["ok"] * 9), pane).window(1)

    assert (window.outcomes, window.failures, window.undecodable) == (pane.outcomes, pane.failures, pane.undecodable)
    assert (window.rows, window.analysed, window.panes) == (9, 3, 1)
    for name in ("durations", "first_bytes", "request_sizes", "response_sizes"):
        assert getattr(window, name).tolist() == getattr(pane, name).tolist()


def test_an_hour_of_ten_second_panes_is_kept() -> None:
    window = kept(*[counts_of(["ok"])] * 1000).window(360)

    assert 360 <= window.panes <= 375
    assert window.exchanges == window.panes


def test_kinds_beyond_the_limit_are_counted_as_other_however_many_panes_bring_them() -> None:
    first = counts_of(failures=[f"http_{status}" for status in range(500, 540)])

    failures = kept(first, counts_of(failures=["http_500", "http_539"])).window(2).failures

    assert failures["other"] == 9
    assert failures["http_500"] == 2
    assert len(failures) == 33


def test_what_several_processes_brought_has_no_more_names_than_what_one_did() -> None:
    workers = [counts_of(failures=[f"exception:Error{worker}{kind}" for kind in range(20)]) for worker in range(4)]

    failures = kept(merge_outcomes(workers)).window(1).failures

    assert (len(failures), sum(failures.values()), failures["other"]) == (33, 80, 48)


def test_reasons_are_counted_over_the_window() -> None:
    held = kept(
        counts_of(analysed=10, undecodable=["cut", "invalid_json", "cut"]),
        counts_of(analysed=5, undecodable=[f"reason {number}" for number in range(8)]),
    )

    assert (held.window(1).analysed, held.window(1).undecodable["reason 0"]) == (5, 1)
    assert held.window(1).undecodable["other"] == 2
    assert held.window(2).analysed == 15
    assert list(held.window(2).undecodable.items())[:2] == [("cut", 2), ("other", 2)]


def test_a_window_reaches_back_until_it_holds_enough_exchanges() -> None:
    held = kept(*[counts_of(["ok"] * 3)] * 100)

    assert held.with_exchanges(6, 2).panes == 6
    assert held.with_exchanges(6, 40).exchanges >= 40
    assert 14 <= held.with_exchanges(6, 40).panes <= 21
    assert held.with_exchanges(6, 1000).panes == 100
    assert kept().with_exchanges(6, 20).exchanges == 0


def test_refusals_are_counted_over_the_window() -> None:
    pane = replace(counts_of(["refused"] * 3), refusals={"http_422 age missing": 2, "http_400": 1})

    window = kept(pane, counts_of(["ok"]), pane).window(3)

    assert (window.refusals, window.refused) == ({"http_422 age missing": 4, "http_400": 2}, 6)


def test_panes_that_follow_each_other_merge_into_the_window_that_covers_them() -> None:
    panes = [counts_of(["ok"] * number) for number in range(3)]

    merged, window = merge_outcomes(panes), kept(*panes).window(3)

    assert (merged.panes, merged.exchanges) == (window.panes, window.exchanges)


@pytest.mark.parametrize("cut_at", [0, 1, 7, 31, 32, 49])
def test_panes_that_are_restored_go_on_bit_by_bit(cut_at: int) -> None:
    panes = [
        counts_of(["ok"] * at, failures=[f"http_{500 + at}"] * (at % 3), analysed=at, undecodable=["cut", f"{at % 12}"])
        for at in range(50)
    ]
    panes = [replace(pane, refusals={f"http_422 field{at % 5} missing": at}) for at, pane in enumerate(panes)]
    whole, restored = kept(*panes[:cut_at]), OutcomePanes()

    restored.restore(LAYOUT.thaw(written(whole)))
    for at, pane in enumerate(panes[cut_at:], cut_at):
        for each in (whole, restored):
            each.take(pane, float(at))

    assert written(restored) == written(whole)
    for wanted in (1, 5, 60):
        assert list(restored.window(wanted).failures.items()) == list(whole.window(wanted).failures.items())
        assert restored.window(wanted).undecodable == whole.window(wanted).undecodable
        assert restored.window(wanted).refusals == whole.window(wanted).refusals


def test_names_that_became_one_when_they_were_written_are_counted_together() -> None:
    panes, restored = kept(counts_of(failures=["\ud800", "\ud801", "http_500"])), OutcomePanes()

    restored.restore(LAYOUT.thaw(written(panes)))
    restored.take(counts_of(failures=["http_500", "http_502"]), 1.0)

    assert restored.window(2).failures == {"\ufffd": 2, "http_500": 2, "http_502": 1}


STATE = kept(counts_of(["ok"], failures=["http_500"])).state


@pytest.mark.parametrize(
    "state",
    [
        replace(STATE, kinds=tuple(f"kind {number}" for number in range(33))),
        replace(STATE, reasons=tuple(f"reason {number}" for number in range(9))),
        replace(STATE, refusals=tuple(f"kind {number}" for number in range(33))),
        replace(STATE, ring=OutcomePanes(4).state.ring),
    ],
    ids=["too many kinds", "too many reasons", "too many refusals", "other levels"],
)
def test_what_no_panes_of_outcomes_hold_is_refused(state: OutcomePanesState) -> None:
    with pytest.raises(ValueError, match="expected"):
        OutcomePanes().restore(state)


def test_a_pane_that_was_late_is_one_pane_that_covers_the_time_of_several() -> None:
    late = replace(counts_of(["ok"] * 24), panes=12)
    held = kept(*[counts_of(["ok"] * 2)] * 4, late, counts_of(["ok"] * 2))

    assert (held.window(1).panes, held.window(1).exchanges) == (1, 2)
    assert (held.window(2).panes, held.window(2).exchanges) == (13, 26)
    assert (held.window(5).panes, held.window(5).exchanges) == (16, 32)


@pytest.mark.parametrize(
    ("passed_panes", "closed_count", "covered"),
    [
        (1.0, 1, 1),
        (0.7, 4, 1),
        (1.4, 1, 1),
        (0.1, 0, 1),
        (12.2, 1, 12),
        (30.0, 1, 30),
        (31.0, 1, 1),
        (90.0, 181, 90),
        (-720.0, 2, 1),
    ],
    ids=["in time", "early", "a little late", "at once", "late", "very late", "asleep", "others counted", "set back"],
)
def test_how_many_panes_a_pane_covers(passed_panes: float, closed_count: int, covered: int) -> None:
    assert panes_covered(passed_panes, closed_count) == covered
