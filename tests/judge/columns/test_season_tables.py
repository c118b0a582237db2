from collections.abc import Callable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from dashlight.judge.columns.season_tables import (
    SeasonTables,
    SlotRows,
    expected_counts,
    slots_between,
    without_season,
)
from dashlight.judge.evidence.evidence import Evidence
from dashlight.judge.evidence.null import null_of
from dashlight.judge.evidence.pane_ends import PANES_REMEMBERED
from dashlight.judge.evidence.score_tables import EvidenceTables, evidence_tables
from dashlight.window.bins import Binner
from dashlight.window.columns import ColumnReference, Season
from dashlight.window.reference.seasons.meter import SlotMeter
from dashlight.window.reference.seasons.waves import SLOTS, in_season
from dashlight.window.tables import table_of_columns

DAY = 86_400.0
COLUMNS = 6
PANES = 259_200.0
ROWS_A_DAY = 4800
PANE_ROWS = 25
"""Of 7.5 minutes."""


def moments(days: float) -> NDArray[np.float64]:
    return 19_000 * DAY + (np.arange(round(days * ROWS_A_DAY), dtype=np.float64) + 0.5) * (DAY / ROWS_A_DAY)


def rhythm(rng: np.random.Generator, at: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Columns with a daily wave, each with its own phase, and last one without."""
    waves = [np.sin(2 * np.pi * (at / DAY + place / COLUMNS)) for place in range(COLUMNS)]
    waves[-1] = np.zeros(len(at))
    return {f"x{place}": rng.normal(size=len(at)) + wave for place, wave in enumerate(waves)}


class Seasonal:
    """A reference of six days, its seasons, and its tables."""

    def __init__(self, columns_of: Callable[..., tuple[ColumnReference, ...]], seed: int) -> None:
        at = moments(6)
        values = rhythm(np.random.default_rng([seed, 0]), at)
        self.columns = columns_of(values)
        meter = SlotMeter(self.columns)
        meter.add(Binner(self.columns).codes(table_of_columns(values)), at)
        self.seasons = meter.seasons(self.columns)
        self.weights = np.full(COLUMNS, 1 / COLUMNS)
        self.pooled = evidence_tables(null_of(self.columns), self.weights, panes=PANES)

    def tables(self) -> SeasonTables:
        return SeasonTables(self.columns, self.seasons, self.weights, panes=PANES, like=self.pooled)


@pytest.fixture
def seasonal(columns_of: Callable[..., tuple[ColumnReference, ...]]) -> Seasonal:
    return Seasonal(columns_of, 1)


def margins(of: Seasonal, panes: NDArray[np.int64], at: NDArray[np.float64], *, slots: bool) -> NDArray[np.float32]:
    """Shape (panes, COLUMNS)."""
    evidence, tables = Evidence(of.pooled), of.tables()
    ends = at[PANE_ROWS - 1 :: PANE_ROWS]
    begins = ends - PANE_ROWS * DAY / ROWS_A_DAY
    found: Sequence[NDArray[np.float32]] = [
        evidence.update(counts, tables.tables(slots_between(begin, end)) if slots else None)
        for counts, begin, end in zip(panes, begins.tolist(), ends.tolist(), strict=True)
    ]
    return np.array(found)


@pytest.mark.parametrize(
    ("began_at", "ended_at", "slots"),
    [
        pytest.param(0.0, 10.0, {0: 1.0}, id="ten seconds"),
        pytest.param(890.0, 900.0, {0: 1.0}, id="ten seconds up to the next slot"),
        pytest.param(892.0, 908.0, {1: 1.0}, id="across the border"),
        pytest.param(900.0, 900.0, {1: 1.0}, id="a moment"),
        pytest.param(900.0, 890.0, {0: 1.0}, id="backwards"),
        pytest.param(600.0, 2000.0, {0: 300.0, 1: 900.0, 2: 200.0}, id="more than a slot"),
        pytest.param(900.0, 2700.0, {1: 900.0, 2: 900.0}, id="from border to border"),
        pytest.param(604_000.0, 605_700.0, {671: 800.0, 0: 900.0}, id="into the next week"),
    ],
)
def test_a_pane_lies_in_the_slots_that_it_overlaps(began_at: float, ended_at: float, slots: dict[int, float]) -> None:
    assert slots_between(began_at, ended_at) == slots


def test_a_pane_of_years_lies_in_all_slots_alike() -> None:
    spent = slots_between(0.0, 1e9)

    assert len(spent) == SLOTS
    assert list(spent.values()) == pytest.approx([900.0] * SLOTS)


def test_a_slots_tables_are_those_of_the_columns_as_it_sees_them(seasonal: Seasonal) -> None:
    found = seasonal.tables().tables({30: 1.0})

    seen = null_of(in_season(seasonal.columns, seasonal.seasons, {30: 1.0}))
    expected = evidence_tables(seen, seasonal.weights, panes=PANES, like=seasonal.pooled)
    for part in ("each", "inside", "scores", "floor"):
        np.testing.assert_array_equal(getattr(found, part), getattr(expected, part))
        assert np.isfinite(getattr(found, part)).all()
    assert (found.scores[0] != seasonal.pooled.scores[0]).any()


def test_thresholds_are_the_same_in_every_slot(seasonal: Seasonal) -> None:
    tables = seasonal.tables()

    for slot in range(0, 96, 12):
        np.testing.assert_array_equal(tables.tables({slot: 1.0}).floor, seasonal.pooled.floor)


def test_tables_are_made_once_a_slot_and_forgotten_after_two(seasonal: Seasonal) -> None:
    tables = seasonal.tables()
    first, second = tables.tables({1: 1.0}), tables.tables({2: 1.0})

    assert tables.tables({1: 1.0}) is first
    assert tables.tables({2: 1.0}) is second
    tables.tables({3: 1.0})
    assert tables.tables({2: 1.0}) is second
    assert tables.tables({1: 1.0}) is not first


def test_columns_without_seasons_keep_their_tables(seasonal: Seasonal) -> None:
    none: list[Season | None] = [None] * COLUMNS
    tables = SeasonTables(seasonal.columns, none, seasonal.weights, panes=PANES, like=seasonal.pooled)
    kept: EvidenceTables = tables.tables({30: 1.0})

    assert kept is seasonal.pooled


def test_rows_of_the_last_panes_are_told_by_slot() -> None:
    rows = SlotRows()
    for slot, count in ((5, 100), (5, 50), (6, 30)):
        rows.add({slot: 1.0}, count)
    rows.add({6: 100.0, 7: 300.0}, 40)

    assert rows.of_last(1) == {6: 10.0, 7: 30.0}
    assert rows.of_last(3) == {6: 40.0, 7: 30.0, 5: 50.0}
    assert rows.of_last(1000) == {6: 40.0, 7: 30.0, 5: 150.0}
    assert SlotRows().of_last(3) == {}


def test_panes_beyond_every_window_are_forgotten() -> None:
    rows = SlotRows()
    for _ in range(PANES_REMEMBERED + 5):
        rows.add({1: 1.0}, 1)

    assert rows.of_last(1 << 20) == {1: float(PANES_REMEMBERED)}


def test_a_window_is_expected_to_hold_what_its_slots_do(seasonal: Seasonal) -> None:
    at = moments(1)
    values = rhythm(np.random.default_rng(2), at)
    third = {name: cells[: ROWS_A_DAY // 3] for name, cells in values.items()}
    codes = Binner(seasonal.columns).codes(table_of_columns(third))
    held = np.stack([np.bincount(row, minlength=36) for row in codes])

    expected = expected_counts(seasonal.columns, seasonal.seasons, slots_between(at[0], at[ROWS_A_DAY // 3]))

    shares = expected / expected.sum(1, keepdims=True)
    assert np.abs(shares - held / held.sum(1, keepdims=True)).sum(1).max() / 2 < 0.1
    pooled = np.array([column.counts for column in seasonal.columns])
    pooled_shares = pooled / pooled.sum(1, keepdims=True)
    assert np.abs(pooled_shares - held / held.sum(1, keepdims=True)).sum(1).max() / 2 > 0.2
    assert expected[-1].tolist() == pooled[-1].tolist()


def test_effects_are_measured_by_the_variation_that_a_season_leaves(seasonal: Seasonal) -> None:
    calm = without_season(seasonal.columns, seasonal.seasons)

    assert [season is None for season in seasonal.seasons] == [False] * (COLUMNS - 1) + [True]
    assert calm[-1] is seasonal.columns[-1]
    assert calm[0].counts is seasonal.columns[0].counts
    before, after = (null_of([column]).variation for column in (seasonal.columns[0], calm[0]))
    assert before.functional_phi[0, 0] > 20
    assert after.functional_phi[0, 0] < 3


@pytest.mark.parametrize("seed", range(2))
def test_a_daily_wave_that_goes_on_as_it_was_is_no_evidence(
    columns_of: Callable[..., tuple[ColumnReference, ...]], panes_of: Callable[..., NDArray[np.int64]], seed: int
) -> None:
    of = Seasonal(columns_of, seed)
    at = moments(0.5)
    panes = panes_of(of.columns, rhythm(np.random.default_rng([seed, 1]), at), PANE_ROWS)

    assert margins(of, panes, at, slots=True).max() < 0


@pytest.mark.parametrize("seed", range(2))
def test_a_shift_under_a_daily_wave_is_seen_by_slots_and_not_without(
    columns_of: Callable[..., tuple[ColumnReference, ...]], panes_of: Callable[..., NDArray[np.int64]], seed: int
) -> None:
    of = Seasonal(columns_of, seed)
    at = moments(0.125)
    values = rhythm(np.random.default_rng([seed, 2]), at)
    values["x2"] += 0.5
    panes = panes_of(of.columns, values, PANE_ROWS)

    by_slots = margins(of, panes, at, slots=True)
    pooled = margins(of, panes, at, slots=False)

    assert (by_slots[:, 2] >= 0).argmax() < 600 / PANE_ROWS
    assert by_slots[-1, 2] >= 0
    assert pooled[:, 2].max() < 0
    assert np.delete(by_slots, 2, axis=1).max() < 0
