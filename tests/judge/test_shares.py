from dataclasses import replace
from itertools import product

import pytest

from dashlight.judge.shares import TRAFFIC, Shares, shares


@pytest.mark.parametrize("there", list(product([False, True], repeat=4)), ids=str)
def test_whatever_a_model_has_the_parts_and_traffic_are_the_whole_budget(there: tuple[bool, ...]) -> None:
    pairs, directions, breaks, performance = there

    found = shares(pairs=pairs, directions=directions, breaks=breaks, performance=performance)

    parts = (found.columns, found.pairs, found.directions, found.breaks, found.performance)
    assert sum(parts) + TRAFFIC == pytest.approx(1.0)
    assert [part > 0 for part in parts] == [True, *there]


def test_what_is_not_there_is_the_columns() -> None:
    everything = shares(pairs=True, directions=True, breaks=True, performance=True)

    assert replace(everything, columns=0.0) == Shares(0.0, 0.15, 0.10, 0.02, 0.10)
    assert everything.columns == pytest.approx(0.48)
    assert shares().columns == pytest.approx(0.85)
