from collections.abc import Callable, Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from dashlight.window.bins import Binner
from dashlight.window.columns import ColumnReference
from dashlight.window.layout import ABOVE, BELOW, BINS, NULL, TYPE_ERROR
from dashlight.window.pairs import PairCounter, PairCounts, bin_signs, paired_places, pairs_of
from dashlight.window.reference.build import build_reference_from_columns
from dashlight.window.tables import table_of_columns

Make = Callable[..., ColumnReference]


def counts_of(held: Mapping[int, int]) -> NDArray[np.int64]:
    counts = np.zeros((1, BINS), np.int64)
    counts[0, list(held)] = list(held.values())
    return counts


def test_the_lowest_and_highest_third_have_signs_and_the_middle_has_none() -> None:
    signs = bin_signs(counts_of(dict.fromkeys(range(4, 14), 100)))[0]

    assert signs[4:14].tolist() == [-1, -1, -1, 0, 0, 0, 0, 1, 1, 1]
    assert (signs[BELOW], signs[ABOVE], signs[NULL], signs[TYPE_ERROR]) == (-1, 1, 0, 0)


@pytest.mark.parametrize(
    ("held", "signs"),
    [
        ({4: 600, 5: 100, 6: 100, 7: 100, 8: 100}, [-1, 1, 1, 1, 1]),
        ({4: 100, 5: 100, 6: 100, 7: 100, 8: 600}, [-1, -1, -1, -1, 1]),
        ({4: 300, 5: 400, 6: 300}, [-1, 0, 1]),
        ({4: 700, 5: 300}, [-1, 1]),
        ({4: 990, 5: 10}, [0, 0]),
        ({4: 1000}, [0]),
        ({NULL: 1000}, [0]),
    ],
    ids=["many lowest", "many highest", "ties at the median", "a flag", "a rare flag", "constant", "always missing"],
)
def test_columns_with_heavy_values_have_sides_as_even_as_can_be(held: Mapping[int, int], signs: list[int]) -> None:
    assert bin_signs(counts_of(held))[0, 4 : 4 + len(signs)].tolist() == signs


def test_values_missing_from_the_reference_weigh_nothing() -> None:
    held = dict.fromkeys(range(4, 14), 100)

    assert (bin_signs(counts_of({**held, NULL: 5000})) == bin_signs(counts_of(held))).all()


def test_no_columns_have_no_signs() -> None:
    assert bin_signs(np.zeros((0, BINS), np.int64)).shape == (0, BINS)


def test_the_first_hundred_numeric_columns_are_paired(column: Make) -> None:
    columns = [column(f"c{place}", "text" if place % 2 else "numeric") for place in range(300)]

    assert paired_places(columns).tolist() == list(range(0, 200, 2))


@given(st.integers(0, 600), st.integers(0, 10_000))
def test_counts_are_those_of_every_row_and_pair(rows: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    signs = rng.integers(-1, 2, (5, BINS)).astype(np.int8)
    codes = rng.integers(0, BINS, (8, rows)).astype(np.uint8)
    places = np.array([0, 2, 3, 6, 7])

    counts = PairCounter(places, signs).count(codes)

    seen = np.array([signs[among, codes[place]] for among, place in enumerate(places)])
    for pair, (first, second) in enumerate(zip(*pairs_of(5), strict=True)):
        assert counts.agreeing[pair] == (seen[first] * seen[second] == 1).sum()
        assert counts.informative[pair] == (seen[first] * seen[second] != 0).sum()
    assert counts.sides.tolist() == [(seen == -1).sum(1).tolist(), (seen == 1).sum(1).tolist()]
    assert counts.rows == rows


@given(st.integers(0, 10_000), st.integers(0, 80))
def test_counts_of_workers_add(seed: int, cut: int) -> None:
    rng = np.random.default_rng(seed)
    counter = PairCounter(np.arange(4), rng.integers(-1, 2, (4, BINS)).astype(np.int8))
    codes = rng.integers(0, BINS, (4, 80)).astype(np.uint8)

    both = counter.count(codes[:, :cut]) + counter.count(codes[:, cut:])
    whole = counter.count(rng.permutation(codes, axis=1))

    for part in ("agreeing", "informative", "sides", "rows"):
        assert np.array_equal(getattr(both, part), getattr(whole, part))


@pytest.mark.parametrize(
    "increasing", [np.exp, lambda x: 5 * x - 3, np.cbrt, lambda x: x**3], ids=["exp", "linear", "root", "cube"]
)
def test_increasing_maps_of_a_column_change_nothing(increasing: Callable[[object], NDArray[np.float64]]) -> None:
    rng = np.random.default_rng(4)
    values = np.round(rng.standard_normal((3, 1000)), 2)

    def counted(first: NDArray[np.float64]) -> PairCounts:
        named = {"a": first, "b": values[1], "c": values[2]}
        reference = build_reference_from_columns(named, {}, rng=np.random.default_rng(0), created_at=0.0)
        codes = Binner(reference.columns).codes(table_of_columns(named))
        signs = bin_signs(np.array([column.counts for column in reference.columns]))
        return PairCounter(np.arange(3), signs).count(codes)

    before, after = counted(values[0]), counted(increasing(values[0]))

    assert before.agreeing.tolist() == after.agreeing.tolist()
    assert before.informative.tolist() == after.informative.tolist()
