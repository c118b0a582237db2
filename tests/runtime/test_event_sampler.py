"""Which exchanges become events, and what each of them stands for."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean

import pytest

from dashlight.records import Exchange
from dashlight.runtime.event_sampler import REASONS, EventSampler, Kept, Reason

Make = Callable[..., Exchange]
NEVER_DRAWN = 1 << 100


def kept(sampler: EventSampler, exchange: Exchange, *reasons: Reason, at: float = 1000.0, times: int = 1) -> list[Kept]:
    found = [sampler.decide(exchange, reasons, at=at) for _ in range(times)]
    return [each for each in found if each is not None]


@pytest.mark.parametrize("reason", REASONS)
def test_what_shows_something_is_kept_up_to_ten_a_second_and_a_hundred_at_once(exchange: Make, reason: Reason) -> None:
    sampler, odd = EventSampler(0.01), exchange(trace_id=NEVER_DRAWN)

    counts = [len(kept(sampler, odd, reason, at=at, times=500)) for at in (1000.0, 1001.0, 4600.0)]

    assert counts == [100, 10, 100]


def test_a_flood_of_one_reason_hides_no_other(exchange: Make) -> None:
    sampler, odd = EventSampler(0.01), exchange(trace_id=NEVER_DRAWN)
    kept(sampler, odd, "failure", times=10_000)

    assert [len(kept(sampler, odd, reason, times=3)) for reason in REASONS] == [0, 3, 3, 3, 3, 3, 3]


def test_a_flood_that_shows_two_things_hides_neither_of_them_alone(exchange: Make) -> None:
    sampler, odd = EventSampler(0.01), exchange(trace_id=NEVER_DRAWN)
    for second in range(60):
        kept(sampler, odd, "failure", "slow", at=1000.0 + second, times=500)

    assert len(kept(sampler, odd, "slow", at=1060.0, times=30)) == 30


def test_what_shows_something_new_within_a_flood_is_kept(exchange: Make) -> None:
    sampler, odd = EventSampler(0.01), exchange(trace_id=NEVER_DRAWN)
    kept(sampler, odd, "new_category", times=10_000)

    (found,) = kept(sampler, odd, "new_category", "out_of_range")

    assert found.reasons == ("out_of_range", "new_category")


def test_what_was_drawn_says_with_which_probability_and_spends_nothing(exchange: Make) -> None:
    sampler, drawn = EventSampler(0.25), exchange(trace_id=NEVER_DRAWN + (1 << 56) - 1)

    found = kept(sampler, drawn, "failure", times=500)

    assert {(each.probability, each.reasons, each.kept_share) for each in found} == {(0.25, ("failure",), None)}
    assert len(found) == 500
    assert len(kept(sampler, exchange(trace_id=NEVER_DRAWN), "failure", times=500)) == 100


def test_what_was_forced_says_which_share_of_its_reason_was_kept_in_its_minute(exchange: Make) -> None:
    sampler, odd = EventSampler(0.01), exchange(trace_id=NEVER_DRAWN)

    flood = kept(sampler, odd, "slow", at=1000.0, times=400)
    alone = kept(sampler, odd, "slow", at=1090.0)

    assert {(each.probability, each.kept_share) for each in flood} == {(None, 0.25)}
    assert [each.kept_share for each in alone] == [1.0]


def test_the_documentation_lists_the_reasons_in_their_order() -> None:
    page = (Path(__file__).parents[2] / "docs" / "events.md").read_text()
    table = page.partition("| reason | what it is |")[2].partition("\n\n")[0]

    assert tuple(line.split("`")[1] for line in table.splitlines()[2:]) == REASONS


def test_a_clock_that_goes_back_gives_nothing(exchange: Make) -> None:
    sampler, odd = EventSampler(0.01), exchange(trace_id=NEVER_DRAWN)
    kept(sampler, odd, "failure", times=100)

    assert not kept(sampler, odd, "failure", at=500.0)


def test_a_rate_of_nought_sends_no_exchange_at_all(exchange: Make) -> None:
    sampler = EventSampler(0.0)

    assert not kept(sampler, exchange(trace_id=NEVER_DRAWN + (1 << 56) - 1), *REASONS)
    assert sampler.sampled_out == 1


def test_every_exchange_is_counted_once_as_kept_or_as_left_out(exchange: Make) -> None:
    sampler, draws = EventSampler(0.3), random.Random(11)
    for at in range(2000):
        reasons: list[Reason] = [reason for reason in REASONS if draws.random() < 0.2]
        sampler.decide(exchange(trace_id=draws.getrandbits(128) | 1), tuple(reasons), at=1000.0 + at / 100)

    assert sum(sampler.kept.values()) + sampler.sampled_out == 2000
    assert set(sampler.kept) == {"drawn", *REASONS}


def test_totals_are_estimated_without_bias_from_those_drawn_though_others_are_forced(exchange: Make) -> None:
    """800 services of 250 exchanges each, of which a tenth are odd and ten times as large."""
    draws = random.Random(29)
    truths: list[tuple[int, float]] = []
    estimates: list[tuple[float, float]] = []
    for _ in range(800):
        sampler = EventSampler(0.1)
        sizes = [(10.0 if is_odd else 1.0, is_odd) for is_odd in (draws.random() < 0.1 for _ in range(250))]
        found: list[tuple[Kept, float]] = []
        for size, is_odd in sizes:
            each = exchange(trace_id=draws.getrandbits(128) | 1)
            why = sampler.decide(each, ("slow",) if is_odd else (), at=1000.0)
            if why is not None:
                found.append((why, size))
        truths.append((len(sizes), sum(size for size, _ in sizes)))
        estimates.append(_estimated(found))

    for place in (0, 1):
        errors = [estimate[place] - truth[place] for estimate, truth in zip(estimates, truths, strict=True)]
        deviation = (sum(error**2 for error in errors) / len(errors)) ** 0.5
        assert abs(fmean(errors)) < 3 * deviation / len(errors) ** 0.5
    count, total = (fmean(estimate[place] for estimate in estimates) for place in (0, 1))
    assert total / count == pytest.approx(fmean(truth[1] for truth in truths) / 250, rel=0.03)


def _estimated(found: Sequence[tuple[Kept, float]]) -> tuple[float, float]:
    """How many exchanges there were, and the sum of their sizes, from the events that carry a probability alone."""
    drawn = [(1 / why.probability, size) for why, size in found if why.probability is not None]
    return (sum(weight for weight, _ in drawn), sum(weight * size for weight, size in drawn))
