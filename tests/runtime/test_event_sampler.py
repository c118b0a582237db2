"""Which exchanges become events."""

from __future__ import annotations

from itertools import cycle

from dashlight.runtime.event_sampler import EventSampler


def test_the_share_asked_for_is_kept() -> None:
    draws = cycle([0.05, 0.5, 0.95, 0.09])
    sampler = EventSampler(0.1, draw=lambda: next(draws))

    assert [sampler.keeps(failed=False, at=0.0) for _ in range(4)] == [True, False, False, True]


def test_failures_are_kept_up_to_ten_a_second() -> None:
    sampler = EventSampler(0.01, draw=lambda: 0.5)

    at_once = sum(sampler.keeps(failed=True, at=1000.0) for _ in range(500))
    a_second_later = sum(sampler.keeps(failed=True, at=1001.0) for _ in range(500))
    an_hour_later = sum(sampler.keeps(failed=True, at=4600.0) for _ in range(500))

    assert (at_once, a_second_later, an_hour_later) == (100, 10, 100)


def test_a_clock_that_goes_back_gives_nothing() -> None:
    sampler = EventSampler(0.01, draw=lambda: 0.5)
    for _ in range(100):
        sampler.keeps(failed=True, at=1000.0)

    assert not sampler.keeps(failed=True, at=500.0)


def test_a_rate_of_nought_sends_no_exchange_at_all() -> None:
    assert not EventSampler(0.0, draw=lambda: 0.0).keeps(failed=True, at=0.0)
