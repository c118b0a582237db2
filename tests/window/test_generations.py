"""Times of language models add up, under a bounded number of keys."""

from __future__ import annotations

import numpy as np
import pytest

from dashlight.window.generations import (
    MOST_GENERATIONS,
    MOST_SHARED,
    GenerationKey,
    GenerationSums,
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
