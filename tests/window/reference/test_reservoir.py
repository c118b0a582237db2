import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dashlight.window.reference.reservoir import Reservoir


@given(st.lists(st.integers(0, 30), max_size=10), st.integers(1, 50))
def test_the_values_kept_are_all_or_as_many_as_there_is_room_for(parts: list[int], size: int) -> None:
    reservoir = Reservoir(size, np.random.default_rng(0))
    everything = np.arange(float(sum(parts)))
    start = 0
    for part in parts:
        reservoir.add(everything[start : start + part])
        start += part

    kept = reservoir.values.tolist()

    assert reservoir.seen == len(everything)
    assert len(kept) == min(size, len(everything))
    assert len(set(kept)) == len(kept)
    assert set(kept) <= set(everything.tolist())


def test_every_value_has_the_same_chance_to_be_kept() -> None:
    rng = np.random.default_rng(3)
    kept = np.zeros(60)
    for _ in range(4000):
        reservoir = Reservoir(12, rng)
        for part in np.split(np.arange(60.0), [5, 20, 21, 50]):
            reservoir.add(part)
        kept[reservoir.values.astype(int)] += 1

    # 4000 draws of chance 0.2 each: mean 800, standard deviation 25.
    assert np.abs(kept - 800).max() < 5 * 25


def test_what_was_asked_for_is_a_copy() -> None:
    reservoir = Reservoir(2, np.random.default_rng(0))
    reservoir.add(np.array([1.0]))

    reservoir.values[:] = 9.0

    assert reservoir.values.tolist() == [1.0]
