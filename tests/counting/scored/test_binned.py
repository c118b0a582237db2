from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dashlight.counting.policy import Policy
from dashlight.counting.rows import RowCounter
from dashlight.counting.scored.binned import MOST_DRAWN, Binned, SampleDraw, codes_of_rows, counted
from dashlight.records import Prediction
from dashlight.window.columns import LargestCluster, Reference
from dashlight.window.tables import taken

Columns = Callable[..., Any]
Predictions = Callable[..., Prediction]
Traces = Callable[..., Any]


def keys(count: int, seed: int = 0) -> Any:
    return np.frombuffer(np.random.default_rng(seed).bytes(16 * count), "V16")


def test_every_row_is_drawn_until_there_are_many() -> None:
    assert SampleDraw().drawn(keys(1000)).all()


def test_the_share_that_is_drawn_halves_and_hangs_on_the_key_alone() -> None:
    draw, other = SampleDraw(), SampleDraw()
    draw.drawn(keys(MOST_DRAWN))
    draw.drawn(keys(10, seed=1))
    other.bound = draw.bound

    later = draw.drawn(keys(4000, seed=2))

    assert draw.bound == 1 << 63
    assert 0.45 < later.mean() < 0.55
    np.testing.assert_array_equal(other.drawn(keys(4000, seed=2)), later)


def binned_of(reference: Reference, prediction: Prediction, traces: Traces, **how: Any) -> Binned:
    counter, found = RowCounter(reference, Policy()), list[Binned]()
    counter.add(prediction, traces(range(1, prediction.features.rows + 1)), binned=found, **how)
    (binned,) = found
    return binned


def test_bins_are_those_that_were_counted(
    reference: Reference, columns: Columns, prediction: Predictions, traces: Traces
) -> None:
    whole = prediction(columns(np.random.default_rng(5), 40))
    counter, found = RowCounter(reference, Policy()), list[Binned]()
    counter.add(whole, traces(range(1, 41)), binned=found)
    pane = counter.close()

    codes = codes_of_rows(found[0], np.arange(40))

    assert pane is not None
    assert codes is not None
    assert found[0].rows is None
    counts = np.array([np.bincount(row, minlength=pane.counts.shape[1]) for row in codes])
    np.testing.assert_array_equal(counts, pane.counts)


def test_rows_that_do_not_count_have_no_bins_and_the_others_keep_theirs(
    reference: Reference, columns: Columns, prediction: Predictions, traces: Traces
) -> None:
    whole = prediction(columns(np.random.default_rng(6), 40))
    alone = codes_of_rows(binned_of(reference, whole, traces), np.arange(40))
    of_few = replace(reference, largest_cluster=LargestCluster(share=0.1, rows=4))

    binned = binned_of(of_few, whole, traces, keys=[7] * 39 + [8])

    assert alone is not None
    assert binned.rows is not None
    assert 0 < len(binned.rows) < 40
    np.testing.assert_array_equal(np.flatnonzero(counted(binned, np.arange(40))), binned.rows)
    codes = codes_of_rows(binned, binned.rows)
    np.testing.assert_array_equal(codes, alone[:, binned.rows])


def test_rows_that_repeat_have_no_bins(
    reference: Reference, columns: Columns, prediction: Predictions, traces: Traces
) -> None:
    held = columns(np.random.default_rng(8), 40)
    again = {name: [*values[:20], *[values[0]] * 20] for name, values in held.items()}
    whole = prediction(again)

    binned = binned_of(reference, whole, traces)

    assert binned.rows is not None
    assert set(range(1, 20)) <= set(binned.rows.tolist())
    assert len(binned.rows) < 40
    codes, alone = (
        codes_of_rows(binned, binned.rows),
        codes_of_rows(binned_of(reference, prediction(held), traces), np.arange(20)),
    )
    assert codes is not None
    assert alone is not None
    np.testing.assert_array_equal(codes[:, np.isin(binned.rows, range(1, 20))], alone[:, 1:])


def test_where_sides_are_not_as_long_nobody_knows_which_rows_belong_together(
    reference: Reference, columns: Columns, prediction: Predictions, traces: Traces
) -> None:
    whole = prediction(columns(np.random.default_rng(7), 40))
    if not whole.outputs.rows:
        pytest.skip("a reference of features alone")
    shorter = Prediction("/", "m", "1", "plain", whole.features, taken(whole.outputs, np.arange(3)))

    assert codes_of_rows(binned_of(reference, shorter, traces), np.arange(3)) is None
