from collections.abc import Callable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from dashlight.judge.slices.rows import HurtRows
from dashlight.judge.slices.search import search_slice
from dashlight.judge.slices.words import bin_words
from dashlight.records import Slice
from dashlight.window.columns import ColumnReference
from dashlight.window.layout import BINS, NULL, STRUCTURAL_BINS
from dashlight.window.parts.sampled_rows import NOT_THERE
from dashlight.window.reference.steps import finished

Make = Callable[..., ColumnReference]
Draw = Callable[[np.random.Generator, Sequence[ColumnReference], int], NDArray[np.uint8]]
Rates = Callable[[NDArray[np.uint8]], NDArray[np.float64]]

ROWS = 4_000
UA, HOUR_24 = STRUCTURAL_BINS, STRUCTURAL_BINS + 24


class World:
    """Carrier, hour and ten other columns."""

    def __init__(self, categorical: Make, numeric: Make, drawn: Draw) -> None:
        self.columns = [categorical("carrier"), numeric("hour"), *(numeric(f"other {place}") for place in range(9))]
        self.columns.append(categorical("origin", ("JFK", "LGA", "EWR")))
        self._drawn = drawn

    def rows(self, seed: int, rates: Rates, count: int = ROWS) -> HurtRows:
        rng = np.random.default_rng(seed)
        codes = self._drawn(rng, self.columns, count)
        return HurtRows(codes, (rng.random(count) < rates(codes)).astype(np.float64))

    def searched(self, now: HurtRows, usual: HurtRows | None, leave_out: Sequence[int] = ()) -> Slice:
        return finished(search_slice(now, usual, self.columns, leave_out=leave_out, words=bin_words(self.columns)))


@pytest.fixture
def world(categorical: Make, numeric: Make, drawn: Draw) -> World:
    return World(categorical, numeric, drawn)


def ten_percent(codes: NDArray[np.uint8]) -> NDArray[np.float64]:
    return np.full(codes.shape[1], 0.1)


def at_night(codes: NDArray[np.uint8]) -> NDArray[np.float64]:
    """UA from 24 on, which is one row in sixteen."""
    return np.where((codes[0] == UA) & (codes[1] >= HOUR_24), 0.6, 0.1)


def groups(codes: NDArray[np.uint8]) -> NDArray[np.float64]:
    """UA always hurts four times as much."""
    return np.where(codes[0] == UA, 0.2, 0.05)


def test_a_slice_of_two_columns_is_found_and_told(world: World) -> None:
    verdict = world.searched(world.rows(1, at_night), world.rows(2, ten_percent))

    assert verdict.state == "found"
    assert [(each.column, each.role, each.bin) for each in verdict.conditions] == [
        ("carrier", "feature", "UA"),
        ("hour", "feature", "at least 24"),
    ]
    assert verdict.rows == ROWS
    assert verdict.share == pytest.approx(1 / 16, abs=0.015)
    assert verdict.rate == pytest.approx(0.6, abs=0.12)
    assert verdict.usual_rate == pytest.approx(0.1, abs=0.06)
    assert verdict.rest_rate == pytest.approx(0.1, abs=0.025)
    assert verdict.rest_usual_rate == pytest.approx(0.1, abs=0.025)
    assert verdict.p <= 1e-4
    assert verdict.explained_low <= 1.0 <= verdict.explained_high + 0.2
    assert verdict.summary.startswith("; it is carrier=UA and hour at least 24 (")
    assert "; the rest is as before (" in verdict.summary


def test_one_condition_is_enough_where_a_second_tells_no_more(world: World) -> None:
    verdict = world.searched(
        world.rows(3, lambda codes: np.where(codes[0] == UA, 0.35, 0.1)), world.rows(4, ten_percent)
    )

    assert [each.column for each in verdict.conditions] == ["carrier"]


