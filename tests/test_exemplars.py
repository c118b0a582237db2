"""Trace ids by bin: the newest, since a change, of the bins that grew."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from dashlight.exemplars import Exemplars
from dashlight.window.bins import Binner
from dashlight.window.build import build_reference_from_columns
from dashlight.window.layout import BINS
from dashlight.window.tables import table_of_columns


@pytest.fixture(scope="module")
def binner() -> Binner:
    reference = build_reference_from_columns(
        {"x": [0.0, 1.0, 2.0, 3.0] * 100}, {}, rng=np.random.default_rng(0), created_at=0.0
    )
    return Binner(reference.columns)


def traces(*numbers: int) -> NDArray[np.void]:
    return np.frombuffer(b"".join(number.to_bytes(16, "big") for number in numbers), "V16")


def counts(**held: int) -> NDArray[np.int64]:
    """Rows in the bins of the values 0 to 3: `v2=5` are five rows of 2."""
    found = np.zeros(BINS, np.int64)
    for name, rows in held.items():
        found[4 + int(name[1:])] = rows
    return found


def keep(exemplars: Exemplars, binner: Binner, pane: int, values: list[float], *numbers: int) -> None:
    exemplars.begin_slice(pane)
    codes = binner.codes(table_of_columns({"x": values}))
    exemplars.keep(binner, codes, traces(*numbers), columns=slice(0, 1))


def shown(exemplars: Exemplars, *, since_pane: int = 0) -> list[int]:
    current, reference = counts(v3=10), counts(v0=10, v1=10, v2=10, v3=10)
    return [int(each, 16) for each in exemplars.of(0, current=current, reference=reference, since_pane=since_pane)]


def test_the_bins_that_grew_are_shown_newest_first(binner: Binner) -> None:
    exemplars = Exemplars(1)
    keep(exemplars, binner, 0, [3.0, 0.0], 11, 12)
    keep(exemplars, binner, 0, [3.0, 3.0, 1.0], 21, 22, 23)

    assert shown(exemplars) == [22, 11]


def test_what_is_older_than_the_change_is_not_shown(binner: Binner) -> None:
    exemplars = Exemplars(1)
    keep(exemplars, binner, 4, [3.0], 11)
    keep(exemplars, binner, 5, [3.0], 21)

    assert shown(exemplars, since_pane=5) == [21]


def test_room_is_made_by_what_is_oldest(binner: Binner) -> None:
    exemplars = Exemplars(1)
    for pane in range(9):
        keep(exemplars, binner, pane, [3.0], pane + 1)

    found = shown(exemplars)

    assert found == sorted(found, reverse=True)
    assert found[0] == 9
    assert 1 not in found


def test_exchanges_without_a_trace_are_not_shown(binner: Binner) -> None:
    exemplars = Exemplars(1)
    keep(exemplars, binner, 0, [3.0], 0)

    assert shown(exemplars) == []
