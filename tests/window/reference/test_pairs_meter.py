import numpy as np
import pytest
from numpy.typing import NDArray

from dashlight.window.columns import ColumnReference, PairReference
from dashlight.window.layout import BINS, STRUCTURAL_BINS
from dashlight.window.pairs import pairs_of
from dashlight.window.reference.pairs_meter import ConcordanceMeter

Codes = NDArray[np.uint8]


def columns(count: int) -> list[ColumnReference]:
    nothing = np.zeros(0)
    return [
        ColumnReference(
            f"x{place}", "feature", "numeric", 0, np.zeros(BINS, np.int64), nothing, 0.0, 1.0, (), frozenset(), 0
        )
        for place in range(count)
    ]


def codes_of(values: NDArray[np.float64]) -> Codes:
    """Bins of twenty equal parts of normal values, shape (columns, rows)."""
    edges = np.quantile(np.random.default_rng(0).standard_normal(100_000), np.arange(1, 20) / 20)
    return (STRUCTURAL_BINS + np.searchsorted(edges, values)).astype(np.uint8)


def metered(codes: Codes, *, ordered: bool = True, step: int = 1000) -> PairReference:
    meter = ConcordanceMeter(columns(len(codes)), ordered=ordered)
    for start in range(0, codes.shape[1], step):
        meter.add(codes[:, start : start + step])
    reference = meter.reference()
    assert reference is not None
    return reference


def remembering(rng: np.random.Generator, rho: float, shape: tuple[int, int]) -> NDArray[np.float64]:
    values = rng.standard_normal(shape)
    for row in range(1, shape[1]):
        values[:, row] = rho * values[:, row - 1] + np.sqrt(1 - rho**2) * values[:, row]
    return values


def test_shares_are_those_of_the_rows_at_the_ends() -> None:
    rng = np.random.default_rng(1)
    values = rng.standard_normal((3, 4050))
    values[1] = 0.8 * values[0] + 0.6 * values[1]

    reference = metered(codes_of(values))

    cuts = np.quantile(values, [0.3, 0.7], axis=1)
    signs = (values > cuts[1][:, np.newaxis]).astype(int) - (values < cuts[0][:, np.newaxis])
    products = [signs[first] * signs[second] for first, second in zip(*pairs_of(3), strict=True)]
    assert reference.names == ("x0", "x1", "x2")
    assert reference.trials == pytest.approx([np.abs(product).sum() for product in products], rel=0.03)
    assert reference.shares == pytest.approx(
        [(product == 1).sum() / np.abs(product).sum() for product in products], abs=0.02
    )


def test_rows_that_are_independent_have_no_memory_and_no_season() -> None:
    reference = metered(codes_of(np.random.default_rng(2).standard_normal((12, 10_000))))

    assert (reference.phi == 1).mean() > 0.95
    assert (reference.tau == 0).all()


@pytest.mark.parametrize("repeats", [4, 20], ids=["in fours", "in twenties"])
def test_rows_that_come_in_bunches_count_as_fewer(repeats: int) -> None:
    values = np.repeat(np.random.default_rng(3).standard_normal((8, 20_000 // repeats)), repeats, axis=1)

    reference = metered(codes_of(values))

    assert repeats <= np.median(reference.phi) <= 1.5 * repeats
    assert reference.phi.min() >= 0.8 * repeats
    assert (reference.tau == 0).all()


def test_a_reference_too_short_for_its_memory_assumes_that_it_goes_on() -> None:
    values = remembering(np.random.default_rng(4), 0.99, (6, 3000))

    short = metered(codes_of(values))

    assert np.median(short.phi) > 40


def test_dependence_that_comes_and_goes_slowly_is_a_season() -> None:
    rng = np.random.default_rng(5)
    rows = 200_000
    values = rng.standard_normal((4, rows))
    strength = 0.6 * np.sin(2 * np.pi * np.arange(rows) / 20_000)
    values[1] = strength * values[0] + np.sqrt(1 - strength**2) * values[1]

    reference = metered(codes_of(values), step=10_000)

    assert 0.2 < reference.tau[0] < 1.0
    assert reference.tau[1:].max() < 0.05


def test_rows_without_an_order_say_nothing_of_memory() -> None:
    values = np.repeat(np.random.default_rng(6).standard_normal((3, 500)), 20, axis=1)

    reference = metered(codes_of(values), ordered=False)

    assert reference.phi.tolist() == [1.0] * 3
    assert reference.tau.tolist() == [0.0] * 3


@pytest.mark.parametrize("step", [1, 77, 5000], ids=["one by one", "unevenly", "at once"])
def test_the_pieces_in_which_rows_come_do_not_matter(step: int) -> None:
    codes = codes_of(np.random.default_rng(7).standard_normal((3, 1700)))

    pieces, whole = metered(codes, step=step), metered(codes)

    for part in ("signs", "shares", "trials", "phi", "tau"):
        assert np.array_equal(getattr(pieces, part), getattr(whole, part))


def test_signs_are_settled_before_the_rows_fill_the_memory() -> None:
    rng = np.random.default_rng(8)
    meter = ConcordanceMeter(columns(100))
    for _ in range(19):
        meter.add(rng.integers(4, 24, (100, 10_000), np.uint8))
    reference = meter.reference()

    assert reference is not None
    assert reference.trials == pytest.approx(np.full(4950, 190_000 * 0.36), rel=0.05)
    assert reference.shares == pytest.approx(np.full(4950, 0.5), abs=0.02)


def test_columns_that_never_vary_have_no_informative_rows() -> None:
    codes = codes_of(np.random.default_rng(9).standard_normal((3, 1000)))
    codes[1:] = STRUCTURAL_BINS

    reference = metered(codes)

    assert reference.trials.tolist() == [0.0] * 3
    assert reference.phi.tolist() == [1.0] * 3


@pytest.mark.parametrize(("count", "rows"), [(1, 1000), (0, 1000), (3, 199)], ids=["one column", "none", "few rows"])
def test_too_little_gives_no_reference(count: int, rows: int) -> None:
    meter = ConcordanceMeter(columns(count))
    meter.add(np.full((count, rows), STRUCTURAL_BINS, np.uint8))

    assert meter.reference() is None


def test_too_few_blocks_tell_nothing_of_memory() -> None:
    codes = codes_of(np.repeat(np.random.default_rng(10).standard_normal((3, 15)), 20, axis=1))

    assert metered(codes).phi.tolist() == [1.0] * 3
