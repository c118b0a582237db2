"""What an endpoint's traffic is compared with, while it is learned."""

import numpy as np
import pytest

from dashlight.window.outcomes import OutcomeCounter, OutcomeCounts
from dashlight.window.reference.traffic import FEWEST_PANES, MOST_BLOCKS, TrafficLearning


def panes_of(*exchanges: int, seconds: float = 10.0) -> list[OutcomeCounts]:
    outcomes = OutcomeCounter()
    closed: list[OutcomeCounts] = []
    for number, count in enumerate(exchanges):
        times = np.full(count, 0.1)
        outcomes.add(
            ["ok"] * count, duration_seconds=times, first_byte_seconds=times, request_bytes=times, response_bytes=times
        )
        closed.append(outcomes.close(seconds * (number + 1)))
    return closed


def learnt(*exchanges: int, rows: int, seconds: float = 10.0) -> TrafficLearning:
    learning = TrafficLearning(rows)
    for pane in panes_of(*exchanges, seconds=seconds):
        learning.add(pane)
    return learning


@pytest.mark.parametrize(
    ("exchanges", "seconds", "full"),
    [
        ([10] * 100, 10.0, True),
        ([10] * 99, 10.0, False),
        ([1000] * (FEWEST_PANES - 1), 10.0, False),
        ([1] * 169, 3600.0, True),
        ([1] * 168, 3600.0, False),
        ([], 10.0, False),
    ],
    ids=["enough", "too few exchanges", "too few panes", "a week", "less than a week", "nothing"],
)
def test_it_is_full_with_enough_exchanges_or_a_week_and_enough_panes(
    exchanges: list[int], seconds: float, *, full: bool
) -> None:
    assert learnt(*exchanges, rows=1000, seconds=seconds).is_full is full


def test_panes_without_exchanges_are_left_out() -> None:
    learning = learnt(5, 0, 0, 5, rows=10)

    assert [block.panes for block in learning.reference().blocks] == [1, 1]


def test_memory_is_bounded_and_nothing_is_lost() -> None:
    learning = learnt(*range(1, 1001), rows=10)

    reference = learning.reference()

    assert len(reference.blocks) <= MOST_BLOCKS
    assert reference.total.exchanges == sum(range(1, 1001)) == learning.rows
    assert {block.panes for block in reference.blocks[:-1]} == {8}
    assert [block.last_ended_at for block in reference.blocks] == sorted(b.last_ended_at for b in reference.blocks)


def test_the_time_that_it_covers_is_known() -> None:
    assert learnt(1, 1, 1, rows=10).reference().seconds == 20.0


def test_the_oldest_quarter_is_forgotten_to_go_on_learning() -> None:
    learning = learnt(*[10] * 100, rows=1000)

    learning.forget_oldest()

    assert learning.rows == 750
    assert learning.reference().total.first_ended_at == 260.0
    assert not learning.is_full


def test_after_four_times_the_rows_what_is_held_has_to_do() -> None:
    assert not learnt(*[10] * 399, rows=1000).is_last_try
    assert learnt(*[10] * 400, rows=1000).is_last_try
