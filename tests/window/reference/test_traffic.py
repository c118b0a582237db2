"""What an endpoint's traffic is compared with, while it is learned."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dashlight.store.layout import Layout
from dashlight.window.outcomes import OutcomeCounter, OutcomeCounts
from dashlight.window.reference.traffic import FEWEST_PANES, MOST_BLOCKS, TrafficLearning, TrafficLearningState

LAYOUT: Layout[TrafficLearningState] = Layout("traffic", 1, TrafficLearningState)


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


def test_it_is_known_how_many_times_the_rows_were_seen_those_forgotten_too() -> None:
    learning = learnt(*[10] * 400, rows=1000)
    assert learning.tries == 4.0

    learning.forget_oldest()

    assert learning.tries == 4.0


def test_how_far_it_is_goes_by_panes_and_by_exchanges() -> None:
    assert learnt(*[10] * 32, rows=1000).progress == 0.32
    assert learnt(*[1000] * 32, rows=1000).progress == 0.5
    assert learnt(*[1000] * 64, rows=1000).progress == 1.0


def written(learning: TrafficLearning) -> bytes:
    return b"".join(LAYOUT.freeze(learning.state))


@pytest.mark.parametrize("cut_at", [0, 1, 128, 129, 200, 499])
def test_learning_that_is_restored_goes_on_bit_by_bit(cut_at: int) -> None:
    panes = panes_of(*np.random.default_rng(1).poisson(300.0, 500).tolist())
    whole, restored = TrafficLearning(10_000), TrafficLearning(10_000)
    for pane in panes[:cut_at]:
        whole.add(pane)

    restored.restore(LAYOUT.thaw(written(whole)))
    for learning in (whole, restored):
        for pane in panes[cut_at:]:
            learning.add(pane)
        learning.forget_oldest()

    assert written(restored) == written(whole)
    assert (restored.rows, restored.is_full, restored.tries) == (whole.rows, True, whole.tries)
    for one, other in zip(restored.reference().blocks, whole.reference().blocks, strict=True):
        assert one.durations.tolist() == other.durations.tolist()
        assert (one.failures, one.first_ended_at) == (other.failures, other.first_ended_at)


def test_what_is_kept_of_blocks_takes_no_more_bytes_than_their_counts_need() -> None:
    small, large = learnt(*[100] * 100, rows=10), learnt(*[70_000] * 100, rows=10)

    assert [learning.state.histograms.itemsize for learning in (small, large)] == [1, 4]
    assert len(written(small)) < 100_000


STATE = learnt(5, 7, rows=10).state
(FIRST, SECOND) = STATE.blocks


def state_with(**fields: Any) -> TrafficLearningState:
    return replace(STATE, blocks=(FIRST, replace(SECOND, **fields)))


@pytest.mark.parametrize(
    "state",
    [
        replace(STATE, seen=11),
        replace(STATE, panes_a_block=0),
        replace(STATE, panes_a_block=13),
        replace(STATE, blocks=(FIRST,)),
        replace(STATE, histograms=STATE.histograms[:, 1:]),
        replace(STATE, histograms=STATE.histograms.astype(np.uint64) + np.uint64(2**63)),
        replace(
            STATE,
            blocks=(FIRST,) * (MOST_BLOCKS + 1),
            histograms=np.repeat(STATE.histograms[:1], MOST_BLOCKS + 1, axis=0),
        ),
        *(state_with(**{name: value}) for name in ("rows", "analysed", "panes") for value in (-1, 2**62)),
        *(
            state_with(**{name: {"ok": count}})
            for name in ("outcomes", "failures", "undecodable")
            for count in (-1, 2**62)
        ),
        state_with(outcomes={"ok": 0}),
        state_with(panes=0),
        state_with(first_ended_at=math.nan),
        state_with(last_ended_at=math.inf),
        state_with(first_ended_at=SECOND.last_ended_at + 1),
    ],
)
def test_a_state_to_which_no_panes_lead_is_refused(state: TrafficLearningState) -> None:
    with pytest.raises(ValueError, match=r"expected|block"):
        TrafficLearning(10).restore(state)
