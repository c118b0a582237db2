"""Trace ids by bin: the newest, since a change, of the bins that grew."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from dashlight.counting.exemplars import ExemplarCollector, ExemplarPane, Exemplars, ExemplarsState
from dashlight.store.layout import Layout
from dashlight.window.bins import Binner
from dashlight.window.layout import BINS
from dashlight.window.reference.build import build_reference_from_columns
from dashlight.window.tables import table_of_columns

LAYOUT: Layout[ExemplarsState] = Layout("exemplars", 1, ExemplarsState)


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


def collected(binner: Binner, values: list[float], *numbers: int) -> list[ExemplarPane]:
    """What a process hands on that saw *values* in exchanges of these *numbers*."""
    collector = ExemplarCollector(1)
    keep(collector, binner, values, *numbers)
    pane = collector.close()
    return [] if pane is None else [pane]


def keep(collector: ExemplarCollector, binner: Binner, values: list[float], *numbers: int) -> None:
    codes = binner.codes(table_of_columns({"x": values}))
    collector.keep(binner, codes, traces(*numbers), columns=slice(0, 1))


def shown(exemplars: Exemplars, *, since_pane: int = 0) -> list[int]:
    current, reference = counts(v3=10), counts(v0=10, v1=10, v2=10, v3=10)
    return [int(each, 16) for each in exemplars.of(0, current=current, reference=reference, since_pane=since_pane)]


def test_the_bins_that_grew_are_shown_newest_first(binner: Binner) -> None:
    exemplars = Exemplars(1)
    exemplars.take(collected(binner, [3.0, 0.0], 11, 12), pane=0)
    exemplars.take(collected(binner, [3.0, 3.0, 1.0], 21, 22, 23), pane=1)

    assert shown(exemplars) == [22, 11]


def test_of_several_bins_that_grew_the_one_that_grew_most_comes_first(binner: Binner) -> None:
    exemplars = Exemplars(1)
    exemplars.take(collected(binner, [0.0, 1.0, 2.0, 3.0], 10, 11, 12, 13), pane=0)

    found = exemplars.of(0, current=counts(v1=2, v2=7, v3=1), reference=counts(v0=8, v1=1, v3=1), since_pane=0)

    assert [int(each, 16) for each in found] == [12, 11]


def test_what_is_older_than_the_change_is_not_shown(binner: Binner) -> None:
    exemplars = Exemplars(1)
    exemplars.take(collected(binner, [3.0], 11), pane=4)
    exemplars.take(collected(binner, [3.0], 21), pane=5)

    assert shown(exemplars, since_pane=5) == [21]


def test_room_is_made_by_what_is_oldest(binner: Binner) -> None:
    exemplars = Exemplars(1)
    exemplars.take(collected(binner, [3.0], 11), pane=0)
    for pane in range(1, 8):
        exemplars.take(collected(binner, [0.0], 12), pane=pane)

    before = shown(exemplars)
    exemplars.take(collected(binner, [0.0], 12), pane=8)

    assert (before, shown(exemplars)) == ([11], [])


def test_no_more_than_five_are_shown(binner: Binner) -> None:
    exemplars = Exemplars(1)
    for pane in range(9):
        exemplars.take(collected(binner, [3.0], pane + 1), pane=pane)

    assert shown(exemplars) == [9, 8, 7, 6, 5]


def test_exchanges_without_a_trace_are_not_shown(binner: Binner) -> None:
    exemplars = Exemplars(1)
    exemplars.take(collected(binner, [3.0], 0), pane=0)

    assert shown(exemplars) == []


def test_a_pane_holds_the_last_of_each_bin_and_begins_anew(binner: Binner) -> None:
    collector = ExemplarCollector(1)
    keep(collector, binner, [3.0, 0.0], 1, 2)
    keep(collector, binner, [3.0, 1.0], 3, 4)
    first = collector.close()
    keep(collector, binner, [2.0], 5)
    second = collector.close()

    assert first is not None
    assert first.places.tolist() == [4, 5, 7]
    assert first.trace_ids.tolist() == traces(2, 4, 3).tolist()
    assert second is not None
    assert (second.places.tolist(), second.trace_ids.tolist()) == ([6], traces(5).tolist())
    assert collector.close() is None


def test_columns_lie_side_by_side(binner: Binner) -> None:
    collector = ExemplarCollector(3)
    collector.keep(binner, binner.codes(table_of_columns({"x": [3.0]})), traces(9), columns=slice(2, 3))
    exemplars = Exemplars(3)
    exemplars.take([pane for pane in [collector.close()] if pane], pane=0)

    found = [exemplars.of(at, current=counts(v3=1), reference=counts(v0=1), since_pane=0) for at in range(3)]

    assert found == [(), (), (f"{9:032x}",)]


def test_of_several_processes_the_later_one_wins_a_bin(binner: Binner) -> None:
    exemplars = Exemplars(1)
    panes = [*collected(binner, [3.0, 2.0], 11, 12), *collected(binner, [3.0], 21), *collected(binner, [0.0], 31)]
    exemplars.take(panes, pane=0)

    found = exemplars.of(0, current=counts(v2=5, v3=6), reference=counts(v0=1), since_pane=0)

    assert [int(each, 16) for each in found] == [21, 12]


def test_panes_without_exemplars_push_none_out(binner: Binner) -> None:
    exemplars = Exemplars(1)
    exemplars.take(collected(binner, [3.0], 11), pane=0)
    for pane in range(1, 20):
        exemplars.take([], pane=pane)

    assert shown(exemplars) == [11]


def test_exemplars_of_other_columns_are_refused(binner: Binner) -> None:
    collector = ExemplarCollector(2)
    collector.keep(binner, binner.codes(table_of_columns({"x": [3.0]})), traces(9), columns=slice(1, 2))

    with pytest.raises(ValueError, match="other columns"):
        Exemplars(1).take([pane for pane in [collector.close()] if pane], pane=0)


def written(exemplars: Exemplars) -> bytes:
    return b"".join(LAYOUT.freeze(exemplars.state))


@pytest.mark.parametrize("cut_at", [0, 1, 6, 12])
def test_exemplars_that_are_restored_go_on_bit_by_bit(binner: Binner, cut_at: int) -> None:
    whole = restored = Exemplars(1)
    for pane in range(14):
        if pane == cut_at:
            restored = Exemplars(1)
            restored.restore(LAYOUT.thaw(written(whole)))
        for each in {whole, restored}:
            each.take(collected(binner, [3.0, 2.0], pane + 1, pane + 2) if pane % 3 else [], pane=pane)

    assert written(restored) == written(whole)
    assert shown(restored, since_pane=5) == shown(whole, since_pane=5) == [14, 12, 11, 9, 8]


def pane_of(places: Any, *, type_: type[np.generic] = np.uint32, trace_ids: Any = None) -> ExemplarPane:
    array: Any = np.asarray(places, type_)
    return ExemplarPane(array, traces(*range(array.size)) if trace_ids is None else trace_ids)


@pytest.mark.parametrize(
    "state",
    [
        ((-1, pane_of([4])),),
        ((2**62, pane_of([4])),),
        ((1, pane_of([4])), (0, pane_of([4]))),
        ((0, pane_of([4])),) * 9,
        ((0, pane_of([])),),
        ((0, pane_of([BINS])),),
        ((0, pane_of([5, 4])),),
        ((0, pane_of([4, 4])),),
        ((0, pane_of([[4]])),),
        ((0, pane_of([4], trace_ids=traces(1, 2))),),
        ((0, pane_of([4], type_=np.int64)),),
        ((0, pane_of([4], trace_ids=np.zeros(1, np.uint8))),),
    ],
)
def test_exemplars_that_cannot_be_are_refused(state: ExemplarsState) -> None:
    with pytest.raises(ValueError, match=r"expected|order"):
        Exemplars(1).restore(state)


def test_a_pane_is_as_large_as_what_it_holds(binner: Binner) -> None:
    collector = ExemplarCollector(1000)
    collector.keep(binner, binner.codes(table_of_columns({"x": [3.0]})), traces(9), columns=slice(2, 3))

    pane = collector.close()
    assert pane is not None
    assert pane.places.nbytes + pane.trace_ids.nbytes == 4 + 16
