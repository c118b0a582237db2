"""Which exchanges are slow for their endpoint."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from dashlight.counting.exchanges.slowness import FEWEST, MEMORY_SECONDS, Slowness
from dashlight.window.histogram import LATENCY, Binning

BINNING = Binning(LATENCY)


class Endpoint:
    """Counts the times of an endpoint as its counter does, a pane at a time."""

    def __init__(self, *, pane_seconds: float = 10.0) -> None:
        self.slowness = Slowness(pane_seconds=pane_seconds)
        self.counts = np.zeros(LATENCY.bins, np.int64)

    def serve(self, *seconds: float) -> list[int]:
        taken = np.array(seconds)
        self.counts += BINNING.count(taken[np.newaxis])
        found: list[int] = self.slowness.slow(taken, self.counts).tolist()
        return found

    def close(self) -> None:
        self.slowness.close(self.counts)
        self.counts = np.zeros(LATENCY.bins, np.int64)


def usual(rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    return rng.lognormal(np.log(0.02), 0.3, count)


def test_at_first_nothing_is_slow() -> None:
    assert Endpoint().serve(*[0.01] * (FEWEST - 1), 100.0) == []


def test_what_takes_longer_than_the_99th_percentile_is_slow() -> None:
    endpoint, rng = Endpoint(), np.random.default_rng(4)
    endpoint.serve(*usual(rng, 5000))

    assert endpoint.serve(0.02, 1.0, 0.03, 0.5) == [1, 3]


def test_of_traffic_that_does_not_change_one_in_a_hundred_is_slow_at_most() -> None:
    endpoint, rng = Endpoint(), np.random.default_rng(5)
    found = 0
    for _ in range(20):
        for _ in range(10):
            found += len(endpoint.serve(*usual(rng, 100)))
        endpoint.close()

    assert 0.002 < found / 20_000 < 0.0125


@pytest.mark.parametrize("panes", [0, 3], ids=["within a pane", "over panes"])
def test_what_is_slow_for_good_is_usual_soon(panes: int) -> None:
    endpoint, rng = Endpoint(), np.random.default_rng(6)
    endpoint.serve(*usual(rng, 3000))
    for _ in range(panes):
        endpoint.close()
    late = [len(endpoint.serve(*(10 * usual(rng, 20)))) for _ in range(60)]

    assert late[0] == 20
    assert sum(late[30:]) < 60  # of 600


def test_an_hour_of_silence_is_no_reason_to_forget_at_once() -> None:
    endpoint = Endpoint(pane_seconds=60.0)
    endpoint.serve(*[0.02] * 1000)
    for _ in range(2):
        endpoint.close()

    assert endpoint.serve(1.0) == [0]


def test_what_is_past_fades() -> None:
    endpoint = Endpoint(pane_seconds=MEMORY_SECONDS)
    endpoint.serve(*[5.0] * 1000)
    for _ in range(8):
        endpoint.close()
    endpoint.serve(*[0.02] * 1000)

    assert endpoint.serve(1.0) == [0]
