from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from dashlight.records import Table
from dashlight.window.bins import Binner
from dashlight.window.columns import ColumnReference, Variation
from dashlight.window.events import BIN_EVENTS
from dashlight.window.layout import STRUCTURAL_BINS
from dashlight.window.reference.block_variation import VariationMeter
from dashlight.window.reference.build import build_reference_from_columns

UPPER_HALF = 6
"""The event of value bins 16 to 31."""


def variation_of(values: NDArray[np.float64]) -> tuple[Variation, ...]:
    made = build_reference_from_columns({"x": values}, {}, rng=np.random.default_rng(0), created_at=0.0)
    return made.columns[0].variation


def test_independent_rows_vary_as_chance_would_have_it() -> None:
    parts = variation_of(np.random.default_rng(1).normal(size=64_000))

    assert [(part.block_rows, part.blocks) for part in parts] == [(100, 640), (400, 160), (1600, 40)]
    for part in parts:
        spread = 4 * np.sqrt(2 / (part.blocks - 1))
        assert np.nanmax(np.abs(part.events - 1)) < spread
        assert np.nanmax(np.abs(part.functionals - 1)) < spread


def test_a_slow_wave_makes_long_blocks_vary_more_than_chance() -> None:
    rows = np.arange(64_000)
    values = np.random.default_rng(2).normal(size=len(rows)) + 0.3 * np.sin(rows / 4000)

    parts = variation_of(values)

    ratios = [part.events[UPPER_HALF] for part in parts]
    assert ratios[0] < ratios[1] < ratios[2]
    assert ratios[2] > 10
    assert parts[2].functionals[0] > 10


