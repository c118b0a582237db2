"""What several processes saw repeated, as if one had."""

from __future__ import annotations

from dashlight.window.payloads.repetition import (
    MOST_TOLD,
    TRACES_TOLD,
    RepeatedPayload,
    RepetitionPane,
    merged_repetition,
)


def test_panes_of_several_processes_add_up() -> None:
    one = RepetitionPane(100, 90, 34, (RepeatedPayload(1, 30, 29, ("a",)), RepeatedPayload(2, 6, 5)))
    other = RepetitionPane(50, 50, 10, (RepeatedPayload(1, 11, 10, ("a", "b")),))

    merged = merged_repetition([one, other])

    assert merged == RepetitionPane(
        150, 140, 44, (RepeatedPayload(1, 41, 39, ("a", "b")), RepeatedPayload(2, 6, 5, ()))
    )


def test_only_the_most_repeated_are_told_with_a_few_traces() -> None:
    traces = tuple(map(str, range(9)))
    panes = [RepetitionPane(9, 9, 5, (RepeatedPayload(number, 9, number, traces),)) for number in range(1, 20)]

    merged = merged_repetition(panes)

    assert [each.hash for each in merged.payloads] == list(range(19, 19 - MOST_TOLD, -1))
    assert merged.payloads[0].traces == traces[-TRACES_TOLD:]
