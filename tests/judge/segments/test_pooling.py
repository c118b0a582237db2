"""Rows of other segments that one is worth adding: where they say the same, and of none that is odd."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from dashlight.judge.segments.pooling import MOST_ADDED, MOST_MOVED, rows_added, with_rows_added
from dashlight.window.columns import ColumnReference
from dashlight.window.events import EVENTS
from dashlight.window.layout import BINS, NULL, STRUCTURAL_BINS
from dashlight.window.reference.build import build_reference_from_columns

SEGMENTS, ROWS = 20, 1000
Counts = NDArray[np.int64]


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(47)


@pytest.fixture
def column(rng: np.random.Generator) -> ColumnReference:
    rows = {"age": rng.standard_normal(20_000), "score": rng.random(20_000)}
    return build_reference_from_columns(rows, {"score": "output"}, rng=rng, created_at=0.0).columns[0]


def counts_of(rng: np.random.Generator, shares: NDArray[np.float64], segments: int = SEGMENTS) -> Counts:
    return np.asarray(rng.multinomial(ROWS, shares, size=segments), np.int64)


def even() -> NDArray[np.float64]:
    return np.where(np.arange(BINS) >= STRUCTURAL_BINS, 1 / (BINS - STRUCTURAL_BINS), 0.0)


def tilted(size: float) -> NDArray[np.float64]:
    place = np.linspace(-1.0, 1.0, BINS)
    shares: NDArray[np.float64] = even() * (1 + size * place)
    return shares / np.sum(shares)


def added_to(column: ColumnReference, counts: Counts, *, memory: float = 1.0) -> NDArray[np.float64]:
    columns = [replace(column, counts=each, rows=int(each.sum())) for each in counts]
    return rows_added(columns, counts.sum(axis=0) - counts, memory)


def test_segments_that_are_alike_lend_one_another_rows(rng: np.random.Generator, column: ColumnReference) -> None:
    added = added_to(column, counts_of(rng, even()))

    assert np.median(added) > 0.3 * ROWS
    assert added.max() <= MOST_ADDED * ROWS * (1 + 1e-9)


def test_segments_that_differ_lend_nothing(rng: np.random.Generator, column: ColumnReference) -> None:
    counts = np.stack([counts_of(rng, tilted(size), 1)[0] for size in rng.uniform(-0.8, 0.8, SEGMENTS)])

    assert added_to(column, counts).max() < 0.02 * ROWS


def test_an_odd_segment_among_alike_ones_stays_near_its_own_rows(
    rng: np.random.Generator, column: ColumnReference
) -> None:
    counts = counts_of(rng, even())
    counts[3] = counts_of(rng, tilted(0.8), 1)[0]

    assert added_to(column, counts)[3] < 0.15 * ROWS


def test_a_segment_that_is_odd_in_a_rare_bin_stays_near_its_own_rows(
    rng: np.random.Generator, column: ColumnReference
) -> None:
    counts = counts_of(rng, even())
    counts[3, NULL] = 10

    assert added_to(column, counts)[3] < 0.1 * ROWS


@pytest.mark.parametrize("size", [0.0, 0.1, 0.2, 0.4, 0.8])
def test_nothing_moves_by_more_than_its_own_error(
    rng: np.random.Generator, column: ColumnReference, size: float
) -> None:
    counts = counts_of(rng, even())
    counts[3] = counts_of(rng, tilted(size), 1)[0]
    others = counts.sum(axis=0) - counts[3]

    drawn = with_rows_added(replace(column, counts=counts[3], rows=ROWS), others, float(added_to(column, counts)[3]))

    before, after = counts[3] @ EVENTS / ROWS, drawn.counts @ EVENTS / drawn.rows
    everything = counts.sum(axis=0) @ EVENTS / counts.sum()
    error = np.sqrt(everything * (1 - everything) * (1 / ROWS + 1 / (ROWS * (SEGMENTS - 1))))
    assert (np.abs(after - before) <= MOST_MOVED * error + 2 / ROWS).all()


def test_what_all_share_in_time_is_not_told_better_by_more_of_them(
    rng: np.random.Generator, column: ColumnReference
) -> None:
    counts = counts_of(rng, even())

    added = added_to(column, counts, memory=10.0)

    assert (10.0 / (ROWS + added) >= 1 / (ROWS * (1 + MOST_ADDED)) + 9.0 / ROWS - 1e-12).all()


def test_two_segments_say_little_of_how_alike_segments_are(rng: np.random.Generator, column: ColumnReference) -> None:
    assert added_to(column, counts_of(rng, even(), 2)).max() < 0.1 * ROWS


def test_a_segment_without_others_is_left_as_it_is(rng: np.random.Generator, column: ColumnReference) -> None:
    counts = counts_of(rng, even(), 1)

    added = added_to(column, counts)

    assert added.tolist() == [0.0]
    assert with_rows_added(column, np.zeros(BINS, np.int64), 0.0) is column


def test_rows_that_are_added_are_shared_out_as_the_others_are(column: ColumnReference) -> None:
    others = np.zeros(BINS, np.int64)
    others[[0, 10, 11]] = [1, 600, 399]

    drawn = with_rows_added(replace(column, single_block_rows=10, rows=500), others, 100.0)

    more = drawn.counts - column.counts
    assert drawn.rows == 600
    assert (more.sum(), more[10], more[11]) == (100, 60, 40)
    assert drawn.single_block_rows == 12
