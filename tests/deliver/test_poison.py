from __future__ import annotations

from dashlight.deliver.poison import PoisonTally


def verdicts(tally: PoisonTally, count: int) -> list[bool]:
    return [tally.is_the_collector() for _ in range(count)]


def test_a_few_poisoned_events_are_the_events_fault() -> None:
    tally = PoisonTally()
    tally.try_batch(4, at=0.0)

    assert verdicts(tally, 4) == [False] * 4


def test_more_than_a_tenth_is_the_collector_s_fault() -> None:
    tally = PoisonTally()
    tally.try_batch(60, at=0.0)

    assert verdicts(tally, 7) == [False] * 6 + [True]


def test_batches_of_a_minute_count_together() -> None:
    tally = PoisonTally()
    tally.try_batch(5, at=0.0)
    verdicts(tally, 3)
    tally.try_batch(5, at=59.0)

    assert verdicts(tally, 2) == [False, True]


def test_after_a_minute_the_count_begins_anew() -> None:
    tally = PoisonTally()
    tally.try_batch(5, at=0.0)
    verdicts(tally, 4)
    tally.try_batch(5, at=60.0)

    assert verdicts(tally, 2) == [False, False]
