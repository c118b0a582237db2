"""What can go wrong with an endpoint's traffic, as events."""

import numpy as np
import pytest

from dashlight.judge.traffic.events import TrafficEvents
from dashlight.window.outcomes import OutcomeCounter, OutcomeCounts


def counts_of(seconds: float, first_byte: float) -> OutcomeCounts:
    outcomes, times = OutcomeCounter(), np.full(1000, seconds)
    outcomes.add(
        ["ok"] * 1000,
        duration_seconds=times,
        first_byte_seconds=np.full(1000, first_byte),
        request_bytes=times,
        response_bytes=times,
    )
    return outcomes.close(0.0)


def test_quantiles_in_one_bin_are_one_event() -> None:
    events = TrafficEvents(counts_of(0.1, 0.05))

    assert [slow.quantity for slow in events.slow] == ["latency", "first_byte"]
    assert events.weights.sum() == pytest.approx(1.0)


def test_a_first_byte_that_is_the_whole_says_nothing_more() -> None:
    assert [slow.quantity for slow in TrafficEvents(counts_of(0.1, 0.1)).slow] == ["latency"]


def test_beyond_the_scale_nothing_is_slower_and_without_a_body_nothing_is_late() -> None:
    assert [slow.quantity for slow in TrafficEvents(counts_of(5000.0, 0.1)).slow] == ["first_byte"]
    assert [slow.quantity for slow in TrafficEvents(counts_of(0.1, np.nan)).slow] == ["latency"]
