from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import lfilter
from scipy.special import ndtr

from dashlight.window.bins import Binner
from dashlight.window.columns import ColumnReference, Season
from dashlight.window.reference.build import build_reference_from_columns
from dashlight.window.reference.seasons.meter import SlotMeter
from dashlight.window.reference.seasons.waves import in_season, slot_of
from dashlight.window.tables import Column, table_of_columns

DAY = 86_400.0


def moments(rows: int, days: float) -> NDArray[np.float64]:
    return 19_000 * DAY + np.arange(rows, dtype=np.float64) * (days * DAY / rows)


def fitted(
    values: Mapping[str, Column], at: NDArray[np.float64]
) -> tuple[Sequence[ColumnReference], list[Season | None]]:
    made = build_reference_from_columns(values, {}, rng=np.random.default_rng(0), created_at=0.0)
    meter = SlotMeter(made.columns)
    meter.add(Binner(made.columns).codes(table_of_columns(values)), at)
    return made.columns, meter.seasons(made.columns)


def only(values: Column, at: NDArray[np.float64]) -> tuple[ColumnReference, Season]:
    (column,), (season,) = fitted({"x": values}, at)
    assert season is not None
    return column, season


def remembering(rng: np.random.Generator, rows: int, columns: int, rho: float) -> dict[str, Column]:
    noise = rng.normal(size=(columns, rows + 1000)) * np.sqrt(1 - rho**2)
    values = lfilter([1], [1, -rho], noise)[:, 1000:]
    return {f"x{place}": values[place] for place in range(columns)}


def test_the_expected_shares_are_those_of_the_wave_that_made_the_rows() -> None:
    rng = np.random.default_rng(1)
    at = moments(48_000, 10)
    column, season = only(rng.normal(size=len(at)) + 1.5 * np.sin(2 * np.pi * at / DAY), at)

    for hour in range(0, 24, 3):
        middle = hour * 3600 + 450.0
        (seen,) = in_season([column], [season], {slot_of(middle): 1.0})

        below = ndtr(column.edges - 1.5 * np.sin(2 * np.pi * middle / DAY))
        shares = np.diff(np.concatenate([[0.0], below, [1.0]]))
        # The share of rows put into a wrong bin; 32 bins known from 6,000 rows are wrong by 0.03.
        assert np.abs(seen.counts[4 : 4 + len(shares)] / seen.rows - shares).sum() / 2 < 0.045


def test_what_is_left_when_a_season_is_taken_off_varies_as_chance_would_have_it() -> None:
    rng = np.random.default_rng(2)
    at = moments(64_000, 10)
    column, season = only(rng.normal(size=len(at)) + 0.5 * np.sin(2 * np.pi * at / DAY), at)

    assert [(part.block_rows, part.blocks) for part in season.variation] == [(100, 639), (400, 159), (1600, 39)]
    for part, before in zip(season.variation, column.variation, strict=True):
        error = np.sqrt(2 / (part.blocks - 1))
        for ratios in (part.events, part.functionals):
            assert abs(np.nanmean(ratios) - 1) < 1.5 * error
            assert np.nanmax(ratios) < 1 + 6 * error
        assert np.isnan(part.events).tolist() == np.isnan(before.events).tolist()
    assert column.variation[2].functionals[0] > 50


def test_rows_that_hang_together_still_do_when_the_season_is_taken_off() -> None:
    at = moments(48_000, 10)
    values = remembering(np.random.default_rng(3), len(at), 1, 0.9)["x0"]
    _, season = only(np.asarray(values) + np.sin(2 * np.pi * at / DAY), at)

    # (1 + rho) / (1 - rho) = 19 for the mean of long blocks.
    assert 12 < season.variation[2].functionals[0] < 26