def test_a_third_condition_is_told_within_a_confirmed_pair(world: World) -> None:
    def rates(codes: NDArray[np.uint8]) -> NDArray[np.float64]:
        jfk = codes[11] == STRUCTURAL_BINS
        return np.where((codes[0] == UA) & (codes[1] >= STRUCTURAL_BINS + 12) & jfk, 0.9, 0.1)

    told = [
        sorted(
            each.column
            for each in world.searched(world.rows(seed, rates), world.rows(seed + 100, ten_percent)).conditions
        )
        for seed in range(10)
    ]

    # By chance the rest of the pair may seem to have risen as well: then it is not confirmed.
    assert told.count(["carrier", "hour", "origin"]) >= 6, told
    assert all("carrier" in columns for columns in told)


@pytest.mark.parametrize("bin_", [NULL, STRUCTURAL_BINS + 7])
def test_a_bin_by_itself_is_a_slice(world: World, bin_: int) -> None:
    def with_bin(rows: HurtRows, hurting: float) -> HurtRows:
        codes = rows.codes.copy()
        codes[1, ::16] = bin_
        luck = np.random.default_rng(0).random(rows.row_count)
        return HurtRows(codes, np.where(codes[1] == bin_, luck < hurting, rows.hurt > 0).astype(np.float64))

    verdict = world.searched(with_bin(world.rows(7, ten_percent), 0.6), with_bin(world.rows(8, ten_percent), 0.1))

    assert [(each.column, each.bin) for each in verdict.conditions] == [("hour", "missing" if bin_ == NULL else "7")]


@pytest.mark.parametrize(
    "risen",
    [lambda rates: rates + 0.1, lambda rates: 2 * rates, lambda rates: 3 * rates / (1 + 2 * rates)],
    ids=["by as much", "by as many times", "by the same odds"],
)
@pytest.mark.parametrize("seed", range(5))
def test_what_rose_everywhere_is_no_slice_though_groups_differ(
    world: World, risen: Callable[[NDArray[np.float64]], NDArray[np.float64]], seed: int
) -> None:
    verdict = world.searched(world.rows(seed, lambda codes: risen(groups(codes))), world.rows(100 + seed, groups))

    assert verdict.state == "everywhere"
    assert verdict.conditions == ()
    assert verdict.summary.startswith("; it is everywhere: ")


@pytest.mark.parametrize("seed", range(5))
def test_a_group_that_always_hurts_more_is_no_slice(world: World, seed: int) -> None:
    verdict = world.searched(world.rows(seed, groups), world.rows(100 + seed, groups))

    assert verdict.state == "none"
    assert 0.1 < verdict.detectable_lift < 0.6
    assert verdict.summary.startswith("; no slice found; one of 5 % would have needed a lift from ")


def test_a_slice_is_found_in_a_group_that_usually_hurts_less(world: World) -> None:
    def rates(codes: NDArray[np.uint8]) -> NDArray[np.float64]:
        return np.where((codes[0] != UA) & (codes[1] >= HOUR_24), 0.4, groups(codes))

    verdict = world.searched(world.rows(9, rates), world.rows(10, groups))

    assert [each.column for each in verdict.conditions] == ["carrier", "hour"]
    assert verdict.conditions[0].bin == "not UA"


def test_a_slice_that_explains_little_of_it_is_not_named(world: World) -> None:
    verdict = world.searched(world.rows(11, lambda codes: at_night(codes) + 0.3), world.rows(12, ten_percent))

    assert verdict.state == "everywhere"


def test_columns_that_are_left_out_are_no_explanation(world: World) -> None:
    verdict = world.searched(world.rows(1, at_night), world.rows(2, ten_percent), leave_out=[0, 1])

    assert verdict.state == "none"


def test_an_output_that_nobody_answered_is_in_no_slice(world: World) -> None:
    rows = world.rows(13, ten_percent)
    rows.codes[1, rows.hurt > 0] = NOT_THERE

    verdict = world.searched(rows, world.rows(14, ten_percent))

    assert verdict.state == "none"


