"""Trace ids of the last exchanges that show something."""

from collections.abc import Mapping
from typing import Any

import pytest

from dashlight.store.layout import Layout
from dashlight.window.trace_ids import MOST_EACH, MOST_NAMES, Trace, TraceIds

LAYOUT: Layout[Mapping[str, tuple[Trace, ...]]] = Layout("traces", 1, Mapping[str, tuple[Trace, ...]])


def hexadecimal(*ids: int) -> tuple[str, ...]:
    return tuple(f"{each:032x}" for each in ids)


def test_the_newest_come_first_and_no_more_than_five() -> None:
    traces = TraceIds()
    for number in range(1, MOST_EACH + 3):
        traces.keep("slow", number, started_at=float(number))

    assert traces.since(0.0, "slow") == hexadecimal(7, 6, 5, 4, 3)


def test_those_from_before_the_moment_are_left_out() -> None:
    traces = TraceIds()
    traces.keep("slow", 1, started_at=1.0)
    traces.keep("slow", 2, started_at=2.0)

    assert traces.since(1.0, "slow") == hexadecimal(2)


def test_the_first_name_comes_first_and_a_trace_under_two_names_once() -> None:
    traces = TraceIds()
    traces.keep("p50", 1, started_at=1.0)
    traces.keep("p50", 2, started_at=2.0)
    traces.keep("p99", 1, started_at=1.0)

    assert traces.since(0.0, "p99", "p50", "unheard of") == hexadecimal(1, 2)


def test_an_exchange_without_a_trace_shows_nothing() -> None:
    traces = TraceIds()
    traces.keep("slow", 0, started_at=1.0)

    assert traces.since(0.0, "slow") == ()


def test_names_that_were_not_heard_of_for_longest_are_forgotten() -> None:
    traces = TraceIds()
    for number in range(MOST_NAMES):
        traces.keep(f"kind {number}", 1, started_at=1.0)
    traces.keep("kind 0", 2, started_at=1.0)
    traces.keep("one more", 3, started_at=1.0)

    assert traces.since(0.0, "kind 0") == hexadecimal(2, 1)
    assert traces.since(0.0, "kind 1") == ()


def test_what_is_taken_is_kept_no_more() -> None:
    traces = TraceIds()
    for number in range(1, MOST_EACH + 2):
        traces.keep("slow", number, started_at=10.0 * number)
    traces.keep("failed", 9, started_at=5.0)

    assert traces.take() == {
        "slow": tuple((10.0 * number, number.to_bytes(16, "big")) for number in range(2, 7)),
        "failed": ((5.0, (9).to_bytes(16, "big")),),
    }
    assert traces.take() == {}
    assert traces.since(0.0, "slow", "failed") == ()


def test_what_was_taken_can_be_kept_again_elsewhere() -> None:
    process, machine = TraceIds(), TraceIds()
    process.keep("slow", 1, started_at=1.0)
    process.keep("slow", 2, started_at=2.0)

    machine.add_all(process.take())

    assert machine.since(0.0, "slow") == hexadecimal(2, 1)


@pytest.mark.parametrize("cut_at", [0, 3, 70, 150])
def test_what_is_restored_goes_on_as_if_nothing_had_happened(cut_at: int) -> None:
    traces = restored = TraceIds()
    for number in range(1, 200):
        if number == cut_at:
            restored = TraceIds()
            restored.restore(LAYOUT.thaw(b"".join(LAYOUT.freeze(traces.state))))
        for each in {traces, restored}:
            each.keep(f"name {number * 7 % 90}", number, started_at=float(number))

    assert list(restored.state.items()) == list(traces.state.items())
    restored.keep("new", 1, started_at=1.0)
    assert len(restored.state) == MOST_NAMES


@pytest.mark.parametrize(
    "state",
    [
        {f"name {number}": ((1.0, bytes(16)),) for number in range(MOST_NAMES + 1)},
        {"slow": ()},
        {"slow": ((1.0, bytes(16)),) * (MOST_EACH + 1)},
        {"slow": ((float("nan"), bytes(16)),)},
        {"slow": ((float("inf"), bytes(16)),)},
    ],
    ids=["too many names", "none", "too many", "no moment", "never"],
)
def test_traces_that_no_such_memory_holds_are_refused(state: Any) -> None:
    with pytest.raises(ValueError, match="expected"):
        TraceIds().restore(state)
