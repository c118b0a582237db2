"""Times of language models add up, under a bounded number of keys."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dashlight.metrics.generations import (
    MOST_GENERATIONS,
    MOST_SHARED,
    GenerationKey,
    GenerationSums,
    GenerationTimes,
    generation_times,
    merge_generations,
)
from dashlight.window.names import OTHER

ONE = generation_times(duration_seconds=2.0, first_token_seconds=0.5, seconds_per_token=None)


def key(model: str, error: str = "") -> GenerationKey:
    return ("chat", "openai_chat", model, model, error)


def test_what_there_is_no_time_of_is_not_counted() -> None:
    assert (ONE.durations.sum(), ONE.first_tokens.sum(), ONE.per_token.sum()) == (1, 1, 0)


def test_what_several_counted_is_what_one_would_have() -> None:
    several = [GenerationSums() for _ in range(3)]
    for number in range(30):
        several[number % 3].add(key(f"m{number % 5}"), ONE)

    merged = merge_generations([each.take() for each in several])

    assert {name: times.durations.sum() for name, times in merged.items()} == {key(f"m{n}"): 6 for n in range(5)}
    assert merge_generations([]) == {}


@pytest.mark.parametrize("error", [False, True], ids=["models", "models and errors"])
def test_whatever_clients_ask_for_the_keys_are_bounded_and_nothing_is_lost(error: bool) -> None:  # noqa: FBT001
    sums = GenerationSums()
    for number in range(1000):
        sums.add(key(f"m{number}", f"e{number}" if error else ""), ONE)

    found = sums.take()

    assert len(found) <= MOST_GENERATIONS + MOST_SHARED + 1
    assert np.sum([times.durations for times in found.values()]) == 1000
    assert key("m0", "e0" if error else "") in found
    assert any(OTHER in name for name in found)
    assert sums.items() == ()


@pytest.mark.parametrize("cut_at", [0, 20, 40, 60])
def test_sums_that_are_restored_go_on_as_if_nothing_had_happened(cut_at: int) -> None:
    whole = restored = GenerationSums()
    for number in range(70):
        if number == cut_at:
            restored = GenerationSums()
            restored.restore(dict(whole.state))
        for sums in {whole, restored}:
            sums.add(key(f"m{number}", f"e{number}"), ONE)

    assert list(restored.state) == list(whole.state)
    for name, times in restored.items():
        assert np.array_equal(times.durations, whole.state[name].durations)


@pytest.mark.parametrize(
    "times",
    [
        replace(ONE, durations=ONE.durations[:-1]),
        replace(ONE, durations=ONE.durations - 1),
        replace(ONE, first_tokens=ONE.first_tokens.astype(np.float64)),
        replace(ONE, per_token=ONE.per_token + 2**62),
        replace(ONE, per_token=ONE.per_token + 2**58),
    ],
    ids=["another scale", "below zero", "no counts", "too many", "too many together"],
)
def test_sums_that_cannot_be_are_refused(times: GenerationTimes) -> None:
    with pytest.raises(ValueError, match="expected"):
        GenerationSums().restore({key("m"): times})


def test_more_kinds_than_there_can_be_are_refused() -> None:
    kinds = {key(f"m{number}"): ONE for number in range(MOST_GENERATIONS + MOST_SHARED + 2)}

    with pytest.raises(ValueError, match="kinds of generations of 50: expected 0 to 49"):
        GenerationSums().restore(kinds)
