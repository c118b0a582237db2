from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from dashlight.errors import ReferenceDataError
from dashlight.window.bins import Binner
from dashlight.window.columns import ColumnReference, Season
from dashlight.window.reference.build import build_reference_from_columns
from dashlight.window.reference.seasons.meter import SlotMeter
from dashlight.window.reference.seasons.waves import waves_at
from dashlight.window.tables import table_of_columns

DAY = 86_400.0


def evenly(days: float, rows_a_day: int = 1600, begin: float = 19_000.0) -> NDArray[np.float64]:
    return begin * DAY + np.arange(round(days * rows_a_day), dtype=np.float64) * (DAY / rows_a_day)


def binned(values: NDArray[np.float64]) -> tuple[Sequence[ColumnReference], NDArray[np.uint8]]:
    made = build_reference_from_columns({"x": values}, {}, rng=np.random.default_rng(0), created_at=0.0)
    return made.columns, Binner(made.columns).codes(table_of_columns({"x": values}))


def season_of(values: NDArray[np.float64], at: NDArray[np.float64], step: int = 10**9) -> Season | None:
    columns, codes = binned(values)
    meter = SlotMeter(columns)
    for start in range(0, len(at), step):
        meter.add(codes[:, start : start + step], at[start : start + step])
    (season,) = meter.seasons(columns)
    return season


def rhythm(at: NDArray[np.float64], *, daily: float = 0.0, weekly: float = 0.0) -> NDArray[np.float64]:
    noise = np.random.default_rng(1).normal(size=len(at))
    return noise + daily * np.cos(2 * np.pi * at / DAY) + weekly * np.cos(2 * np.pi * at / (7 * DAY))


@pytest.mark.parametrize(
    ("days", "harmonics"),
    [
        pytest.param(2.7, None, id="less than three days"),
        pytest.param(3.1, {7}, id="three days"),
        pytest.param(20.0, {7}, id="less than three weeks"),
        pytest.param(21.1, {1, 7}, id="three weeks"),
    ],
)
def test_a_season_must_have_come_three_times(days: float, harmonics: set[int] | None) -> None:
    at = evenly(days)

    season = season_of(rhythm(at, daily=1.0, weekly=1.0), at)

    if harmonics is None:
        assert season is None
    else:
        assert season is not None
        found = set(season.harmonics.tolist())
        assert found >= harmonics
        assert (1 in found) == (1 in harmonics)


def test_hours_that_are_never_seen_have_no_season() -> None:
    at = evenly(10)
    office = at[(at % DAY > 9 * 3600) & (at % DAY < 17 * 3600)]

    assert season_of(rhythm(office, daily=1.0), office) is None


def test_moments_of_one_time_of_day_alone_have_no_season() -> None:
    at = np.floor(evenly(10) / DAY) * DAY

    assert season_of(rhythm(at), at) is None


@pytest.mark.parametrize(("days", "rows_a_day"), [(20, 20), (4, 100)], ids=["twenty a day", "a hundred a day"])
def test_rows_too_few_a_day_to_show_their_rhythm_have_no_season(days: int, rows_a_day: int) -> None:
    at = evenly(days, rows_a_day)

    assert season_of(rhythm(at, daily=1.0), at) is None


@pytest.mark.parametrize("step", [37, 100, 6400])
def test_how_the_rows_are_cut_into_batches_makes_no_difference(step: int) -> None:
    at = evenly(4)
    values = rhythm(at, daily=1.0)

    whole, cut = season_of(values, at), season_of(values, at, step)

    assert whole is not None
    assert cut is not None
    assert cut.harmonics.tolist() == whole.harmonics.tolist()
    np.testing.assert_allclose(cut.waves, whole.waves, rtol=1e-5)
    np.testing.assert_allclose(cut.hour_rows, whole.hour_rows, rtol=1e-5)
    for one, other in zip(whole.variation, cut.variation, strict=True):
        assert one.blocks == other.blocks
        np.testing.assert_allclose(other.events, one.events, rtol=1e-4)
        np.testing.assert_allclose(other.functionals, one.functionals, rtol=1e-4)


def test_sums_over_blocks_are_those_computed_directly() -> None:
    at = evenly(1.6)
    columns, codes = binned(rhythm(at))
    meter = SlotMeter(columns)
    meter.add(codes[:, :1000], at[:1000])
    meter.add(codes[:, 1000:], at[1000:])

    sums = meter._scales[1].sums()  # blocks of 400

    assert sums.blocks == 6
    blocks = codes[0, :2400].reshape(6, 400)
    counts = np.stack([np.bincount(block, minlength=36) for block in blocks]).astype(float)
    np.testing.assert_allclose(sums.counts[0], counts.T @ counts / 400)
    # Every tenth row of a hundred stands for ten.
    waves = waves_at(at[:2400:10], np.arange(1, 85)).reshape(6, 40, -1).sum(1) * 10
    np.testing.assert_allclose(sums.waves, waves.T @ waves / 400, atol=1e-6)
    np.testing.assert_allclose(sums.waves_counts[:, 0], waves.T @ counts / 400, atol=1e-6)


def test_a_reference_too_short_for_two_long_blocks_has_no_ratio_for_them() -> None:
    at = evenly(4, rows_a_day=750)

    season = season_of(rhythm(at, daily=1.0), at)

    assert season is not None
    assert [part.blocks for part in season.variation] == [29, 7, 1]
    assert not np.isnan(season.variation[1].functionals).any()
    assert np.isnan(season.variation[2].functionals).all()
    assert np.isnan(season.variation[2].events).all()


def test_rows_without_a_moment_are_refused() -> None:
    columns, codes = binned(rhythm(evenly(1)))

    with pytest.raises(ReferenceDataError, match="rows without a moment"):
        SlotMeter(columns).add(codes[:, :3], np.array([1.0, np.nan, 2.0]))


def test_no_columns_and_no_rows_have_no_seasons() -> None:
    columns, _ = binned(rhythm(evenly(1)))

    assert SlotMeter([]).seasons([]) == []
    assert SlotMeter(columns).seasons(columns) == [None]


def test_columns_without_rows_of_their_own_have_no_seasons_over_many_days() -> None:
    at = evenly(4)
    meter = SlotMeter([])

    meter.add(np.zeros((0, len(at)), np.uint8), at)

    assert meter.seasons([]) == []