def test_the_error_of_an_hours_share_is_no_more_than_that_of_as_many_rows_as_are_told() -> None:
    at = moments(4800, 4)
    wave = np.sin(2 * np.pi * at / DAY)
    errors: list[float] = []
    for seed in range(25):
        values = np.random.default_rng([4, seed]).normal(size=len(at)) + wave
        column, season = only(values, at)
        (seen,) = in_season([column], [season], {slot_of(6.5 * 3600): 1.0})
        low = seen.counts[4:20].sum() / seen.rows  # below the median of all
        expected = ndtr(column.edges[15] - np.sin(2 * np.pi * 6.625 / 24))
        errors.append(float((low - expected) / np.sqrt(expected * (1 - expected) / seen.rows)))

    assert 0.35 < np.std(errors) < 1.1
    assert abs(np.mean(errors)) < 0.8


@pytest.mark.parametrize("rho", [0.0, 0.9, 0.99])
def test_columns_without_a_season_are_given_none(rho: float) -> None:
    values = remembering(np.random.default_rng([5, round(100 * rho)]), 24_000, 40, rho)

    _, seasons = fitted(values, moments(24_000, 6))

    assert seasons == [None] * 40


def test_weather_that_differs_from_day_to_day_stays_natural_variation() -> None:
    rng = np.random.default_rng(6)
    at = moments(24_000, 10)
    day = ((at - at[0]) // DAY).astype(int)
    wave = np.sin(2 * np.pi * at / DAY)
    values = {f"x{place}": rng.normal(size=len(at)) + rng.normal(size=10)[day] * wave / 2 for place in range(20)}

    columns, seasons = fitted(values, at)

    assert sum(season is not None for season in seasons) <= 2
    for column, season in zip(columns, seasons, strict=True):
        left = (season or column).variation
        assert left[2].functionals[0] > 0.7 * column.variation[2].functionals[0]


@pytest.mark.parametrize("place", range(4))
def test_a_wave_of_a_fifth_of_a_deviation_is_seen_in_ten_days(place: int) -> None:
    rng = np.random.default_rng([7, place])
    at = moments(24_000, 10)

    _, season = only(rng.normal(size=len(at)) + 0.2 * np.sin(2 * np.pi * at / DAY + place), at)

    assert 7 in season.harmonics


def test_a_plain_wave_costs_a_few_parameters_not_one_for_each_hour() -> None:
    at = moments(48_000, 10)

    column, season = only(np.random.default_rng(8).normal(size=len(at)) + 0.5 * np.sin(2 * np.pi * at / DAY), at)

    assert season.hour_rows.min() > column.rows / 12


def test_a_share_that_follows_the_hour_has_a_season_whatever_the_kind() -> None:
    rng = np.random.default_rng(9)
    at = moments(24_000, 10)
    night = rng.random(len(at)) < 0.3 + 0.2 * np.cos(2 * np.pi * at / DAY)
    columns, seasons = fitted(
        {"flag": night.tolist(), "word": np.where(night, "a", "b").tolist(), "same": np.ones(len(at))}, at
    )
    by_name = dict(zip((column.name for column in columns), seasons, strict=True))

    assert by_name["flag"] is not None
    assert by_name["word"] is not None
    assert by_name["same"] is None


def test_hours_with_little_traffic_are_known_less_well() -> None:
    rng = np.random.default_rng(10)
    at = moments(96_000, 10)
    by_day = np.sin(2 * np.pi * at / DAY) > 0
    at = at[by_day | (rng.random(len(at)) < 0.1)]

    _, season = only(rng.normal(size=len(at)) + 0.5 * np.sin(2 * np.pi * at / DAY), at)

    assert season.hour_rows[5] > 2 * season.hour_rows[18]


def test_weekends_are_told_from_other_days() -> None:
    rng = np.random.default_rng(11)
    at = moments(50_400, 21)
    weekend = np.isin((at // DAY).astype(int) % 7, [2, 3])  # the epoch was a Thursday
    column, season = only(rng.normal(size=len(at)) + 0.8 * weekend, at)

    thursday, saturday = (in_season([column], [season], {slot_of(day * DAY + DAY / 2): 1.0})[0] for day in (0, 2))

    upper = [float(seen.counts[20:].sum() / seen.rows) for seen in (thursday, saturday)]
    middle = column.edges[15]
    assert upper == pytest.approx([1 - ndtr(middle), 1 - ndtr(middle - 0.8)], abs=0.04)