def test_ratios_are_those_of_the_blocks_computed_directly() -> None:
    values = np.random.default_rng(3).normal(size=4050).cumsum()

    parts = variation_of(values)

    made = build_reference_from_columns({"x": values}, {}, rng=np.random.default_rng(0), created_at=0.0)
    middle = made.columns[0].edges[15]
    for part in parts:
        blocks = values[: len(values) // part.block_rows * part.block_rows].reshape(-1, part.block_rows)
        held = (blocks >= middle).sum(axis=1)
        statistic = 2 * np.arcsin(np.sqrt((held + 0.375) / (part.block_rows + 0.75)))
        assert part.events[UPPER_HALF] == pytest.approx(statistic.var(ddof=1) * part.block_rows)


def test_a_functionals_ratio_is_that_of_its_block_means_computed_directly() -> None:
    values = np.random.default_rng(4).normal(size=3200)
    values[::7] = np.nan
    made = build_reference_from_columns({"x": values}, {}, rng=np.random.default_rng(0), created_at=0.0)
    from dashlight.window.bins import reference_shares
    from dashlight.window.events import functionals

    shares = reference_shares(made.columns)
    score = functionals(shares, np.array([True]))[0, 0]
    table = Table(3200, ("x",), values[np.newaxis], (), (), np.arange(3200))
    scored = score[Binner(made.columns).codes(table)[0]]

    ratio = scored.reshape(-1, 100).mean(axis=1).var(ddof=1) * 100
    variance = shares[0] @ score**2 - (shares[0] @ score) ** 2
    assert made.columns[0].variation[0].functionals[0] == pytest.approx(ratio / variance)


@pytest.mark.parametrize("step", [1, 7, 99, 100, 250, 10_000])
def test_how_the_rows_are_cut_into_batches_makes_no_difference(
    step: int, column: Callable[..., ColumnReference]
) -> None:
    codes = np.random.default_rng(5).integers(0, 36, (2, 3350)).astype(np.uint8)
    counts = np.stack([np.bincount(row, minlength=36) for row in codes])
    laid_out = [column("a"), column("b", "categorical", categories=["x"], known=["y"])]
    counted = [replace(of, rows=3350, counts=row) for of, row in zip(laid_out, counts, strict=True)]
    whole, cut = VariationMeter(laid_out), VariationMeter(laid_out)

    whole.add(codes)
    for start in range(0, codes.shape[1], step):
        cut.add(codes[:, start : start + step])

    for expected, found in zip(whole.variations(counted), cut.variations(counted), strict=True):
        for one, other in zip(expected, found, strict=True):
            assert one.blocks == other.blocks
            assert other.events.tolist() == pytest.approx(one.events.tolist(), nan_ok=True)
            assert other.functionals.tolist() == pytest.approx(one.functionals.tolist(), nan_ok=True)
    for run, other_run in zip(whole.runs(), cut.runs(), strict=True):
        assert run is not None
        assert other_run is not None
        for name in ("held", "counts", "bursts"):
            np.testing.assert_array_equal(getattr(run, name), getattr(other_run, name))


def test_what_is_too_rare_or_constant_or_without_order_is_not_measured() -> None:
    rng = np.random.default_rng(6)
    columns = {"x": rng.normal(size=2000), "same": np.ones(2000), "colour": rng.choice(["a", "b"], 2000)}
    made = build_reference_from_columns(columns, {}, rng=rng, created_at=0.0)

    number, same, colour = (column.variation[0] for column in made.columns)

    assert np.isnan(number.events[:4]).all()
    assert not np.isnan(number.events[UPPER_HALF])
    assert np.isnan(same.events).all()
    assert np.isnan(same.functionals).all()
    assert np.isnan(colour.functionals).all()
    assert np.flatnonzero(~np.isnan(colour.events)).size > 0


def test_a_reference_too_short_for_two_blocks_says_how_many_it_has_and_no_ratio() -> None:
    parts = variation_of(np.random.default_rng(7).normal(size=500))

    assert [part.blocks for part in parts] == [5, 1, 0]
    assert not np.isnan(parts[0].events).all()
    assert np.isnan(parts[1].events).all()
    assert np.isnan(parts[2].functionals).all()


def test_no_columns_have_no_variations() -> None:
    assert VariationMeter([]).variations([]) == []


def test_runs_of_an_event_are_those_of_its_rows_counted_directly() -> None:
    values = np.random.default_rng(8).normal(size=5000).cumsum()
    made = build_reference_from_columns({"x": values}, {}, rng=np.random.default_rng(0), created_at=0.0).columns[0]
    assert made.runs is not None

    upper = values >= made.edges[15]

    assert made.runs.held[UPPER_HALF] == upper.sum()
    assert made.runs.counts[UPPER_HALF] == np.count_nonzero(upper[1:] & ~upper[:-1]) + upper[0]
    held, expected = upper.reshape(-1, 100).sum(1), 100 * upper.mean()
    # More than half of the rows are in it: so the rows count that a block lacked.
    assert upper.mean() > 0.5
    assert made.runs.bursts[UPPER_HALF] == pytest.approx(expected - held.min())


def test_the_spread_of_a_rare_event_is_that_of_its_counts_where_the_transform_hides_it() -> None:
    rng = np.random.default_rng(9)
    rare = np.repeat(rng.random(1000) < 0.01, 20)  # runs of twenty rows
    made = build_reference_from_columns({"x": rare.tolist()}, {}, rng=rng, created_at=0.0).columns[0]

    place = BIN_EVENTS[STRUCTURAL_BINS + made.categories.index("true")]

    counts, share = rare.reshape(-1, 100).sum(1), rare.mean()
    assert made.variation[0].events[place] == pytest.approx(counts.var(ddof=1) / 100 / (share * (1 - share)), rel=1e-3)


def test_a_reference_too_short_for_two_blocks_or_in_no_order_has_no_runs() -> None:
    values = {"x": np.random.default_rng(10).normal(size=1000)}
    rng = np.random.default_rng(0)

    shuffled = build_reference_from_columns(values, {}, rng=rng, created_at=0.0, ordered=False)

    assert shuffled.columns[0].runs is None
    assert VariationMeter(shuffled.columns).runs() == [None]