def test_where_nobody_knows_what_is_usual_it_says_so(world: World) -> None:
    verdict = world.searched(world.rows(1, at_night), None)

    assert verdict.state == "found"
    assert np.isnan([verdict.usual_rate, verdict.rest_usual_rate, verdict.explained]).all()
    assert verdict.summary.endswith("in the rest; what is usual there is not known")
    assert world.searched(world.rows(15, ten_percent), None).state == "none"


def test_losses_are_searched_as_well(world: World) -> None:
    def losses(seed: int, rates: Rates) -> HurtRows:
        rows = world.rows(seed, ten_percent)
        return HurtRows(rows.codes, np.random.default_rng(seed).beta(1, 1 / rates(rows.codes)))

    verdict = world.searched(losses(16, at_night), losses(17, ten_percent))

    assert [each.column for each in verdict.conditions] == ["carrier", "hour"]
    assert verdict.usual_rate == pytest.approx(0.09, abs=0.03)


@pytest.mark.parametrize(("rows", "rate"), [(0, 0.5), (199, 0.5), (4_000, 0.001)], ids=["none", "few", "few that hurt"])
def test_too_few_rows_are_told(world: World, rows: int, rate: float) -> None:
    now = world.rows(18, lambda codes: np.full(codes.shape[1], rate), rows)

    verdict = world.searched(now, world.rows(19, ten_percent))

    assert (verdict.state, verdict.rows) == ("too_few", rows)
    assert verdict.summary.startswith(f"; too few rows to search a slice ({rows:,}, of which ")


def test_rows_that_are_all_alike_have_no_slice(world: World) -> None:
    alike = [
        HurtRows(np.full((12, 1_000), UA, np.uint8), (np.arange(1_000) % every == 0).astype(np.float64))
        for every in (3, 10)
    ]

    assert world.searched(alike[0], alike[1]).state == "everywhere"


def test_of_many_columns_the_most_telling_are_looked_at_in_pairs(categorical: Make, drawn: Draw) -> None:
    columns = [categorical(f"column {place}") for place in range(150)]
    rng = np.random.default_rng(20)
    rows = [HurtRows(drawn(rng, columns, 1_000), (rng.random(1_000) < 0.1).astype(np.float64)) for _ in range(2)]

    verdict = finished(search_slice(rows[0], rows[1], columns, words=bin_words(columns)))

    assert verdict.summary.startswith("; no slice found (of 150 columns 100 were looked at in pairs); ")


def test_it_is_done_in_many_steps(world: World) -> None:
    steps = search_slice(
        world.rows(1, at_night), world.rows(2, ten_percent), world.columns, words=bin_words(world.columns)
    )

    assert sum(1 for _ in steps) > 3 * len(world.columns)


def test_at_most_the_promised_share_of_nulls_is_named(categorical: Make, drawn: Draw) -> None:
    columns = [categorical(f"column {place}") for place in range(6)]
    named = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        rows = [
            HurtRows(drawn(rng, columns, 1_000), (rng.random(1_000) < rate).astype(np.float64)) for rate in (0.2, 0.1)
        ]
        named += finished(search_slice(rows[0], rows[1], columns, words=bin_words(columns))).state == "found"

    assert named == 0


def test_bins_beyond_the_layout_are_refused_as_conditions(world: World) -> None:
    rows = world.rows(21, ten_percent)

    assert not rows.within(0, [BINS, 255]).any()


@pytest.mark.parametrize("alike", [0.88, 0.99, 1.0])
def test_a_group_that_was_better_before_is_no_slice_where_all_hurt_alike_now(world: World, alike: float) -> None:
    def better_before(codes: NDArray[np.uint8]) -> NDArray[np.float64]:
        return np.where(codes[0] == UA, 0.3, 0.7)

    for seed in range(5):
        usual = world.rows(seed + 100, better_before)
        found = world.searched(world.rows(seed, lambda codes: np.full(codes.shape[1], alike)), usual)

        assert found.state == "everywhere"
