from collections.abc import Callable, Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashlight.window.columns import ColumnReference, Season, Variation
from dashlight.window.layout import BINS
from dashlight.window.reference.seasons.waves import HOURS, SLOTS, in_season, slot_of, waves_at

LOW, HIGH = 4, 5
"""Two value bins."""
LEFT_OVER = (Variation(100, 50, np.ones(92), np.ones(8)),)


def daily(wave: float, rows: Mapping[int, float] | None = None) -> Season:
    """The share of HIGH is 0.5 + wave * cos(time of day)."""
    waves = np.zeros((3, BINS))
    waves[0, [LOW, HIGH]] = 0.5
    waves[1, [LOW, HIGH]] = -wave, wave
    hour_rows = np.full(HOURS, 1000.0)
    for hour, held in (rows or {}).items():
        hour_rows[hour] = held
    return Season(np.array([7]), waves, hour_rows, LEFT_OVER)


@pytest.mark.parametrize(
    ("at", "slot"),
    [
        pytest.param(0.0, 0, id="the epoch"),
        pytest.param(899.9, 0, id="just before a quarter of an hour"),
        pytest.param(900.0, 1, id="a quarter of an hour"),
        pytest.param(604_799.0, SLOTS - 1, id="the end of a week"),
        pytest.param(604_800.0, 0, id="a week later"),
        pytest.param(-1.0, SLOTS - 1, id="before the epoch"),
    ],
)
def test_a_slot_is_a_quarter_of_an_hour_of_the_week(at: float, slot: int) -> None:
    assert slot_of(at) == slot


def test_the_same_time_of_day_has_the_same_daily_wave_every_week() -> None:
    noon = 1_700_000_000.0

    waves = waves_at(np.array([noon, noon + 86_400, noon + 604_800]), np.array([7, 14]))

    assert waves[0].tolist() == pytest.approx(waves[1].tolist())
    assert waves[0].tolist() == pytest.approx(waves[2].tolist())
    angle = 2 * np.pi * (noon % 86_400) / 86_400
    assert waves[0].tolist() == pytest.approx(
        [1, np.cos(angle), np.sin(angle), np.cos(2 * angle), np.sin(2 * angle)], abs=1e-9
    )


def test_a_column_is_expected_to_be_as_at_that_time_of_day(column: Callable[..., ColumnReference]) -> None:
    pooled = column(counts={LOW: 5000, HIGH: 5000}, edges=[0.0], single_block_rows=100)

    (midnight,) = in_season([pooled], [daily(0.3)], {0: 10.0})
    (noon,) = in_season([pooled], [daily(0.3)], {48: 10.0})

    assert (midnight.counts[LOW], midnight.counts[HIGH]) == (200, 800)
    assert (noon.counts[LOW], noon.counts[HIGH]) == (800, 200)
    assert (midnight.rows, midnight.single_block_rows) == (1000, 10)
    assert midnight.variation is LEFT_OVER
    assert midnight.edges is pooled.edges


def test_a_window_over_several_slots_expects_their_mixture(column: Callable[..., ColumnReference]) -> None:
    pooled = column(counts={LOW: 5000, HIGH: 5000}, edges=[0.0])
    season = daily(0.3, {0: 1000.0, 12: 250.0})

    (seen,) = in_season([pooled], [season], {0: 30.0, 48: 10.0})

    assert seen.rows == 571  # 1 / (0.75 / 1000 + 0.25 / 250)
    assert seen.counts[HIGH] / seen.rows == pytest.approx(0.5 + 0.75 * 0.3 - 0.25 * 0.3, abs=0.003)


def test_a_column_without_a_season_and_a_window_without_rows_stay_as_they_are(
    column: Callable[..., ColumnReference],
) -> None:
    pooled = column(counts={LOW: 5000, HIGH: 5000}, edges=[0.0])

    assert in_season([pooled, pooled], [None, daily(0.3)], {0: 1.0})[0] is pooled
    assert in_season([pooled], [daily(0.3)], {}) == (pooled,)


def test_what_the_reference_holds_at_other_times_is_never_impossible(column: Callable[..., ColumnReference]) -> None:
    pooled = column(counts={LOW: 5000, HIGH: 5000}, edges=[0.0])

    (seen,) = in_season([pooled], [daily(0.6)], {0: 1.0})

    assert (seen.counts[LOW], seen.counts[HIGH]) == (1, 999)


@given(
    shares=st.lists(st.floats(0.0, 1.0), min_size=BINS, max_size=BINS).filter(lambda held: sum(held) > 0.01),
    wave=st.floats(0.0, 1.0),
    rows=st.floats(1.0, 1e6),
    slot=st.integers(0, SLOTS - 1),
)
def test_counts_add_up_and_follow_their_shares(shares: list[float], wave: float, rows: float, slot: int) -> None:
    held = np.array(shares) / sum(shares)
    column = ColumnReference(
        "x", "feature", "text", 1000, np.ceil(held).astype(np.int64), np.zeros(0), 0.0, 0.0, (), frozenset(), 0
    )
    season = Season(np.array([7]), np.stack([held, held * wave, -held * wave]), np.full(HOURS, rows), ())

    (seen,) = in_season([column], [season], {slot: 1.0})

    assert seen.counts.sum() == seen.rows
    assert (seen.counts[held > 0] >= 1).all()
    assert (seen.counts[held == 0] == 0).all()
    # All bins follow the same wave, so the shares remain.
    if 1 + wave * np.cos(2 * np.pi * 7 * slot / SLOTS) - wave * np.sin(2 * np.pi * 7 * slot / SLOTS) > 0.1:
        assert np.abs(seen.counts - held * seen.rows).max() < 1.001 + (held > 0).sum()  # a row of each at least
