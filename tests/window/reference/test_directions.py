import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from dashlight.window.columns import DirectionReference
from dashlight.window.reference.directions import RowsMeter

Floats = NDArray[np.float64]


def reference_of(rows: Floats, *, name: str = "", ordered: bool = True) -> DirectionReference:
    meter = RowsMeter(rows.shape[1], rng=np.random.default_rng(5), name=name, ordered=ordered)
    meter.add(rows)
    reference = meter.reference()
    assert reference is not None
    return reference


@pytest.fixture
def rows() -> Floats:
    rng = np.random.default_rng(11)
    return np.asarray(rng.standard_normal((6400, 3)) * [1.0, 5.0, 0.0] + [0.0, 1000.0, 7.0])


def test_the_centre_is_of_the_first_half_and_the_mean_of_the_second(rows: Floats) -> None:
    rows[3200:, 0] += 0.5

    found = reference_of(rows, name="v")

    variance = rows[:3200].var(0)
    spread = np.sqrt(variance + 0.05 * variance.mean())
    assert (found.name, found.width, found.dims, found.ordered) == ("v", 3, 3, True)
    assert (found.total_rows, found.mean_rows) == (6400, 3200)
    assert found.centre == pytest.approx(rows[:3200].mean(0))
    assert found.spread == pytest.approx(spread, rel=1e-5)
    assert found.mean == pytest.approx((rows[3200:].mean(0) - rows[:3200].mean(0)) / spread, abs=1e-5)
    assert found.covariance == pytest.approx(np.cov(rows.T, bias=True) / np.outer(spread, spread), abs=1e-4)


def test_the_rows_kept_are_whole_blocks_of_the_second_half_in_order(rows: Floats) -> None:
    rows[:, 0] = np.arange(6400)

    found = reference_of(rows)

    numbers = np.round(found.rows[:, 0].astype(float) * found.spread[0] + found.centre[0])
    blocks = numbers.reshape(-1, 100)
    assert 6 <= len(blocks) <= 12
    assert np.abs(np.diff(blocks[:, [0, 99]], axis=1) - 99).max() <= 4  # half precision
    assert blocks.min() >= 3199
    assert (np.diff(blocks[:, 0]) > 0).all()


def test_block_means_are_of_every_length_and_in_order(rows: Floats) -> None:
    found = reference_of(rows)

    for length, means in zip((100, 400, 1600), found.block_means, strict=True):
        expected = (rows.reshape(-1, length, 3).mean(1) - found.centre) / found.spread
        assert means.dtype == np.float16
        assert means.astype(float) == pytest.approx(expected, abs=2e-3)


@given(st.lists(st.integers(1, 700), min_size=1, max_size=8))
def test_how_rows_are_handed_over_does_not_matter(sizes: list[int]) -> None:
    rows = np.random.default_rng(2).standard_normal((1500, 2))
    meter = RowsMeter(2, rng=np.random.default_rng(5))
    start = 0
    for size in [*sizes, 1500]:
        meter.add(rows[start : start + size])
        start += size

    found, whole = meter.reference(), reference_of(rows)

    assert found is not None
    assert found.rows.tobytes() == whole.rows.tobytes()
    assert found.covariance.tobytes() == whole.covariance.tobytes()


def test_memory_is_bounded_however_many_rows_come() -> None:
    rng = np.random.default_rng(4)
    meter = RowsMeter(20, rng=rng)
    for _ in range(40):
        meter.add(rng.standard_normal((5000, 20)))

    found = meter.reference()

    assert found is not None
    assert 600 <= len(found.rows) <= 1200
    assert [len(means) for means in found.block_means] == [125, 125, 125]
    means = sum(part.nbytes for part in found.block_means)
    assert found.rows.nbytes + found.covariance.nbytes + means < 70_000


def test_rows_that_are_not_finite_are_left_out(rows: Floats) -> None:
    spoiled = np.insert(rows, [10, 500, 4000], [[np.nan, 0, 0], [0, np.inf, 0], [0, 1e200, 0]], axis=0)

    assert reference_of(spoiled).covariance == pytest.approx(reference_of(rows).covariance)


def test_too_few_rows_give_no_reference(rows: Floats) -> None:
    meter = RowsMeter(3, rng=np.random.default_rng(5))
    assert meter.reference() is None

    meter.add(rows[:399])
    assert meter.reference() is None

    meter.add(rows[399:400])
    assert meter.reference() is not None


def test_wide_rows_are_projected() -> None:
    rows = np.random.default_rng(6).standard_normal((500, 1000))

    found = reference_of(rows, name="v")

    assert (found.width, found.dims) == (1000, 256)
    # Each dimension is the sum of three or four of variance 1.
    assert found.spread == pytest.approx(np.full(256, 2.0), rel=0.3)


def test_a_constant_column_has_a_spread(rows: Floats) -> None:
    constant = np.full((500, 2), 3.0)

    found = reference_of(constant)

    assert (found.spread > 0).all()
    assert np.isfinite(found.covariance).all()
    assert reference_of(rows).spread[2] > 0.5


@pytest.mark.parametrize("huge", [1e15, 1e30, 1e99, 1e150])
@pytest.mark.parametrize("places", [[3], [4990], [3, 4, 4990, 4991]], ids=["first half", "second half", "both"])
def test_rows_of_huge_numbers_leave_a_reference_of_numbers(rows: Floats, huge: float, places: list[int]) -> None:
    spoiled = rows.copy()
    spoiled[places, 1] = huge
    constant = np.zeros((5000, 2))
    constant[places] = huge

    for reference in (reference_of(spoiled), reference_of(constant)):
        total = (reference.covariance * np.float32(100)).sum() + reference.mean.sum()
        assert np.isfinite([total, *reference.centre, *reference.spread]).all()
        assert np.isfinite(reference.rows).all()
