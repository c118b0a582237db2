from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import lfilter

from dashlight.judge.directions.null import Along, DirectionNull
from dashlight.window.columns import DirectionReference
from dashlight.window.reference.directions import RowsMeter

Floats = NDArray[np.float64]


def remembering(rng: np.random.Generator, rows: int, rho: float) -> Floats:
    noise = rng.standard_normal((rows + 2000, 8)) * np.sqrt(1 - rho**2)
    return np.asarray(lfilter([1], [1, -rho], noise, axis=0)[2000:])


def reference_of(rows: Floats, *, ordered: bool = True) -> DirectionReference:
    meter = RowsMeter(rows.shape[1], rng=np.random.default_rng(5), ordered=ordered)
    meter.add(rows)
    reference = meter.reference()
    assert reference is not None
    return reference


def null_of(
    rows: Floats, *, ordered: bool = True, phi: Floats | None = None, tau: Floats | None = None
) -> DirectionNull:
    return DirectionNull(reference_of(rows, ordered=ordered), phi=phi, tau=tau)


def along_random(null: DirectionNull, dims: int, seed: int = 1) -> Along:
    return null.along(np.random.default_rng(seed).standard_normal((20, dims)))


def test_scores_of_rows_without_drift_have_deviation_one_and_the_mean_that_is_said() -> None:
    rng = np.random.default_rng(40)
    mixing = rng.standard_normal((8, 8))
    rows = rng.standard_normal((10_000, 8)) @ mixing + 3
    meter = RowsMeter(8, rng=rng)
    meter.add(rows)
    reference = meter.reference()
    assert reference is not None

    along = DirectionNull(reference, phi=None, tau=None).along(rng.standard_normal((20, 8)))

    fresh = (rng.standard_normal((50_000, 8)) @ mixing + 3 - reference.centre) / reference.spread
    scores = np.clip(fresh @ along.units.T, -3, 3)
    assert scores.std(0) == pytest.approx(np.ones(20), abs=0.05)
    away = (scores.mean(0) - along.mean) / np.sqrt(along.variance + 1 / 50_000)
    assert np.abs(away).max() < 3.5
    # Half of the rows tell the mean, and of the kept ones what is clipped.
    assert along.variance == pytest.approx(np.full(20, 1 / 5000), rel=0.3)
    assert along.phi == pytest.approx(np.ones(20))
    assert along.is_measured.all()


def test_skewed_scores_are_clipped_in_their_mean_too() -> None:
    rng = np.random.default_rng(41)
    rows = rng.exponential(size=(8000, 1)) ** 2

    along = null_of(rows).along(np.array([[1.0], [-1.0]]))

    fresh = rng.exponential(size=100_000) ** 2
    centre, deviation = rows[:4000].mean(), rows.std()
    expected = np.clip((fresh - centre) / deviation, -3, 3).mean()
    assert along.mean == pytest.approx([expected, -expected], abs=0.06)
    assert along.mean[0] < -0.05


@pytest.mark.parametrize(("rho", "least", "most"), [(0.5, 3, 6), (0.9, 17, 60)], ids=["a little", "much"])
def test_the_memory_of_rows_is_measured_along_a_direction(rho: float, least: float, most: float) -> None:
    null = null_of(remembering(np.random.default_rng(42), 20_000, rho))

    along = along_random(null, 8)

    # (1 + rho) / (1 - rho) rows are worth one: 3 and 19.
    assert least <= along.phi.min()
    assert along.phi.max() < most
    assert along.is_measured.all()
    assert not null.too_short


def test_clusters_are_measured_as_long_as_they_are() -> None:
    rng = np.random.default_rng(43)

    along = along_random(null_of(np.repeat(rng.standard_normal((1000, 5)), 20, axis=0)), 5)

    # Twenty; of one direction it is known to a tenth or so.
    assert along.phi.min() > 15
    assert 20 < np.median(along.phi) < along.phi.max() < 65


@pytest.mark.parametrize(("rows", "rho"), [(2000, 0.9), (8000, 0.99)], ids=["one length", "two lengths"])
def test_memory_without_an_end_in_sight_is_too_short_a_reference(rows: int, rho: float) -> None:
    null = null_of(remembering(np.random.default_rng(44), rows, rho))

    assert null.too_short
    assert not along_random(null, 8).is_measured.any()


def test_memory_that_ended_before_the_longest_length_is_measured() -> None:
    null = null_of(remembering(np.random.default_rng(45), 8000, 0.8))

    assert not null.too_short
    assert along_random(null, 8).is_measured.all()
    assert 6 < null.memory_rows < 12


def test_one_direction_alone_may_be_unmeasured() -> None:
    rng = np.random.default_rng(46)
    rows = rng.standard_normal((1500, 40))
    rows[:, 0] = remembering(rng, 1500, 0.99)[:, 0]

    found = null_of(rows).along(np.eye(40)[:3])

    assert found.is_measured.tolist() == [False, True, True]


def test_a_season_is_slow_movement_not_memory() -> None:
    rng = np.random.default_rng(47)
    hour = np.arange(48_000)[:, np.newaxis] / 4800 + np.linspace(0, 1, 8, endpoint=False)
    rows = rng.standard_normal((48_000, 8)) + 0.8 * np.sin(2 * np.pi * hour)

    # Along the season's own axis, and across it.
    along = null_of(rows).along(np.stack([np.cos(2 * np.pi * np.arange(8) / 8), np.tile([1.0, -1.0], 4)]))

    assert along.tau[0] > 0.4 or along.phi[0] > 300
    assert along.tau[1] < 0.1
    assert along.phi[1] < 3


def test_a_direction_has_no_less_memory_than_its_columns() -> None:
    null = null_of(
        np.random.default_rng(48).standard_normal((5000, 2)), phi=np.array([9.0, 0.5]), tau=np.array([0.1, 0.0])
    )

    along = null.along(np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]))

    assert along.phi == pytest.approx([9.0, 1.0, 5.0], rel=0.05)
    assert along.tau == pytest.approx([0.1, 0.0, 0.07], rel=0.1, abs=1e-9)


def test_rows_without_order_say_nothing_of_memory() -> None:
    null = null_of(remembering(np.random.default_rng(49), 20_000, 0.99), ordered=False)

    assert not null.too_short
    assert along_random(null, 8).phi == pytest.approx(np.ones(20))


def test_a_constant_reference_has_finite_scores() -> None:
    along = along_random(null_of(np.full((1000, 3), 2.0)), 3)

    assert np.isfinite(along.units).all()
    assert along.phi == pytest.approx(np.ones(20))


@pytest.mark.parametrize("size", [1e-320, 1e-30, 2.0**40, 1e30, 1e200])
def test_how_large_the_weights_are_does_not_matter(size: float) -> None:
    rng = np.random.default_rng(50)
    null, weights = null_of(rng.standard_normal((5000, 8))), np.sign(rng.standard_normal((20, 8)))

    assert null.along(weights * size).units == pytest.approx(null.along(weights).units)


def test_the_mean_of_clipped_scores_is_no_further_out_than_they_are() -> None:
    reference = reference_of(np.random.default_rng(51).standard_normal((3000, 8)))
    far = replace(reference, mean=np.full(8, -50, np.float32))

    along = along_random(DirectionNull(far, phi=None, tau=None), 8)

    assert np.abs(along.mean).max() == 3.0


@pytest.mark.parametrize("ordered", [True, False])
def test_along_what_never_moved_a_row_is_worth_a_row_at_most(*, ordered: bool) -> None:
    along = along_random(null_of(np.full((1000, 8), 2.0), ordered=ordered), 8)

    assert along.phi.min() >= 1.0
